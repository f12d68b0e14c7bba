/** Task runs: opened within the limit of their name (F9), changed under the fence of their run (F3). */
import { LeatError } from "../../errors/leat-error.ts";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import type { Fence, StoredError, StoredValue, TaskRun } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import { type TaskMove, type TaskState, taskMoves, taskStatesBefore } from "../../model/run-task-state.ts";
import type { ApprovalAnswer, TaskChange, TaskOpening } from "../../ports/ledger.ts";
import { type Fenced, holdsFence, writeFenced } from "./fence.ts";
import { lockName } from "./locks.ts";
import { lockRow, parseOwn, readRow, toStoredValue, valueColumns } from "./run-rows.ts";
import { settleRun } from "./settle-run.ts";
import type { LedgerTransaction, LedgerWorld, TaskRow } from "./tables.ts";

export async function readTasks(world: LedgerWorld, id: FlowRunId): Promise<readonly TaskRun[]> {
  const rows = await world.db
    .selectFrom("task")
    .selectAll()
    .where("run_id", "=", id)
    .orderBy("ordinal")
    .orderBy("opened_at")
    .execute();
  return rows.map(toTaskRun);
}

const toTaskRun = (row: TaskRow): TaskRun => ({
  runId: toFlowRunId(row.run_id),
  key: row.key,
  name: row.name,
  kind: row.kind,
  ordinal: row.ordinal,
  state: row.state,
  attempt: row.attempt,
  tryCount: row.try_count,
  input: row.input,
  limitName: row.limit_name,
  isCached: row.is_cached === 1,
  produces: parseOwn<readonly string[]>(row.produces),
  consumes: parseOwn<readonly string[]>(row.consumes),
  result: toStoredValue(row),
  error: row.error === null ? null : parseOwn<StoredError>(row.error),
  openedAtMs: row.opened_at,
  startedAtMs: row.started_at,
  endedAtMs: row.ended_at,
  retryAtMs: row.retry_at,
  wakeAtMs: row.wake_at,
});

/** See `Ledger.openTask`. */
export function openTask(
  world: LedgerWorld,
  fence: Fence,
  opening: TaskOpening,
): Promise<Fenced<"opened" | "limited">> {
  return world.db.transaction().execute(async (db) => {
    // The name first, then the row: the order in which locks are taken.
    if (opening.limit !== null) await lockName(db, world.engine, `limit ${opening.limit.name}`);
    if (!(await holdsFence(db, world, fence))) return "fenced";
    const isFull = opening.limit !== null && (await isLimitReached(db, fence, opening));
    const move: TaskMove = isFull || opening.wait !== null ? "wait" : "start";
    await upsertTask(world, db, fence, opening, move);
    return isFull ? "limited" : "opened";
  });
}

/** A slot is a running task of an attempt that owns a live run: nothing else has to be given back. */
async function isLimitReached(db: LedgerTransaction, fence: Fence, opening: TaskOpening): Promise<boolean> {
  const { limit } = opening;
  if (limit === null) return false;
  const { count } = await db
    .selectFrom("task")
    .innerJoin("run", "run.id", "task.run_id")
    .select((build) => build.fn.countAll<number>().as("count"))
    .where("task.limit_name", "=", limit.name)
    .where("task.state", "=", "running")
    .where("run.state", "in", liveRunStates)
    .whereRef("run.attempt", "=", "task.attempt")
    .where((build) =>
      build.not(build.and([build("task.run_id", "=", fence.runId), build("task.key", "=", opening.key)])),
    )
    .executeTakeFirstOrThrow();
  return count >= limit.concurrency;
}

async function upsertTask(
  world: LedgerWorld,
  db: LedgerTransaction,
  fence: Fence,
  opening: TaskOpening,
  move: TaskMove & ("start" | "wait"),
): Promise<void> {
  const nowMs = world.nowMs();
  const state: TaskState = move === "start" ? "running" : "waiting";
  const begun = move === "start" ? { started_at: nowMs } : {};
  const written = await db
    .insertInto("task")
    .values({
      run_id: fence.runId,
      key: opening.key,
      name: opening.name,
      kind: opening.kind,
      ordinal: opening.ordinal,
      state,
      attempt: fence.attempt,
      try_count: move === "start" ? 1 : 0,
      input: opening.input,
      limit_name: opening.limit?.name ?? null,
      is_cached: 0,
      produces: JSON.stringify(opening.produces),
      consumes: JSON.stringify(opening.consumes),
      opened_at: nowMs,
      wake_at: opening.wait?.wakeAtMs ?? null,
      ...begun,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["run_id", "key"])
        .doUpdateSet((build) => ({
          state,
          attempt: fence.attempt,
          try_count: move === "start" ? build("task.try_count", "+", 1) : build.ref("task.try_count"),
          ended_at: null,
          retry_at: null,
          limit_name: opening.limit?.name ?? null,
          ...(opening.wait === null ? {} : { wake_at: opening.wait.wakeAtMs }),
          ...begun,
        }))
        .where("task.state", "in", taskStatesBefore(move)),
    )
    .returning("state")
    .executeTakeFirst();
  if (written === undefined) throw refuseMove(fence, opening.key, move);
}

