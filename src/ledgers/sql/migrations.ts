/** The tables of the ledger, made and changed step by step. A step that was released is never edited. */
import type { ColumnDefinitionBuilder } from "kysely";
import { sql } from "kysely";
import { LeatError } from "../../errors/leat-error.ts";
import { lockName } from "./locks.ts";
import { tenantLengthMax } from "./run-rows.ts";
import type { LedgerDb, LedgerEngine, LedgerTransaction, LedgerWorld } from "./tables.ts";

type Column = (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

const required: Column = (column) => column.notNull();
const flag: Column = (column) => column.notNull().defaultTo(0);

/** A number that rises with each row. */
const risingId =
  (engine: LedgerEngine): Column =>
  (column) =>
    engine.name === "sqlite"
      ? column.primaryKey().autoIncrement()
      : column.primaryKey().generatedAlwaysAsIdentity();

async function makeTables(db: LedgerTransaction, engine: LedgerEngine): Promise<void> {
  const idType = engine.name === "sqlite" ? "integer" : "bigint"; // SQLite counts up in an `integer` key only.
  await db.schema
    .createTable("run")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("flow", "text", required)
    .addColumn("deployment", "text", required)
    .addColumn("pool", "text", required)
    .addColumn("state", "text", required)
    .addColumn("params", "text", required)
    .addColumn("priority", "integer", required)
    .addColumn("cause", "text", required)
    .addColumn("root_id", "text", required)
    .addColumn("parent_id", "text")
    .addColumn("parent_key", "text")
    .addColumn("idempotency_key", "text", (column) => column.unique())
    .addColumn("coalesce_key", "text")
    .addColumn("limit_key", "text")
    .addColumn("limit_count", "integer")
    .addColumn("limit_conflict", "text")
    .addColumn("holds_key", "integer", flag)
    .addColumn("attempt", "integer", flag)
    .addColumn("lost_count", "integer", flag)
    .addColumn("retry_count", "integer", flag)
    .addColumn("worker_id", "text")
    .addColumn("code_version", "text")
    .addColumn("is_code_changed", "integer", flag)
    .addColumn("created_at", "bigint", required)
    .addColumn("queued_at", "bigint", required)
    .addColumn("start_at", "bigint", required)
    .addColumn("scheduled_at", "bigint")
    .addColumn("late_at", "bigint")
    .addColumn("is_late", "integer", flag)
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("wake_at", "bigint")
    .addColumn("cancel_reason", "text")
    .addColumn("error", "text")
    .addColumn("result", "text")
    .addColumn("result_ref", "text")
    .addColumn("result_bytes", "bigint")
    .execute();
  const runIndex = (name: string, columns: string[]) =>
    db.schema.createIndex(name).on("run").columns(columns).execute();
  await runIndex("run_to_claim", ["state", "pool", "priority", "created_at"]);
  await runIndex("run_by_worker", ["worker_id", "state"]);
  await runIndex("run_by_deployment", ["deployment", "created_at"]);
  await runIndex("run_by_flow", ["flow", "created_at"]);
  await runIndex("run_by_age", ["created_at"]);
  await db.schema.createIndex("run_by_root").on("run").column("root_id").execute();
  await db.schema
    .createIndex("run_by_key")
    .on("run")
    .columns(["limit_key", "state"])
    .where("limit_key", "is not", null)
    .execute();
  await db.schema
    .createIndex("run_holding")
    .on("run")
    .column("limit_key")
    .where(sql.ref("holds_key"), "=", sql.lit(1))
    .execute();
  await db.schema
    .createIndex("run_by_coalesce")
    .on("run")
    .column("coalesce_key")
    .where("coalesce_key", "is not", null)
    .execute();

  await db.schema
    .createTable("attempt")
    .addColumn("run_id", "text", required)
    .addColumn("attempt", "integer", required)
    .addColumn("worker_id", "text", required)
    .addColumn("code_version", "text")
    .addColumn("started_at", "bigint", required)
    .addColumn("ended_at", "bigint")
    .addColumn("end_move", "text")
    .addPrimaryKeyConstraint("attempt_pk", ["run_id", "attempt"])
    .execute();

  await db.schema
    .createTable("task")
    .addColumn("run_id", "text", required)
    .addColumn("key", "text", required)
    .addColumn("name", "text", required)
    .addColumn("kind", "text", required)
    .addColumn("ordinal", "integer", required)
    .addColumn("state", "text", required)
    .addColumn("attempt", "integer", required)
    .addColumn("try_count", "integer", flag)
    .addColumn("input", "text")
    .addColumn("limit_name", "text")
    .addColumn("is_cached", "integer", flag)
    .addColumn("produces", "text", required)
    .addColumn("consumes", "text", required)
    .addColumn("result", "text")
    .addColumn("result_ref", "text")
    .addColumn("result_bytes", "bigint")
    .addColumn("error", "text")
    .addColumn("opened_at", "bigint", required)
    .addColumn("started_at", "bigint")
    .addColumn("ended_at", "bigint")
    .addColumn("retry_at", "bigint")
    .addColumn("wake_at", "bigint")
    .addPrimaryKeyConstraint("task_pk", ["run_id", "key"])
    .execute();
  await db.schema
    .createIndex("task_by_limit")
    .on("task")
    .columns(["limit_name", "state"])
    .where("limit_name", "is not", null)
    .execute();

  await db.schema
    .createTable("task_cache")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("run_id", "text", required)
    .addColumn("result", "text")
    .addColumn("result_ref", "text")
    .addColumn("result_bytes", "bigint")
    .addColumn("expires_at", "bigint", required)
    .execute();
  await db.schema.createIndex("task_cache_by_run").on("task_cache").column("run_id").execute();
  await db.schema.createIndex("task_cache_by_expiry").on("task_cache").column("expires_at").execute();

  await db.schema
    .createTable("log")
    .addColumn("id", idType, risingId(engine))
    .addColumn("run_id", "text", required)
    .addColumn("attempt", "integer", required)
    .addColumn("writer", "text", required)
    .addColumn("seq", "integer", required)
    .addColumn("at", "bigint", required)
    .addColumn("level", "text", required)
    .addColumn("task_key", "text")
    .addColumn("message", "text", required)
    .addColumn("data", "text")
    .addUniqueConstraint("log_once", ["run_id", "attempt", "writer", "seq"])
    .execute();
  await db.schema.createIndex("log_by_run").on("log").columns(["run_id", "id"]).execute();

  await db.schema
    .createTable("event")
    .addColumn("id", idType, risingId(engine))
    .addColumn("at", "bigint", required)
    .addColumn("kind", "text", required)
    .addColumn("subject", "text", required)
    .addColumn("run_id", "text")
    .addColumn("data", "text", required)
    .addColumn("dedup_key", "text", (column) => column.unique())
    .addColumn("is_handled", "integer", flag)
    .execute();
  await db.schema.createIndex("event_by_kind").on("event").columns(["kind", "subject", "at"]).execute();
  await db.schema
    .createIndex("event_to_handle")
    .on("event")
    .column("id")
    .where(sql.ref("is_handled"), "=", sql.lit(0))
    .execute();

  await db.schema
    .createTable("artifact")
    .addColumn("run_id", "text", required)
    .addColumn("name", "text", required)
    .addColumn("kind", "text", required)
    .addColumn("task_key", "text")
    .addColumn("data", "text", required)
    .addColumn("updated_at", "bigint", required)
    .addPrimaryKeyConstraint("artifact_pk", ["run_id", "name"])
    .execute();

  await db.schema
    .createTable("deployment")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("flow", "text", required)
    .addColumn("description", "text", required)
    .addColumn("pool", "text", required)
    .addColumn("params", "text", required)
    .addColumn("params_schema", "text", required)
    .addColumn("code_version", "text")
    .addColumn("about", "text", required)
    .addColumn("saved_at", "bigint", required)
    .execute();

  await db.schema
    .createTable("schedule")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("deployment", "text", required)
    .addColumn("ticks", "text", required)
    .addColumn("catch_up", "text", required)
    .addColumn("params", "text", required)
    .addColumn("late_after_ms", "bigint")
    .addColumn("is_paused", "integer", flag)
    .addColumn("cursor_at", "bigint", required)
    .execute();

  await db.schema
    .createTable("worker")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("kind", "text", required)
    .addColumn("pools", "text", required)
    .addColumn("slots", "integer", required)
    .addColumn("host", "text", required)
    .addColumn("pid", "integer", required)
    .addColumn("code_version", "text")
    .addColumn("lease_ms", "bigint", required)
    .addColumn("started_at", "bigint", required)
    .addColumn("seen_at", "bigint", required)
    .execute();

  await db.schema
    .createTable("lease")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("holder", "text", required)
    .addColumn("until_at", "bigint", required)
    .execute();
}

/**
 * Indexes for what is asked all the time, so that it costs the same with ten thousand runs as with ten: who is next, what
 * falls due next, which run of a deployment ended last, which are a run's sub-flows, and which task made what. They hold
 * the few rows alone that are asked for.
 */
async function indexWork(db: LedgerTransaction): Promise<void> {
  // Its later columns spare the look at the run for those whose time has not come or whose key is taken.
  await sql`create index run_in_order on run (pool, priority desc, created_at, id, start_at, queued_at, limit_key,
    holds_key, limit_count) where state = 'queued' and parent_id is null`.execute(db);
  await sql`create index run_to_start on run (start_at) where state = 'queued' and parent_id is null`.execute(
    db,
  );
  await sql`create index run_to_wake on run (wake_at) where state = 'waiting' and parent_id is null`.execute(
    db,
  );
  await sql`create index run_to_be_late on run (late_at) where is_late = 0 and ended_at is null
    and late_at is not null`.execute(db);
  await sql`create index run_by_end on run (deployment, ended_at) where parent_id is null
    and ended_at is not null`.execute(db);
  await sql`create index run_by_parent on run (parent_id, created_at, id) where parent_id is not null`.execute(
    db,
  );
  await sql`create index task_made on task (ended_at, produces, consumes, run_id, name) where state = 'succeeded'
    and produces <> '[]'`.execute(db);
  await db.schema.dropIndex("run_to_claim").execute();
  await db.schema.createIndex("run_by_state").on("run").columns(["state", "pool", "parent_id"]).execute();
}

/**
 * Runs that are about one tenant name it as their parameter; as a column it is found among all runs by an index. Parameters
 * with a NUL are left out, which Postgres cannot read.
 */
async function nameTenants(db: LedgerTransaction, engine: LedgerEngine): Promise<void> {
  await db.schema.alterTable("run").addColumn("tenant", "text").execute();
  const [read, isText] =
    engine.name === "sqlite"
      ? [sql`json_extract(params, '$.tenant')`, sql`json_type(params, '$.tenant') = 'text'`]
      : [sql`params::json ->> 'tenant'`, sql`json_typeof(params::json -> 'tenant') = 'string'`];
  await sql`update run set tenant = ${read} where params like '%"tenant"%' and params not like '%\\u0000%'
    and ${isText} and length(${read}) <= ${sql.lit(tenantLengthMax)}`.execute(db);
  await sql`create index run_by_tenant on run (tenant, created_at, id) where tenant is not null`.execute(db);
}

/** Step *n* leads from version *n* to *n* + 1. */
const steps: readonly ((db: LedgerTransaction, engine: LedgerEngine) => Promise<void>)[] = [
  makeTables,
  indexWork,
  nameTenants,
];

/**
 * Brings the ledger to this version, in one transaction; safe to call from several processes at once.
 *
 * @throws LeatError `LEDGER_NEWER`.
 */
export async function migrateLedger(world: LedgerWorld, url: string): Promise<void> {
  // A ledger that is up to date is not locked. Where the tables are not there yet, or nothing answers, what follows says so.
  const current = await readVersion(world.db).catch(() => undefined);
  if (current !== undefined && checkVersion(current, url) === steps.length) return;
  await world.db.transaction().execute(async (db) => {
    await lockName(db, world.engine, "migrate");
    await db.schema
      .createTable("ledger_version")
      .ifNotExists()
      .addColumn("version", "integer", required)
      .execute();
    const version = checkVersion(await readVersion(db), url);
    if (version === steps.length) return; // Another process was faster.
    for (const step of steps.slice(version)) await step(db, world.engine);
    await db.deleteFrom("ledger_version").execute();
    await db.insertInto("ledger_version").values({ version: steps.length }).execute();
  });
}

const readVersion = async (db: LedgerDb): Promise<number> =>
  (await db.selectFrom("ledger_version").select("version").executeTakeFirst())?.version ?? 0;

function checkVersion(version: number, url: string): number {
  if (version <= steps.length) return version;
  throw new LeatError("LEDGER_NEWER", {
    message: `The ledger at ${url} has version ${version}; this leat knows ${steps.length}.`,
  });
}
