/** The declarative front for files that are tables as they stand: `csv`, `json`, `ndjson`, `parquet`. */
import { z } from "zod";
import { faultsOf, refuseFaults } from "../../errors/faults.ts";
import type { JsonObject } from "../../model/json-value.ts";
import { type TextForm, textEncodings } from "../../model/text-form.ts";
import type { TidyDeclaration } from "../../ports/tidy.ts";

/** What all tables are told. */
export type TableOptions = Readonly<{
  /**
   * Columns of the tidy rows, in order, each with its name in the file: `{ geo_code: "Area code" }`. In JSON a dotted
   * path: `{ geo_code: "area.code" }`. Other columns of the file are left out and reported.
   */
  columns: Readonly<Record<string, string>>;
  /** The files are .zip archives; members that fit this pattern are read, each as a file of its own: `data/*.csv`. */
  members?: string | undefined;
}>;

export type CsvOptions = TableOptions & TextForm;

export type JsonOptions = TableOptions &
  Readonly<{
    /** Dotted path to the array of records: `data.items`. Default: the document is the array. */
    records?: string | undefined;
  }>;

const tableShape = {
  columns: z
    .record(z.string().min(1), z.string().min(1))
    .refine((columns) => Object.keys(columns).length > 0, {
      error: "declare at least one column",
    }),
  members: z.string().min(1).optional(),
};
const oneCharacter = z.string().length(1, { error: "write one character" });
const csvSchema = z.strictObject({
  ...tableShape,
  delimiter: oneCharacter.optional(),
  encoding: z.enum(textEncodings).optional(),
  quote: oneCharacter.nullable().optional(),
});
const jsonSchema = z.strictObject({ ...tableShape, records: z.string().min(1).optional() });
const ndjsonSchema = z.strictObject(tableShape);
const parquetSchema = z.strictObject({ columns: tableShape.columns });

/**
 * Declares a text file with delimiters whose first record names its columns. One with titles above or notes below is
 * a `workbook(...)`, and read by the rules of layout.
 *
 * @example `csv({ columns: { geo_code: "Area code", deaths: "Deaths" }, encoding: "windows-1252" })`
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export const csv = (options: CsvOptions): TidyDeclaration => declare("csv", options, csvSchema);

/**
 * Declares a JSON document that holds an array of records. It is read whole; `ndjson` is read in a stream.
 *
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export const json = (options: JsonOptions): TidyDeclaration => declare("json", options, jsonSchema);

/**
 * Declares a file with one JSON object a line.
 *
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export const ndjson = (options: TableOptions): TidyDeclaration => declare("ndjson", options, ndjsonSchema);

/**
 * Declares a Parquet file. Columns are top-level ones, with the names that the file has.
 *
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export const parquet = (options: Pick<TableOptions, "columns">): TidyDeclaration =>
  declare("parquet", options, parquetSchema);

function declare<Options extends TableOptions>(
  format: TidyDeclaration["format"],
  options: Options,
  schema: z.ZodType<TableOptions>,
): TidyDeclaration {
  const parsed = schema.safeParse(options);
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), `The declaration ${format}(...)`);
  // Through JSON: members that are undefined are left out, so that equal declarations print equal text.
  const plain = JSON.parse(JSON.stringify(options)) as JsonObject; // The schema knows plain data only.
  return Object.freeze({ format, columns: Object.freeze(Object.keys(options.columns)), options: plain });
}