/** A runner that does not keep the table of moves: a fault of leat. */
const refuseMove = (fence: Fence, key: string, move: TaskMove): LeatError =>
  new LeatError("INTERNAL", {
    message: `The task ${key} of run ${fence.runId} is not in a state that "${move}" leaves.`,
    details: { run: fence.runId, task: key },
  });

/** See `Ledger.changeTask`. */
export function changeTask(
  world: LedgerWorld,
  fence: Fence,
  key: string,
  change: TaskChange,
): Promise<Fenced<"changed">> {
  return writeFenced<"changed">(world, fence, async (db) => {
    const nowMs = world.nowMs();
    const row = await db
      .selectFrom("task")
      .select(["state", "started_at"])
      .where("run_id", "=", fence.runId)
      .where("key", "=", key)
      .executeTakeFirst();
    const state = row === undefined ? null : taskMoves[row.state][change.move];
    if (state === null) {
      const isRepeated = row !== undefined && row.state === endOf[change.move];
      if (isRepeated) return "changed"; // The answer to an earlier call was lost.
      throw refuseMove(fence, key, change.move);
    }
    await db
      .updateTable("task")
      .set({ state, attempt: fence.attempt, ...columnsOf(change, nowMs) })
      .where("run_id", "=", fence.runId)
      .where("key", "=", key)
      .execute();
    if (change.move === "succeed" && change.cache !== null) {
      const cached = {
        run_id: fence.runId,
        ...valueColumns(change.result),
        expires_at: change.cache.expiresAtMs,
      };
      await db
        .insertInto("task_cache")
        .values({ key: change.cache.key, ...cached })
        .onConflict((conflict) => conflict.column("key").doUpdateSet(cached))
        .execute();
    }
    return "changed";
  });
}

const endOf = { succeed: "succeeded", fail: "failed", retry: "retrying" } as const;

function columnsOf(change: TaskChange, nowMs: number): Partial<TaskRow> {
  switch (change.move) {
    case "succeed":
      return {
        ...valueColumns(change.result),
        error: null,
        is_cached: change.isCached ? 1 : 0,
        ended_at: nowMs,
      };
    case "fail":
      return { error: JSON.stringify(change.error), ended_at: nowMs };
    case "retry":
      return { error: JSON.stringify(change.error), retry_at: change.retryAtMs };
  }
}

export async function readCached(
  world: LedgerWorld,
  cacheKey: string,
): Promise<Readonly<{ result: StoredValue | null }> | undefined> {
  const row = await world.db
    .selectFrom("task_cache")
    .selectAll()
    .where("key", "=", cacheKey)
    .where("expires_at", ">", world.nowMs())
    .executeTakeFirst();
  return row === undefined ? undefined : { result: toStoredValue(row) };
}

/** See `Ledger.answerApproval`. */
export async function answerApproval(
  world: LedgerWorld,
  id: FlowRunId,
  key: string,
  answer: ApprovalAnswer,
): Promise<void> {
  const asked = await readRow(world.db, id);
  const isAnswered = await world.db.transaction().execute(async (db) => {
    if (asked === undefined) return false;
    const root = await lockRow(db, world.engine, toFlowRunId(asked.root_id));
    const { numUpdatedRows } = await db
      .updateTable("task")
      .set({
        state: "succeeded",
        ...valueColumns({ json: JSON.stringify(answer) }),
        ended_at: world.nowMs(),
      })
      .where("run_id", "=", id)
      .where("key", "=", key)
      .where("kind", "=", "approval")
      .where("state", "=", "waiting")
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    if (root !== undefined) {
      await settleRun(world, db, root, "wake", { start_at: world.nowMs(), wake_at: null });
    }
    return true;
  });
  if (isAnswered) return;
  throw new LeatError("APPROVAL_UNKNOWN", {
    message: `The run ${id} has no open question "${key}".`,
    details: { run: id, key },
  });
}
