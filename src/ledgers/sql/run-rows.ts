/** Rows of runs: read, locked, moved. Every change of a run's state goes through `moveRun` (F1). */
import assert from "node:assert/strict";
import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from "kysely";
import { LeatError } from "../../errors/leat-error.ts";
import { isJsonObject, type JsonValue } from "../../model/json-value.ts";
import { type FlowRunId, toFlowRunId, toWorkerId } from "../../model/run-ids.ts";
import type {
  FlowRun,
  KeyLimit,
  NewRun,
  RunCause,
  StoredError,
  StoredValue,
} from "../../model/run-record.ts";
import { endedRunStates, type RunMove, runMoves } from "../../model/run-state.ts";
import type { LedgerDb, LedgerEngine, LedgerTables, LedgerTransaction, NewRunRow, RunRow } from "./tables.ts";

/** Columns of a value: inline, by reference, or none. */
export type ValueColumns = Readonly<{
  result: string | null;
  result_ref: string | null;
  result_bytes: number | null;
}>;

/** Columns of a value; `null`, which stands for `undefined`, leaves all of them empty. */
export function valueColumns(value: StoredValue | null): ValueColumns {
  if (value === null) return { result: null, result_ref: null, result_bytes: null };
  if ("json" in value) return { result: value.json, result_ref: null, result_bytes: null };
  return { result: null, result_ref: value.ref, result_bytes: value.bytes };
}

/** The value that columns hold. */
export function toStoredValue(row: ValueColumns): StoredValue | null {
  if (row.result !== null) return { json: row.result };
  if (row.result_ref !== null) return { ref: row.result_ref, bytes: row.result_bytes ?? 0 };
  return null;
}

/** JSON that leat itself has written; its form is what was written. */
export const parseOwn = <T>(text: string): T => JSON.parse(text) as T;

/** Text as both engines keep it: Postgres refuses NUL, and half of a pair is no text. */
export const toText = (text: string): string => text.replaceAll("\0", "\ufffd").toWellFormed();

/** A row as the rest of leat knows it. */
export function toFlowRun(row: RunRow): FlowRun {
  return {
    id: toFlowRunId(row.id),
    flow: row.flow,
    deployment: row.deployment,
    pool: row.pool,
    params: parseOwn<JsonValue>(row.params),
    priority: row.priority,
    startAtMs: row.start_at,
    scheduledAtMs: row.scheduled_at,
    lateAtMs: row.late_at,
    cause: parseOwn<RunCause>(row.cause),
    keyLimit: toKeyLimit(row),
    idempotencyKey: row.idempotency_key,
    coalesceKey: row.coalesce_key,
    state: row.state,
    attempt: row.attempt,
    lostCount: row.lost_count,
    retryCount: row.retry_count,
    parentId: row.parent_id === null ? null : toFlowRunId(row.parent_id),
    rootId: toFlowRunId(row.root_id),
    parentKey: row.parent_key,
    codeVersion: row.code_version,
    isCodeChanged: row.is_code_changed === 1,
    workerId: row.worker_id === null ? null : toWorkerId(row.worker_id),
    createdAtMs: row.created_at,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    wakeAtMs: row.wake_at,
    isLate: row.is_late === 1,
    cancelReason: row.cancel_reason,
    error: row.error === null ? null : parseOwn<StoredError>(row.error),
    result: toStoredValue(row),
    tenant: row.tenant,
  };
}

function toKeyLimit(row: RunRow): KeyLimit | null {
  if (row.limit_key === null) return null;
  assert(row.limit_count !== null && row.limit_conflict !== null, "a limit is written whole");
  // One of the three texts that were written.
  return {
    key: row.limit_key,
    limit: row.limit_count,
    onConflict: row.limit_conflict as KeyLimit["onConflict"],
  };
}

/** Characters of a tenant's id that stands in an index. */
export const tenantLengthMax = 500;

