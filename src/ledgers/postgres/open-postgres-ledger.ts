/** The ledger in Postgres: for many processes on many machines. */
import { setTimeout as wait } from "node:timers/promises";
import { Kysely, PostgresDialect } from "kysely";
import type pg from "pg";
import { LeatError } from "../../errors/leat-error.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { Clock } from "../../ports/world.ts";
import { openSqlLedger } from "../sql/open-sql-ledger.ts";
import { withPatience } from "../sql/patience.ts";
import type { LedgerTables } from "../sql/tables.ts";
import { judgePostgres } from "./judge-postgres.ts";

/** Schema of the ledger's tables, unless another is named. */
const schemaUsual = "leat";

/** Connections of one process, unless said otherwise: a worker with four slots and its own loops. */
const connectionsUsual = 4;

/** How long a connection may take to open, ms. */
const connectMs = 10_000;

/** How often the server's clock is compared with this machine's, ms: clocks drift by some ms an hour. */
const clockCheckMs = 60_000;

export type PostgresLedgerOptions = Readonly<{
  /** `postgres://user:password@host/database`. */
  connectionString: string;
  clock: Pick<Clock, "nowMs">;
  /** Default `leat`. */
  schema?: string;
  /** Default 4. */
  connectionsMax?: number;
  /** Takes `clock` for the time of the ledger, instead of the server's clock; for tests that move the time. */
  isClockTrusted?: boolean;
}>;

/**
 * Opens a ledger; its schema and tables are made when they are not there.
 *
 * @throws LeatError `DEPENDENCY_MISSING`, `LEDGER_UNREADABLE`, `LEDGER_NEWER`, `LEDGER_UNAVAILABLE`.
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const schema = options.schema ?? schemaUsual;
  const client = await importPg();
  const url = withoutPassword(options.connectionString);
  const pool = new client.Pool({
    connectionString: options.connectionString,
    max: options.connectionsMax ?? connectionsUsual,
    connectionTimeoutMillis: connectMs,
    application_name: "leat ledger",
    // Set by the connection's own parameters, so that a pooler between does not lose it.
    options: `-c search_path=${schema}`,
    types: { getTypeParser: typeParser(client) },
  });
  pool.on("error", () => {}); // A connection that breaks while idle is opened again by the next query.
  const db = new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
  const patience = { url, judge: judgePostgres, sleep: (ms: number) => wait(ms), fraction: Math.random };
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await db.destroy();
  };
  // Between two looks at the server's clock the time goes on by a clock that nobody sets: a machine whose own clock jumps
  // would otherwise take all other workers for dead.
  let offsetMs = 0;
  const compareClocks = async (): Promise<void> => {
    if (options.isClockTrusted === true) return;
    const beforeMs = performance.now();
    const { rows } = await pool.query<{ now: string }>(
      "select extract(epoch from clock_timestamp()) * 1000 as now",
    );
    offsetMs = Number(rows[0]?.now) - (beforeMs + performance.now()) / 2;
  };
  const timer = setInterval(() => compareClocks().catch(() => {}), clockCheckMs); // The next one comes.
  timer.unref();
  const world = {
    db,
    engine: { name: "postgres" as const, hasManyWriters: true },
    nowMs: () =>
      options.isClockTrusted === true ? options.clock.nowMs() : Math.round(performance.now() + offsetMs),
  };
  try {
    await withPatience(patience, "opening it", async () => {
      await makeSchema(pool, schema);
      await compareClocks();
    });
    return await openSqlLedger(world, patience, { mark: () => undefined, close });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Two processes that make the same schema at once: one may be told that it exists, or that its name is taken. */
async function makeSchema(pool: pg.Pool, schema: string): Promise<void> {
  const { rows } = await pool.query("select 1 from pg_namespace where nspname = $1", [schema]);
  if (rows.length > 0) return;
  const client = await pool.connect();
  try {
    await client.query(`create schema if not exists ${client.escapeIdentifier(schema)}`);
  } catch (error) {
    const isMadeMeanwhile = error instanceof Error && "code" in error && error.code === "23505";
    if (!isMadeMeanwhile) throw error;
  } finally {
    client.release();
  }
}

async function importPg(): Promise<typeof pg> {
  try {
    return (await import("pg")).default;
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "A ledger at postgres:// needs the package pg.",
      hint: "Run: npm install pg",
      cause,
    });
  }
}

/** Type of 64-bit integers, which pg gives as text: the ledger's are instants and counts, exact in a double. */
const int8 = 20;

const typeParser =
  (client: typeof pg): pg.CustomTypesConfig["getTypeParser"] =>
  (oid: number, format?: "text" | "binary") =>
    oid === int8 ? Number : client.types.getTypeParser(oid, format as "text");

/** A connection string as it may be told. */
export function withoutPassword(connectionString: string): string {
  try {
    const url = new URL(connectionString);
    return `${url.protocol}//${url.host}${url.pathname}`;
  } catch {
    return "postgres:";
  }
}
