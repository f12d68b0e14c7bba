/** The byte order mark that some write in front of UTF-8. At the very beginning it is no part of the document. */

const mark = [0xef, 0xbb, 0xbf];

/** The mark's length, 0 where there is none, `undefined` while too few bytes have come to tell. */
export function markLength(bytes: Uint8Array, length: number): number | undefined {
  for (const [i, byte] of mark.entries()) {
    if (i === length) return undefined;
    if (bytes[i] !== byte) return 0;
  }
  return mark.length;
}
