/** Takes a stream out of the file, so that it can be loaded again from nothing (`leat rebuild source.stream`). */
import { foldColumnName } from "../../model/column-names.ts";
import type { StreamSpec } from "../../model/stream.ts";
import { hasCatalog, ofStream, placeOf, readStreams } from "./catalog.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { historyName, readShortNames } from "./landing-table.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** leat's tables with rows of streams. */
export const catalogTables = ["_leat_streams", "_leat_columns", "_leat_loads", "_leat_rejects"] as const;

/** Removes a stream's views, rows, rejects and ledger in one transaction. One that is not there is fine. */
export async function forgetStream(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  if (!(await hasCatalog(session))) return;
  await session.run("BEGIN TRANSACTION");
  try {
    await forgetInside(session, spec);
    await session.run("COMMIT");
  } catch (error) {
    await session.connection.run("ROLLBACK").catch(() => undefined); // The first error is the one that matters.
    throw error;
  }
}

/** The same inside the caller's transaction. */
export async function forgetInside(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  const mine = (await readStreams(session)).find(
    ({ source, stream }) => source === spec.source && stream === spec.name,
  );
  if (mine !== undefined) await dropRelations(session, spec, mine.landingTable);
  for (const table of catalogTables) {
    await session.run(`DELETE FROM main.${table} WHERE ${ofStream(placeOf(spec))}`);
  }
}

/** Without a row of the catalog, whatever has these names is somebody else's. */
async function dropRelations(session: DuckDbSession, spec: StreamSpec, landingTable: string): Promise<void> {
  const names = [spec.name, historyName(spec.name)];
  for (const short of await readShortNames(session)) {
    // Loading the stream again makes the short names anew.
    const isOurs = names.some((name) => foldColumnName(name) === foldColumnName(short));
    if (isOurs) await session.run(`DROP VIEW main.${quoteName(short)}`);
  }
  for (const name of names) await dropRelation(session, spec.source, name);
  // By the catalog's name: the declaration may have another since.
  await dropRelation(session, "main", landingTable);
}

async function dropRelation(session: DuckDbSession, schema: string, name: string): Promise<void> {
  const rows = await session.rows(
    `SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database()
     AND table_schema = ${quoteText(schema)} AND table_name = ${quoteText(name)}`,
  );
  const type = rows[0]?.["table_type"];
  if (type === undefined) return;
  await session.run(`DROP ${type === "VIEW" ? "VIEW" : "TABLE"} ${quoteName(schema)}.${quoteName(name)}`);
}
