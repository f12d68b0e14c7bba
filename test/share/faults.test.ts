/** What befalls a customer's warehouse while it is filled: told by a code, nothing lost, and the next delivery goes on. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LeatError } from "../../src/errors/leat-error.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { plant } from "../../src/testing/warehouse-under-test.ts";
import { runSql } from "../contract/postgres-place.ts";
import { sqlOfPage } from "../contract/sql-of-page.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { openTarget } from "./open-target.ts";
import { openStand, plants, type SharePlace, type ShareStand } from "./share-stand.ts";

const day = "2026-01-01T00:00:00Z";

describe("a Postgres of a customer's", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 300_000);
  afterAll(() => server.stop());

  const openPlace = async (change: (url: URL) => void): Promise<SharePlace & { admin: string }> => {
    const admin = await server.newDatabase();
    const address = new URL(admin);
    change(address);
    return {
      admin,
      address: address.href,
      open: openTarget,
      relations: async () => [],
      dispose: async () => {},
    };
  };

  test("that lacks a right is told which, and is filled once it is given", async () => {
    const role = `poor_${Date.now()}`;
    let admin = "";
    await using stand = await openStand(async () => {
      const place = await openPlace((url) => {
        url.username = role;
      });
      admin = place.admin;
      await runSql(admin, `CREATE ROLE ${role} LOGIN`);
      return place;
    });
    await stand.land([plant(1, day)]);
    const { tables } = await stand.deliver();
    expect(tables[0]?.error?.message).toMatch(/permission denied/);
    const database = new URL(admin).pathname.slice(1);
    await runSql(admin, `GRANT CREATE ON DATABASE ${database} TO ${role}`);
    expect(await stand.table()).toMatchObject({ status: "moved", rows: 1 });
    await runSql(admin, `DROP DATABASE ${database} WITH (FORCE)`).catch(() => {}); // It is the one in use.
  });

  test("takes no more than the rights that the recipe lists: delivered, read, made anew, taken away", async () => {
    const [role, reader] = [`share_${Date.now()}`, `analysts_${Date.now()}`] as const;
    let admin = "";
    await using stand = await openStand(async () => {
      const place = await openPlace((url) => {
        url.username = role;
      });
      admin = place.admin;
      return place;
    });
    const database = new URL(admin).pathname.slice(1);
    const names = { customerdb: database, leat_share: role, analysts: reader, replicas: "replica" };
    const [rolesSql = "", readingSql = ""] = await sqlOfPage("recipes/share-with-customers.md", names);
    await runSql(
      admin,
      `REVOKE CREATE ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
       CREATE SCHEMA own; CREATE TABLE own.salaries AS SELECT 7 AS a;
       ${rolesSql}; ALTER ROLE ${reader} LOGIN`,
    );
    await stand.land([plant(1, day)]);
    expect(await stand.table()).toMatchObject({ status: "moved", rows: 1 });
    await runSql(stand.place.address, readingSql);
    await stand.land([plant(2, day, '"more":1')]); // The views are made anew.
    await stand.table();
    await stand.table({ mode: "full" });
    await stand.table({ mode: "verify" });
    const asReader = new URL(admin);
    asReader.username = reader;
    expect(await runSql(asReader.href, "SELECT count(*)::int AS held FROM replica.plants")).toEqual([
      { held: 2 },
    ]);
    for (const [who, table] of [
      [asReader.href, "leat_warehouse._leat_loads"],
      [stand.place.address, "own.salaries"],
    ] as const)
      await expect(runSql(who, `SELECT * FROM ${table}`)).rejects.toThrow(/denied/);
    await stand.table({ mode: "remove" });
    expect(
      await runSql(admin, "SELECT schemaname FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"),
    ).toEqual([{ schemaname: "own" }]);
  });

  test("that is not there, or not under that name, is told without its password", async () => {
    for (const change of [
      (url: URL) => Object.assign(url, { port: "9", password: "s3cr3t-password" }),
      (url: URL) => Object.assign(url, { pathname: "/nowhere", password: "s3cr3t-password" }),
    ]) {
      await using stand = await openStand(() => openPlace(change));
      await stand.land([plant(1, day)]);
      const { error, tables } = await stand.deliver();
      const failure = error ?? tables[0]?.error;
      expect(["WAREHOUSE_UNREACHABLE", "WAREHOUSE_UNREADABLE"]).toContain(failure?.code);
      expect(JSON.stringify(failure)).not.toContain("s3cr3t");
    }
  });

  test("keeps a customer's own tables, rows of the same schema and views through everything", async () => {
    let admin = "";
    await using stand = await openStand(async () => {
      const place = await openPlace(() => {});
      admin = place.admin;
      return place;
    });
    await runSql(
      admin,
      "CREATE SCHEMA replica; CREATE TABLE replica.mine (a int); INSERT INTO replica.mine VALUES (7)",
    );
    await stand.land([plant(1, day)]);
    await stand.table();
    await runSql(admin, "CREATE VIEW public.theirs AS SELECT id FROM replica.plants");
    await stand.land([plant(2, day, '"more":1')]);
    // Their view stands on ours, which needs another column: nothing is forced.
    await expect(stand.table()).rejects.toMatchObject({ code: "LOAD_FAILED" });
    await runSql(admin, "DROP VIEW public.theirs");
    expect(await stand.table()).toMatchObject({ status: "moved", rows: 1 });
    await stand.table({ mode: "full" });
    await stand.table({ mode: "remove" });
    expect(await runSql(admin, "SELECT a FROM replica.mine")).toEqual([{ a: 7 }]);
  });
});

/** Two tables are delivered, their views dropped; each stream's next news brings those of its own back. */
async function expectViewsBack(stand: ShareStand, dropViews: () => Promise<unknown>): Promise<void> {
  const seeds = { ...plants, name: "seeds", landingTable: "farm_seeds" };
  const streams = [plants, seeds];
  await stand.land([plant(1, day)]);
  await stand.land([plant(1, day)], { stream: seeds });
  await stand.deliver({ streams });
  await dropViews();
  await expect(stand.table({ mode: "verify" })).rejects.toMatchObject({
    code: "SHARE_TABLE_ALTERED",
    message: expect.stringContaining("a view of it is gone"),
  });
  await stand.land([plant(2, day)]);
  const { tables } = await stand.deliver({ streams });
  expect(tables.map(({ status, error }) => [status, error])).toEqual([
    ["moved", undefined],
    ["unchanged", undefined],
  ]);
  expect(await stand.rows("SELECT id::int FROM replica.plants ORDER BY id")).toEqual([[1], [2]]);
  await stand.land([plant(2, day)], { stream: seeds });
  await stand.deliver({ streams });
}

