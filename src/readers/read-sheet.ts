/** Reads a sheet in a process of its own, whose memory and time are watched: the file may be anything. */
import { rm } from "node:fs/promises";
import { ReaderChild } from "./child/reader-child.ts";
import type { SheetJob } from "./child/sheet-job.ts";
import { readerLimits } from "./open-tidy-reader.ts";
import type { WrittenSheet } from "./write-sheet-csv.ts";

/**
 * Writes a sheet's table as CSV.
 *
 * @throws LeatError `WORKBOOK_*`, `FILE_*`, the signal's reason; nothing is left at `rowsPath` then.
 */
export async function readSheet(job: SheetJob, signal: AbortSignal): Promise<WrittenSheet> {
  const child = new ReaderChild(readerLimits);
  try {
    return await child.readSheet(job, signal);
  } catch (error) {
    await rm(job.rowsPath, { force: true });
    throw error;
  } finally {
    child.close();
  }
}
