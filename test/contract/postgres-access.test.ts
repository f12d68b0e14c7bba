/** Who may connect, and with which rights; and that no message holds a password. */
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  failureOf,
  makeStreamSpec,
  plant,
  type WarehouseBench,
} from "../../src/testing/warehouse-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openAt, runSql, withBench as withBenchOn } from "./postgres-place.ts";
import { sqlOfPage } from "./sql-of-page.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const withBench = (run: (bench: WarehouseBench, url: string) => Promise<void>) => withBenchOn(server, run);
const spec = makeStreamSpec();

/** The address of another role, with a password that must never be told. */
function asRole(url: string, role: string): string {
  const address = new URL(url);
  address.username = role;
  address.password = "hunter2";
  return address.href;
}

test("the rights that the page on Postgres lists are enough to load and to read, and no more is granted", async () => {
  await withBench(async (bench, url) => {
    const database = new URL(url).pathname.slice(1);
    const [loader, reader] = [`loader_${database}`, `reader_${database}`] as const;
    const [rolesSql = "", readingSql = ""] = await sqlOfPage("concepts/postgres.md", {
      shop: database,
      leat_loader: loader,
      analysts: reader,
    });
    await runSql(
      url,
      `REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
       ${rolesSql}; ALTER ROLE ${reader} LOGIN`,
    );
    const ours = openAt(asRole(url, loader));
    await ours.identity();
    await bench.load(spec, [await bench.land([plant(1, "2024-01-01")])], ours);
    await runSql(asRole(url, loader), readingSql);
    // A new column makes the views anew, a text cursor puts leat's function into them, a generation its ledger.
    const more = ['{"id":2,"modified":"soon","w":1}', '{"id":2,"modified":"2024-01-03T00:00:00Z","w":2}'];
    const options = { generation: 2, completesGeneration: true };
    await bench.load(spec, [await bench.land(more, options)], ours);
    const rows = await runSql(asRole(url, reader), "SELECT id::int, w::int FROM metrc.metrc_plants");
    expect(rows).toEqual([{ id: 2, w: 2 }]);
    await expect(
      runSql(asRole(url, reader), "SELECT * FROM leat_warehouse.gcs_metrc_plants"),
    ).rejects.toThrow(/denied/);
    await expect(runSql(asRole(url, reader), "CREATE TABLE metrc.mine (id integer)")).rejects.toThrow(
      /denied/,
    );
    const refused = await failureOf(openAt(asRole(url, reader)).identity(), "WAREHOUSE_UNREADABLE");
    expect(refused.hint).toContain("rights");
    await runSql(
      url,
      `DROP OWNED BY ${loader} CASCADE; DROP OWNED BY ${reader}; DROP ROLE ${loader}; DROP ROLE ${reader}`,
    );
  });
});

test("wrong credentials, an unknown database and a server that is not there are told without the password", async () => {
  await withBench(async (_bench, url) => {
    const told: string[] = [];
    const note = async (address: string, code: string) => {
      const error = await failureOf(openAt(address).query("SELECT 1"), code);
      told.push(`${error.message} ${error.hint} ${JSON.stringify(error.details)} ${String(error.cause)}`);
      return error;
    };
    await note(asRole(url, "nobody_at_all"), "WAREHOUSE_UNREADABLE");
    const unknown = new URL(asRole(url, "leat"));
    unknown.pathname = "/no_such_database";
    await note(unknown.href, "WAREHOUSE_UNREADABLE");
    const closed = new URL(asRole(url, "leat"));
    closed.port = "1";
    const away = await note(closed.href, "WAREHOUSE_UNREACHABLE");
    expect(away.retryable).toBe(true);
    for (const text of told) expect(text).not.toContain("hunter2");
  });
});

test("a database that keeps no UTF-8 is refused with what to do", async () => {
  await withBench(async (_bench, url) => {
    const other = new URL(url);
    const name = `${other.pathname.slice(1)}_ascii`;
    await runSql(url, `CREATE DATABASE ${name} ENCODING 'SQL_ASCII' TEMPLATE template0`);
    other.pathname = `/${name}`;
    const error = await failureOf(openAt(other.href).identity(), "WAREHOUSE_UNREADABLE");
    expect(error.hint).toContain("ENCODING 'UTF8'");
    await runSql(url, `DROP DATABASE ${name}`);
  });
});

test("a lock that somebody else holds is waited for, then told", async () => {
  await withBench(async (bench, url) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE leat_warehouse.gcs_metrc_plants");
      const pack = await bench.land([plant(2, "2024-01-01")]);
      const error = await failureOf(
        bench.load(spec, [pack], openAt(url, { lockWaitMs: 200 })),
        "WAREHOUSE_LOCKED",
      );
      expect(error.retryable).toBe(true);
      const waiting = bench.load(spec, [pack]);
      await expect.poll(() => runSql(url, "SELECT 1 FROM pg_locks WHERE NOT granted")).not.toEqual([]);
      await holder.query("COMMIT");
      await waiting;
    } finally {
      await holder.end();
    }
    expect(await bench.values("SELECT count(*) FROM gcs_metrc_plants")).toEqual([2]);
  });
});
