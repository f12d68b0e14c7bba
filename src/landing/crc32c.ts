/** CRC32C, the checksum that buckets report. hash-wasm computes it at some 2 GB/s; zlib has only CRC32. */
import { createCRC32, type IHasher } from "hash-wasm";

/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f63b78;

/** A running checksum. */
export type Crc32c = Readonly<{
  update(bytes: Uint8Array): void;
  /** 8 hex digits of everything so far. */
  digest(): string;
}>;

/** One compiled hasher serves every checksum: its state is a few bytes, compiling takes 1 ms and 64 KiB. */
let shared: Promise<IHasher> | undefined;

/** Begins a checksum. */
export async function openCrc32c(): Promise<Crc32c> {
  shared ??= createCRC32(polynomial);
  const hasher = await shared;
  let state = hasher.init().save();
  return {
    update: (bytes) => {
      hasher.load(state);
      hasher.update(bytes);
      state = hasher.save();
    },
    digest: () => {
      hasher.load(state);
      return hasher.digest("hex");
    },
  };
}

/** The checksum of bytes at hand. */
export async function crc32cOf(bytes: Uint8Array): Promise<string> {
  const checksum = await openCrc32c();
  checksum.update(bytes);
  return checksum.digest();
}
