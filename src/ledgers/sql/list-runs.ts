/** Runs found: those that can be claimed, and those that people look for. */
import { type FlowRunId, toFlowRunId, toWorkerId } from "../../model/run-ids.ts";
import type { FlowRun, RunAttempt } from "../../model/run-record.ts";
import type { RunCount, RunFilter } from "../../ports/ledger.ts";
import { readRow, toFlowRun, whereDue } from "./run-rows.ts";
import type { LedgerWorld } from "./tables.ts";

/** Runs that one call lists at most, and as a rule. */
const runsMax = 1000;
const runsUsual = 50;

/** See `Ledger.listClaimable`. Runs whose key is taken are left out: they are told by the end of those that hold it. */
export async function listClaimable(
  world: LedgerWorld,
  filter: { pools: readonly string[]; limit: number; queuedBeforeMs?: number },
): Promise<readonly FlowRun[]> {
  if (filter.pools.length === 0) return [];
  const nowMs = world.nowMs();
  let query = world.db
    .selectFrom("run")
    .leftJoin(
      (build) =>
        build
          .selectFrom("run")
          .select(["limit_key as held_key", (count) => count.fn.countAll<number>().as("held_count")])
          .where("holds_key", "=", 1)
          .groupBy("limit_key")
          .as("held"),
      (join) => join.onRef("held.held_key", "=", "run.limit_key"),
    )
    .selectAll("run")
    .where("run.state", "=", "queued")
    .where("run.pool", "in", filter.pools)
    .where("run.parent_id", "is", null)
    .where(whereDue(nowMs))
    .where((build) =>
      build.or([
        build("held.held_count", "is", null),
        build("run.holds_key", "=", 1),
        build("held.held_count", "<", build.ref("run.limit_count")),
      ]),
    );
  const { queuedBeforeMs } = filter;
  if (queuedBeforeMs !== undefined) {
    query = query.where((build) =>
      build.or([
        build("run.queued_at", "<=", queuedBeforeMs),
        build("run.queued_at", ">", nowMs), // Before the clock was set back.
      ]),
    );
  }
  const rows = await query
    .orderBy("run.priority", "desc")
    .orderBy("run.created_at")
    .orderBy("run.id")
    .limit(filter.limit)
    .execute();
  return rows.map(toFlowRun);
}

/** See `Ledger.listRuns`. */
export async function listRuns(world: LedgerWorld, filter: RunFilter): Promise<readonly FlowRun[]> {
  let query = world.db.selectFrom("run").selectAll();
  if (filter.parentId !== undefined) query = query.where("parent_id", "=", filter.parentId);
  else if (filter.isAnyDepth !== true) query = query.where("parent_id", "is", null);
  if (filter.flow !== undefined) query = query.where("flow", "=", filter.flow);
  if (filter.deployment !== undefined) query = query.where("deployment", "=", filter.deployment);
  if (filter.pool !== undefined) query = query.where("pool", "=", filter.pool);
  if (filter.states !== undefined) query = query.where("state", "in", filter.states);
  if (filter.keyLimit !== undefined) query = query.where("limit_key", "=", filter.keyLimit);
  if (filter.createdFromMs !== undefined) query = query.where("created_at", ">=", filter.createdFromMs);
  if (filter.createdToMs !== undefined) query = query.where("created_at", "<", filter.createdToMs);
  if (filter.before !== undefined) {
    const last = await readRow(world.db, filter.before);
    if (last === undefined) return []; // It was pruned, and with it all that were older.
    query = query.where((build) =>
      build.or([
        build("created_at", "<", last.created_at),
        build.and([build("created_at", "=", last.created_at), build("id", "<", last.id)]),
      ]),
    );
  }
  const rows = await query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(Math.min(filter.limit ?? runsUsual, runsMax))
    .execute();
  return rows.map(toFlowRun);
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
