/** Takes a stream out of the warehouse, so that it can be loaded again from nothing (`leat rebuild source.stream`). */
import type { StreamSpec } from "../../model/stream.ts";
import { hasCatalog, lockSchema, lockStream, ofStream, ownTable, readStreams } from "./catalog.ts";
import { relationsOf } from "./landing-table.ts";
import { isOwn, readRelation } from "./own-relations.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { dropViews, refreshShortNames } from "./views.ts";

/** leat's tables with rows of streams. */
const catalogTables = ["streams", "columns", "loads", "rejects"] as const;

/** Removes a stream's views, rows, rejects and ledger. One that is not there is fine. Inside a transaction. */
export async function forgetStream(session: PostgresSession, spec: StreamSpec): Promise<void> {
  await lockStream(session, spec);
  if (!(await hasCatalog(session))) return;
  await lockSchema(session);
  const mine = (await readStreams(session)).find(
    ({ source, stream }) => source === spec.source && stream === spec.name,
  );
  if (mine !== undefined) {
    await dropViews(session, spec);
    // By the catalog's name: the declaration may have another since.
    const { landing } = relationsOf(session.address, { ...spec, landingTable: mine.landingTable });
    const there = await readRelation(session, landing);
    if (there !== undefined && isOwn(session, there)) await session.run(`DROP ${there.kind} ${landing.sql}`);
  }
  for (const table of catalogTables)
    await session.run(`DELETE FROM ${ownTable(session, table)} WHERE ${ofStream(spec)}`);
  await refreshShortNames(session);
}
