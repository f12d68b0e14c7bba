/** Runs are made: once per idempotency key, and as their key's policy says. */
import assert from "node:assert/strict";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import type { KeyLimit, NewRun } from "../../model/run-record.ts";
import type { Submitted } from "../../ports/ledger.ts";
import { insertEvent } from "./event-rows.ts";
import { lockName } from "./locks.ts";
import { lockRow, readRow, toFlowRun, toNewRow } from "./run-rows.ts";
import { settleRun } from "./settle-run.ts";
import type { LedgerTransaction, LedgerWorld } from "./tables.ts";

export function submitRun(world: LedgerWorld, run: NewRun): Promise<Submitted> {
  return world.db.transaction().execute((db) => submitWithin(world, db, run));
}

/** Makes a run as part of a transaction. */
export async function submitWithin(
  world: LedgerWorld,
  db: LedgerTransaction,
  run: NewRun,
): Promise<Submitted> {
  const repeated = await readRow(db, run.id); // The answer to an earlier call was lost.
  if (repeated !== undefined)
    return {
      outcome: repeated.state === "skipped" ? "skipped" : "created",
      run: toFlowRun(repeated),
      cancelled: [],
    };
  const same = await findSame(db, run.idempotencyKey);
  if (same !== undefined) return same;
  if (run.keyLimit !== null) await lockName(db, world.engine, `key ${run.keyLimit.key}`);
  const queued = await findQueued(world, db, run.coalesceKey);
  if (queued !== undefined) return queued;

  const isSkipped = run.keyLimit?.onConflict === "skip" && (await isTaken(db, run.keyLimit));
  const inserted = await db
    .insertInto("run")
    .values({
      ...toNewRow(run, world.nowMs()),
      ...(isSkipped ? { state: "skipped", ended_at: world.nowMs() } : {}),
    })
    .onConflict((conflict) => conflict.column("idempotency_key").doNothing())
    .returningAll()
    .executeTakeFirst();
  if (inserted === undefined) {
    const other = await findSame(db, run.idempotencyKey); // Another process was faster.
    assert(other !== undefined, "an idempotency key conflicts with the run that has it");
    return other;
  }
  const cancelled =
    run.keyLimit?.onConflict === "cancel-old" ? await makeRoom(world, db, run.id, run.keyLimit) : [];
  if (isSkipped) {
    await insertEvent(world, db, {
      kind: "run.skipped",
      subject: run.deployment,
      runId: run.id,
      data: { flow: run.flow, key: run.keyLimit?.key ?? null },
      dedupKey: null,
    });
  }
  return { outcome: isSkipped ? "skipped" : "created", run: toFlowRun(inserted), cancelled };
}

async function findSame(
  db: LedgerTransaction,
  idempotencyKey: string | null,
): Promise<Submitted | undefined> {
  if (idempotencyKey === null) return undefined;
  const row = await db
    .selectFrom("run")
    .selectAll()
    .where("idempotency_key", "=", idempotencyKey)
    .executeTakeFirst();
  return row === undefined ? undefined : { outcome: "exists", run: toFlowRun(row), cancelled: [] };
}

/** A run that is queued, has not begun, and stands for this one too. */
async function findQueued(
  world: LedgerWorld,
  db: LedgerTransaction,
  coalesceKey: string | null,
): Promise<Submitted | undefined> {
  if (coalesceKey === null) return undefined;
  await lockName(db, world.engine, `coalesce ${coalesceKey}`);
  const row = await db
    .selectFrom("run")
    .selectAll()
    .where("coalesce_key", "=", coalesceKey)
    .where("state", "=", "queued")
    .where("attempt", "=", 0)
    .$if(world.engine.hasManyWriters, (query) => query.forUpdate()) // A claim that is under way comes first.
    .executeTakeFirst();
  return row === undefined ? undefined : { outcome: "coalesced", run: toFlowRun(row), cancelled: [] };
}

/** Whether as many runs of the key as its limit are queued or under way. */
async function isTaken(db: LedgerTransaction, { key, limit }: KeyLimit): Promise<boolean> {
  const rows = await db
    .selectFrom("run")
    .select("id")
    .where("limit_key", "=", key)
    .where("state", "in", ["queued", "running", "waiting", "cancelling"])
    .limit(limit)
    .execute();
  return rows.length >= limit;
}

/** Cancels the oldest runs of the key, so that the new one is among the newest `limit`. */
async function makeRoom(
  world: LedgerWorld,
  db: LedgerTransaction,
  newId: FlowRunId,
  { key, limit }: KeyLimit,
): Promise<readonly FlowRunId[]> {
  const others = await db
    .selectFrom("run")
    .select("id")
    .where("limit_key", "=", key)
    .where("id", "<>", newId)
    .where("state", "in", ["queued", "running", "waiting"])
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .offset(limit - 1)
    .limit(roomMax)
    .execute();
  const cancelled: FlowRunId[] = [];
  for (const { id } of others) {
    const row = await lockRow(db, world.engine, toFlowRunId(id));
    if (row === undefined) continue;
    const moved = await settleRun(world, db, row, "cancel", {
      cancel_reason: `run ${newId} of the same key came after it`,
    });
    if (moved !== undefined) cancelled.push(toFlowRunId(id));
  }
  return cancelled;
}

/** Runs that one submission cancels; the policy keeps them few, so more would be a limit that was lowered. */
const roomMax = 1000;
