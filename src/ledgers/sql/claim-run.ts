/** A run gets its owner (F2), in the order of priority and age (F10), within the limit of its key (F8). */
import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import type { Fence, FlowRun, NewRun } from "../../model/run-record.ts";
import { endedRunStates, type RunMove } from "../../model/run-state.ts";
import type { Adopted, ClaimBy, Claimed } from "../../ports/ledger.ts";
import { type Fenced, holdsFence, writeFenced } from "./fence.ts";
import { lockName } from "./locks.ts";
import { holding, isDue, lockRow, moveRun, readRow, toFlowRun, toNewRow, whereDue } from "./run-rows.ts";
import { settleRun } from "./settle-run.ts";
import type { LedgerDb, LedgerTables, LedgerTransaction, LedgerWorld, RunRow } from "./tables.ts";

export function claimRun(world: LedgerWorld, id: FlowRunId, by: ClaimBy): Promise<Claimed> {
  return world.db.transaction().execute(async (db): Promise<Claimed> => {
    const asked = await readRow(db, id);
    if (asked === undefined || asked.state !== "queued") return { status: "gone", state: asked?.state };
    const nowMs = world.nowMs();
    if (!isDue(asked, nowMs)) return { status: "early", startAtMs: asked.start_at };
    const key = asked.limit_key;
    if (key !== null) await lockName(db, world.engine, `key ${key}`);
    const chosen = key === null ? asked.id : await firstOfKey(db, key, asked.pool, nowMs);
    const row = chosen === undefined ? undefined : await lockRow(db, world.engine, toFlowRunId(chosen));
    if (row === undefined || row.state !== "queued") return { status: "gone", state: row?.state };
    if (key !== null && (await countHolders(db, key, row.root_id)) >= (row.limit_count ?? 1))
      return { status: "limited", key };
    return { status: "claimed", run: await own(world, db, row, "claim", by) };
  });
}

