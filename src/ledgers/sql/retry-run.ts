/** A run that is over is queued once more; what is finished stays so, what failed is reset (F6). */
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { FlowRunId } from "../../model/run-ids.ts";
import type { FlowRun } from "../../model/run-record.ts";
import { endedRunStates, runMoves } from "../../model/run-state.ts";
import { lockRow, moveRun, type RunChanges, toFlowRun, unknownRun } from "./run-rows.ts";
import { resetTasks } from "./settle-run.ts";
import type { LedgerTransaction, LedgerWorld, RunRow } from "./tables.ts";

/** See `Ledger.retryRun`. */
export function retryRun(
  world: LedgerWorld,
  id: FlowRunId,
  options: { fromTask?: string | undefined; pool?: string | undefined },
): Promise<FlowRun> {
  return world.db.transaction().execute(async (db) => {
    const row = await lockRow(db, world.engine, id);
    if (row === undefined) throw unknownRun(id);
    refuseRetry(row, options.fromTask);
    const sinceMs = options.fromTask === undefined ? undefined : await resetFrom(db, row, options.fromTask);
    await resetTasks(db, row.id, { states: ["failed", "cancelled"] });
    await resetChildren(world, db, row, sinceMs);
    const nowMs = world.nowMs();
    const moved = await moveRun(
      db,
      row,
      "again",
      { ...fresh, start_at: nowMs, pool: options.pool ?? row.pool },
      nowMs,
    );
    return toFlowRun(moved ?? row); // `refuseRetry` has looked at the table of moves.
  });
}

/** A run that begins again has no outcome and a new budget of retries. */
const fresh: RunChanges = {
  error: null,
  result: null,
  result_ref: null,
  result_bytes: null,
  cancel_reason: null,
  retry_count: 0,
  lost_count: 0,
};

function refuseRetry(row: RunRow, fromTask: string | undefined): void {
  const refuse = (message: string, hint: string): LeatError =>
    new LeatError("RUN_STATE", { message, hint, details: { run: row.id, state: row.state } });
  if (row.parent_id !== null) {
    throw refuse(
      `The run ${row.id} is a sub-flow of ${row.root_id}.`,
      `Retry ${row.root_id}: it comes to its sub-flows again.`,
    );
  }
  if (runMoves[row.state].again === null) {
    throw refuse(`The run ${row.id} is ${row.state}: it cannot be retried.`, "Start a new run.");
  }
  if (row.state === "succeeded" && fromTask === undefined) {
    throw refuse(
      `The run ${row.id} has succeeded: there is nothing to retry.`,
      "Name the task from which it is to be done again, or start a new run.",
    );
  }
}

/**
 * Resets a task and all that were opened after its first call: what came later may have used its result.
 *
 * @returns when that was, for the sub-flows that came later.
 */
async function resetFrom(db: LedgerTransaction, row: RunRow, fromTask: string): Promise<number> {
  const tasks = await db
    .selectFrom("task")
    .select(["key", "name", "ordinal", "opened_at"])
    .where("run_id", "=", row.id)
    .orderBy("ordinal")
    .execute();
  const first = tasks.find((task) => task.name === fromTask || task.key === fromTask);
  if (first === undefined) {
    throw new LeatError("TASK_UNKNOWN", {
      message: `The run ${row.id} has no task "${fromTask}".`,
      hint: hintOfKnown(fromTask, "tasks", [...new Set(tasks.map((task) => task.name))]),
      details: { run: row.id, task: fromTask },
    });
  }
  await resetTasks(db, row.id, {
    states: ["succeeded", "failed", "cancelled"],
    fromOrdinal: first.ordinal,
  });
  return first.opened_at;
}

/** Sub-flows that did not succeed begin again with what they lack; those made since then begin anew. */
export async function resetChildren(
  world: LedgerWorld,
  db: LedgerTransaction,
  row: RunRow,
  sinceMs: number | undefined,
): Promise<void> {
  const children = await db
    .selectFrom("run")
    .selectAll()
    .where("root_id", "=", row.id)
    .where("id", "<>", row.id)
    .where("state", "in", endedRunStates)
    .$if(world.engine.hasManyWriters, (query) => query.forUpdate())
    .execute();
  const nowMs = world.nowMs();
  for (const child of children) {
    const isAnew = sinceMs !== undefined && child.created_at >= sinceMs;
    if (child.state === "succeeded" && !isAnew) continue;
    await resetTasks(db, child.id, {
      states: isAnew ? ["succeeded", "failed", "cancelled"] : ["failed", "cancelled"],
    });
    await moveRun(db, child, "again", { ...fresh, start_at: nowMs }, nowMs);
  }
}
