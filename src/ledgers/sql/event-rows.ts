/** Events: written with what they tell of, visible in the order of their ids (F13). */
import { sql } from "kysely";
import type { JsonObject } from "../../model/json-value.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import type { FlowEvent, NewEvent } from "../../model/run-record.ts";
import type { EventFilter } from "../../ports/ledger.ts";
import { lockName } from "./locks.ts";
import { parseOwn } from "./run-rows.ts";
import type { EventRow, LedgerTransaction, LedgerWorld } from "./tables.ts";

/** Events that one call lists at most, and as a rule. */
const eventsMax = 1000;
const eventsUsual = 100;

/**
 * Writes an event as the last thing of a transaction.
 *
 * Writers of events wait for each other until they commit: without it an event with a lower id could become visible
 * after one with a higher id was read, and a reader that goes on after the higher one would never see it.
 */
export async function insertEvent(
  world: LedgerWorld,
  db: LedgerTransaction,
  event: NewEvent,
): Promise<Readonly<{ id: number; isNew: boolean }>> {
  await lockName(db, world.engine, "events");
  const inserted = await db
    .insertInto("event")
    .values({
      at: world.nowMs(),
      kind: event.kind,
      subject: event.subject,
      run_id: event.runId,
      data: JSON.stringify(event.data),
      dedup_key: event.dedupKey,
      is_handled: 0,
    })
    .onConflict((conflict) => conflict.column("dedup_key").doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted !== undefined) return { id: inserted.id, isNew: true };
  const first = await db
    .selectFrom("event")
    .select("id")
    .where("dedup_key", "=", event.dedupKey)
    .executeTakeFirstOrThrow();
  return { id: first.id, isNew: false };
}

export function appendEvent(
  world: LedgerWorld,
  event: NewEvent,
): Promise<Readonly<{ id: number; isNew: boolean }>> {
  return world.db.transaction().execute((db) => insertEvent(world, db, event));
}

export async function listEvents(world: LedgerWorld, filter: EventFilter): Promise<readonly FlowEvent[]> {
  const order = filter.isNewestFirst === true ? "desc" : "asc";
  let query = world.db.selectFrom("event").selectAll().orderBy("id", order);
  if (filter.afterId !== undefined) query = query.where("id", ">", filter.afterId);
  if (filter.beforeId !== undefined) query = query.where("id", "<", filter.beforeId);
  if (filter.kinds !== undefined) query = query.where("kind", "in", filter.kinds);
  if (filter.subject !== undefined) query = query.where("subject", "=", filter.subject);
  if (filter.runId !== undefined) query = query.where("run_id", "=", filter.runId);
  if (filter.atFromMs !== undefined) query = query.where("at", ">=", filter.atFromMs);
  if (filter.isHandled !== undefined)
    query = query.where("is_handled", "=", sql.lit(filter.isHandled ? 1 : 0)); // Named, for the index of those that are not.
  const rows = await query.limit(Math.min(filter.limit ?? eventsUsual, eventsMax)).execute();
  return rows.map(toEvent);
}

export async function markHandled(world: LedgerWorld, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await world.db.updateTable("event").set({ is_handled: 1 }).where("id", "in", ids).execute();
}

const toEvent = (row: EventRow): FlowEvent => ({
  id: row.id,
  atMs: row.at,
  kind: row.kind,
  subject: row.subject,
  runId: row.run_id === null ? null : toFlowRunId(row.run_id),
  data: parseOwn<JsonObject>(row.data),
  dedupKey: row.dedup_key,
  isHandled: row.is_handled === 1,
});
