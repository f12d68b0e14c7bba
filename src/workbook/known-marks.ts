/** The footnote marks that a sheet's own notes define: only those are cut from labels. */
import { isBlank } from "./cell-text.ts";
import { isFigureCell } from "./figures.ts";
import { markOfNote } from "./footnote-marks.ts";
import type { FoundTable } from "./found-table.ts";
import { type Layout, type Symbols, specsOf } from "./layout.ts";
import type { Sheet, SheetRow } from "./sheet.ts";
import { type SheetHead, type View, viewRows } from "./sheet-head.ts";

/** Rows below the last figures that are looked through; a sheet with more notes is a document. */
const notesMax = 500;

/**
 * Reads which marks the notes above and below a table begin with.
 *
 * Notes stand at the end, labels come first: of a sheet that is not held whole, all rows are read once before, if
 * marks are to be cut at all. That costs a second reading of a very long sheet, and the alternative is to guess.
 */
export async function readKnownMarks(
  sheet: Sheet,
  view: View,
  head: SheetHead,
  table: FoundTable,
  layout: Layout,
): Promise<ReadonlySet<string>> {
  const marks = new Set<string>();
  const cutting = layout.columns.filter((spec) => "marks" in spec && spec.marks === "cut");
  // A mark behind a number, date or period is seldom a letter that only a note explains: not worth a second reading.
  const needed = head.isWhole ? cutting : cutting.filter((spec) => "kind" in spec && spec.kind === "text");
  if (needed.length === 0) return marks;
  const isData = dataTest(table, layout);
  let below: SheetRow[] = [];
  const look = (rows: readonly SheetRow[]) => {
    for (const row of rows) {
      if (row.number > table.headerBottom && isData(row)) below = [];
      else if (row.number < (table.headerRows[0] ?? 0)) addMark(marks, row);
      else if (row.number > table.headerBottom && below.length < notesMax) below.push(row);
    }
  };
  if (head.isWhole) look(head.rows);
  else for await (const batch of viewRows(sheet, view)) look(batch);
  for (const row of below) addMark(marks, row);
  return marks;
}

function addMark(marks: Set<string>, row: SheetRow): void {
  const mark = markOfNote(row);
  if (mark !== undefined) marks.add(mark);
}

/** Whether a row holds data: a figure, or two values where the table has no figures. */
function dataTest(table: FoundTable, layout: Layout): (row: SheetRow) => boolean {
  const figures = figureColumns(table, layout);
  const symbols: Symbols = Object.assign(
    {},
    ...[...specsOf(layout, "figure"), ...specsOf(layout, "cell")].map((spec) => spec.symbols),
  );
  if (figures.length > 0)
    return (row) => figures.some((column) => isFigureCell(row.cells[column], symbols, layout.decimal));
  const columns = [...table.columns.values()].map(({ column }) => column);
  const needed = Math.min(2, columns.length);
  return (row) => columns.filter((column) => !isBlank(row.cells[column])).length >= needed;
}

/** Columns of figures, under headings or with a header of their own. */
export function figureColumns(table: FoundTable, layout: Layout): readonly number[] {
  const grouped = table.groups.flatMap((group) => group.figures.filter((column) => column >= 0));
  const own = specsOf(layout, "cell").flatMap((spec) => {
    const found = spec.isFigure ? table.columns.get(spec.name) : undefined;
    return found === undefined ? [] : [found.column];
  });
  return [...grouped, ...own];
}
