/** What time does to runs: the dead lose theirs (F12), sleepers wake, the late are told. */
import { sql } from "kysely";
import { type FlowRunId, toFlowRunId, toWorkerId } from "../../model/run-ids.ts";
import {
  type FlowRun,
  foregroundPoolOf,
  foregroundWorker,
  type StoredError,
  type WorkerRecord,
} from "../../model/run-record.ts";
import { endedRunStates, liveRunStates, type RunState } from "../../model/run-state.ts";
import type { Swept } from "../../ports/ledger.ts";
import { wakeNow } from "./end-attempt.ts";
import { insertEvent } from "./event-rows.ts";
import { lockRow, toFlowRun } from "./run-rows.ts";
import { settleRun } from "./settle-run.ts";
import type { LedgerWorld, RunRow } from "./tables.ts";
import { listOrphans, listWorkers } from "./worker-rows.ts";

/** Workers that one run may cost: beyond it the run is what kills them. */
const lostMax = 20;

/** Runs that one call wakes or marks; the next one comes a second later. */
const dueMax = 1000;

/** See `Ledger.sweepLost`. */
export async function sweepLost(
  world: LedgerWorld,
  isDead: (worker: WorkerRecord) => boolean | undefined,
): Promise<Swept> {
  const nowMs = world.nowMs();
  await bringForward(world, nowMs);
  const workers = await listWorkers(world);
  const dead = workers.filter((worker) => isDead(worker) ?? worker.seenAtMs + worker.leaseMs < nowMs);
  const deadIds = dead.map((worker) => worker.id);
  const requeued: FlowRun[] = [];
  const ended: FlowRun[] = [];
  const orphans = [...(await listOrphans(world, deadIds)), ...(await listAbandoned(world, deadIds, workers))];
  for (const id of orphans) {
    const moved = await loseRun(world, id, deadIds, workers);
    if (moved !== undefined) (endedRunStates.includes(moved.state) ? ended : requeued).push(moved);
  }
  // Only now: a sweep that dies in the middle leaves the dead where the next one finds them.
  if (deadIds.length > 0) {
    await world.db
      .deleteFrom("worker")
      .where("id", "in", deadIds)
      .where((build) => build(build("seen_at", "+", build.ref("lease_ms")), "<", nowMs))
      .execute();
  }
  return { requeued, ended };
}

/** Workers whose last word is so far in the future said it before the clock was set back, ms. */
const aheadMsMax = 1000;

/** After the clock was set back by an hour a dead worker would be taken for alive for that hour: its lease begins now. */
async function bringForward(world: LedgerWorld, nowMs: number): Promise<void> {
  await world.db
    .updateTable("worker")
    .set({ seen_at: nowMs })
    .where("seen_at", ">", nowMs + aheadMsMax)
    .execute();
}

/** Queued runs of persons at a terminal who are gone: nobody else would ever claim them. */
async function listAbandoned(
  world: LedgerWorld,
  deadIds: readonly string[],
  workers: readonly WorkerRecord[],
): Promise<readonly FlowRunId[]> {
  const rows = await world.db
    .selectFrom("run")
    .select(["id", "pool"])
    .where("state", "=", "queued")
    .where("pool", "like", `${foregroundPoolOf(toWorkerId(""))}%`)
    .limit(dueMax)
    .execute();
  return rows
    .filter(({ pool }) => isGone(foregroundWorker(pool), deadIds, workers))
    .map(({ id }) => toFlowRunId(id));
}

const isGone = (
  workerId: string | null | undefined,
  deadIds: readonly string[],
  workers: readonly WorkerRecord[],
): boolean => deadIds.includes(workerId ?? "") || !workers.some(({ id }) => id === workerId);

function loseRun(
  world: LedgerWorld,
  id: FlowRunId,
  deadIds: readonly string[],
  workers: readonly WorkerRecord[],
): Promise<FlowRun | undefined> {
  return world.db.transaction().execute(async (db) => {
    const row = await lockRow(db, world.engine, id);
    if (row === undefined) return undefined;
    const owner = foregroundWorker(row.pool);
    const isOurs = liveRunStates.includes(row.state) || (row.state === "queued" && owner !== undefined);
    // Another process may have swept meanwhile, and a third have claimed it.
    if (!isOurs || !isGone(row.state === "queued" ? owner : row.worker_id, deadIds, workers))
      return undefined;
    const isTooMany = row.lost_count + 1 > lostMax;
    const move = owner !== undefined || isTooMany ? "abandon" : "lose";
    const moved = await settleRun(world, db, row, move, {
      lost_count: row.lost_count + 1,
      ...(move === "lose" ? { start_at: world.nowMs() } : { error: JSON.stringify(lostError(row)) }),
    });
    if (moved === undefined) return undefined;
    await insertEvent(world, db, {
      kind: "run.lost",
      subject: row.deployment,
      runId: id,
      data: { flow: row.flow, attempt: row.attempt, worker: row.worker_id },
      dedupKey: null,
    });
    return toFlowRun(moved);
  });
}

function lostError(row: RunRow): StoredError {
  const isForeground = foregroundWorker(row.pool) !== undefined;
  return {
    code: "RUN_LOST",
    name: "LeatError",
    message: isForeground
      ? `The process that executed the run ${row.id} of "${row.flow}" is gone.`
      : `The run ${row.id} of "${row.flow}" has lost ${row.lost_count + 1} workers.`,
    hint: isForeground
      ? "Retry the run: what is finished is not done again."
      : "Look in the log for what it did last: it may need more memory than there is.",
    retryable: true,
    details: { run: row.id },
    stack: null,
  };
}

/** See `Ledger.wakeRuns`. */
export async function wakeRuns(world: LedgerWorld): Promise<readonly FlowRun[]> {
  const due = await world.db
    .selectFrom("run")
    .select("id")
    .where("state", "=", sql.lit<RunState>("waiting")) // Named, so that the index of these runs serves.
    .where("wake_at", "<=", world.nowMs())
    .where("parent_id", "is", null)
    .limit(dueMax)
    .execute();
  const woken: FlowRun[] = [];
  for (const { id } of due) {
    const moved = await world.db.transaction().execute(async (db) => {
      const row = await lockRow(db, world.engine, toFlowRunId(id));
      if (row === undefined || row.wake_at === null || row.wake_at > world.nowMs()) return undefined;
      return settleRun(world, db, row, "wake", wakeNow(world));
    });
    if (moved !== undefined) woken.push(toFlowRun(moved));
  }
  return woken;
}

/** See `Ledger.markLate`. */
export async function markLate(world: LedgerWorld): Promise<readonly FlowRun[]> {
  const nowMs = world.nowMs();
  const due = await world.db
    .selectFrom("run")
    .select("id")
    .where("ended_at", "is", null)
    .where("late_at", "<=", nowMs)
    .where("is_late", "=", sql.lit(0))
    .limit(dueMax)
    .execute();
  const late: FlowRun[] = [];
  for (const { id } of due) {
    const marked = await world.db.transaction().execute(async (db) => {
      const row = await db
        .updateTable("run")
        .set({ is_late: 1 })
        .where("id", "=", id)
        .where("is_late", "=", 0)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      await insertEvent(world, db, {
        kind: "run.late",
        subject: row.deployment,
        runId: toFlowRunId(row.id),
        data: { flow: row.flow, scheduledAtMs: row.scheduled_at, lateAtMs: row.late_at },
        dedupKey: null,
      });
      return row;
    });
    if (marked !== undefined) late.push(toFlowRun(marked));
  }
  return late;
}
