/** Workbooks as plain data, for tests. */
import { join } from "node:path";
import { isLeatError, type LeatError } from "../../src/errors/leat-error.ts";
import { openWorkbook } from "../../src/readers/open-workbook.ts";
import type { MergedRange, Sheet, SheetCell } from "../../src/workbook/sheet.ts";
import { withFile } from "./with-file.ts";

export const dataFolder: string = join(import.meta.dirname, "..", "data");

export type PlainSheet = Readonly<{
  name: string;
  isHidden: boolean;
  hasCells: boolean;
  merges: readonly MergedRange[];
  hiddenColumns: readonly number[];
  hiddenRows: readonly number[];
  /** By place: `B4`. */
  cells: Readonly<Record<string, SheetCell>>;
}>;

/** All members of a cell as its own: numbers make theirs when they are asked. */
export function plainCell(cell: SheetCell): SheetCell {
  if (cell.kind !== "number") return cell;
  return { kind: "number", value: cell.value, text: cell.text, shown: cell.shown };
}

const letters = (column: number): string =>
  (column >= 26 ? letters(Math.floor(column / 26) - 1) : "") + String.fromCharCode(65 + (column % 26));

export async function readSheet(sheet: Sheet): Promise<PlainSheet> {
  const cells: Record<string, SheetCell> = {};
  const hiddenRows: number[] = [];
  let last = 0;
  for await (const batch of sheet.rows()) {
    for (const row of batch) {
      if (row.number <= last) throw new Error(`row ${row.number} after row ${last}`);
      last = row.number;
      if (row.isHidden) hiddenRows.push(row.number);
      for (const [column, cell] of row.cells.entries()) {
        if (cell !== undefined) cells[`${letters(column)}${row.number}`] = plainCell(cell);
      }
    }
  }
  const { name, isHidden, hasCells, merges, hiddenColumns } = sheet;
  return { name, isHidden, hasCells, merges, hiddenColumns: [...hiddenColumns], hiddenRows, cells };
}

/** Reads a file; its name for messages is the last of its path unless another is given. */
export async function readFileSheets(
  path: string,
  name: string = path.split("/").at(-1)!,
): Promise<PlainSheet[]> {
  const workbook = await openWorkbook(path, name);
  try {
    const sheets: PlainSheet[] = [];
    for (const sheet of workbook.sheets) sheets.push(await readSheet(sheet));
    return sheets;
  } finally {
    await workbook.close();
  }
}

/** Reads bytes as a file of some name. */
export async function readBytes(bytes: Uint8Array, name: string = "book.xlsx"): Promise<PlainSheet[]> {
  return withFile(bytes, (path) => readFileSheets(path, name));
}

/** Cells of the only sheet, as short as they can be told: text and numbers as they are, the rest as objects. */
export async function readOnly(bytes: Uint8Array, name?: string): Promise<Record<string, unknown>> {
  const [sheet] = await readBytes(bytes, name);
  return Object.fromEntries(Object.entries(sheet!.cells).map(([place, cell]) => [place, brief(cell)]));
}

export const brief = (cell: SheetCell | undefined): unknown => {
  if (cell === undefined) return undefined;
  if (cell.kind === "text") return cell.text;
  if (cell.kind === "date") return cell.iso;
  if (cell.kind === "number") return cell.value;
  return cell.kind === "boolean" ? cell.value : { error: cell.text };
};

/** The error of a promise that must fail. */
export async function refusal(promise: Promise<unknown>): Promise<LeatError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isLeatError(outcome)) throw outcome ?? new Error("it was not refused");
  return outcome;
}
