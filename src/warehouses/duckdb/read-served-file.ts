/** A file read in a process of its own: what an engine does with a damaged file must not befall a server. */

import type { ErrorCode } from "../../errors/codes.ts";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { QueryProcess } from "./query-process.ts";
import type { ReadFile, ServedFileJob } from "./served-file.ts";

/** Most memory of the process, bytes: the engine's 1 GB and as much again for Node and what is not counted. */
const residentBytesMax = 2 * 2 ** 30;
/** Longest time, ms: some gigabytes. */
const timeoutMs = 30 * 60_000;
const graceMs = 500;

/** What a limit of the process is called where a file is read. */
const fileCodes: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  QUERY_MEMORY: "FILE_NEEDS_MEMORY",
  QUERY_TIMEOUT: "FILE_NEEDS_TIME",
  QUERY_ENGINE_LOST: "FILE_READER_DIED",
};

/**
 * Writes a file's rows as Parquet.
 *
 * @throws LeatError `FILE_DAMAGED`, `FILE_TOO_LARGE`, `FILE_NEEDS_MEMORY`, `FILE_NEEDS_TIME`, `FILE_READER_DIED`,
 *   `INTERRUPTED`.
 */
export async function readServedFile(job: ServedFileJob, signal: AbortSignal): Promise<ReadFile> {
  const child = new QueryProcess(residentBytesMax);
  try {
    return await child.call("readFile", job, { timeoutMs, graceMs, signal });
  } catch (error) {
    const code = isLeatError(error) ? fileCodes[error.code] : undefined;
    if (code === undefined) throw error;
    throw new LeatError(code, {
      message: `${job.name}: Reading it failed. ${error instanceof Error ? error.message : ""}`.trimEnd(),
      details: { file: job.name },
      cause: error,
    });
  } finally {
    await child.end();
  }
}
