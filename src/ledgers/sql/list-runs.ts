/** Runs found: those that can be claimed, and those that people look for. */
import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from "kysely";
import { type FlowRunId, toFlowRunId, toWorkerId } from "../../model/run-ids.ts";
import type { FlowRun, RunAttempt } from "../../model/run-record.ts";
import type { RunState } from "../../model/run-state.ts";
import type { RunCount, RunFilter, StateCount } from "../../ports/ledger.ts";
import { holding, readRow, toFlowRun, whereDue } from "./run-rows.ts";
import type { LedgerTables, LedgerWorld, RunRow } from "./tables.ts";

/** Runs that one call lists at most, and as a rule. */
const runsMax = 1000;
const runsUsual = 50;

/** Which runs could be claimed. */
type ClaimFilter = Readonly<{ pools: readonly string[]; limit: number; queuedBeforeMs?: number }>;

/** States as SQL says them: an index of some runs serves only who names those runs in the statement itself. */
const queued = sql.lit<RunState>("queued");
const waiting = sql.lit<RunState>("waiting");

/** See `Ledger.listClaimable`. Runs whose key is taken are left out: they are told by the end of those that hold it. */
export async function listClaimable(world: LedgerWorld, filter: ClaimFilter): Promise<readonly FlowRun[]> {
  // Each pool in the order of the index, which holds for one pool only.
  const byPool: RunRow[][] = [];
  for (const pool of filter.pools) byPool.push(await claimableOf(world, pool, filter).execute());
  const rows = byPool.length === 1 ? byPool.flat() : byPool.flat().sort(inClaimOrder).slice(0, filter.limit);
  return rows.map(toFlowRun);
}

/** The query of one pool, for its plan to be looked at as well. */
export function claimableOf(
  world: Pick<LedgerWorld, "db" | "nowMs">,
  pool: string,
  { limit, queuedBeforeMs }: Omit<ClaimFilter, "pools">,
): SelectQueryBuilder<LedgerTables, "run", RunRow> {
  const nowMs = world.nowMs();
  return world.db
    .selectFrom("run")
    .selectAll("run")
    .where("run.state", "=", queued)
    .where("run.pool", "=", pool)
    .where("run.parent_id", "is", null)
    .where(whereDue(nowMs))
    .where((build) =>
      build.or([
        build("run.limit_key", "is", null),
        build("run.holds_key", "=", 1),
        build(
          build
            .selectFrom("run as holder")
            .select((count) => count.fn.countAll<number>().as("count"))
            .whereRef("holder.limit_key", "=", "run.limit_key")
            .where("holder.holds_key", "=", holding),
          "<",
          build.ref("run.limit_count"),
        ),
      ]),
    )
    .$if(queuedBeforeMs !== undefined, (query) =>
      query.where((build) =>
        build.or([
          build("run.queued_at", "<=", queuedBeforeMs!),
          build("run.queued_at", ">", nowMs), // Before the clock was set back.
        ]),
      ),
    )
    .orderBy("run.priority", "desc")
    .orderBy("run.created_at")
    .orderBy("run.id")
    .limit(limit);
}

const inClaimOrder = (a: RunRow, b: RunRow): number =>
  b.priority - a.priority || a.created_at - b.created_at || (a.id < b.id ? -1 : 1);

/** See `Ledger.nextDueMs`. */
export async function nextDueMs(world: LedgerWorld, afterMs: number): Promise<number | null> {
  const { rows } = await sql<{ due: number | null }>`select min(due) as due from (
      select min(start_at) as due from run
        where state = ${queued} and parent_id is null and start_at > ${afterMs}
      union all
      select min(wake_at) from run where state = ${waiting} and parent_id is null and wake_at > ${afterMs}
      union all
      select min(late_at) from run where is_late = 0 and ended_at is null and late_at > ${afterMs}
    ) as moments`.execute(world.db);
  return rows[0]?.due ?? null;
}

/** See `Ledger.listRuns`. */
export async function listRuns(world: LedgerWorld, filter: RunFilter): Promise<readonly FlowRun[]> {
  const where = await whereFound(world, filter);
  if (where === undefined) return [];
  const rows = await world.db
    .selectFrom("run")
    .selectAll()
    .where(where)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(Math.min(filter.limit ?? runsUsual, runsMax))
    .execute();
  return rows.map(toFlowRun);
}

