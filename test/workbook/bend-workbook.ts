/** Bends a real workbook as publishers do from year to year: in memory, cell by cell. */
import type { MergedRange, Sheet, SheetCell, SheetRow, Workbook } from "../../src/workbook/sheet.ts";

/** A sheet held whole. */
export type HeldSheet = Readonly<{ name: string; rows: readonly SheetRow[]; merges: readonly MergedRange[] }>;

export async function holdSheets(book: Workbook): Promise<readonly HeldSheet[]> {
  const held: HeldSheet[] = [];
  for (const sheet of book.sheets) {
    const rows: SheetRow[] = [];
    for await (const batch of sheet.rows()) rows.push(...batch);
    held.push({ name: sheet.name, rows, merges: sheet.merges });
  }
  return held;
}

export function toBook(sheets: readonly HeldSheet[]): Workbook {
  const toSheet = ({ name, rows, merges }: HeldSheet, index: number): Sheet => ({
    name,
    index,
    isHidden: false,
    hasCells: true,
    merges,
    hiddenColumns: new Set(),
    rows: async function* () {
      yield rows;
    },
  });
  return { sheets: sheets.map(toSheet), close: async () => {} };
}

/** The sheets with one of them changed. */
export function bend(
  sheets: readonly HeldSheet[],
  name: string,
  change: (sheet: HeldSheet) => HeldSheet,
): Workbook {
  return toBook(sheets.map((sheet) => (sheet.name === name ? change(sheet) : sheet)));
}

/** Rows moved down, with texts of one's own in the rows that become free. */
export function shiftRows(sheet: HeldSheet, count: number, texts: readonly string[] = []): HeldSheet {
  const above = texts.map(
    (text, index): SheetRow => ({ number: index + 1, isHidden: false, cells: [{ kind: "text", text }] }),
  );
  return {
    ...sheet,
    rows: [...above, ...sheet.rows.map((row) => ({ ...row, number: row.number + count }))],
    merges: sheet.merges.map((merge) => ({ ...merge, top: merge.top + count, bottom: merge.bottom + count })),
  };
}

/** Columns in another order: `order[i]` is the old column that stands in column i; -1 is a blank one. */
export function orderColumns(sheet: HeldSheet, order: readonly number[]): HeldSheet {
  return {
    ...sheet,
    rows: sheet.rows.map((row) => ({
      ...row,
      cells: order.map((column): SheetCell | undefined => row.cells[column]),
    })),
    merges: [],
  };
}

/** The order of so many columns, with one change. */
export function columnsWithout(count: number, left: number): readonly number[] {
  return Array.from({ length: count }, (_, column) => column).filter((column) => column !== left);
}
