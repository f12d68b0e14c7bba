/** Workers and what they hold: leases, and the runs they own. */
import assert from "node:assert/strict";
import { type FlowRunId, toFlowRunId, toWorkerId, type WorkerId } from "../../model/run-ids.ts";
import type { WorkerRecord } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import type { Beat } from "../../ports/ledger.ts";
import { parseOwn } from "./run-rows.ts";
import type { LedgerWorld, WorkerRow } from "./tables.ts";

/** See `Ledger.saveWorker`. */
export async function saveWorker(world: LedgerWorld, worker: WorkerRecord): Promise<void> {
  const columns = {
    kind: worker.kind,
    pools: JSON.stringify(worker.pools),
    slots: worker.slots,
    host: worker.host,
    pid: worker.pid,
    code_version: worker.codeVersion,
    lease_ms: worker.leaseMs,
    started_at: worker.startedAtMs,
    seen_at: world.nowMs(),
  };
  await world.db
    .insertInto("worker")
    .values({ id: worker.id, ...columns })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(columns))
    .execute();
}

/** See `Ledger.beat`. */
export async function beat(world: LedgerWorld, id: WorkerId): Promise<Beat> {
  const { numUpdatedRows } = await world.db
    .updateTable("worker")
    .set({ seen_at: world.nowMs() })
    .where("id", "=", id)
    .executeTakeFirst();
  const rows = await world.db
    .selectFrom("run")
    .select(["id", "root_id", "attempt", "state"])
    .where("worker_id", "=", id)
    .where("state", "in", liveRunStates)
    .execute();
  const owned = rows.map((row) => ({
    runId: toFlowRunId(row.id),
    rootId: toFlowRunId(row.root_id),
    attempt: row.attempt,
    isCancelling: row.state === "cancelling",
  }));
  return { isKnown: numUpdatedRows > 0n, owned };
}

export async function removeWorker(world: LedgerWorld, id: WorkerId): Promise<void> {
  await world.db.deleteFrom("worker").where("id", "=", id).execute();
}

export async function listWorkers(world: LedgerWorld): Promise<readonly WorkerRecord[]> {
  const rows = await world.db.selectFrom("worker").selectAll().orderBy("started_at").execute();
  return rows.map(toWorker);
}

export const toWorker = (row: WorkerRow): WorkerRecord => ({
  id: toWorkerId(row.id),
  kind: row.kind,
  pools: parseOwn<readonly string[]>(row.pools),
  slots: row.slots,
  host: row.host,
  pid: row.pid,
  codeVersion: row.code_version,
  leaseMs: row.lease_ms,
  startedAtMs: row.started_at,
  seenAtMs: row.seen_at,
});

/** Longest lease, ms. One that seems to last longer was taken before the clock was set back. */
const leaseMsMax = 60_000;

/** See `Ledger.takeLease`. */
export async function takeLease(
  world: LedgerWorld,
  name: string,
  holder: WorkerId,
  ttlMs: number,
): Promise<boolean> {
  const nowMs = world.nowMs();
  assert(ttlMs <= leaseMsMax, "a lease is no longer than those that are believed");
  const columns = { holder, until_at: nowMs + ttlMs };
  const taken = await world.db
    .insertInto("lease")
    .values({ name, ...columns })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet(columns)
        .where((build) =>
          build.or([
            build("lease.holder", "=", holder),
            build("lease.until_at", "<=", nowMs),
            build("lease.until_at", ">", nowMs + leaseMsMax), // The clock was set back since it was taken.
          ]),
        ),
    )
    .returning("name")
    .executeTakeFirst();
  return taken !== undefined;
}

/** Ids of live outermost runs whose owner is one of these, or none that is there. */
export async function listOrphans(
  world: LedgerWorld,
  deadIds: readonly string[],
): Promise<readonly FlowRunId[]> {
  const rows = await world.db
    .selectFrom("run")
    .leftJoin("worker", "worker.id", "run.worker_id")
    .select("run.id")
    .where("run.state", "in", liveRunStates)
    .where("run.parent_id", "is", null)
    .where((build) =>
      deadIds.length === 0
        ? build("worker.id", "is", null)
        : build.or([build("worker.id", "is", null), build("worker.id", "in", deadIds)]),
    )
    .limit(orphansMax)
    .execute();
  return rows.map((row) => toFlowRunId(row.id));
}

/** Runs that one sweep takes care of; the next one comes seconds later. */
const orphansMax = 1000;
