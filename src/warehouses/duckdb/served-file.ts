/**
 * A file as one Parquet file with typed columns, to be served as it stands.
 *
 * Types of Parquet are its own. Those of text are what *all* values of a column look like; the first that fits of
 *
 * | type | values |
 * |---|---|
 * | `boolean` | `true`, `false` |
 * | `bigint` | whole numbers of at most 18 digits, without zeros in front: `007` is a code |
 * | `double` | numbers of at most 15 digits |
 * | `decimal(38,s)` | longer ones |
 * | `date`, `timestamp`, `timestamptz` | ISO 8601 |
 * | `text` | anything |
 *
 * Members of JSON are taken likewise, but a string that looks like a number stays one; objects and arrays are `json`. The
 * engine keeps the text of whole numbers alone: others that a double would change have been put in quotes.
 */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { type ColumnType, decimalDigitsMax, printColumnType } from "../../model/column-types.ts";
import type { PublishedColumn } from "../../model/dataset-manifest.ts";
import { convertText } from "./cell-reading.ts";
import { type DuckDbSession, withDuckDb } from "./duckdb-file.ts";
import { quoteName, quotePointer, quoteText } from "./sql-text.ts";

export type ServedFormat = "parquet" | "csv" | "json" | "ndjson";

/** What to read, and where the Parquet goes. */
export type ServedFileJob = Readonly<{
  path: string;
  /** What people call it, for messages. */
  name: string;
  format: ServedFormat;
  parquetPath: string;
  /** For what does not fit in memory. */
  workFolder: string;
}>;

/** What was written. */
export type ReadFile = Readonly<{ columns: readonly PublishedColumn[]; rowCount: number }>;

/** Memory of the reading, whatever the file's size; what does not fit goes to the work folder. */
const memoryLimit = "1GB";
/** Columns that are taken; of JSON each is looked for in every record. */
const columnsMax = 2000;
/** Largest record of JSON, bytes. */
const recordBytesMax = 64 * 2 ** 20;

/** A column while it is looked at: `text` is SQL for its value as text, `value` for what is stored. */
type Draft = Readonly<{ name: string; text: string; kinds?: string }>;
type Planned = Readonly<{ name: string; type: ColumnType; value: string; isNullable: boolean }>;

/**
 * Writes the Parquet file.
 *
 * @throws LeatError `FILE_DAMAGED` with what the engine says, `FILE_TOO_LARGE` for too many columns, `INTERRUPTED`.
 */
