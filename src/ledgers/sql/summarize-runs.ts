/** Runs counted and summed up, for pages that show thousands of them at a glance: each is one query. */
import { sql } from "kysely";
import { toFlowRunId } from "../../model/run-ids.ts";
import type { FlowRun } from "../../model/run-record.ts";
import type { KeyStanding, SpanCount } from "../../ports/ledger.ts";
import { toFlowRun } from "./run-rows.ts";
import type { LedgerWorld } from "./tables.ts";

/** Deployments whose last run failed that one call tells, and keys. */
const failingMax = 1000;
const keysMax = 50_000;

/** See `Ledger.countRunsBySpan`. Whole numbers in the text of the query: as parameters some engines take them for fractions. */
export async function countRunsBySpan(
  world: LedgerWorld,
  { fromMs, spanMs }: Readonly<{ fromMs: number; spanMs: number }>,
): Promise<readonly SpanCount[]> {
  const number = sql<number>`(created_at - ${sql.lit(Math.floor(fromMs))}) / ${sql.lit(Math.floor(spanMs))}`;
  const rows = await world.db
    .selectFrom("run")
    .select(["state", number.as("number"), (build) => build.fn.countAll<number>().as("count")])
    .where("parent_id", "is", null)
    .where("created_at", ">=", fromMs)
    .groupBy([number, "state"])
    .orderBy(number)
    .execute();
  return rows.map((row) => ({
    atMs: fromMs + Number(row.number) * spanMs,
    state: row.state,
    count: Number(row.count),
  }));
}

/** See `Ledger.listFailing`. */
export async function listFailing(world: LedgerWorld): Promise<readonly FlowRun[]> {
  const ranked = world.db
    .selectFrom("run")
    .select([
      "id",
      "state",
      sql<number>`row_number() over (partition by deployment order by created_at desc, id desc)`.as("place"),
    ])
    .where("parent_id", "is", null)
    .where("state", "in", ["succeeded", "failed"])
    .as("ranked");
  const rows = await world.db
    .selectFrom("run")
    .selectAll("run")
    .innerJoin(ranked, "ranked.id", "run.id")
    .where("ranked.place", "=", 1)
    .where("ranked.state", "=", "failed")
    .orderBy("run.ended_at", "desc")
    .limit(failingMax)
    .execute();
  return rows.map(toFlowRun);
}

/** See `Ledger.listKeyStandings`. */
export async function listKeyStandings(world: LedgerWorld): Promise<readonly KeyStanding[]> {
  const ranked = world.db
    .selectFrom("run")
    .select([
      "id",
      "limit_key",
      "state",
      "created_at",
      "ended_at",
      sql<number>`row_number() over (partition by limit_key order by created_at desc, id desc)`.as("place"),
      sql<
        number | null
      >`max(case when state = 'succeeded' then ended_at end) over (partition by limit_key)`.as(
        "succeeded_at",
      ),
    ])
    .where("limit_key", "is not", null)
    .where("state", "!=", "skipped")
    .as("ranked");
  const rows = await world.db
    .selectFrom(ranked)
    .selectAll()
    .where("place", "=", 1)
    .orderBy("limit_key")
    .limit(keysMax)
    .execute();
  return rows.map((row) => ({
    key: row.limit_key ?? "",
    runId: toFlowRunId(row.id),
    state: row.state,
    createdAtMs: row.created_at,
    endedAtMs: row.ended_at,
    succeededAtMs: row.succeeded_at,
  }));
}
