/** What tasks have made of what, as they said it themselves. */
import { sql } from "kysely";
import { toFlowRunId } from "../../model/run-ids.ts";
import type { TaskState } from "../../model/run-task-state.ts";
import type { Maker } from "../../ports/ledger.ts";
import { parseOwn } from "./run-rows.ts";
import type { LedgerWorld } from "./tables.ts";

/** Makers that one call lists; a project has a few for each of its streams and datasets. */
const makersMax = 2000;

/** See `Ledger.listMakers`. */
export async function listMakers(world: LedgerWorld, sinceMs: number): Promise<readonly Maker[]> {
  const ranked = world.db
    .selectFrom("task")
    .select([
      "run_id",
      "name",
      "produces",
      "consumes",
      "ended_at",
      sql<number>`row_number() over (partition by produces, consumes order by ended_at desc, run_id)`.as(
        "place",
      ),
    ])
    // Named, so that the index of these tasks serves.
    .where("state", "=", sql.lit<TaskState>("succeeded"))
    .where("produces", "<>", sql.lit("[]"))
    .where("ended_at", ">=", sinceMs)
    .as("made");
  const rows = await world.db
    .selectFrom(ranked)
    .innerJoin("run", "run.id", "made.run_id")
    .select([
      "made.run_id",
      "made.name",
      "made.produces",
      "made.consumes",
      "made.ended_at",
      "run.flow",
      "run.deployment",
    ])
    .where("made.place", "=", 1)
    .orderBy("made.ended_at", "desc")
    .limit(makersMax)
    .execute();
  return rows.map((row) => ({
    runId: toFlowRunId(row.run_id),
    flow: row.flow,
    deployment: row.deployment,
    task: row.name,
    produces: parseOwn<readonly string[]>(row.produces),
    consumes: parseOwn<readonly string[]>(row.consumes),
    atMs: row.ended_at ?? 0,
  }));
}
