/** Parquet files of a dataset → text that other engines read exactly: every value as text. */
import { withDuckDb } from "./duckdb-file.ts";
import { quotePaths } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A file of any size is read in pieces; one row group of a large one takes some hundred megabytes. */
const memoryLimit = "1GB";

/**
 * Writes the named columns of all files, in their order, to `file`. Text is always in quotes, so that an empty one is
 * not NULL.
 *
 * @throws LeatError `LOAD_FAILED`, `WAREHOUSE_FULL` when the file cannot be written, `INTERRUPTED`.
 */
export async function exportParquet(
  paths: readonly string[],
  columns: readonly string[],
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await copyText(paths, columns, file, "FORMAT csv, HEADER false, FORCE_QUOTE *", signal);
}

/** The same as lines of JSON with gzip: an object a row, its values text or null. */
export async function exportParquetLines(
  path: string,
  columns: readonly string[],
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await copyText([path], columns, file, "FORMAT json, COMPRESSION gzip", signal);
}

async function copyText(
  paths: readonly string[],
  columns: readonly string[],
  file: string,
  format: string,
  signal: AbortSignal,
): Promise<void> {
  // A file that is not there: the engine then has a database in memory.
  const settings = { lockWaitMs: 0, memoryLimit, tempFolder: undefined, threads: 2 };
  const cells = columns.map((name) => `CAST(${quoteName(name)} AS VARCHAR) AS ${quoteName(name)}`);
  await withDuckDb(`${file}.duckdb`, "read", settings, signal, async ({ run }) => {
    await run("SET preserve_insertion_order = true");
    await run(
      `COPY (SELECT ${cells.join(", ")} FROM read_parquet(${quotePaths(paths)})) TO ${quoteText(file)} (${format})`,
    );
  });
}
