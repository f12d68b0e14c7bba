/** A text file as a workbook of one sheet, for tables that have titles above and notes below like any other. */
import { posix } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import type { TextForm } from "../../model/text-form.ts";
import type { SheetCell, SheetRow, Workbook } from "../../workbook/sheet.ts";
import { makeTextCell } from "../cells/make-cells.ts";
import { columnsMax } from "../cells/sheet-bounds.ts";
import { readRecords } from "./read-records.ts";

/**
 * Opens a .csv or .tsv as a workbook. Its sheet is named as the file is, without the ending; every cell is text.
 *
 * @throws LeatError from reading its rows: what {@link readRecords} throws, `FILE_TOO_LARGE`.
 */
export function openCsv(path: string, file: string, form: TextForm): Workbook {
  async function* rows(): AsyncGenerator<readonly SheetRow[], void, undefined> {
    let number = 0;
    for await (const records of readRecords(path, file, form)) {
      const batch: SheetRow[] = [];
      for (const { fields, line } of records) {
        number++;
        if (fields.length > columnsMax) throw tooWide(file, line, fields.length);
        const cells: (SheetCell | undefined)[] = fields.map(makeTextCell);
        if (cells.some((cell) => cell !== undefined)) batch.push({ number, isHidden: false, cells });
      }
      if (batch.length > 0) yield batch;
    }
  }
  const name = posix.basename(file).replace(/\.[^.]+$/, "");
  const sheet = {
    name,
    index: 0,
    isHidden: false,
    hasCells: true,
    merges: [],
    hiddenColumns: new Set<number>(),
  };
  return { sheets: [{ ...sheet, rows }], close: async () => {} };
}

function tooWide(file: string, line: number, columns: number): LeatError {
  return new LeatError("FILE_TOO_LARGE", {
    message: `${file}, line ${line}: ${columns} fields; a row of at most ${columnsMax} is read.`,
    hint: "Declare the delimiter, if this one is not right.",
    details: { file, line, columns, columnsMax },
  });
}
