/** The commands on a project whose warehouse is a Postgres database, chosen by one variable. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runSql } from "../contract/postgres-place.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { makeFolder, orderProject, startLeat, type TestFolder } from "./leat-process.ts";

const order = (id: number, total: string): string =>
  `{"id":${id},"total":${total},"updated_at":"2026-01-02T10:00:00Z"}\n`;

let server: PostgresServer;
let folder: TestFolder;
let database: string;
/** The address that the commands get: with a password, which must not be told. */
let address: string;

beforeAll(async () => {
  server = await startPostgres();
  database = await server.newDatabase();
  address = database.replace("leat@", "leat:hunter2@");
  folder = makeFolder();
  folder.write("package.json", '{ "type": "commonjs" }');
  folder.write("tenants.json", '[{"id":"414"},{"id":"415"}]');
  folder.write("data/414.ndjson", order(1, "12.50") + order(2, "12345678901234567890.123"));
  folder.write("data/415.ndjson", order(3, "7"));
  const pages = `yield await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url), "utf8");`;
  const imports = 'import { defineDataset, fromRows, fromStream, z } from "leat";';
  const more = `datasets: [
    defineDataset({ name: "rates", description: "Rates", columns: { day: z.string(), rate: z.number() }, key: ["day"],
      from: fromRows(() => [{ day: "2026-01-02", rate: 1.5 }]) }),
    defineDataset({ name: "totals", description: "Totals", columns: { id: z.int() }, key: ["id"],
      from: fromStream("shop.orders") }),
  ],`;
  folder.write("leat.config.ts", orderProject({ pages, imports, more }));
});
afterAll(async () => {
  folder.remove();
  await server.stop();
});

async function leat(...args: readonly string[]) {
  const ended = await startLeat(folder.path, args, { LEAT_WAREHOUSE: address }).ended;
  expect(ended.stdout + ended.stderr).not.toContain("hunter2");
  return ended;
}

const json = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await leat(...args, "--json", "--quiet");
  return { code, stderr, value: JSON.parse(stdout) };
};

describe("a project with its warehouse in Postgres", () => {
  test("is checked, synced and queried as with any other", async () => {
    const checked = await json("check");
    expect(checked.value).toMatchObject({ ok: true, warehouse: database.replace("leat@", "") });
    expect((await json("sync")).code).toBe(0);
    const { value } = await json("query", "select id, total from shop.orders order by id");
    expect(value.map(({ id }: { id: number }) => id)).toEqual([1, 2, 3]);
    expect(value[1].total).toMatch(/^12345678901234567890\.1230*$/);
    expect((await json("query", "select count(*) as n from orders_history")).value).toEqual([{ n: 3 }]);
    expect(existsSync(join(folder.path, ".leat/warehouse.duckdb"))).toBe(false);
  });

  test("is verified, and a row that somebody took away is found", async () => {
    expect((await json("verify")).value).toMatchObject({ ok: true, streams: [{ landed: 3, loaded: 3 }] });
    await runSql(database, "DELETE FROM leat_warehouse.shop_orders WHERE id = 2");
    const { code, value } = await json("verify");
    expect([code, value.ok]).toEqual([1, false]);
    expect(value.streams[0].faults[0].code).toBe("LEDGER_MISMATCH");
  });

  test("is rebuilt aside, and the old table is kept where rows differ", async () => {
    await runSql(database, "CREATE TABLE public.mine AS SELECT 1 AS one");
    const { code, value } = await json("rebuild", "shop.orders");
    expect(code).toBe(0);
    expect(value).toMatchObject({ ok: true, streams: [{ rows: 3, comparison: "different" }] });
    expect(value.kept).toMatch(/^leat_warehouse_before_[0-9a-f]{6}$/);
    expect(await runSql(database, `SELECT count(*)::int AS n FROM ${value.kept}.shop_orders`)).toEqual([
      { n: 2 },
    ]);
    expect((await json("verify")).value.ok).toBe(true);
    const again = await json("rebuild");
    expect(again.value).toMatchObject({ kept: null, streams: [{ rows: 3, comparison: "equal" }] });
    expect((await json("query", "select id from orders order by id")).value).toHaveLength(3);
    const schemas = await runSql(
      database,
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE '%rebuild%'",
    );
    expect(schemas).toEqual([]);
    expect(await runSql(database, "SELECT one FROM public.mine")).toEqual([{ one: 1 }]);
    // Loads go on where the rebuilt tables are.
    expect((await json("load")).value.results).toMatchObject([
      { load: { loaded: 0 } },
      { load: { loaded: 0 } },
    ]);
  });

  test("keeps the tables of datasets, also of those that are made of what it holds", async () => {
    expect((await leat("build", "rates")).code).toBe(0);
    expect((await json("query", "select * from rates")).value).toEqual([{ day: "2026-01-02", rate: 1.5 }]);
    expect((await leat("build", "totals")).code).toBe(0);
    expect((await json("query", "select id from totals order by id")).value).toEqual(
      [1, 2, 3].map((id) => ({ id })),
    );
  });

  test("tells of a server that is away without the password, and loses nothing", async () => {
    writeFileSync(join(folder.path, "data/415.ndjson"), order(3, "7") + order(4, "8"));
    address = address.replace(/:\d+\//, ":1/");
    const { code, stderr } = await leat("load");
    expect(code).toBe(1);
    expect(stderr).toContain("WAREHOUSE_UNREACHABLE");
    address = database.replace("leat@", "leat:hunter2@");
    expect((await json("sync", "--full-refresh")).code).toBe(0);
    expect((await json("query", "select count(*) as n from orders")).value).toEqual([{ n: 4 }]);
  });

  test("refuses an address that cannot be read without telling it", async () => {
    address = "postgres://leat:hunter2@/";
    const { code, stderr } = await leat("check");
    expect(code).toBe(2);
    expect(stderr).toContain("LEAT_WAREHOUSE");
  });
});
