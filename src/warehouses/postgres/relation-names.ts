/** Names of schemas, tables and views within the 63 bytes that Postgres keeps; it would cut off the rest in silence. */
import { createHash } from "node:crypto";

/** Longest name, UTF-8 bytes (`NAMEDATALEN` - 1, which nobody changes). */
export const nameBytesMax = 63;

/** Hex digits that stand for what was cut off. */
const digits = 8;

/**
 * A name that fits: itself where it does, else its beginning with digits of its hash, before the ending.
 *
 * @param ending - kept whole: `_history`.
 */
export function toRelationName(name: string, ending = ""): string {
  if (Buffer.byteLength(name + ending) <= nameBytesMax) return name + ending;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, digits);
  const room = nameBytesMax - Buffer.byteLength(ending) - digits - 1;
  let stem = "";
  for (const character of name) {
    if (Buffer.byteLength(stem + character) > room) break;
    stem += character;
  }
  return `${stem}_${hash}${ending}`;
}
