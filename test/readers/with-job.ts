/** Jobs and readers for as long as a test needs them. */
import { join } from "node:path";
import type { TidyDeclaration, TidyJob, TidyReader } from "../../src/ports/tidy.ts";
import { openTidyReader, type TidyReaderOptions } from "../../src/readers/open-tidy-reader.ts";
import { csv } from "../../src/readers/tables/table-declaration.ts";
import { withFile } from "./with-file.ts";

/** A table of two columns. */
export const areas: TidyDeclaration = csv({ columns: { deaths: "Deaths", code: "Code" } });
/** A signal that nobody gives. */
export const calm: AbortSignal = new AbortController().signal;

/** Jobs over a file's content, in a folder of their own. */
export async function withJob<Result>(
  content: string | Uint8Array,
  declaration: TidyDeclaration,
  work: (job: TidyJob, folder: string) => Promise<Result>,
  name: string = "deaths.csv",
): Promise<Result> {
  return withFile(content, (path, folder) =>
    work({ path, name, fields: {}, declaration, rowsPath: join(folder, "rows.ndjson") }, folder),
  );
}

/** A reader for one test. */
export async function withReader<Result>(
  options: TidyReaderOptions,
  work: (reader: TidyReader) => Promise<Result>,
): Promise<Result> {
  await using reader = openTidyReader(options);
  return await work(reader);
}

/** A document that takes some hundred times its size in memory. */
export const hungry = (): string => `[${"{},".repeat(12_000_000)}{}]`;
