/** What is new in a file's layout since the last one: pure, over the reports of both. */
import type { ColumnReport, TableReport, WorkbookReport } from "./layout-report.ts";

/** One difference, as data and as a sentence. */
export type LayoutChange = Readonly<{
  /** Where: `sheet`, `header`, `column`, `headings`, `symbol`, `unused`, `note`. */
  what: "sheet" | "header" | "column" | "headings" | "symbol" | "unused" | "note";
  text: string;
}>;

/** Headings, columns and notes told of one kind; a new publication has new everything. */
const toldMax = 20;

/**
 * Compares two reports, the older first.
 *
 * Tables are compared by their place among those read: a file of another year has its table in a sheet of another name.
 *
 * @returns changes in the order in which one meets them in the sheet; empty: the layout is the same.
 */
export function diffWorkbookReports(before: WorkbookReport, after: WorkbookReport): readonly LayoutChange[] {
  const changes: LayoutChange[] = [];
  const [old, current] = [before.tables, after.tables];
  if (old.length !== current.length) {
    changes.push({ what: "sheet", text: `${current.length} tables are read, before ${old.length}` });
  }
  for (const name of missingIn(
    before.sheets.map(({ name }) => name),
    after.sheets.map(({ name }) => name),
  )) {
    changes.push({ what: "sheet", text: `there is a new sheet ${JSON.stringify(name)}` });
  }
  for (let index = 0; index < Math.min(old.length, current.length); index++) {
    changes.push(...diffTables(old[index]!, current[index]!));
  }
  return changes;
}

function diffTables(before: TableReport, after: TableReport): readonly LayoutChange[] {
  const changes: LayoutChange[] = [];
  const add = (what: LayoutChange["what"], text: string) => changes.push({ what, text });
  if (before.sheet !== after.sheet)
    add("sheet", `the sheet is ${show(after.sheet)}, before ${show(before.sheet)}`);
  if (before.headerRows.join() !== after.headerRows.join()) {
    add(
      "header",
      `the header stands in row ${print(after.headerRows)}, before in ${print(before.headerRows)}`,
    );
  }
  for (const column of after.columns) {
    const old = before.columns.find(({ name }) => name === column.name);
    if (old !== undefined) for (const text of diffColumns(old, column)) add("column", text);
  }
  diffHeadings(before, after, (text) => add("headings", text));
  for (const sign of missingIn(Object.keys(before.symbols), Object.keys(after.symbols))) {
    add("symbol", `there is a new sign ${show(sign)}, ${after.symbols[sign]} times`);
  }
  const [unusedBefore, unusedAfter] = [headersOf(before), headersOf(after)];
  for (const header of missingIn(unusedBefore, unusedAfter))
    add("unused", `there is a new column ${show(header)}, which is not used`);
  for (const header of missingIn(unusedAfter, unusedBefore))
    add("unused", `the column ${show(header)}, which was not used, is gone`);
  const [notesBefore, notesAfter] = [notesOf(before), notesOf(after)];
  for (const note of missingIn(notesBefore, notesAfter)) add("note", `there is a new note: ${show(note)}`);
  for (const note of missingIn(notesAfter, notesBefore)) add("note", `a note is gone: ${show(note)}`);
  return changes;
}

function diffColumns(before: ColumnReport, after: ColumnReport): readonly string[] {
  const { name } = after;
  if (before.column === null && after.column === null) return [];
  if (after.column === null) return [`"${name}" is not in the file any more; it was column ${before.column}`];
  if (before.column === null) return [`"${name}" is in the file now, in column ${after.column}`];
  const texts: string[] = [];
  if (before.column !== after.column)
    texts.push(`"${name}" stands in column ${after.column}, before in ${before.column}`);
  if (before.header !== after.header)
    texts.push(`the header of "${name}" is ${show(after.header)}, before ${show(before.header)}`);
  if ((before.by === "values") !== (after.by === "values")) {
    texts.push(
      after.by === "values"
        ? `"${name}" is known by its values alone, its header is gone`
        : `"${name}" has its header again`,
    );
  }
  return texts;
}

function diffHeadings(before: TableReport, after: TableReport, add: (text: string) => void): void {
  const [old, current] = [before.headings?.texts ?? [], after.headings?.texts ?? []];
  const added = missingIn(old, current);
  const gone = missingIn(current, old);
  if (added.length > 0) add(`new headings: ${added.map(show).join(", ")}`);
  if (gone.length > 0) add(`headings that are gone: ${gone.map(show).join(", ")}`);
}

/** Items of the second list that the first does not have. */
function missingIn(known: readonly string[], items: readonly string[]): readonly string[] {
  const all = new Set(known);
  return [...new Set(items)].filter((item) => !all.has(item)).slice(0, toldMax);
}

function headersOf(table: TableReport): readonly string[] {
  return table.ignoredColumns.map(({ header }) => header).filter((header) => header !== "");
}

function notesOf(table: TableReport): readonly string[] {
  return [...table.above, ...table.below];
}

function print(rows: readonly number[]): string {
  return rows.length === 0 ? "none" : rows.join(", ");
}

function show(text: string): string {
  return JSON.stringify(text);
}
