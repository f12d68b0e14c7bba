/**
 * Customers' warehouses for the matrix of shares. One is prepared by a delivery; what is tried has a copy of it each time,
 * for a delivery of its own would cost as much as what is tried.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { findPostgres } from "../services/postgres.ts";

const run = promisify(execFile);

/** A place for one try after another. */
export type Slot = Readonly<{
  address: string;
  /** Makes it what was prepared. */
  reset: () => Promise<void>;
  /** What stands there: two places of the same print have the same rows, tables and marks. Waits for what still writes. */
  print: () => Promise<string>;
  close: () => Promise<void>;
}>;

/** Warehouses of one kind. */
export type TargetKind = Readonly<{
  name: string;
  /** Address of the server that is spoken to; `undefined`: there is none. */
  server: string | undefined;
  /** Fills one by `deliver`, and gives places for copies of it. */
  prepare: (
    name: string,
    deliver: (address: string) => Promise<void>,
  ) => Promise<(at: string) => Promise<Slot>>;
}>;

/** All kinds. `database`: one of a Postgres server that is the matrix's own. */
export const targetKindsOf = (folder: string, database: string): readonly TargetKind[] => [
  inFiles("duckdb", (name) => join(folder, `${name}.duckdb`)),
  inFiles("parquet", (name) => join(folder, `${name}.parquet`)),
  onServer(database),
];

function inFiles(scheme: string, place: (name: string) => string): TargetKind {
  return {
    name: scheme,
    server: undefined,
    prepare: async (name, deliver) => {
      await deliver(`${scheme}:${place(name)}`);
      return async (at) => {
        const path = place(at);
        const parts = ["", ".wal", ".tmp"].map((ending) => `${path}${ending}`);
        const close = async () => {
          for (const part of parts) await rm(part, { recursive: true, force: true });
        };
        return {
          address: `${scheme}:${path}`,
          reset: async () => {
            await close();
            await cp(place(name), path, { recursive: true });
          },
          print: async () => {
            const hash = createHash("sha256");
            for (const part of parts) await hashFiles(part, hash);
            return hash.digest("hex");
          },
          close,
        };
      };
    },
  };
}

/** Names below a place in order, and what is in them. */
async function hashFiles(path: string, hash: ReturnType<typeof createHash>, name = ""): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  hash.update(`${name}\0`);
  if (!found.isDirectory()) {
    hash.update(await readFile(path));
    return;
  }
  for (const entry of (await readdir(path)).sort())
    await hashFiles(join(path, entry), hash, `${name}/${entry}`);
}

/** A database for each place, and the statements by which the server tells of the prepared one. */
function onServer(database: string): TargetKind {
  const inDatabase = (name: string): string => {
    const address = new URL(database);
    address.pathname = `/${name}`;
    address.searchParams.set("schema", "customer");
    return address.href;
  };
  const newDatabase = async (name: string): Promise<pg.Client> => {
    const admin = new pg.Client({ connectionString: database });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    const client = new pg.Client({ connectionString: inDatabase(name) });
    await client.connect();
    return client;
  };
  return {
    name: "postgres",
    server: database,
    prepare: async (name, deliver) => {
      const client = await newDatabase(name);
      await deliver(inDatabase(name));
      await client.end();
      const url = new URL(inDatabase(name));
      url.search = "";
      const options = ["--inserts", "--no-owner", "--dbname", url.href];
      const { stdout } = await run(join(await findPostgres(), "pg_dump"), options);
      const dump = stdout.replaceAll(/^\\.*$/gm, ""); // Newer ones tell psql what it may do.
      return async (at) => {
        const slot = await newDatabase(at);
        return {
          address: inDatabase(at),
          reset: async () => {
            await slot.query(dropAll);
            await slot.query(dump);
          },
          print: async () => {
            await untilAlone(slot);
            const { rows } = await slot.query<{ print: string }>(printSql);
            return rows[0]!.print; // An aggregate gives one row.
          },
          close: () => slot.end(),
        };
      };
    },
  };
}

const dropAll = `DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
  LOOP EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP;
END $$`;

/** Relations with their columns, views with what they say, tables with their rows but for times and names of a load. */
const printSql = `SELECT coalesce(string_agg(told, E'\\n' ORDER BY told), '') AS print FROM (
  SELECT concat_ws(' ', n.nspname, c.relname, c.relkind, obj_description(c.oid, 'pg_class'),
    (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull), ',' ORDER BY attnum)
     FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
    CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid)
         WHEN c.relkind = 'r' THEN query_to_xml(format(
           'SELECT md5(string_agg(row, E''\\n'' ORDER BY row)) AS rows
            FROM (SELECT (to_jsonb(t) - ''{loaded_at,load_id,claimed_at}''::text[])::text AS row FROM %I.%I AS t) AS held',
           n.nspname, c.relname), false, true, '')::text END) AS told
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') AS told`;

/** Longest time that a session may go on after its client has died, ms. Each ends with its statement. */
const aloneMsMax = 30_000;

async function untilAlone(client: pg.Client): Promise<void> {
  const sql =
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1";
  const untilMs = Date.now() + aloneMsMax;
  while ((await client.query(sql)).rowCount !== 0) {
    if (Date.now() > untilMs) throw new Error("a session without a client goes on");
    await wait(5);
  }
}
