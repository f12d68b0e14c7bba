/** Rows of a text file whose first record names its columns. */
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { TextForm } from "../../model/text-form.ts";
import type { LayoutReport } from "../../ports/tidy.ts";
import type { TidyValue } from "../../workbook/typed-value.ts";
import { readRecords } from "../csv/read-records.ts";

/** Most names of columns listed in a report. */
const listedMax = 200;

/** What to read. */
export type CsvTable = Readonly<{
  path: string;
  name: string;
  /** Names in the file, in the order of the rows' values. */
  columns: readonly string[];
  form: TextForm;
}>;

/**
 * Reads the rows. Every value is text as it stands, an empty field null.
 *
 * @param emit - takes a row: values of the columns in their order.
 * @returns what was made of the file.
 * @throws LeatError `FILE_COLUMN_MISSING`, `FILE_ROW_INVALID` for a row longer or shorter than the header, and what
 *   `readRecords` throws.
 */
export async function readCsvTable(
  { path, name, columns, form }: CsvTable,
  emit: (values: readonly TidyValue[]) => void,
): Promise<LayoutReport> {
  let header: readonly string[] | undefined;
  let places: readonly number[] = [];
  let blankLines = 0;
  for await (const records of readRecords(path, name, form)) {
    for (const { fields, line } of records) {
      if (fields.length === 1 && fields[0]!.trim() === "" && header?.length !== 1) blankLines++;
      else if (header === undefined) {
        header = fields.map((field) => field.trim());
        places = findColumns(name, columns, header);
      } else {
        if (fields.length !== header.length) throw wrongLength(name, line, fields.length, header.length);
        emit(places.map((place) => (fields[place] === "" ? null : fields[place]!)));
      }
    }
  }
  if (header === undefined) {
    throw new LeatError("FILE_COLUMN_MISSING", {
      message: `${name}: It has no records, not even one that names its columns.`,
      details: { file: name },
    });
  }
  const ignored = header.filter((_column, place) => !places.includes(place)).slice(0, listedMax);
  return {
    format: "csv",
    columns: Object.fromEntries(columns.map((column, at) => [column, places[at]! + 1])),
    ignored,
    blankLines,
  };
}

function findColumns(name: string, columns: readonly string[], header: readonly string[]): number[] {
  return columns.map((column) => {
    const place = header.indexOf(column);
    if (place >= 0 && header.indexOf(column, place + 1) < 0) return place;
    const problem = place < 0 ? `has no column "${column}"` : `has the column "${column}" twice`;
    throw new LeatError("FILE_COLUMN_MISSING", {
      message: `${name}: It ${problem}.`,
      hint: hintOfKnown(column, "columns", header),
      details: { file: name, column, header: header.slice(0, listedMax) },
    });
  });
}

function wrongLength(name: string, line: number, fields: number, header: number): LeatError {
  return new LeatError("FILE_ROW_INVALID", {
    message: `${name}, line ${line}: ${fields} fields, where the header has ${header}.`,
    details: { file: name, line, fields, header },
  });
}
