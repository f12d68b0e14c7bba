/** A query over a warehouse's file → one Parquet file. */
import { withDuckDb } from "./duckdb-file.ts";
import { quoteText } from "./sql-text.ts";

/** Writing holds a row group at a time; sorting spills beside the file. */
const memoryLimit = "1GB";

/**
 * Writes a query's rows in their order; equal rows give equal bytes.
 *
 * @returns how many.
 * @throws LeatError `LOAD_FAILED`, `WAREHOUSE_FULL` when the file cannot be written, `INTERRUPTED`.
 */
export async function writeQuery(
  warehouseFile: string,
  sql: string,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  // One thread: several decide anew each time which rows make a group.
  const settings = { lockWaitMs: 0, memoryLimit, tempFolder: undefined, threads: 1 };
  return await withDuckDb(warehouseFile, "read", settings, signal, async ({ run }) => {
    await run("SET preserve_insertion_order = true");
    return await run(`COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd)`);
  });
}
