/** CRC32C, the checksum that buckets report, by the processor's own instruction; zlib has only CRC32. */
import { crc32c } from "@node-rs/crc32";

/** A running checksum. */
export type Crc32c = Readonly<{
  update(bytes: Uint8Array): void;
  /** 8 hex digits of everything so far. */
  digest(): string;
}>;

/** Begins a checksum. */
export function openCrc32c(): Crc32c {
  let state = 0;
  return {
    update: (bytes) => {
      state = crc32c(bytes, state);
    },
    digest: () => toHex(state),
  };
}

/** The checksum of bytes at hand. */
export const crc32cOf = (bytes: Uint8Array): string => toHex(crc32c(bytes));

const toHex = (state: number): string => (state >>> 0).toString(16).padStart(8, "0");
