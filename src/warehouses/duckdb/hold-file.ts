/** Keeps writers out of a DuckDB file while it is copied or replaced as a file. */
import { withDuckDb } from "./duckdb-file.ts";
import { lockWaitMsDefault } from "./open-duckdb.ts";

const settings = {
  lockWaitMs: lockWaitMsDefault,
  memoryLimit: undefined,
  tempFolder: undefined,
  threads: undefined,
} as const;

/**
 * Runs `work` while no process writes to the file: it is open for reading here, which the engine's lock allows to many
 * readers and no writer.
 *
 * Without it a copy could be torn, and a writer that still has the old file could leave its write-ahead log, which is
 * found by name, beside a new one. A writer that waits opens the file by name anew, and so finds what `work` put there.
 *
 * `work` must not open the file and go on: when this process closes any descriptor of it, the lock is gone. A copy as
 * the last step, a link or a rename are fine.
 *
 * @throws LeatError `WAREHOUSE_LOCKED` when a writer does not end in time.
 */
export async function holdDuckDbFile<Result>(
  file: string,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  return await withDuckDb(file, "read", settings, signal, work);
}
