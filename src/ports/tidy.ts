/** Port: one landed file → tidy rows. Implemented under `readers/`, in a child process; datasets are built on it. */
import type { JsonObject } from "../model/json-value.ts";

/** What to make of a file: made by `workbook(...)`, `csv(...)` and their like, checked, and plain data throughout. */
export type TidyDeclaration = Readonly<{
  format: "workbook" | "csv" | "json" | "ndjson" | "parquet";
  /** Names of the columns that rows will have, in order. */
  columns: readonly string[];
  /** The rest of the declaration, as the reader of the format knows it. Equal declarations print equal JSON. */
  options: JsonObject;
}>;

/** One file to read. */
export type TidyJob = Readonly<{
  /** The bytes, on this machine's disk. */
  path: string;
  /** What people call the file: `2018.xls`, or `2018.zip/deaths.csv` for a member. */
  name: string;
  /** What its source knows of it, e.g. `year`. */
  fields: Readonly<Record<string, string>>;
  declaration: TidyDeclaration;
  /** Where the rows go: NDJSON, a member for each column of the declaration. Complete when the promise resolves. */
  rowsPath: string;
}>;

/** **layout report** what was made of a file and why; rows of it are for people, its form is the reader's. */
export type LayoutReport = JsonObject;

export type TidyResult = Readonly<{ rowCount: number; report: LayoutReport }>;

/**
 * Reads one file.
 *
 * @throws LeatError `WORKBOOK_*` or `FILE_*` naming file, sheet and place, what was looked for and what is there.
 */
export interface TidyReader {
  /** Changes when rows of the same file and declaration may: part of the name of cached rows. */
  readonly version: string;
  read(job: TidyJob, signal: AbortSignal): Promise<TidyResult>;
}
