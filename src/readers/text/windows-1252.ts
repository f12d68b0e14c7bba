/** Windows-1252, from a table: decoders of some Node versions read 0x80 to 0x9f of it as Latin-1. */

/** Characters of 0x80 to 0x9f; U+FFFD stands for the five bytes that are none. */
const upperHalf = "€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ";

/** Decodes bytes; one that is no character becomes U+FFFD. */
export function decodeWindows1252(bytes: Buffer): string {
  return bytes.toString("latin1").replace(/[\x80-\x9f]/g, (char) => upperHalf[char.charCodeAt(0) - 0x80]!);
}
