/**
 * **serving pack** a version's columns laid out so that a server answers from them without an engine: one block of
 * memory that is written once, read in one piece and shared between threads.
 *
 * Every cell is a *fragment*: the JSON text of its value, ready to be copied into an answer. A column of few distinct
 * values (`dictionary`) has each fragment once, in the order of the values, and a code a row: the fragment's place.
 * Codes therefore compare as their values do, and the null, where there is one, comes last. Other columns (`rows`)
 * have a fragment a row.
 */

/** Where an array lies: first byte, and how many elements it has. Every section begins at a multiple of 8. */
export type PackSection = Readonly<{ at: number; length: number }>;

/** One column. `entries`: fragments; of a dictionary the distinct values and `null`, which is always the last. */
export type PackColumn = Readonly<{
  name: string;
  type: string;
  coding: "dictionary" | "rows";
  entries: number;
  nullCount: number;
  /** End of each fragment within `text`, after a first 0: `entries + 1` numbers of 4 bytes. */
  offsets: PackSection;
  /** Fragments one after another, UTF-8. */
  text: PackSection;
  /** A code a row, of `codeBytes` each. Dictionaries only. */
  codes: PackSection | undefined;
  codeBytes: 1 | 2 | 4;
  /** Rows of each entry, 4 bytes each. Dictionaries only. */
  counts: PackSection | undefined;
  /** Hash table from a fragment to its entry: entry + 1, or 0. A power of two of slots. Dictionaries only. */
  slots: PackSection | undefined;
}>;

/** Row numbers in another order than the version's own, 4 bytes each. */
export type PackOrder = Readonly<{ columns: readonly string[]; rows: PackSection }>;

export type PackLayout = Readonly<{
  rowCount: number;
  columns: readonly PackColumn[];
  orders: readonly PackOrder[];
  /** Size of the whole. */
  bytes: number;
}>;

/** Most rows of a pack: row numbers are 32-bit. */
export const packRowsMax: number = 2 ** 32 - 2;

/**
 * Hash of a fragment for the tables of dictionaries (FNV-1a, 32 bits, with its high bits folded down).
 *
 * @param fragment - UTF-8 bytes as a string of one character a byte, as fragments are handled throughout.
 */
export function hashFragment(fragment: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < fragment.length; at++) hash = Math.imul(hash ^ fragment.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Slots for so many entries: at most half of them are taken, so that a search ends soon. */
export function slotCount(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(entries, 1) * 2));
}
