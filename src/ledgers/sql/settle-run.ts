/** A move of a run with all that belongs to it: its attempt, its tasks, its sub-flows, and the event that tells of it. */
import type { FlowRunId } from "../../model/run-ids.ts";
import type { StoredError } from "../../model/run-record.ts";
import { endedRunStates, liveRunStates, type RunMove } from "../../model/run-state.ts";
import { taskStatesBefore } from "../../model/run-task-state.ts";
import { insertEvent } from "./event-rows.ts";
import { moveRun, parseOwn, type RunChanges } from "./run-rows.ts";
import type { LedgerTransaction, LedgerWorld, RunRow } from "./tables.ts";

/** Moves that end an attempt of a live run. */
const attemptEnds: ReadonlySet<RunMove> = new Set([
  "succeed",
  "fail",
  "retry",
  "suspend",
  "stop",
  "release",
  "lose",
  "abandon",
]);

/**
 * Moves a locked run and everything below it.
 *
 * @returns its row as it is now, or `undefined` when the move is refused and nothing was written.
 */
export async function settleRun(
  world: LedgerWorld,
  db: LedgerTransaction,
  row: RunRow,
  move: RunMove,
  changes: RunChanges,
): Promise<RunRow | undefined> {
  const nowMs = world.nowMs();
  const moved = await moveRun(db, row, move, changes, nowMs);
  if (moved === undefined) return undefined;
  if (attemptEnds.has(move) && liveRunStates.includes(row.state)) {
    await db
      .updateTable("attempt")
      .set({ ended_at: nowMs, end_move: move })
      .where("run_id", "=", row.id)
      .where("attempt", "=", row.attempt)
      .where("ended_at", "is", null)
      .execute();
  }
  const isOver = endedRunStates.includes(moved.state);
  if (isOver) {
    await stopTasks(db, row.id, nowMs);
    await settleChildren(world, db, row, ["queued", "running", "waiting", "cancelling"], "cancel");
  } else if (move === "suspend") {
    await settleChildren(world, db, row, ["running"], "suspend");
  }
  if (isOver && moved.parent_id === null) await tellOfEnd(world, db, moved);
  return moved;
}

async function stopTasks(db: LedgerTransaction, runId: string, nowMs: number): Promise<void> {
  await db
    .updateTable("task")
    .set({ state: "cancelled", ended_at: nowMs })
    .where("run_id", "=", runId)
    .where("state", "in", taskStatesBefore("stop"))
    .execute();
}

/** Sub-flows go the way of the run that they are part of. */
async function settleChildren(
  world: LedgerWorld,
  db: LedgerTransaction,
  row: RunRow,
  states: readonly RunRow["state"][],
  move: "cancel" | "suspend",
): Promise<void> {
  const children = await db
    .selectFrom("run")
    .selectAll()
    .where("parent_id", "=", row.id)
    .where("root_id", "=", row.root_id)
    .where("state", "in", states)
    .$if(world.engine.hasManyWriters, (query) => query.forUpdate())
    .execute();
  for (const child of children) {
    const isLive = liveRunStates.includes(child.state);
    const own: RunMove = move === "cancel" && isLive ? "stop" : move;
    await settleRun(world, db, child, own, move === "suspend" ? { wake_at: null } : {});
  }
}

/** Writes `run.succeeded` and its like, and `run.recovered` where the end before was a failure. */
async function tellOfEnd(world: LedgerWorld, db: LedgerTransaction, row: RunRow): Promise<void> {
  const error = row.error === null ? null : parseOwn<StoredError>(row.error);
  const event = {
    subject: row.deployment,
    runId: row.id as FlowRunId, // The id of a row is one.
    data: {
      flow: row.flow,
      attempt: row.attempt,
      scheduledAtMs: row.scheduled_at,
      error: error === null ? null : { code: error.code, message: error.message, hint: error.hint },
    },
    dedupKey: null,
  };
  if (row.state === "succeeded") {
    const before = await db
      .selectFrom("run")
      .select(["state", "id"])
      .where("deployment", "=", row.deployment)
      .where("parent_id", "is", null)
      .where("id", "<>", row.id)
      .where("state", "in", ["succeeded", "failed"])
      .where("ended_at", "is not", null)
      .orderBy("ended_at", "desc")
      .limit(1)
      .executeTakeFirst();
    // A run that failed and was retried by hand has failed as well, and nothing else of it says so any more.
    const own = await db
      .selectFrom("attempt")
      .select("end_move")
      .where("run_id", "=", row.id)
      .where("attempt", "<", row.attempt)
      .orderBy("attempt", "desc")
      .limit(1)
      .executeTakeFirst();
    const failedRun = own?.end_move === "fail" ? row.id : before?.state === "failed" ? before.id : undefined;
    if (failedRun !== undefined) {
      await insertEvent(world, db, { ...event, kind: "run.recovered", data: { ...event.data, failedRun } });
    }
  }
  await insertEvent(world, db, { ...event, kind: `run.${row.state}` });
}

/** Resets task runs, so that they run again when the flow comes to them. */
export async function resetTasks(
  db: LedgerTransaction,
  runId: string,
  which: Readonly<{ states: readonly ("succeeded" | "failed" | "cancelled")[]; fromOrdinal?: number }>,
): Promise<void> {
  await db
    .updateTable("task")
    .set({
      state: "pending", // Where `reset` leads from every state.
      result: null,
      result_ref: null,
      result_bytes: null,
      error: null,
      is_cached: 0,
      started_at: null,
      ended_at: null,
      retry_at: null,
      wake_at: null,
    })
    .where("run_id", "=", runId)
    .where("state", "in", which.states)
    .$if(which.fromOrdinal !== undefined, (query) => query.where("ordinal", ">=", which.fromOrdinal!))
    .execute();
}
