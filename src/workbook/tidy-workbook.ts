/** A workbook as tidy rows: sheets chosen, tables found, rows read, and a report of all of it. */
import { LeatError } from "../errors/leat-error.ts";
import type { TidyDeclaration } from "../ports/tidy.ts";
import { mergeFields } from "./above-table.ts";
import { type ChosenSheet, chooseSheets } from "./choose-sheets.ts";
import { findTable } from "./find-table.ts";
import type { FoundTable, Miss } from "./found-table.ts";
import { readKnownMarks } from "./known-marks.ts";
import { type Layout, toRegExp } from "./layout.ts";
import type { TableReport, WorkbookReport } from "./layout-report.ts";
import { parseLayout } from "./parse-layout.ts";
import type { Sheet, SheetRow, Workbook } from "./sheet.ts";
import { readHead, type SheetHead, type View, viewRows, wholeSheet } from "./sheet-head.ts";
import { splitRegions } from "./split-regions.ts";
import { TableReader } from "./table-reader.ts";
import { toTableReport } from "./table-report.ts";
import type { TidyValue } from "./typed-value.ts";
import { compileWish, type Fields } from "./wanted.ts";

/** Tidy rows handed over at a time: enough that the hand-over costs nothing, few enough to hold. */
const batchRows = 1000;

/** Values in the order of the declaration's columns. */
export type TidyRow = readonly TidyValue[];

/** Takes tidy rows; the next come when its promise resolves. */
export type EmitRows = (rows: readonly TidyRow[]) => Promise<void> | void;

/**
 * Reads a workbook.
 *
 * Rows are handed over while the sheet is read, so that a sheet of any length fits in memory. When an error is thrown
 * in the middle, what was handed over is worth nothing.
 *
 * @param context - what people call the file, and what its source knows of it.
 * @returns the report. There is at least one row.
 * @throws LeatError `WORKBOOK_*` naming file, sheet and place, what was looked for, and what is there.
 */
export async function tidyWorkbook(
  workbook: Workbook,
  context: Readonly<{ name: string; fields: Fields }>,
  declaration: Pick<TidyDeclaration, "options">,
  emit: EmitRows,
): Promise<WorkbookReport> {
  const layout = parseLayout(declaration.options);
  const file = context.name;
  const inName = layout.fields.file === null ? undefined : toRegExp(layout.fields.file).exec(file)?.groups;
  const fields = mergeFields(context.fields, inName ?? {});
  const probe = async (sheet: Sheet, known: Fields) => {
    const found = await locate(sheet, known, layout);
    return "miss" in found ? found.miss.text : undefined;
  };
  const { chosen, reports } = await chooseSheets(workbook.sheets, layout, { file, fields }, probe);
  const output = new Output(emit);
  const tables: TableReport[] = [];
  for (const sheet of chosen) tables.push(...(await readSheet(sheet, layout, { file, fields }, output)));
  await output.flush();
  return { format: "workbook", file, sheets: reports, tables, rowCount: output.count };
}

/** Gathers rows and hands them over in batches. */
class Output {
  count = 0;
  #rows: TidyRow[] = [];
  readonly #emit: EmitRows;

  constructor(emit: EmitRows) {
    this.#emit = emit;
  }

  readonly write = (row: TidyRow): void => {
    this.#rows.push(row);
    this.count++;
  };

  get isFull(): boolean {
    return this.#rows.length >= batchRows;
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const rows = this.#rows;
    this.#rows = [];
    await this.#emit(rows);
  }
}

/** A table and the part of the sheet in which it stands. */
type Place = Readonly<{ view: View; head: SheetHead; table: FoundTable }>;

/** Finds the tables of a sheet, or why there are none. */
async function locate(
  sheet: Sheet,
  fields: Fields,
  layout: Layout,
): Promise<Readonly<{ places: readonly Place[] }> | Readonly<{ miss: Miss }>> {
  const whole: View = {
    region: wholeSheet,
    skipsHiddenRows: layout.hidden.rows === "skip",
    skippedColumns: layout.hidden.columns === "skip" ? sheet.hiddenColumns : new Set(),
  };
  const above = await readHead(sheet, whole);
  const view = layout.below === null ? whole : viewBelow(above, whole, layout, fields);
  if (view === undefined)
    return {
      miss: missOf(`no text is ${compileWish(layout.below!, fields).label}, below which the table stands`),
    };
  const head = view === whole ? above : await readHead(sheet, view);
  if (layout.tables !== "all") {
    const found = findTable(head, layout, fields);
    return found.table === undefined
      ? { miss: found.miss }
      : { places: [{ view, head, table: found.table }] };
  }
  if (!head.isWhole)
    return { miss: missOf(`it has more than ${head.rows.length} rows, too many for \`tables: "all"\``) };
  const places: Place[] = [];
  let nearest: Miss | undefined;
  for (const region of splitRegions(head)) {
    const part = { ...view, region };
    const partHead = await readHead(sheet, part);
    const found = findTable(partHead, layout, fields);
    if (found.table !== undefined) places.push({ view: part, head: partHead, table: found.table });
    else if (nearest === undefined || found.miss.score > nearest.score) nearest = found.miss;
  }
  return places.length > 0 ? { places } : { miss: nearest ?? missOf("it is empty") };
}

