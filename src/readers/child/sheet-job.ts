/** A sheet of a workbook as plain CSV, for the reading process. */
import { rm } from "node:fs/promises";
import { type WrittenSheet, writeSheetCsv } from "../write-sheet-csv.ts";

/** Which sheet, and where its CSV goes: under the name that rows have, complete when the promise resolves. */
export type SheetJob = Readonly<{
  path: string;
  /** What people call the file. */
  name: string;
  /** `null`: the one that holds most figures. */
  sheet: string | null;
  rowsPath: string;
}>;

export async function runSheetJob({ path, name, sheet, rowsPath }: SheetJob): Promise<WrittenSheet> {
  try {
    return await writeSheetCsv(path, name, sheet ?? undefined, rowsPath);
  } catch (error) {
    await rm(rowsPath, { force: true });
    throw error;
  }
}
