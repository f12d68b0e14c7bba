/** Task runs: opened within the limit of their name (F9), changed under the fence of their run (F3). */
import { sql } from "kysely";
import { LeatError } from "../../errors/leat-error.ts";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import type { Fence, StoredError, StoredValue, TaskRun } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import { type TaskMove, taskStatesBefore } from "../../model/run-task-state.ts";
import type { ApprovalAnswer, TaskChange, TaskOpening } from "../../ports/ledger.ts";
import { wakeNow } from "./end-attempt.ts";
import { type Fenced, holdsFence, withFence } from "./fence.ts";
import { lockName } from "./locks.ts";
import { lockRow, parseOwn, readRow, toStoredValue, toText, valueColumns } from "./run-rows.ts";
import { settleRun } from "./settle-run.ts";
import type { LedgerDb, LedgerWorld, TaskRow } from "./tables.ts";

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
export async function openTask(
  world: LedgerWorld,
  fence: Fence,
  opening: TaskOpening,
): Promise<Fenced<"opened" | "limited">> {
  const { limit } = opening;
  if (limit === null)
    return upsertTask(world, world.db, fence, opening, opening.wait === null ? "start" : "wait");
  return world.db.transaction().execute(async (db) => {
    await lockName(db, world.engine, `limit ${limit.name}`); // Before any row: the order in which locks are taken.
    const isFull = (await countRunning(db, fence, limit.name, opening.key)) >= limit.concurrency;
    return upsertTask(world, db, fence, opening, isFull ? "wait" : "start");
  });
}

/** A slot is a running task of an attempt that owns a live run: nothing else has to be given back. */
async function countRunning(db: LedgerDb, fence: Fence, limitName: string, key: string): Promise<number> {
  const { count } = await db
    .selectFrom("task")
    .innerJoin("run", "run.id", "task.run_id")
    .select((build) => build.fn.countAll<number>().as("count"))
    .where("task.limit_name", "=", limitName)
    .where("task.state", "=", "running")
    .where("run.state", "in", liveRunStates)
    .whereRef("run.attempt", "=", "task.attempt")
    .where((build) =>
      build.not(build.and([build("task.run_id", "=", fence.runId), build("task.key", "=", key)])),
    )
    .executeTakeFirstOrThrow();
  return count;
}

/** Opens a task in one statement with the look at its fence. */
async function upsertTask(
  world: LedgerWorld,
  db: LedgerDb,
  fence: Fence,
  opening: TaskOpening,
  move: TaskMove & ("start" | "wait"),
): Promise<Fenced<"opened" | "limited">> {
  const nowMs = world.nowMs();
  const isStart = move === "start";
  const values = {
    run_id: fence.runId,
    key: opening.key,
    name: opening.name,
    kind: opening.kind,
    ordinal: opening.ordinal,
    state: isStart ? "running" : "waiting",
    attempt: fence.attempt,
    try_count: isStart ? 1 : 0,
    input: opening.input === null ? null : toText(opening.input),
    limit_name: opening.limit?.name ?? null,
    is_cached: 0,
    produces: JSON.stringify(opening.produces),
    consumes: JSON.stringify(opening.consumes),
    opened_at: nowMs,
    started_at: isStart ? nowMs : null,
    wake_at: opening.wait?.wakeAtMs ?? null,
  } satisfies Partial<TaskRow>;
  const columns = Object.keys(values) as (keyof typeof values)[]; // `Object.keys` forgets them.
  const written = await withFence(world, db, fence)
    .insertInto("task")
    .columns(columns)
    .expression(
      (build) =>
        build
          .selectFrom("fence")
          .select(columns.map((column) => build.val(values[column]).as(column)))
          .where(sql<boolean>`true`), // Without it SQLite takes `on conflict` for the condition of a join.
    )
    .onConflict((conflict) =>
      conflict
        .columns(["run_id", "key"])
        .doUpdateSet((build) => ({
          state: values.state,
          attempt: fence.attempt,
          try_count: build("task.try_count", "+", values.try_count),
          ended_at: null,
          retry_at: null,
          limit_name: values.limit_name,
          ...(opening.wait === null ? {} : { wake_at: values.wake_at }),
          ...(isStart ? { started_at: nowMs } : {}),
        }))
        .where("task.state", "in", taskStatesBefore(move)),
    )
    .returning("state")
    .executeTakeFirst();
  if (written !== undefined) return isStart || opening.wait !== null ? "opened" : "limited";
  if (!(await holdsFence(db, world, fence))) return "fenced";
  throw refuseMove(fence, opening.key, move);
}

