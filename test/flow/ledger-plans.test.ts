/** What a process asks the ledger all the time is answered by an index, however many runs there are. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CompiledQuery, Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countHolders } from "../../src/ledgers/sql/claim-run.ts";
import { listEvents } from "../../src/ledgers/sql/event-rows.ts";
import { listMakers } from "../../src/ledgers/sql/lineage-rows.ts";
import { listClaimable, listRuns, nextDueMs } from "../../src/ledgers/sql/list-runs.ts";
import { migrateLedger } from "../../src/ledgers/sql/migrations.ts";
import { markLate, wakeRuns } from "../../src/ledgers/sql/sweep-lost.ts";
import type { LedgerTables, LedgerWorld } from "../../src/ledgers/sql/tables.ts";
import { openDatabase, sqliteDialect } from "../../src/ledgers/sqlite/sqlite-dialect.ts";
import { toFlowRunId } from "../../src/model/run-ids.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";

/** Runs of the ledger that is asked, queued all of them. */
const runCount = 10_000;

type Place = Readonly<{
  world: LedgerWorld;
  /** What was asked since it was emptied. */
  asked: CompiledQuery[];
  dispose: () => Promise<void>;
}>;

describe.each(["sqlite", "postgres"] as const)("the plans of a ledger in %s", (engine) => {
  let server: PostgresServer;
  let place: Place;
  beforeAll(async () => {
    if (engine === "postgres") server = await startPostgres();
    place = engine === "sqlite" ? openSqlite() : openPostgres(await server.newDatabase());
    await migrateLedger(place.world, "test");
    await fill(place.world.db);
  });
  afterAll(async () => {
    await place.dispose();
    await server?.stop();
  });

  /** Steps of the plan, one a line, as the engine prints them. */
  const explain = async ({ sql: text, parameters }: CompiledQuery): Promise<string> => {
    const { rows } = await place.world.db.executeQuery<Record<string, unknown>>({
      ...sql.raw(`${engine === "sqlite" ? "explain query plan" : "explain"} ${text}`).compile(place.world.db),
      parameters,
    });
    return rows.map((row) => row["detail"] ?? row["QUERY PLAN"]).join("\n");
  };
  const plansOf = async (call: (world: LedgerWorld) => Promise<unknown>): Promise<string> => {
    place.asked.length = 0;
    await call(place.world);
    const plans: string[] = [];
    for (const query of [...place.asked]) plans.push(await explain(query));
    return plans.join("\n");
  };

  test.each([
    [
      "who is next",
      "run_in_order",
      (world: LedgerWorld) => listClaimable(world, { pools: ["default", "other"], limit: 5 }),
    ],
    ["what falls due next", "run_to_start", (world: LedgerWorld) => nextDueMs(world, 0)],
    ["who wakes", "run_to_wake|run_by_state", wakeRuns] /* Of few that wait either is good. */,
    ["who is late", "run_to_be_late", markLate],
    [
      "who is whose sub-flow",
      "run_by_parent",
      (world: LedgerWorld) => listRuns(world, { parentId: toFlowRunId("a") }),
    ],
    ["who holds a key", "run_holding", (world: LedgerWorld) => countHolders(world.db, "key 1", "no run")],
    [
      "which events are new",
      "event_to_handle",
      (world: LedgerWorld) => listEvents(world, { isHandled: false }),
    ],
  ])("%s is found by the index %s, without a look at all runs", async (_what, index, call) => {
    const plan = await plansOf(call);
    expect(plan).toMatch(new RegExp(index));
    expect(plan).not.toMatch(/SCAN run\b|Seq Scan on run\b|TEMP B-TREE|Sort Key/);
  });

  test("what is done for a tenant is found among that tenant's runs alone", async () => {
    const plan = await plansOf((world) =>
      listRuns(world, { tenant: "7", states: ["queued", "failed"], limit: 100 }),
    );
    expect(plan).toContain("run_by_tenant");
    expect(plan).not.toMatch(/SCAN run\b|Seq Scan on run\b/);
  });

  test("who made what is found among those that made something", async () => {
    const plan = await plansOf((world) => listMakers(world, runCount - 10));
    expect(plan).toContain("task_made");
    expect(plan).not.toMatch(/SCAN task\b|Seq Scan on task\b/);
  });

  test("runs whose key is taken are passed over in the index", async () => {
    const { world } = place;
    await world.db
      .updateTable("run")
      .set({ limit_key: "one", limit_count: 1 })
      .where("id", ">", "1")
      .execute();
    await world.db
      .updateTable("run")
      .set({ holds_key: 1, state: "running" })
      .where("id", "=", id(runCount))
      .execute();
    try {
      expect(await listClaimable(world, { pools: ["default"], limit: 5 })).toEqual([]);
    } finally {
      await world.db.updateTable("run").set({ limit_key: null, limit_count: null, holds_key: 0 }).execute();
    }
  });

  test("a ledger of the first version gets indexes and tenants, and keeps its runs", async () => {
    const { world } = place;
    for (const name of [
      "run_in_order",
      "run_to_start",
      "run_to_wake",
      "run_to_be_late",
      "run_by_end",
      "run_by_state",
      "run_by_parent",
      "task_made",
      "run_by_tenant",
    ])
      await world.db.schema.dropIndex(name).execute();
    await world.db.schema.alterTable("run").dropColumn("tenant").execute();
    const named = ['{"stream":"s","tenant":"é 7"}', '{"tenant":"\\u0000"}', '{"tenant":7}', '{"a":"tenant"}'];
    for (const [n, params] of named.entries())
      await world.db
        .updateTable("run")
        .set({ params })
        .where("id", "=", id(n + 1))
        .execute();
    await world.db.schema.createIndex("run_to_claim").on("run").columns(["state", "pool"]).execute();
    await world.db.updateTable("ledger_version").set({ version: 1 }).execute();
    await migrateLedger(world, "test");
    expect(await world.db.selectFrom("ledger_version").select("version").execute()).toEqual([{ version: 3 }]);
    const told = await world.db
      .selectFrom("run")
      .select(["id", "tenant"])
      .where("tenant", "is not", null)
      .execute();
    expect(told).toEqual([{ id: id(1), tenant: "é 7" }]);
    const plan = await plansOf((one) => listClaimable(one, { pools: ["default"], limit: 1 }));
    expect(plan).toContain("run_in_order");
    const { count } = await world.db
      .selectFrom("run")
      .select((build) => build.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(runCount);
  });
});

const id = (n: number): string => String(1_000_000_000_000_000 + n);

/** Runs that wait for their turn, one event each that nobody has to handle, and what the planner wants to know of them. */
async function fill(db: Kysely<LedgerTables>): Promise<void> {
  const numbers = sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${sql.lit(runCount)})`;
  // Ids that sort as the numbers do: all of sixteen digits.
  await sql`insert into run (id, flow, deployment, pool, state, params, priority, cause, root_id, created_at, queued_at,
      start_at, tenant) ${numbers} select cast(1000000000000000 + i as text), 'f', 'f', 'default', 'queued', '{}', i % 3,
      '{"kind":"manual","by":"test"}', 'r', i, i, i, cast(i % 500 as text) from n`.execute(db);
  await sql`insert into event (at, kind, subject, data, is_handled) ${numbers} select i, 'k', 's', '{}', 1 from n`.execute(
    db,
  );
  await sql`insert into task (run_id, key, name, kind, ordinal, state, attempt, produces, consumes, opened_at, ended_at)
      ${numbers} select 'r', cast(i as text), 'n', 'task', i, 'succeeded', 1, case when i % 10 = 0 then '["a"]' else '[]' end,
      '[]', i, i from n`.execute(db);
  await sql`analyze`.execute(db);
}

function openSqlite(): Place {
  const folder = mkdtempSync(join(tmpdir(), "leat-plans-"));
  const database = openDatabase(join(folder, "ledger.db"));
  const asked: CompiledQuery[] = [];
  const db = new Kysely<LedgerTables>({
    dialect: sqliteDialect(database),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  return {
    world: { db, engine: { name: "sqlite", hasManyWriters: false }, nowMs: () => runCount },
    asked,
    async dispose() {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function openPostgres(connectionString: string): Place {
  const pool = new pg.Pool({ connectionString, max: 2 });
  pool.on("error", () => {}); // The server is stopped when all is done.
  const asked: CompiledQuery[] = [];
  const db = new Kysely<LedgerTables>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => {
      asked.push(query);
    },
  });
  return {
    world: { db, engine: { name: "postgres", hasManyWriters: true }, nowMs: () => runCount },
    asked,
    dispose: () => db.destroy(),
  };
}
