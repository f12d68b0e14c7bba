/**
 * A new database file, whole from its first moment.
 *
 * The engine makes a file at its final name and writes the headers after: a process that is killed in between leaves
 * one that no engine opens again. So it is made under another name, closed, and only then gets its own, by a hard link,
 * which no other process's file is lost by.
 */
import { linkSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { quoteText } from "./sql-text.ts";

/** A file of a process that was killed while it made one; making takes some ms. */
const abandonedAfterMs = 60_000;

/** Makes the file unless there is one. Errors are those of the engine and the file system. */
export async function makeDatabase(connection: DuckDBConnection, file: string): Promise<void> {
  removeAbandoned(file);
  const making = `${makingPrefix(file)}${process.pid}-${crypto.randomUUID()}`;
  try {
    await connection.run(`ATTACH ${quoteText(making)} AS _leat_new`);
    await connection.run("DETACH _leat_new");
    linkUnlessThere(making, file);
  } finally {
    rmSync(making, { force: true });
    rmSync(`${making}.wal`, { force: true });
  }
}

const makingPrefix = (file: string): string => `${file}.making-`;

function removeAbandoned(file: string): void {
  const folder = path.dirname(path.resolve(file));
  const prefix = path.basename(makingPrefix(file));
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const place = path.join(folder, name);
    const changedMs = statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - changedMs > abandonedAfterMs) rmSync(place, { force: true });
  }
}

function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // Node's own errors carry a code.
  }
}
