/** A sheet of a workbook as plain CSV: its first table, the header found, every cell as text with all its digits. */
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { Sheet, SheetCell, SheetRow } from "../workbook/sheet.ts";
import { columnLetters } from "./cells/sheet-bounds.ts";
import { openWorkbook } from "./open-workbook.ts";

/** Rows in which the header is looked for: titles and notes above a table have some ten. */
const headRowsMax = 60;
/** Sheets that are looked at when none is named. */
const sheetsMax = 50;

/** What was read. */
export type WrittenSheet = Readonly<{ sheet: string; headerRow: number; columns: readonly string[] }>;

/**
 * Writes the table of a sheet. The header is the first row whose cells are all different texts and which is as wide as
 * the rows below it; rows above are titles, and left out. Cells beyond the header have the letter of their column.
 *
 * @param sheetName - `undefined`: the sheet that is shown and holds most figures.
 * @throws LeatError `WORKBOOK_SHEET_MISSING`, `WORKBOOK_TABLE_MISSING`, and what opening the workbook throws.
 */
export async function writeSheetCsv(
  path: string,
  name: string,
  sheetName: string | undefined,
  csvPath: string,
): Promise<WrittenSheet> {
  const workbook = await openWorkbook(path, name);
  try {
    const names = workbook.sheets.map((sheet) => sheet.name);
    const named =
      sheetName === undefined ? undefined : workbook.sheets.find((sheet) => sheet.name === sheetName);
    if (sheetName !== undefined && named === undefined)
      throw new LeatError("WORKBOOK_SHEET_MISSING", {
        message: `${name}: It has no sheet "${sheetName}".`,
        hint: hintOfKnown(sheetName, "sheets", names),
        details: { file: name, sheet: sheetName },
      });
    const candidates =
      named === undefined
        ? workbook.sheets.filter(({ isHidden, hasCells }) => !isHidden && hasCells)
        : [named];
    const found = await findTable(candidates);
    if (found !== undefined) {
      const { sheet, header } = found;
      await pipeline(Readable.from(printRows(sheet, header)), createWriteStream(csvPath));
      return { sheet: sheet.name, headerRow: header.number, columns: header.names };
    }
    throw new LeatError("WORKBOOK_TABLE_MISSING", {
      message: `${name}: No table was found in ${sheetName === undefined ? `the sheets ${names.slice(0, 20).join(", ")}` : `the sheet ${sheetName}`}: no row of different texts stands above rows of the same width.`,
      hint: "Name another sheet with --sheet, or declare its layout with workbook(...) in a project.",
      details: { file: name },
    });
  } finally {
    await workbook.close();
  }
}

/** `figures`: numbers and dates below it, as far as was looked. */
type Header = Readonly<{
  number: number;
  columns: readonly number[];
  names: readonly string[];
  figures: number;
}>;

/** Of several sheets the one whose table holds most figures: the first is often a list of contents. */
async function findTable(
  sheets: readonly Sheet[],
): Promise<Readonly<{ sheet: Sheet; header: Header }> | undefined> {
  let best: Readonly<{ sheet: Sheet; header: Header }> | undefined;
  for (const sheet of sheets.slice(0, sheetsMax)) {
    const header = await findHeader(sheet);
    if (header !== undefined && header.figures > (best?.header.figures ?? -1)) best = { sheet, header };
  }
  return best;
}

async function findHeader(sheet: Sheet): Promise<Header | undefined> {
  const head: SheetRow[] = [];
  for await (const rows of sheet.rows()) {
    head.push(...rows.slice(0, headRowsMax - head.length));
    if (head.length >= headRowsMax) break;
  }
  const widths = head.map(({ cells }) => cells.filter((cell) => cell !== undefined).length);
  const widest = Math.max(0, ...widths);
  const at = head.findIndex(({ cells }, index) => {
    const texts = cells.flatMap((cell) => (cell?.kind === "text" ? [cell.text.trim()] : []));
    const isHeader = texts.length === widths[index] && new Set(texts).size === texts.length;
    // A table's rows may be shorter than its header, and a stray cell may stand beside it.
    return isHeader && widths[index]! >= Math.max(1, widest * 0.6) && index + 1 < head.length;
  });
  if (at < 0) return undefined;
  const header = head[at]!;
  const below = head.slice(at + 1);
  const columnCount = Math.max(header.cells.length, ...below.map(({ cells }) => cells.length));
  const columns = Array.from({ length: columnCount }, (_, column) => column).filter((column) =>
    [header, ...below].some(({ cells }) => cells[column] !== undefined),
  );
  const isFigure = (cell: SheetCell | undefined): boolean => cell?.kind === "number" || cell?.kind === "date";
  const figures = below.reduce((sum, { cells }) => sum + cells.filter(isFigure).length, 0);
  return { number: header.number, columns, names: nameColumns(header, columns), figures };
}

/** Names in one line each, and told apart where only their case differs. */
function nameColumns({ cells }: SheetRow, columns: readonly number[]): readonly string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    const cell = cells[column];
    const written = cell === undefined ? "" : printCell(cell).replace(/\s+/g, " ").trim();
    let name = written === "" ? columnLetters(column) : written;
    if (taken.has(name.toLowerCase())) name = `${name} (${columnLetters(column)})`;
    taken.add(name.toLowerCase());
    return name;
  });
}

async function* printRows(sheet: Sheet, { number, columns, names }: Header): AsyncGenerator<string> {
  yield printLine(names);
  for await (const rows of sheet.rows())
    yield rows
      .filter((row) => row.number > number)
      .map(({ cells }) => printLine(columns.map((column) => printCell(cells[column]))))
      .join("");
}

/** Every field in quotes: whatever is in it, it is one field. An empty one is left bare, and is null. */
const printLine = (fields: readonly string[]): string =>
  `${fields.map((field) => (field === "" ? "" : `"${field.replaceAll('"', '""')}"`)).join(",")}\n`;

/** A cell's text; an error of a formula is no value. */
function printCell(cell: SheetCell | undefined): string {
  if (cell === undefined) return "";
  switch (cell.kind) {
    case "error":
      return "";
    case "date":
      return cell.iso;
    case "boolean":
      return String(cell.value);
    default:
      return cell.text;
  }
}
