/** Attempts end: by themselves, by a request to cancel, or so that the run can wait. */
import { LeatError } from "../../errors/leat-error.ts";
import type { FlowRunId } from "../../model/run-ids.ts";
import type { Fence, FlowRun } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import type { AttemptEnd, AttemptEnded } from "../../ports/ledger.ts";
import { resetChildren } from "./retry-run.ts";
import {
  lockRow,
  type RunChanges,
  toFlowRun,
  toText,
  unknownRun,
  valueColumns,
  whereDue,
} from "./run-rows.ts";
import { resetTasks, settleRun } from "./settle-run.ts";
import type { LedgerTransaction, LedgerWorld, RunRow } from "./tables.ts";

export function endAttempt(world: LedgerWorld, fence: Fence, end: AttemptEnd): Promise<AttemptEnded> {
  return world.db.transaction().execute(async (db): Promise<AttemptEnded> => {
    const row = await lockRow(db, world.engine, fence.runId);
    if (row === undefined || row.attempt !== fence.attempt) return { status: "fenced" };
    if (!liveRunStates.includes(row.state)) {
      const isRepeated = (await readEnd(db, fence)) === end.move; // The answer to an earlier call was lost.
      return isRepeated
        ? { status: "ended", run: toFlowRun(row), next: await nextOfKey(world, db, row) }
        : { status: "fenced" };
    }
    if (end.move === "retry") {
      await resetTasks(db, row.id, { states: ["failed"] });
      await resetChildren(world, db, row, undefined);
    }
    const settled = await settleRun(world, db, row, end.move, changesOf(world, row, end));
    if (settled === undefined) return { status: "fenced" };
    const isAnswered = end.move === "suspend" && (await countQuestions(db, row)) < end.questions;
    const woken = isAnswered ? await settleRun(world, db, settled, "wake", wakeNow(world)) : undefined;
    const moved = woken ?? settled;
    return { status: "ended", run: toFlowRun(moved), next: await nextOfKey(world, db, moved) };
  });
}

/** What a run that wakes has. */
export const wakeNow = (world: LedgerWorld): RunChanges => ({ start_at: world.nowMs(), wake_at: null });

/** Open questions of a run and its sub-flows. Who answers locks the outermost run first, so none is missed. */
async function countQuestions(db: LedgerTransaction, row: RunRow): Promise<number> {
  const { count } = await db
    .selectFrom("task")
    .innerJoin("run", "run.id", "task.run_id")
    .select((build) => build.fn.countAll<number>().as("count"))
    .where("run.root_id", "=", row.root_id)
    .where("task.kind", "=", "approval")
    .where("task.state", "=", "waiting")
    .executeTakeFirstOrThrow();
  return count;
}

async function readEnd(db: LedgerTransaction, fence: Fence): Promise<string | null | undefined> {
  const attempt = await db
    .selectFrom("attempt")
    .select("end_move")
    .where("run_id", "=", fence.runId)
    .where("attempt", "=", fence.attempt)
    .executeTakeFirst();
  return attempt?.end_move;
}

function changesOf(world: LedgerWorld, row: RunRow, end: AttemptEnd): RunChanges {
  switch (end.move) {
    case "succeed":
      return { ...valueColumns(end.result), error: null };
    case "fail":
    case "stop":
      return { error: JSON.stringify(end.error) };
    case "retry":
      return {
        error: JSON.stringify(end.error),
        start_at: end.startAtMs,
        retry_count: row.retry_count + 1,
        holds_key: 0,
      };
    case "suspend":
      return { wake_at: end.wakeAtMs };
    case "release":
      return { start_at: world.nowMs() };
  }
}

/** Runs that a key held back and that can be claimed now that this run has given it back. */
export async function nextOfKey(
  world: LedgerWorld,
  db: LedgerTransaction,
  row: RunRow,
): Promise<readonly FlowRun[]> {
  if (row.limit_key === null || row.holds_key === 1) return [];
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("limit_key", "=", row.limit_key)
    .where("state", "=", "queued")
    .where("parent_id", "is", null)
    .where("id", "<>", row.id)
    .where(whereDue(world.nowMs()))
    .orderBy("priority", "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(row.limit_count ?? 1)
    .execute();
  return rows.map(toFlowRun);
}

/** See `Ledger.cancelRun`. */
export function cancelRun(
  world: LedgerWorld,
  id: FlowRunId,
  reason: string,
): Promise<AttemptEnded & { status: "ended" }> {
  return world.db.transaction().execute(async (db) => {
    const row = await lockRow(db, world.engine, id);
    if (row === undefined) throw unknownRun(id);
    if (row.state === "cancelling") return { status: "ended" as const, run: toFlowRun(row), next: [] };
    const moved = await settleRun(world, db, row, "cancel", { cancel_reason: toText(reason) });
    if (moved === undefined) {
      throw new LeatError("RUN_STATE", {
        message: `The run ${id} is ${row.state}: it cannot be cancelled.`,
        details: { run: id, state: row.state },
      });
    }
    return { status: "ended" as const, run: toFlowRun(moved), next: await nextOfKey(world, db, moved) };
  });
}