/** See `Ledger.countByState`. */
export async function countByState(
  world: LedgerWorld,
  filter: Omit<RunFilter, "limit">,
): Promise<readonly StateCount[]> {
  const where = await whereFound(world, filter);
  if (where === undefined) return [];
  return world.db
    .selectFrom("run")
    .select(["state", (build) => build.fn.countAll<number>().as("count")])
    .where(where)
    .groupBy("state")
    .orderBy("state")
    .execute();
}

type RunCondition = (build: ExpressionBuilder<LedgerTables, "run">) => Expression<SqlBool>;

/** The filter as a condition; `undefined`: it finds nothing. */
async function whereFound(world: LedgerWorld, filter: RunFilter): Promise<RunCondition | undefined> {
  const last = filter.before === undefined ? undefined : await readRow(world.db, filter.before);
  if (filter.before !== undefined && last === undefined) return undefined; // It was pruned, and with it all that were older.
  const { flow, deployment, pool, states, keyLimit, tenant, createdFromMs, createdToMs, parentId } = filter;
  // What is done for one tenant is mostly a sub-flow of what is done for all.
  const isAnyDepth = filter.isAnyDepth === true || tenant !== undefined;
  return (build) => {
    const conditions: Expression<SqlBool>[] = [];
    if (parentId !== undefined) conditions.push(build("parent_id", "=", parentId));
    else if (!isAnyDepth) conditions.push(build("parent_id", "is", null));
    if (flow !== undefined) conditions.push(build("flow", "=", flow));
    if (deployment !== undefined) conditions.push(build("deployment", "=", deployment));
    if (pool !== undefined) conditions.push(build("pool", "=", pool));
    if (states !== undefined) conditions.push(build("state", "in", states));
    if (keyLimit !== undefined) conditions.push(build("limit_key", "=", keyLimit));
    if (tenant !== undefined) conditions.push(build("tenant", "=", tenant));
    if (createdFromMs !== undefined) conditions.push(build("created_at", ">=", createdFromMs));
    if (createdToMs !== undefined) conditions.push(build("created_at", "<", createdToMs));
    if (last === undefined) return build.and(conditions);
    const isOlder = build.or([
      build("created_at", "<", last.created_at),
      build.and([build("created_at", "=", last.created_at), build("id", "<", last.id)]),
    ]);
    return build.and([...conditions, isOlder]);
  };
}

/** See `Ledger.countRuns`. */
export async function countRuns(world: LedgerWorld): Promise<readonly RunCount[]> {
  const rows = await world.db
    .selectFrom("run")
    .select(["pool", "state", (build) => build.fn.countAll<number>().as("count")])
    .where("state", "in", ["queued", "running", "waiting", "cancelling"])
    .where("parent_id", "is", null)
    .groupBy(["pool", "state"])
    .orderBy("pool")
    .orderBy("state")
    .execute();
  return rows.map(({ pool, state, count }) => ({ pool, state, count }));
}

/** See `Ledger.findRuns`. */
export async function findRuns(world: LedgerWorld, idPrefix: string): Promise<readonly FlowRun[]> {
  if (!/^[0-9a-f]+$/.test(idPrefix)) return []; // No id begins so, and a pattern may not.
  const rows = await world.db
    .selectFrom("run")
    .selectAll()
    .where("id", "like", `${idPrefix}%`)
    .limit(2)
    .execute();
  return rows.map(toFlowRun);
}

export async function listAttempts(world: LedgerWorld, id: FlowRunId): Promise<readonly RunAttempt[]> {
  const rows = await world.db
    .selectFrom("attempt")
    .selectAll()
    .where("run_id", "=", id)
    .orderBy("attempt")
    .execute();
  return rows.map((row) => ({
    runId: toFlowRunId(row.run_id),
    attempt: row.attempt,
    workerId: toWorkerId(row.worker_id),
    codeVersion: row.code_version,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    end: row.end_move,
  }));
}
