/** CRC32C, the checksum that buckets report. hash-wasm computes it at some 2 GB/s; zlib has only CRC32. */
import { createCRC32, type IHasher } from "hash-wasm";

/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f63b78;

/** A running checksum. */
export type Crc32c = Readonly<{
  update(bytes: Uint8Array): void;
  /** 8 hex digits; the checksum must not be updated afterwards. */
  digest(): string;
}>;

const idle: IHasher[] = [];

/** Begins a checksum. */
export async function openCrc32c(): Promise<Crc32c> {
  // Compiling takes 1 ms and 64 KiB each time, so that hashers are kept and used again.
  const hasher = (idle.pop() ?? (await createCRC32(polynomial))).init();
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => {
      const text = hasher.digest("hex");
      idle.push(hasher);
      return text;
    },
  };
}

/** The checksum of bytes at hand. */
export async function crc32cOf(bytes: Uint8Array): Promise<string> {
  const checksum = await openCrc32c();
  checksum.update(bytes);
  return checksum.digest();
}