/** The tenant that a run is about: its parameter of this name, which sub-flows of a sync have, and flows of one's own. */
function tenantOf({ params }: NewRun): string | null {
  const tenant = isJsonObject(params) ? params["tenant"] : undefined;
  return typeof tenant === "string" && tenant.length <= tenantLengthMax ? toText(tenant) : null;
}

/** The row of a new run, queued. */
export function toNewRow(run: NewRun, nowMs: number): NewRunRow {
  return {
    id: run.id,
    flow: run.flow,
    deployment: run.deployment,
    pool: run.pool,
    state: "queued",
    params: JSON.stringify(run.params),
    priority: run.priority,
    cause: JSON.stringify(run.cause),
    root_id: run.id,
    idempotency_key: run.idempotencyKey,
    coalesce_key: run.coalesceKey,
    limit_key: run.keyLimit?.key ?? null,
    limit_count: run.keyLimit?.limit ?? null,
    limit_conflict: run.keyLimit?.onConflict ?? null,
    holds_key: 0,
    attempt: 0,
    lost_count: 0,
    retry_count: 0,
    is_code_changed: 0,
    created_at: nowMs,
    queued_at: nowMs,
    start_at: run.startAtMs,
    scheduled_at: run.scheduledAtMs,
    late_at: run.lateAtMs,
    is_late: 0,
    tenant: tenantOf(run),
  };
}

/** The flag of those that hold their key, as SQL says it: what is bound later finds no index of some rows. */
export const holding: RawBuilder<number> = sql.lit(1);

/**
 * Whether a queued run's time has come. One that was queued to begin at once may, whatever the clock says by now: it may
 * have been set back since.
 */
export const isDue = (row: Pick<RunRow, "start_at" | "queued_at">, nowMs: number): boolean =>
  row.start_at <= nowMs || row.start_at <= row.queued_at;

/** The same as a condition. */
export const whereDue =
  (nowMs: number) =>
  (build: ExpressionBuilder<LedgerTables, "run">): Expression<SqlBool> =>
    build.or([build("run.start_at", "<=", nowMs), build("run.start_at", "<=", build.ref("run.queued_at"))]);

export const readRow = (db: LedgerDb, id: FlowRunId): Promise<RunRow | undefined> =>
  db.selectFrom("run").selectAll().where("id", "=", id).executeTakeFirst();

/** A run's row, which nobody else changes before the transaction ends. */
export function lockRow(
  db: LedgerTransaction,
  engine: LedgerEngine,
  id: FlowRunId,
): Promise<RunRow | undefined> {
  return db
    .selectFrom("run")
    .selectAll()
    .where("id", "=", id)
    .$if(engine.hasManyWriters, (query) => query.forUpdate())
    .executeTakeFirst();
}

/** What a move may change beside the state. */
export type RunChanges = Partial<Omit<NewRunRow, "id" | "state">>;

/**
 * Moves a locked run, where the table allows it (F1). A run that is over gives its key back and has an end; one that is
 * not has none.
 *
 * @returns the row as it is now, or `undefined` when the move is refused.
 */
export async function moveRun(
  db: LedgerTransaction,
  row: RunRow,
  move: RunMove,
  changes: RunChanges,
  nowMs: number,
): Promise<RunRow | undefined> {
  const state = runMoves[row.state][move];
  if (state === null) return undefined;
  const isOver = endedRunStates.includes(state);
  const moved = await db
    .updateTable("run")
    .set({
      ...changes,
      state,
      ended_at: isOver ? nowMs : null,
      ...(isOver ? { holds_key: 0, wake_at: null } : {}),
      ...(state === "queued" ? { queued_at: nowMs } : {}),
    })
    .where("id", "=", row.id)
    .where("state", "=", row.state)
    .where("attempt", "=", row.attempt)
    .returningAll()
    .executeTakeFirst();
  assert(moved !== undefined, "a locked row does not change");
  return moved;
}

export const unknownRun = (id: FlowRunId): LeatError =>
  new LeatError("RUN_UNKNOWN", { message: `There is no run ${id}.`, details: { run: id } });
