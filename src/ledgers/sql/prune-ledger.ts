/** Old history is thrown away: runs with all they have, events that were dealt with, results that expired. */
import { sql } from "kysely";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import { endedRunStates } from "../../model/run-state.ts";
import type { PrunePolicy } from "../../ports/ledger.ts";
import type { LedgerDb, LedgerWorld } from "./tables.ts";

/** Runs of one transaction: a run may have a hundred thousand lines, and writers wait meanwhile. */
const runsPerTransaction = 20;

/** Events that stay: what a table's columns were is told by all of them together, and a stream has few. */
const keptEvents = "stream.schema";

/** See `Ledger.prune`. */
export async function pruneLedger(world: LedgerWorld, policy: PrunePolicy): Promise<readonly FlowRunId[]> {
  const rootIds = await listOld(world.db, policy);
  const gone: FlowRunId[] = [];
  for (let from = 0; from < rootIds.length; from += runsPerTransaction) {
    const some = rootIds.slice(from, from + runsPerTransaction);
    gone.push(...(await world.db.transaction().execute((db) => deleteRuns(db, some))));
  }
  await world.db
    .deleteFrom("event")
    .where("is_handled", "=", 1)
    .where("at", "<", policy.endedBeforeMs)
    .where("kind", "<>", keptEvents)
    .execute();
  await world.db.deleteFrom("task_cache").where("expires_at", "<=", world.nowMs()).execute();
  return gone;
}

/** Outermost runs that ended long ago and are not among the newest of their deployment. */
async function listOld(db: LedgerDb, policy: PrunePolicy): Promise<readonly string[]> {
  const ranked = db
    .selectFrom("run")
    .select([
      "id",
      "ended_at",
      "state",
      sql<number>`row_number() over (partition by deployment order by created_at desc, id desc)`.as("place"),
    ])
    .where("parent_id", "is", null)
    .as("ranked");
  const rows = await db
    .selectFrom(ranked)
    .select("id")
    .where("place", ">", policy.keepPerDeployment)
    .where("state", "in", endedRunStates)
    .where("ended_at", "<", policy.endedBeforeMs)
    .orderBy("ended_at")
    .limit(policy.runsMax)
    .execute();
  return rows.map((row) => row.id);
}

async function deleteRuns(db: LedgerDb, rootIds: readonly string[]): Promise<readonly FlowRunId[]> {
  // Again over: a person may have retried one since it was listed.
  const runs = await db
    .selectFrom("run")
    .select("id")
    .where("root_id", "in", (build) =>
      build.selectFrom("run").select("id").where("id", "in", rootIds).where("state", "in", endedRunStates),
    )
    .execute();
  const ids = runs.map((row) => row.id);
  if (ids.length === 0) return [];
  for (const table of ["log", "artifact", "task", "task_cache", "attempt"] as const) {
    await db.deleteFrom(table).where("run_id", "in", ids).execute();
  }
  await db.deleteFrom("run").where("id", "in", ids).execute();
  return ids.map(toFlowRunId);
}