/** The sheet below the first row with the declared text. */
function viewBelow(head: SheetHead, view: View, layout: Layout, fields: Fields): View | undefined {
  const wish = compileWish(layout.below!, fields);
  const row = head.rows.find(({ cells }) =>
    cells.some((cell) => cell?.kind === "text" && wish.fit(cell.text) !== undefined),
  );
  return row === undefined ? undefined : { ...view, region: { ...view.region, top: row.number + 1 } };
}

function missOf(text: string): Miss {
  return { code: "WORKBOOK_TABLE_MISSING", score: 0, fitCount: 0, text, hint: undefined, details: {} };
}

async function readSheet(
  { sheet, fields }: ChosenSheet,
  layout: Layout,
  context: Readonly<{ file: string; fields: Fields }>,
  output: Output,
): Promise<readonly TableReport[]> {
  const { file } = context;
  const found = await locate(sheet, fields, layout);
  if ("miss" in found) throw refusal(found.miss, file, sheet.name);
  const reports: TableReport[] = [];
  for (const { table } of found.places) {
    const miss = contradiction(context.fields, fields, table.fields);
    if (miss !== undefined) throw refusal(miss, file, sheet.name);
  }
  for (const place of found.places) reports.push(await readTable(sheet, place, layout, file, output));
  return reports;
}

/**
 * A field of which the sheet's name and the title say different things: one was not changed when the sheet was copied.
 * That a title says something else than the file is as it should be: a file of 2020 may hold a sheet of 2009.
 */
function contradiction(ofFile: Fields, ofSheet: Fields, ofTable: Fields): Miss | undefined {
  for (const [name, value] of Object.entries(ofSheet)) {
    const titled = ofTable[name];
    if (ofFile[name] === value || titled === undefined || titled === value) continue;
    return {
      ...missOf(
        `the sheet's name says that ${name} is ${value}, the text above its table that it is ${titled}`,
      ),
      code: "WORKBOOK_HEADINGS_UNCLEAR",
      hint: "Ask the publisher, or let one of them alone tell it: by `sheets`, or by `fields.title`.",
    };
  }
  return undefined;
}

async function readTable(
  sheet: Sheet,
  place: Place,
  layout: Layout,
  file: string,
  output: Output,
): Promise<TableReport> {
  const { view, head, table } = place;
  const marks = await readKnownMarks(sheet, view, head, table, layout);
  const context = { file, sheet: sheet.name, table, merges: head.merges, marks };
  const reader = new TableReader(layout, context, output.write);
  for await (const batch of head.isWhole ? held(head.rows) : viewRows(sheet, view)) {
    for (const row of batch) {
      reader.add(row);
      if (output.isFull) await output.flush();
    }
  }
  reader.end();
  const report = toTableReport(sheet.name, table, layout, reader.counts);
  if (report.rows.written === 0) throw emptyTable(report, file);
  return report;
}

async function* held(rows: readonly SheetRow[]): AsyncGenerator<readonly SheetRow[]> {
  yield rows;
}

function refusal(miss: Miss, file: string, sheet: string): LeatError {
  return new LeatError(miss.code, {
    message: `${file}, sheet ${JSON.stringify(sheet)}: ${miss.text}.`,
    hint: miss.hint,
    details: { file, sheet, ...miss.details },
  });
}

function emptyTable(report: TableReport, file: string): LeatError {
  const leftOut = report.leftOut.reduce((sum, entry) => sum + entry.count, 0);
  const why =
    leftOut > 0
      ? `all ${leftOut} rows are left out by \`keep\` or \`drop\``
      : report.rejected.count > 0
        ? `all of its values are rejected, first ${report.rejected.examples[0]!.cell}: ${report.rejected.examples[0]!.problem}`
        : "no row below its header holds data";
  return new LeatError("WORKBOOK_TABLE_MISSING", {
    message: `${file}, sheet ${JSON.stringify(report.sheet)}: the table has no rows: ${why}.`,
    details: { file, sheet: report.sheet, headerRows: report.headerRows },
  });
}
