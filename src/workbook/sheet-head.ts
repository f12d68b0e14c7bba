/** The beginning of a sheet, held in memory: what the table's form is found in. */
import { isBlank } from "./cell-text.ts";
import type { MergedRange, Sheet, SheetCell, SheetRow } from "./sheet.ts";

/** Rows held: enough that a sheet of a statistics office is held whole, and its notes below are known in time. */
const rowsMax = 5000;
/** Cells held: some tens of megabytes of memory. A sheet of very many columns is looked at less deep. */
const cellsMax = 250_000;
/** A spreadsheet has no more columns: XFD is the last. */
const columnsMax = 16_384;

/** A part of a sheet, ends included: rows 1-based, columns 0-based. */
export type Region = Readonly<{ top: number; bottom: number; left: number; right: number }>;

export const wholeSheet: Region = { top: 1, bottom: Number.MAX_SAFE_INTEGER, left: 0, right: columnsMax - 1 };

/** Which rows and columns are looked at. */
export type View = Readonly<{
  region: Region;
  skipsHiddenRows: boolean;
  skippedColumns: ReadonlySet<number>;
}>;

export type SheetHead = Readonly<{
  rows: readonly SheetRow[];
  /** The sheet has no rows beyond these. */
  isWhole: boolean;
  merges: readonly MergedRange[];
}>;

/** Reads the beginning of a sheet as a view shows it; rows without anything to see are left out. */
export async function readHead(sheet: Sheet, view: View): Promise<SheetHead> {
  const rows: SheetRow[] = [];
  let cellCount = 0;
  let isWhole = true;
  for await (const batch of viewRows(sheet, view)) {
    for (const row of batch) {
      if (!row.cells.some((cell) => !isBlank(cell))) continue;
      if (rows.length === rowsMax || cellCount > cellsMax) isWhole = false;
      else rows.push(row);
      cellCount += row.cells.length;
    }
    if (!isWhole) break;
  }
  return { rows, isWhole, merges: viewMerges(sheet.merges, view.region) };
}

/** The rows of a sheet as a view shows them. */
export async function* viewRows(sheet: Sheet, view: View): AsyncGenerator<readonly SheetRow[], void, void> {
  const { region } = view;
  const isPlain = region === wholeSheet && !view.skipsHiddenRows && view.skippedColumns.size === 0;
  for await (const batch of sheet.rows()) {
    if (isPlain) yield batch;
    else {
      const rows = batch.filter((row) => isSeen(row, view));
      if (rows.length > 0) yield rows.map((row) => ({ ...row, cells: viewCells(row.cells, view) }));
      if (batch.length > 0 && batch.at(-1)!.number >= region.bottom) return;
    }
  }
}

function isSeen(row: SheetRow, { region, skipsHiddenRows }: View): boolean {
  return row.number >= region.top && row.number <= region.bottom && !(skipsHiddenRows && row.isHidden);
}

function viewCells(
  cells: readonly (SheetCell | undefined)[],
  { region, skippedColumns }: View,
): readonly (SheetCell | undefined)[] {
  const { left, right } = region;
  return cells.map((cell, column) =>
    column < left || column > right || skippedColumns.has(column) ? undefined : cell,
  );
}

function viewMerges(merges: readonly MergedRange[], region: Region): readonly MergedRange[] {
  if (region === wholeSheet) return merges;
  return merges.filter(
    ({ top, bottom, left, right }) =>
      bottom >= region.top && top <= region.bottom && right >= region.left && left <= region.right,
  );
}
