/** A package's files as SQL that yields one row a record, one column a cell. */
import type { Compression } from "../../model/manifest.ts";
import type { PlannedColumn } from "../../model/plan-schema.ts";
import { leatColumns } from "../../model/stream.ts";
import type { CellReading } from "./cell-reading.ts";
import { allOf, quoteName, quotePointer, quoteText, quoteTexts } from "./sql-text.ts";

/** A column that the package fills, and how. Its cell is called `c<index>`, its landed JSON `o<index>`. */
export type CellPlan = Readonly<{ column: PlannedColumn; reading: CellReading; index: number }>;

/** Files of one encoding. `objectBytesMax` bounds a record. */
export type SourceFiles = Readonly<{
  paths: readonly string[];
  compression: Compression;
  objectBytesMax: number;
}>;

/**
 * `columns`: the engine's NDJSON reader with explicit columns. `lines`: whole lines, from which each key is taken by
 * pointer: slower, but it tells `Id` from `id` and goes on behind a line that the engine cannot parse.
 */
export type SourceMode = "columns" | "lines";

/** Longest line of the `lines` mode: the largest record, quoted, with leat's columns. */
const lineBytesMax = 36 * 1024 * 1024;

const compressionNames: Readonly<Record<Compression, string>> = {
  none: "uncompressed",
  zstd: "zstd",
  gzip: "gzip",
};

/** Whether the engine's NDJSON reader can name all of these keys: its names must differ without case. */
export function canNameKeys(keys: readonly string[]): boolean {
  const folded = new Set(keys.map((key) => key.toLowerCase()));
  return folded.size === keys.length && keys.every((key) => key !== "" && !key.includes("\0"));
}

/** Rows of `leat_row`, `leat_at`, `leat_part` and a cell for each plan. */
export function sourceSql(
  mode: SourceMode,
  files: SourceFiles,
  originals: SourceFiles,
  cells: readonly CellPlan[],
  partitionColumn: string | undefined,
): string {
  const place: Field[] = [
    { key: leatColumns.row, readAs: "BIGINT", name: "leat_row" },
    { key: leatColumns.extractedAt, readAs: "TIMESTAMPTZ", name: "leat_at" },
  ];
  if (partitionColumn !== undefined)
    place.push({ key: partitionColumn, readAs: "VARCHAR", name: "leat_part" });
  const fields = cells.map(({ column, reading, index }) => ({
    key: column.key,
    readAs: reading.readAs,
    name: `c${index}`,
  }));
  const rows = fieldsSql(mode, files, [...place, ...fields]);
  const asLanded = cells
    .filter(({ reading }) => reading.needsOriginal)
    .map(({ column, index }): Field => ({ key: column.key, readAs: "JSON", name: `o${index}` }));
  if (asLanded.length === 0) return rows;
  const landed = fieldsSql(mode, originals, [
    { key: leatColumns.row, readAs: "BIGINT", name: "o_row" },
    ...asLanded,
  ]);
  return `SELECT * FROM (${rows}) JOIN (${landed}) ON leat_row = o_row`;
}

/** In `columns` mode, the path of the row's file. Costs nothing where nobody names it. */
export const fileColumn = "_leat_file";

/** Paths for the engine's readers, which would take brackets, stars and question marks for patterns. */
export function quotePaths(paths: readonly string[]): string {
  return quoteTexts(paths.map((path) => path.replace(/[[*?]/g, (sign) => `[${sign}]`)));
}

type Field = Readonly<{ key: string; readAs: CellReading["readAs"]; name: string }>;

function fieldsSql(mode: SourceMode, files: SourceFiles, fields: readonly Field[]): string {
  if (mode === "columns") {
    const types = fields.map(({ key, readAs }) => `${quoteText(key)}: '${readAs}'`).join(", ");
    const names = fields.map(({ key, name }) => `${quoteName(key)} AS ${name}`).join(", ");
    return (
      `SELECT ${names}, ${fileColumn} FROM read_ndjson(${quotePaths(files.paths)}, columns = {${types}}, ` +
      `filename = '${fileColumn}', format = 'newline_delimited', compression = '${compressionNames[files.compression]}', ` +
      `maximum_object_size = ${files.objectBytesMax})`
    );
  }
  const names = fields.map(({ readAs, name }, at) => `${fieldOfLine(at + 1, readAs)} AS ${name}`);
  const pointers = fields.map(({ key }) => quotePointer([key])).join(", ");
  return (
    `SELECT ${names.join(", ")} FROM (SELECT json_extract(line, [${pointers}]) AS found ` +
    `FROM (${linesSql(files)}) WHERE ${isRecordSql})`
  );
}

function fieldOfLine(at: number, readAs: CellReading["readAs"]): string {
  if (readAs === "JSON") return `CASE json_type(found[${at}]) WHEN 'NULL' THEN NULL ELSE found[${at}] END`;
  const text = `(found[${at}] ->> '$')`;
  return readAs === "VARCHAR" ? text : `CAST(${text} AS ${readAs})`;
}

/** Whole lines as `line`. No byte below 0x20 can be in a landed line, so these never mean anything to the reader. */
export function linesSql(files: SourceFiles): string {
  return (
    `SELECT line FROM read_csv(${quotePaths(files.paths)}, columns = {'line': 'VARCHAR'}, header = false, ` +
    `auto_detect = false, delim = '\u0001', quote = '', escape = '', nullstr = '\u0002', new_line = '\\n', ` +
    `max_line_size = ${lineBytesMax}, compression = '${files.compression}')`
  );
}

/** Whether a line is an object that the engine can parse, without a key that comes twice. */
export const isRecordSql: string =
  "CASE WHEN json_valid(line) THEN len(json_keys(line)) = len(list_distinct(json_keys(line))) ELSE false END";

/** The condition that a row's cells fit their columns. */
export function fitsSql(cells: readonly CellPlan[]): string {
  return allOf(cells.flatMap((cell) => (cell.reading.fits === undefined ? [] : [cellFitsSql(cell)])));
}

/** The condition that one cell is absent or fits. */
export function cellFitsSql({ reading, index }: CellPlan): string {
  return `c${index} IS NULL OR COALESCE(${reading.fits?.(`c${index}`) ?? "true"}, false)`;
}