export async function writeServedFile(job: ServedFileJob, signal: AbortSignal): Promise<ReadFile> {
  const settings = { lockWaitMs: 0, memoryLimit, tempFolder: job.workFolder, threads: 2 };
  try {
    // A file that is not there: the engine then has a database in memory.
    return await withDuckDb(`${job.parquetPath}.duckdb`, "read", settings, signal, async (session) => {
      await session.run("SET TimeZone = 'UTC'");
      const planned =
        job.format === "parquet" ? await planParquet(session, job) : await planText(session, job);
      if (planned.columns.length === 0) throw damaged(job, "it has no columns");
      const cells = planned.columns.map(({ name, value }) => `${value} AS ${quoteName(name)}`);
      const rowCount = await session.run(
        `COPY (SELECT ${cells.join(", ")} FROM ${planned.from}) TO ${quoteText(job.parquetPath)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      const columns = planned.columns.map(
        ({ name, type, isNullable }): PublishedColumn => ({
          name,
          type: printColumnType(type),
          isNullable,
          description: null,
          unit: null,
          examples: [],
        }),
      );
      return { columns, rowCount };
    });
  } catch (error) {
    if (signal.aborted || (isLeatError(error) && error.code !== "LOAD_FAILED")) throw error;
    // What the engine says of a file it cannot read; a place in our own statement is of no use to anybody.
    const cause = isLeatError(error) ? error.cause : error;
    const said = cause instanceof Error ? cause.message : String(cause);
    throw damaged(job, said.split("\n")[0] ?? "", cause);
  }
}

const damaged = ({ name, format }: ServedFileJob, said: string, cause?: unknown): LeatError =>
  new LeatError("FILE_DAMAGED", {
    message: `${name}: It cannot be read as ${format}: ${said}`,
    details: { file: name },
    cause,
  });

function checkColumnCount({ name }: ServedFileJob, count: number): void {
  if (count <= columnsMax) return;
  throw new LeatError("FILE_TOO_LARGE", {
    message: `${name}: It has ${count} columns; at most ${columnsMax} are served.`,
    hint: "Serve a part of it: choose columns with a query, and write them to another file.",
    details: { file: name, columns: count },
  });
}

type Plan = Readonly<{ from: string; columns: readonly Planned[] }>;

async function planParquet(session: DuckDbSession, job: ServedFileJob): Promise<Plan> {
  const from = `read_parquet(${quoteText(job.path)})`;
  const described = await session.rows(`DESCRIBE SELECT * FROM ${from}`);
  checkColumnCount(job, described.length);
  const columns = described.map((row): Planned => {
    const name = String(row["column_name"]);
    return { name, isNullable: true, ...ofEngine(String(row["column_type"]), quoteName(name)) };
  });
  return { from, columns };
}

const plainTypes: Readonly<Record<string, ColumnType["type"]>> = {
  BOOLEAN: "boolean",
  TINYINT: "bigint",
  SMALLINT: "bigint",
  INTEGER: "bigint",
  BIGINT: "bigint",
  UTINYINT: "bigint",
  USMALLINT: "bigint",
  UINTEGER: "bigint",
  UBIGINT: "hugeint",
  HUGEINT: "hugeint",
  DATE: "date",
  TIMESTAMP: "timestamp",
  TIMESTAMP_S: "timestamp",
  TIMESTAMP_MS: "timestamp",
  TIMESTAMP_NS: "timestamp",
  "TIMESTAMP WITH TIME ZONE": "timestamptz",
};

/** A column of the engine's: its type here, and its value. What has none here is text, nothing is left out. */
function ofEngine(engine: string, cell: string): Readonly<{ type: ColumnType; value: string }> {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(engine);
  if (decimal !== null)
    return {
      type: { type: "decimal", precision: Number(decimal[1]), scale: Number(decimal[2]) },
      value: cell,
    };
  const plain = plainTypes[engine];
  if (plain !== undefined && plain !== "decimal")
    return { type: { type: plain }, value: plain === "timestamp" ? `CAST(${cell} AS TIMESTAMP)` : cell };
  // Neither JSON nor a number's order knows them: what is no number is nothing.
  if (engine === "DOUBLE" || engine === "FLOAT")
    return {
      type: { type: "double" },
      value: `CASE WHEN isfinite(${cell}) THEN CAST(${cell} AS DOUBLE) END`,
    };
  if (/(\[|^STRUCT|^MAP|^UNION|^JSON)/.test(engine))
    return { type: { type: "json" }, value: `to_json(${cell})` };
  if (engine === "BLOB") return { type: { type: "text" }, value: `base64(${cell})` };
  return { type: { type: "text" }, value: `CAST(${cell} AS VARCHAR)` };
}

async function planText(session: DuckDbSession, job: ServedFileJob): Promise<Plan> {
  const drafts = job.format === "csv" ? await readCsv(session, job) : await readJson(session, job);
  const columns: Planned[] = [];
  for (const draft of drafts) columns.push(await planColumn(session, draft));
  return { from: "given", columns };
}

async function readCsv(session: DuckDbSession, job: ServedFileJob): Promise<readonly Draft[]> {
  await session.run(
    `CREATE TEMP TABLE given AS SELECT * FROM read_csv(${quoteText(job.path)}, all_varchar = true, header = true, sample_size = 100000)`,
  );
  const described = await session.rows("DESCRIBE given");
  checkColumnCount(job, described.length);
  return described.map((row) => {
    const name = String(row["column_name"]);
    return { name, text: quoteName(name) };
  });
}

async function readJson(session: DuckDbSession, job: ServedFileJob): Promise<readonly Draft[]> {
  const format = job.format === "ndjson" ? "newline_delimited" : "auto";
  await session.run(
    `CREATE TEMP TABLE given AS SELECT json FROM read_json_objects(${quoteText(job.path)}, format = '${format}', maximum_object_size = ${recordBytesMax})`,
  );
  const [odd] = await session.rows("SELECT count(*) AS n FROM given WHERE json_type(json) <> 'OBJECT'");
  if (Number(odd?.["n"]) > 0) throw damaged(job, `${odd?.["n"]} of its records are no objects`);
  const keys = await session.rows(
    `SELECT key FROM (SELECT unnest(json_keys(json)) AS key, unnest(range(len(json_keys(json)))) AS place FROM given) GROUP BY key ORDER BY min(place), key`,
  );
  checkColumnCount(job, keys.length);
  return keys.map((row) => {
    const name = String(row["key"]);
    const pointer = quotePointer([name]);
    return { name, text: `(json ->> ${pointer})`, kinds: `json_type(json, ${pointer})` };
  });
}

/** Text that may be a number: without zeros in front, which only codes have. */
const wholePattern = "^-?(0|[1-9][0-9]*)$";
const numberPattern = "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$";
const plainPattern = "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$";
const digitsOf = (text: string): string => `length(regexp_replace(${text}, '[eE].*$|[^0-9]', '', 'g'))`;

async function planColumn(session: DuckDbSession, { name, text, kinds }: Draft): Promise<Planned> {
  const all = (condition: string): string =>
    `coalesce(bool_and(${condition}) FILTER (WHERE ${text} IS NOT NULL), false)`;
  const fits = (type: ColumnType): string =>
    all(`coalesce(${convertText(type).fits?.(text) ?? "true"}, false)`);
  const like = (pattern: string): string => `regexp_matches(${text}, ${quoteText(pattern)})`;
  const ofKinds = (list: string): string => (kinds === undefined ? "true" : all(`${kinds} IN (${list})`));
  // Of JSON the engine gives doubles as they print, with 17 digits at most; a whole number is what was written, and one of
  // 16 digits may be beyond what a double holds.
  const digitsMax = kinds === undefined ? "15" : `CASE WHEN ${like(wholePattern)} THEN 15 ELSE 17 END`;
  const [seen] = await session.rows(`SELECT count(${text}) < count(*) AS has_nulls,
    ${kinds === undefined ? "false" : `coalesce(bool_or(${kinds} IN ('OBJECT', 'ARRAY')), false)`} AS nested,
    ${ofKinds("'BOOLEAN'")} AND ${all(`${text} IN ('true', 'false')`)} AS is_boolean,
    ${ofKinds("'BIGINT', 'UBIGINT'")} AND ${all(`${like(wholePattern)} AND ${digitsOf(text)} <= 18`)} AS is_bigint,
    ${ofKinds("'BIGINT', 'UBIGINT', 'DOUBLE'")} AND ${all(`${like(numberPattern)} AND ${digitsOf(text)} <= ${digitsMax}`)} AND ${fits({ type: "double" })} AS is_double,
    ${ofKinds("'BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE'")} AND ${all(like(plainPattern))} AS is_decimal,
    max(length(regexp_extract(${text}, '^-?([0-9]+)', 1))) AS whole_digits,
    max(length(regexp_extract(${text}, '\\.([0-9]+)$', 1))) AS scale,
    ${ofKinds("'VARCHAR'")} AND ${fits({ type: "date" })} AS is_date,
    ${ofKinds("'VARCHAR'")} AND ${fits({ type: "timestamp" })} AS is_timestamp,
    ${ofKinds("'VARCHAR'")} AND ${fits({ type: "timestamptz" })} AS is_timestamptz
    FROM given`);
  const is = (fact: string): boolean => seen?.[fact] === true;
  const isNullable = is("has_nulls");
  const planned = (type: ColumnType): Planned => ({
    name,
    type,
    isNullable,
    value: convertText(type).value(text),
  });
  if (is("nested")) return { name, type: { type: "json" }, isNullable, value: jsonValue(text, kinds ?? "") };
  if (is("is_boolean")) return planned({ type: "boolean" });
  if (is("is_bigint")) return planned({ type: "bigint" });
  if (is("is_double")) return planned({ type: "double" });
  const [whole, scale] = [Number(seen?.["whole_digits"]), Number(seen?.["scale"])];
  if (is("is_decimal") && whole + scale <= decimalDigitsMax)
    return planned({ type: "decimal", precision: decimalDigitsMax, scale });
  for (const type of ["date", "timestamp", "timestamptz"] as const)
    if (is(`is_${type}`)) return planned({ type });
  return planned({ type: "text" });
}

/** Beside objects a string is a JSON string again. */
const jsonValue = (text: string, kinds: string): string =>
  `CASE WHEN ${kinds} = 'VARCHAR' THEN to_json(${text}) ELSE CAST(${text} AS JSON) END`;