describe("a Postgres in which somebody has cleaned up", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 300_000);
  afterAll(() => server.stop());
  const openCleaned = () =>
    openStand(async () => ({
      address: await server.newDatabase(),
      open: openTarget,
      relations: async () => [],
      dispose: async () => {},
    }));

  test("gets its views again with the next news, when their schema was dropped with those of another", async () => {
    await using stand = await openCleaned();
    await expectViewsBack(stand, () => runSql(stand.place.address, "DROP SCHEMA replica CASCADE"));
    expect(await stand.rows("SELECT id::int FROM replica.seeds ORDER BY id")).toEqual([[1], [2]]);
  });

  test("is told how it begins anew, when leat's ledger was dropped", async () => {
    await using stand = await openCleaned();
    await stand.land([plant(1, day)]);
    await stand.table();
    await runSql(stand.place.address, "DROP TABLE leat_warehouse._leat_loads CASCADE");
    const { tables } = await stand.deliver();
    expect(tables[0]?.error).toMatchObject({
      code: "LOAD_FAILED",
      message: expect.stringContaining("_leat_loads"),
      hint: expect.stringMatching(/leat share replica --tenant 414 --full.*drop what is left/),
    });
    await runSql(stand.place.address, "DROP SCHEMA replica, leat_warehouse CASCADE");
    expect(await stand.table({ mode: "full" })).toMatchObject({ status: "moved", rows: 1 });
  });
});