/** Of the queued runs of a key in a pool the one that goes first; one that holds the key already before all others. */
async function firstOfKey(
  db: LedgerTransaction,
  key: string,
  pool: string,
  nowMs: number,
): Promise<string | undefined> {
  const first = await db
    .selectFrom("run")
    .select("id")
    .where("limit_key", "=", key)
    .where("state", "=", "queued")
    .where("pool", "=", pool)
    .where("parent_id", "is", null)
    .where(whereDue(nowMs))
    .orderBy("holds_key", "desc")
    .orderBy("priority", "desc")
    .orderBy("created_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return first?.id;
}

/** Other runs that hold the key; what a run's own sub-flows and callers hold does not stand in its way. */
export async function countHolders(db: LedgerDb, key: string, rootId: string): Promise<number> {
  const { count } = await db
    .selectFrom("run")
    .select((build) => build.fn.countAll<number>().as("count"))
    .where("limit_key", "=", key)
    .where("holds_key", "=", holding)
    .where("root_id", "<>", rootId)
    .executeTakeFirstOrThrow();
  return count;
}

/** Makes a run this worker's, with a new attempt. */
async function own(
  world: LedgerWorld,
  db: LedgerTransaction,
  row: RunRow,
  move: RunMove & ("claim" | "adopt"),
  by: ClaimBy,
): Promise<FlowRun> {
  const nowMs = world.nowMs();
  const isFirst = row.attempt === 0;
  const isCodeChanged = !isFirst && row.code_version !== by.codeVersion;
  const moved = await moveRun(
    db,
    row,
    move,
    {
      attempt: row.attempt + 1,
      worker_id: by.workerId,
      holds_key: row.limit_key === null ? 0 : 1,
      started_at: row.started_at ?? nowMs,
      code_version: isFirst ? by.codeVersion : row.code_version,
      is_code_changed: row.is_code_changed === 1 || isCodeChanged ? 1 : 0,
      wake_at: null,
      error: null,
    },
    nowMs,
  );
  const owned = moved ?? row; // The caller has looked at the state of the locked row: the move is allowed.
  if (row.attempt > 0) await endAttemptBefore(db, row, nowMs);
  await db
    .insertInto("attempt")
    .values({
      run_id: row.id,
      attempt: owned.attempt,
      worker_id: by.workerId,
      code_version: by.codeVersion,
      started_at: nowMs,
    })
    .execute();
  return toFlowRun(owned);
}

/** A sub-flow whose attempt nobody has ended: that of its parent died, and this one takes it over. */
async function endAttemptBefore(db: LedgerTransaction, row: RunRow, nowMs: number): Promise<void> {
  await db
    .updateTable("attempt")
    .set({ ended_at: nowMs, end_move: "lose" })
    .where("run_id", "=", row.id)
    .where("attempt", "=", row.attempt)
    .where("ended_at", "is", null)
    .execute();
}

/** See `Ledger.noteCode`. */
export function noteCode(
  world: LedgerWorld,
  fence: Fence,
  codeVersion: string | null,
): Promise<Fenced<"written">> {
  return writeFenced<"written">(world, fence, async (db) => {
    await db
      .updateTable("attempt")
      .set({ code_version: codeVersion })
      .where("run_id", "=", fence.runId)
      .where("attempt", "=", fence.attempt)
      .execute();
    await db
      .updateTable("run")
      .set(fence.attempt === 1 ? { code_version: codeVersion } : { is_code_changed: 1 })
      .where("id", "=", fence.runId)
      .where((build) => isOtherCode(build, codeVersion))
      .execute();
    return "written";
  });
}

/** Whether a run began with other code; a version that nobody knows is none of the known ones. */
const isOtherCode = (
  build: ExpressionBuilder<LedgerTables, "run">,
  codeVersion: string | null,
): Expression<SqlBool> =>
  codeVersion === null
    ? build("code_version", "is not", null)
    : build.or([build("code_version", "<>", codeVersion), build("code_version", "is", null)]);

/** See `Ledger.adoptRun`. */
export function adoptRun(
  world: LedgerWorld,
  parent: Fence,
  parentKey: string,
  run: NewRun,
  by: ClaimBy,
): Promise<Adopted> {
  return world.db.transaction().execute(async (db): Promise<Adopted> => {
    if (run.keyLimit !== null) await lockName(db, world.engine, `key ${run.keyLimit.key}`);
    if (!(await holdsFence(db, world, parent))) return { status: "fenced" };
    const row =
      (await lockChild(world, db, parent, parentKey)) ?? (await addChild(world, db, parent, parentKey, run));
    if (endedRunStates.includes(row.state)) return { status: "ended", run: toFlowRun(row) };
    if (row.state === "cancelling") {
      const lost = await settleRun(world, db, row, "lose", {});
      return { status: "ended", run: toFlowRun(lost ?? row) };
    }
    const key = row.limit_key;
    if (key !== null && (await countHolders(db, key, row.root_id)) >= (row.limit_count ?? 1))
      return { status: "limited", key };
    return { status: "adopted", run: await own(world, db, row, "adopt", by) };
  });
}

function lockChild(
  world: LedgerWorld,
  db: LedgerTransaction,
  parent: Fence,
  parentKey: string,
): Promise<RunRow | undefined> {
  return db
    .selectFrom("run")
    .selectAll()
    .where("idempotency_key", "=", childKey(parent.runId, parentKey))
    .$if(world.engine.hasManyWriters, (query) => query.forUpdate())
    .executeTakeFirst();
}

const childKey = (parentId: FlowRunId, parentKey: string): string => `parent:${parentId}:${parentKey}`;

async function addChild(
  world: LedgerWorld,
  db: LedgerTransaction,
  parent: Fence,
  parentKey: string,
  run: NewRun,
): Promise<RunRow> {
  const { root_id: rootId } = await db
    .selectFrom("run")
    .select("root_id")
    .where("id", "=", parent.runId)
    .executeTakeFirstOrThrow();
  return db
    .insertInto("run")
    .values({
      ...toNewRow(run, world.nowMs()),
      root_id: rootId,
      parent_id: parent.runId,
      parent_key: parentKey,
      idempotency_key: childKey(parent.runId, parentKey),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}
