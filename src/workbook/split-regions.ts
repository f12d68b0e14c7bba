/** Parts of a sheet with blank rows and columns around them: where small tables stand beside and below each other. */
import { isBlank } from "./cell-text.ts";
import type { Region, SheetHead } from "./sheet-head.ts";

/** Parts of one sheet; more are not tables. */
const regionsMax = 500;

/**
 * Cuts a sheet along its blank rows, each part along its blank columns, and so on until nothing is left to cut.
 *
 * @returns parts from the top, beside each other from the left.
 */
export function splitRegions(head: SheetHead): readonly Region[] {
  const cells = head.rows.map((row) => ({
    number: row.number,
    columns: row.cells.flatMap((cell, column) => (isBlank(cell) ? [] : [column])),
  }));
  // A merged cell fills its range: nothing is cut through it.
  const spans = head.merges.filter((merge) => merge.right > merge.left);
  const filled: readonly Filled[] = cells.map(({ number, columns }) => {
    const all = new Set(columns);
    for (const { top, bottom, left, right } of spans) {
      if (number < top || number > bottom || right - left > 1000) continue;
      for (let column = left; column <= right; column++) all.add(column);
    }
    return { number, columns: [...all].sort((one, other) => one - other) };
  });
  const regions: Region[] = [];
  cutRows(filled, regions);
  return regions.slice(0, regionsMax);
}

type Filled = Readonly<{ number: number; columns: readonly number[] }>;

function cutRows(rows: readonly Filled[], regions: Region[], isCut = false): void {
  const parts = runs(rows, (row) => row.number);
  if (parts.length === 1 && isCut) regions.push(regionOf(rows));
  else for (const part of parts) cutColumns(part, regions, parts.length === 1);
}

function cutColumns(rows: readonly Filled[], regions: Region[], isCut: boolean): void {
  const used = [...new Set(rows.flatMap((row) => row.columns))].sort((one, other) => one - other);
  const parts = runs(used, (column) => column);
  if (parts.length === 1 && isCut) {
    regions.push(regionOf(rows));
    return;
  }
  for (const part of parts) {
    const [left, right] = [part[0]!, part.at(-1)!];
    const inside = rows
      .map((row) => ({ ...row, columns: row.columns.filter((column) => column >= left && column <= right) }))
      .filter((row) => row.columns.length > 0);
    cutRows(inside, regions, parts.length === 1);
  }
}

/** Neighbours together: a new run begins where a number is left out. */
function runs<Item>(items: readonly Item[], numberOf: (item: Item) => number): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  let last: number | undefined;
  for (const item of items) {
    if (last === undefined || numberOf(item) - last > 1) parts.push([]);
    parts.at(-1)!.push(item);
    last = numberOf(item);
  }
  return parts;
}

function regionOf(rows: readonly Filled[]): Region {
  const columns = rows.flatMap((row) => row.columns);
  return {
    top: rows[0]!.number,
    bottom: rows.at(-1)!.number,
    left: columns.reduce((least, column) => Math.min(least, column), columns[0]!),
    right: columns.reduce((most, column) => Math.max(most, column), columns[0]!),
  };
}