/** A runner that does not keep the table of moves: a fault of leat. */
const refuseMove = (fence: Fence, key: string, move: TaskMove): LeatError =>
  new LeatError("INTERNAL", {
    message: `The task ${key} of run ${fence.runId} is not in a state that "${move}" leaves.`,
    details: { run: fence.runId, task: key },
  });

/** See `Ledger.changeTask`. */
export async function changeTask(
  world: LedgerWorld,
  fence: Fence,
  key: string,
  change: TaskChange,
): Promise<Fenced<"changed">> {
  if (change.move !== "succeed" || change.cache === null)
    return updateTask(world, world.db, fence, key, change);
  const { key: cacheKey, expiresAtMs } = change.cache;
  return world.db.transaction().execute(async (db) => {
    const outcome = await updateTask(world, db, fence, key, change);
    if (outcome === "fenced") return outcome;
    const cached = { run_id: fence.runId, ...valueColumns(change.result), expires_at: expiresAtMs };
    await db
      .insertInto("task_cache")
      .values({ key: cacheKey, ...cached })
      .onConflict((conflict) => conflict.column("key").doUpdateSet(cached))
      .execute();
    return outcome;
  });
}

/** Changes a task in one statement with the look at its fence. */
async function updateTask(
  world: LedgerWorld,
  db: LedgerDb,
  fence: Fence,
  key: string,
  change: TaskChange,
): Promise<Fenced<"changed">> {
  const written = await withFence(world, db, fence)
    .updateTable("task")
    .set({ state: endOf[change.move], attempt: fence.attempt, ...columnsOf(change, world.nowMs()) })
    .where("run_id", "=", fence.runId)
    .where("key", "=", key)
    .where("state", "in", taskStatesBefore(change.move))
    .where((build) => build.exists(build.selectFrom("fence").select("id")))
    .returning("state")
    .executeTakeFirst();
  if (written !== undefined) return "changed";
  if (!(await holdsFence(db, world, fence))) return "fenced";
  const row = await db
    .selectFrom("task")
    .select("state")
    .where("run_id", "=", fence.runId)
    .where("key", "=", key)
    .executeTakeFirst();
  if (row?.state === endOf[change.move]) return "changed"; // The answer to an earlier call was lost.
  throw refuseMove(fence, key, change.move);
}

/** Where these moves lead, from every state that they are taken from. */
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

/** See `Ledger.answerApproval`. A no is a failure, so that a retry of the run asks again. */
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
        state: answer.isApproved ? "succeeded" : "failed",
        ...valueColumns({ json: JSON.stringify(answer) }),
        error: answer.isApproved ? null : JSON.stringify(refusal(answer)),
        ended_at: world.nowMs(),
      })
      .where("run_id", "=", id)
      .where("key", "=", key)
      .where("kind", "=", "approval")
      .where("state", "=", "waiting")
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    if (root !== undefined) await settleRun(world, db, root, "wake", wakeNow(world));
    return true;
  });
  if (isAnswered) return;
  throw new LeatError("APPROVAL_UNKNOWN", {
    message: `The run ${id} has no open question "${key}".`,
    details: { run: id, key },
  });
}

const refusal = (answer: ApprovalAnswer): StoredError => ({
  code: "APPROVAL_REFUSED",
  name: "LeatError",
  message: `${answer.by} refused${answer.note === null ? "" : `: ${answer.note}`}.`,
  hint: null,
  retryable: false,
  details: { by: answer.by, note: answer.note },
  stack: null,
});
