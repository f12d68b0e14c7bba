/** Parquet files of publishers → tidy rows: the engine reads them, bounded in memory. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { JsonObject } from "../../model/json-value.ts";
import type { TidyJob, TidyResult } from "../../ports/tidy.ts";
import { withDuckDb } from "./duckdb-file.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A file of any size is read in pieces; one row group of a large one takes some hundred megabytes. */
const memoryLimit = "1GB";

/** Columns that a message or report names. */
const listedMax = 50;

/**
 * Reads one file. Exact numbers, times and nested values are written as the engine prints them in JSON.
 *
 * @throws LeatError `FILE_COLUMN_MISSING`, `FILE_ROW_INVALID` for what JSON cannot hold (NaN, bytes), `FILE_DAMAGED`.
 */
export async function readParquetFile(job: TidyJob, signal: AbortSignal): Promise<TidyResult> {
  const { name, rowsPath } = job;
  // A file that is not there: the engine then has a database in memory.
  const settings = { lockWaitMs: 0, memoryLimit, tempFolder: undefined, threads: 2 };
  const wanted = job.declaration.options["columns"] as JsonObject; // The declaration was checked.
  const from = `read_parquet(${quoteText(job.path)})`;
  try {
    return await withDuckDb(`${rowsPath}.duckdb`, "read", settings, signal, async ({ rows, run }) => {
      const described = await rows(`DESCRIBE SELECT * FROM ${from}`);
      const types = new Map(described.map((row) => [String(row["column_name"]), String(row["column_type"])]));
      const columns = Object.entries(wanted).map(([column, source]) => {
        const expression = expressionOf(name, String(source), types);
        return `${expression} AS ${quoteName(column)}`;
      });
      const rowCount = await run(
        `COPY (SELECT ${columns.join(", ")} FROM ${from}) TO ${quoteText(rowsPath)} (FORMAT json)`,
      );
      const used = new Set(Object.values(wanted));
      const ignored = [...types.keys()].filter((column) => !used.has(column)).slice(0, listedMax);
      return { rowCount, report: { format: "parquet", columns: wanted, ignored } };
    });
  } catch (error) {
    if (signal.aborted || (isLeatError(error) && error.code.startsWith("FILE_"))) throw error;
    const said = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
    const refused = /leat refuses: (?<what>.*)/.exec(said)?.groups?.["what"];
    throw new LeatError(refused === undefined ? "FILE_DAMAGED" : "FILE_ROW_INVALID", {
      message: `${name}: ${refused ?? `It cannot be read as Parquet: ${said}`}`,
      details: { file: name },
      cause: error,
    });
  }
}

function expressionOf(name: string, column: string, types: ReadonlyMap<string, string>): string {
  const type = types.get(column);
  if (type === undefined) {
    const known = [...types.keys()];
    throw new LeatError("FILE_COLUMN_MISSING", {
      message: `${name}: It has no column "${column}".`,
      hint: hintOfKnown(column, "columns", known),
      details: { file: name, column, columns: known.slice(0, listedMax) },
    });
  }
  const value = quoteName(column);
  const refuse = (what: string) =>
    `error(${quoteText(`leat refuses: The column "${column}" holds ${what}, which is no value of JSON.`)})`;
  if (type === "BLOB") return `CASE WHEN ${value} IS NOT NULL THEN ${refuse("bytes")} END`;
  if (type === "DOUBLE" || type === "FLOAT")
    return `CASE WHEN isfinite(${value}) THEN ${value} WHEN ${value} IS NOT NULL THEN ${refuse("NaN or infinity")} END`;
  return value;
}
