/** Rows of JSON: a document that holds an array of records, or a record a line. */
import { statSync } from "node:fs";
import { LeatError } from "../../errors/leat-error.ts";
import type { LayoutReport } from "../../ports/tidy.ts";
import type { TidyValue } from "../../workbook/typed-value.ts";
import { decodeFile } from "../text/decode-file.ts";
import { type ExactJson, parseExactJson, readMember, toTidyValue } from "./exact-json.ts";

/** Largest document read whole, in bytes: parsed it takes some ten times as much memory. */
const documentBytesMax = 128 * 2 ** 20;
/** Longest line of a file with a record a line, in characters. */
const lineLengthMax = 64 * 2 ** 20;

/** What to read. */
export type JsonTable = Readonly<{
  path: string;
  name: string;
  /** Dotted paths in a record, in the order of the rows' values. */
  columns: readonly string[];
}>;

type Emit = (values: readonly TidyValue[]) => void;

/**
 * Reads the records of a document.
 *
 * @param records - dotted path to their array; `undefined`: the document.
 * @throws LeatError `FILE_DAMAGED` where it is no JSON, `FILE_COLUMN_MISSING` where no record has a declared column or
 *   the array is not there, `FILE_ROW_INVALID`, `FILE_TOO_LARGE`.
 */
export async function readJsonTable(
  table: JsonTable,
  records: string | undefined,
  emit: Emit,
): Promise<LayoutReport> {
  const { path, name } = table;
  const { size } = statSync(path);
  if (size > documentBytesMax) {
    throw new LeatError("FILE_TOO_LARGE", {
      message: `${name}: ${size} bytes; a JSON document of at most ${documentBytesMax} is read.`,
      hint: "Have it as one record a line, which `ndjson(...)` reads in a stream.",
      details: { file: name, size, documentBytesMax },
    });
  }
  let text = "";
  for await (const piece of decodeFile(path, name, undefined)) text += piece;
  const document = parse(text, name, undefined);
  const found = records === undefined ? document : readMember(document, records.split("."));
  if (!Array.isArray(found)) {
    throw new LeatError("FILE_COLUMN_MISSING", {
      message: `${name}: ${records === undefined ? "The document" : `"${records}"`} is no array of records.`,
      hint: 'Say with `records` where the array is, e.g. `records: "data.items"`.',
      details: { file: name, records },
    });
  }
  const rows = new RecordRows(table, emit);
  for (const [index, record] of found.entries()) rows.add(record, `record ${index + 1}`);
  return rows.finish("json");
}

/** Reads a record a line; blank lines are passed over. Throws as {@link readJsonTable} does. */
export async function readNdjsonTable(table: JsonTable, emit: Emit): Promise<LayoutReport> {
  const { path, name } = table;
  const rows = new RecordRows(table, emit);
  let [rest, line] = ["", 0];
  const take = (text: string): void => {
    line++;
    if (text.trim() !== "") rows.add(parse(text, name, line), `line ${line}`);
  };
  for await (const piece of decodeFile(path, name, undefined)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const text of lines) take(text);
    if (rest.length > lineLengthMax) {
      throw new LeatError("FILE_TOO_LARGE", {
        message: `${name}, line ${line + 1}: The line is longer than ${lineLengthMax} characters.`,
        hint: "If it is one document, declare it as `json(...)`.",
        details: { file: name, line: line + 1, lineLengthMax },
      });
    }
  }
  take(rest);
  return rows.finish("ndjson");
}

class RecordRows {
  readonly #table: JsonTable;
  readonly #emit: Emit;
  readonly #paths: readonly (readonly string[])[];
  /** Whether any record has the column. */
  readonly #isSeen: boolean[];
  #count = 0;

  constructor(table: JsonTable, emit: Emit) {
    this.#table = table;
    this.#emit = emit;
    this.#paths = table.columns.map((column) => column.split("."));
    this.#isSeen = table.columns.map(() => false);
  }

  add(record: ExactJson, place: string): void {
    const { name } = this.#table;
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new LeatError("FILE_ROW_INVALID", {
        message: `${name}, ${place}: It is no object.`,
        hint: "Records are objects with the columns as members.",
        details: { file: name, place },
      });
    }
    const values = this.#paths.map((path, index) => {
      const value = readMember(record, path);
      if (value !== undefined) this.#isSeen[index] = true;
      return toTidyValue(value);
    });
    this.#count++;
    this.#emit(values);
  }

  finish(format: string): LayoutReport {
    const { name, columns } = this.#table;
    const missing = columns.find((_column, index) => !this.#isSeen[index]);
    if (missing !== undefined && this.#count > 0) {
      throw new LeatError("FILE_COLUMN_MISSING", {
        message: `${name}: None of its ${this.#count} records has "${missing}".`,
        details: { file: name, column: missing },
      });
    }
    return { format, records: this.#count };
  }
}

function parse(text: string, name: string, line: number | undefined): ExactJson {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new LeatError("FILE_DAMAGED", {
      message: `${name}${line === undefined ? "" : `, line ${line}`}: It is no JSON, or cut off.`,
      details: { file: name, ...(line !== undefined && { line }) },
      cause: error,
    });
  }
}