describe("a DuckDB file of a customer's", () => {
  test("that another process holds is told of as locked, and is filled when it is free", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land([plant(1, day)]);
    await stand.table();
    const file = stand.place.address.slice("duckdb:".length);
    const script = `
      const { DuckDBInstance } = await import("@duckdb/node-api");
      const instance = await DuckDBInstance.create(process.argv[1]);
      await (await instance.connect()).run("CREATE TABLE IF NOT EXISTS held (a int)");
      console.log("held");
      setInterval(() => {}, 1000);`;
    const child = execFile(process.execPath, ["--input-type=module", "-e", script, file]);
    try {
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      const { tables } = await stand.deliver();
      expect(tables[0]?.error).toMatchObject({ code: "WAREHOUSE_LOCKED", retryable: true });
    } finally {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    await stand.land([plant(2, day)]);
    expect(await stand.table()).toMatchObject({ status: "moved", rows: 1 });
  });

  test("gets its views again with the next news, when their schema was dropped with those of another", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await expectViewsBack(stand, async () => await stand.place.change?.("DROP SCHEMA replica CASCADE"));
    for (const view of ["replica.seeds", "replica.seeds_history", "seeds"])
      expect(await stand.rows(`SELECT id::int FROM ${view} ORDER BY id`)).toEqual([[1], [2]]);
  });

  test("keeps the table that the customer has put in a dropped view's place", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land([plant(1, day)]);
    await stand.deliver();
    for (const view of ["plants", "plants_history"]) await stand.place.change?.(`DROP VIEW replica.${view}`);
    await stand.place.change?.("CREATE TABLE replica.plants AS SELECT 7 AS mine");
    await stand.land([plant(2, day)]);
    await stand.deliver();
    expect(await stand.rows("SELECT mine FROM replica.plants")).toEqual([[7]]);
    expect(await stand.rows("SELECT id::int FROM replica.plants_history ORDER BY id")).toEqual([[1], [2]]);
  });

  test("has its views and short names also in a schema that is written in other letters", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.place.change?.("CREATE SCHEMA REPLICA");
    for (let n = 1; n <= 3; n += 1) {
      await stand.land([plant(n, day)]);
      const { error } = await stand.deliver();
      expect(error).toBeUndefined();
      for (const view of ["replica.plants", "replica.plants_history", "plants", "plants_history"])
        expect(await stand.rows(`SELECT count(*)::int FROM ${view}`), view).toEqual([[n]]);
    }
  });

  test("whose delivery is stopped is told of when nothing writes into the work folder any more", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land([plant(1, day)]);
    const stop = new AbortController();
    let isWriting = false;
    const open: typeof stand.place.open = async (address, workFolder) => {
      const warehouse = await stand.place.open(address, workFolder);
      warehouse.load = async () => {
        isWriting = true;
        stop.abort(new LeatError("INTERRUPTED", { message: "Stopped." }));
        for (let n = 0; n < 20; n += 1) await writeFile(join(workFolder, `copy-${n}`), ""); // As of a step under way.
        isWriting = false;
        throw stop.signal.reason;
      };
      return warehouse;
    };
    const { error } = await stand.deliver({ open, signal: stop.signal });
    expect([error?.code, isWriting]).toEqual(["INTERRUPTED", false]);
  });

  test("I11 two deliveries at once move each package once", async () => {
    await using stand = await openStand(openDuckDbPlace);
    for (let n = 1; n <= 3; n += 1) await stand.land([plant(n, day)]);
    const both = await Promise.all([stand.table(), stand.table()]);
    expect(both.reduce((sum, { rows }) => sum + rows, 0)).toBe(3);
    expect(await stand.rows("SELECT count(*) FROM main.replica_plants_versions")).toEqual([[3]]);
    const ledger = await (await stand.place.open(stand.place.address, stand.folder)).readLedger(
      { ...plants, source: "replica" },
      toTenantId("414"),
    );
    expect(ledger.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

const isRoot = process.getuid?.() === 0;
/** Runs what follows with a small disk at `$0`; without root in a user's own name space, where the system has them. */
const withSmallDisk = [
  "unshare",
  ...(isRoot ? ["--mount"] : ["--mount", "--map-root-user"]),
  "sh",
  "-c",
  'mount -t tmpfs -o size=24m none "$0" && exec "$@"',
] as const;

function hasSmallDisks(): boolean {
  try {
    execFileSync(withSmallDisk[0], [...withSmallDisk.slice(1), "/mnt", "true"], { stdio: "pipe" });
    return true;
  } catch (error) {
    console.warn(`A FULL DISK OF A CUSTOMER IS NOT TESTED: ${error}`);
    return false;
  }
}

test.runIf(hasSmallDisks()).each(["duckdb", "parquet"])(
  "a full disk under a %s target is told, and what was there stays",
  async (kind) => {
    const disk = await mkdtemp(join(tmpdir(), "leat-share-disk-"));
    try {
      const [command, ...args] = withSmallDisk;
      const child = join(import.meta.dirname, "full-disk-child.ts");
      const { stdout } = await promisify(execFile)(command, [
        ...args,
        disk,
        process.execPath,
        child,
        kind,
        disk,
      ]);
      expect(JSON.parse(stdout)).toMatchObject({
        first: { status: "moved", rows: 10 },
        told: { code: expect.stringMatching(/^(WAREHOUSE|STORE)_FULL$/), retryable: true },
        kept: 10,
        again: { status: "moved" },
        after: 20_010,
      });
    } finally {
      await rm(disk, { recursive: true, force: true });
    }
  },
);
