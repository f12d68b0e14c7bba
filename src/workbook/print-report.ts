/** A layout report in a few lines, for a person who wonders what was made of a file. */
import type { TableReport, WorkbookReport } from "./layout-report.ts";

/** Items listed of one kind; the report itself holds more. */
const listedMax = 8;
/** Characters of a text shown. */
const textMax = 60;

/** @returns lines without a newline at the end. */
export function printWorkbookReport(report: WorkbookReport): string {
  const lines = [
    `${report.file}: ${plural(report.rowCount, "row")} from ${plural(report.tables.length, "table")}`,
  ];
  for (const table of report.tables) lines.push(...printTable(table).map((line) => `  ${line}`));
  const others = report.sheets
    .filter((sheet) => !sheet.isTaken)
    .map((sheet) => `${quote(sheet.name)} (${sheet.reason})`);
  if (others.length > 0) lines.push(`  other sheets: ${list(others)}`);
  return lines.join("\n");
}

function printTable(table: TableReport): readonly string[] {
  const { rows, headings } = table;
  const header = table.headerRows.length === 0 ? "no header" : `header in ${rowsText(table.headerRows)}`;
  const lines = [
    `sheet ${quote(table.sheet)}: ${header}, ${plural(rows.data, "row")} of data (${table.firstRow} to ${table.lastRow}) become ${rows.written}`,
  ];
  const add = (line: string) => lines.push(`  ${line}`);
  for (const column of table.columns) {
    const nulls = column.nullCount === 0 ? "" : `, ${plural(column.nullCount, "null")}`;
    const found =
      column.column === null
        ? "not in this file"
        : `${column.column}${column.header === "" ? "" : ` ${quote(column.header)}`}${column.by === "values" ? ", by its values" : ""}`;
    add(`${column.name}: ${found}${nulls}`);
  }
  if (headings !== null) {
    const marks = headings.marks.length === 0 ? "" : `, footnote marks ${list(headings.marks)} cut`;
    add(
      `figures: ${headings.columns} below ${plural(headings.count, "heading")}, ${quote(headings.first)} to ${quote(headings.last)}${marks}`,
    );
  }
  for (const { column, reason, count, texts } of table.leftOut) {
    add(
      `left out: ${plural(count, "row")}, ${column} ${reason}${texts.length === 0 ? "" : ` (${list(texts.map(quote))})`}`,
    );
  }
  const counts: readonly (readonly [number, string])[] = [
    [rows.withoutFigures, "without figures"],
    [rows.unlabelled, "of data without any label"],
    [rows.repeatedHeaders, "that repeat the header"],
    [rows.hidden, "hidden, and read"],
    [rows.belowNotes, "with figures below the notes, not read"],
  ];
  for (const [count, what] of counts) if (count > 0) add(`${plural(count, "row")} ${what}`);
  const symbols = Object.entries(table.symbols).map(([sign, count]) => `${quote(sign)} ${count} times`);
  if (symbols.length > 0) add(`signs: ${list(symbols)}`);
  if (table.marksCut.count > 0) {
    add(
      `footnote marks cut from ${plural(table.marksCut.count, "text")}: ${list(table.marksCut.examples.map(({ text }) => quote(text)))}`,
    );
  }
  if (table.rejected.count > 0) {
    add(
      `rejected: ${plural(table.rejected.count, "cell")}: ${list(table.rejected.examples.map(({ cell, problem }) => `${cell} ${problem}`))}`,
    );
  }
  for (const { column, header, reason, cellCount } of table.ignoredColumns) {
    add(
      `column ${column}${header === "" ? "" : ` ${quote(header)}`} is not used: ${reason}, ${plural(cellCount, "cell")}`,
    );
  }
  const notes = table.above.length + table.below.length;
  if (notes > 0) add(`${plural(notes, "text")} above and below the table`);
  return lines;
}

function rowsText(rows: readonly number[]): string {
  return rows.length === 1 ? `row ${rows[0]}` : `rows ${rows[0]} to ${rows.at(-1)}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > textMax ? `${text.slice(0, textMax)}…` : text);
}

function list(items: readonly string[]): string {
  const rest = items.length - listedMax;
  return items.slice(0, listedMax).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}
