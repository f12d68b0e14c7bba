/** Names that a transaction holds until its end. SQLite needs none: its transactions write one after the other. */
import { sql } from "kysely";
import type { LedgerEngine, LedgerTransaction } from "./tables.ts";

/**
 * Waits for a name and holds it until the transaction ends.
 *
 * Order, so that no two transactions wait for each other: names of limits first, then rows, the name of events last.
 */
export async function lockName(db: LedgerTransaction, engine: LedgerEngine, name: string): Promise<void> {
  if (!engine.hasManyWriters) return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`leat ${name}`}, 0))`.execute(db);
}
