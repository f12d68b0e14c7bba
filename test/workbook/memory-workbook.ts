/** Sheets written down in a test, and workbooks read by a declaration. */
import { openWorkbook } from "../../src/readers/open-workbook.ts";
import type { WorkbookReport } from "../../src/workbook/layout-report.ts";
import type { MergedRange, Sheet, SheetCell, SheetRow, Workbook } from "../../src/workbook/sheet.ts";
import { tidyWorkbook } from "../../src/workbook/tidy-workbook.ts";
import type { TidyValue } from "../../src/workbook/typed-value.ts";
import { workbook } from "../../src/workbook/workbook.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";

/** A cell: text, number, `date("2018-01-31")`, or a cell in full; `null` is blank. */
export type CellInput = string | number | boolean | null | SheetCell;

export const date = (iso: string): SheetCell => ({ kind: "date", iso, serial: 0 });

function toCell(input: CellInput): SheetCell | undefined {
  if (input === null) return undefined;
  if (typeof input === "string") return { kind: "text", text: input };
  if (typeof input === "number")
    return { kind: "number", value: input, text: String(input), shown: undefined };
  return typeof input === "boolean" ? { kind: "boolean", value: input } : input;
}

export type SheetInput = Readonly<{
  name?: string;
  /** The first is row 1; an empty one is left out, as a reader does. */
  rows: readonly (readonly CellInput[])[];
  merges?: readonly MergedRange[];
  isHidden?: boolean;
  hasCells?: boolean;
  hiddenRows?: readonly number[];
  hiddenColumns?: readonly number[];
}>;

export function toWorkbook(sheets: readonly SheetInput[]): Workbook {
  return { sheets: sheets.map(toSheet), close: async () => {} };
}

function toSheet(input: SheetInput, index: number): Sheet {
  const rows: SheetRow[] = input.rows.flatMap((cells, place) => {
    const row = {
      number: place + 1,
      isHidden: input.hiddenRows?.includes(place + 1) ?? false,
      cells: cells.map(toCell),
    };
    return row.cells.some((cell) => cell !== undefined) ? [row] : [];
  });
  return {
    name: input.name ?? `Sheet${index + 1}`,
    index,
    isHidden: input.isHidden ?? false,
    hasCells: input.hasCells ?? true,
    merges: input.merges ?? [],
    hiddenColumns: new Set(input.hiddenColumns),
    // Two batches, so that nothing depends on how many there are.
    rows: async function* () {
      const half = Math.ceil(rows.length / 2);
      yield rows.slice(0, half);
      yield rows.slice(half);
    },
  };
}

export type Tidy = Readonly<{ rows: readonly (readonly TidyValue[])[]; report: WorkbookReport }>;

/** Reads a workbook as a project does: the declaration goes through JSON, since it is handed to another process. */
export async function tidy(
  book: Workbook,
  options: WorkbookOptions,
  {
    name = "file.xlsx",
    fields = {},
  }: Readonly<{ name?: string; fields?: Readonly<Record<string, string>> }> = {},
): Promise<Tidy> {
  const rows: (readonly TidyValue[])[] = [];
  const declaration = JSON.parse(JSON.stringify(workbook(options)));
  const report = await tidyWorkbook(book, { name, fields }, declaration, (batch) => {
    rows.push(...batch);
  });
  return { rows, report };
}

/** Reads rows of one sheet. */
export const tidyRows = (
  rows: SheetInput["rows"],
  options: WorkbookOptions,
  more: Partial<SheetInput> = {},
): Promise<Tidy> => tidy(toWorkbook([{ ...more, rows }]), options);

/** Reads a file of `test/data`. */
export async function tidyFile(
  path: string,
  options: WorkbookOptions,
  fields: Readonly<Record<string, string>> = {},
): Promise<Tidy> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const book = await openWorkbook(new URL(`../data/${path}`, import.meta.url).pathname, name);
  try {
    return await tidy(book, options, { name, fields });
  } finally {
    await book.close();
  }
}

/** The error that reading ends in, with its message and hint. */
export async function refusal(
  reading: Promise<unknown>,
): Promise<Readonly<{ code: string; message: string; hint: string }>> {
  try {
    await reading;
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string }; // A LeatError, or the test fails on it.
    return { code, message, hint };
  }
  throw new Error("the file was read");
}
