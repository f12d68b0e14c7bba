/** CRC32C as buckets write it: four bytes, the highest first, in base64. */
import { crc32c } from "@node-rs/crc32";

/** Goes on from the checksum of what came before; 0 at first. */
export const addCrc32c = (bytes: Uint8Array, before: number): number => crc32c(bytes, before);

export function printCrc32c(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString("base64");
}

/** `undefined` for what is no checksum of a whole object. */
export function parseCrc32c(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]{6}==$/.test(text)) return undefined;
  return Buffer.from(text, "base64").readUInt32BE();
}
