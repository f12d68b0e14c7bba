/** The rows of one header, and what they say of each column. */
import type { HeaderGrid } from "./header-grid.ts";

/** Rows that one header may have; deeper ones are not made for reading. */
const blockRowsMax = 8;
/** Within a header one row may be blank (step of two). */
const stepMax = 2;

/** Texts that are no part of a name. */
const isData = /^[\d\s.,*†‡§-]+$/;

/** Places of a header's rows in the head, from the top. */
export type HeaderBlock = readonly number[];

/** The row and those above it that may belong to one header. */
export function blockAbove(grid: HeaderGrid, bottom: number): HeaderBlock {
  const block = [bottom];
  while (block.length < blockRowsMax) {
    const top = block[0]!;
    if (top === 0 || grid.numberOf(top) - grid.bottomOf(top - 1) > stepMax) break;
    block.unshift(top - 1);
  }
  return block;
}

export type ColumnHeader = Readonly<{
  /** The lowest text, then with what stands above it, up to all of them. */
  variants: readonly string[];
  /** Place in the head of the row in which the lowest text stands, or begins where merged. */
  row: number;
  /** Place of the row in which it ends. */
  lastRow: number;
}>;

/**
 * What the rows of a block say of a column.
 *
 * A header on several levels is known by its lowest text, or by this with those above it: `Minimum`, `Range Minimum`.
 *
 * @returns `undefined`: nothing.
 */
export function readColumnHeader(
  grid: HeaderGrid,
  block: HeaderBlock,
  column: number,
): ColumnHeader | undefined {
  const texts: string[] = [];
  let row = -1;
  let lastRow = -1;
  let lastTop = -1;
  for (const index of [...block].reverse()) {
    const cell = grid.cell(index, column);
    if (cell === undefined) continue;
    if (cell.range.top === lastTop) {
      if (texts.length === 1) row = index; // The same merged cell, further up.
      continue;
    }
    if (texts.length === 0) [row, lastRow] = [index, index];
    lastTop = cell.range.top;
    texts.unshift(cell.text);
  }
  if (texts.length === 0) return undefined;
  // A number or sign below a name is data, and not a footnote mark of the name.
  const depth = isData.test(texts.at(-1)!) ? 1 : texts.length;
  const variants = Array.from({ length: depth }, (_, index) =>
    texts.slice(texts.length - 1 - index).join(" "),
  );
  return { variants, row, lastRow };
}
