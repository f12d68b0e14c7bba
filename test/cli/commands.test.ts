/** Each command on one project of two tenants, in the order in which a day goes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, orderProject, type TestFolder } from "./leat-process.ts";

const order = (id: number, total: string, day: string): string =>
  `{"id":${id},"total":${total},"updated_at":"${day}T10:00:00Z"}\n`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
  folder.write("package.json", '{ "type": "commonjs" }');
  folder.write("tenants.json", '[{"id":"414"},{"id":"415"}]');
  folder.write(
    "data/414.ndjson",
    order(1, "12.50", "2026-01-02") + order(2, "12345678901234567890.123", "2026-01-03"),
  );
  folder.write("data/415.ndjson", order(3, "7", "2026-01-02"));
  // Answers only what is in the range, as a partner would.
  const pages = `
    const text = await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url), "utf8");
    const day = (line: string): string => /"updated_at":"(.{19})/.exec(line)![1] + "Z";
    yield text.split("\\n").filter((line) => line !== "" && day(line) >= start! && day(line) < end!).join("\\n");`;
  folder.write("leat.config.ts", orderProject({ pages }));
});
afterAll(() => folder.remove());

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await folder.leat(...args, "--json", "--quiet");
  return { code, stderr, value: JSON.parse(stdout) };
};
const calls = (): number => readFileSync(join(folder.path, "calls.log"), "utf8").split("\n").length - 1;

describe("a project", () => {
  test("is found in order by check, which asks nobody", async () => {
    const { code, value } = await json("check");
    expect({ code, ...value }).toMatchObject({
      code: 0,
      ok: true,
      streams: ["shop.orders"],
      tenants: 2,
      problems: [],
    });
    expect(existsSync(join(folder.path, "calls.log"))).toBe(false);
  });

  test("has no state before the first run", async () => {
    expect((await json("state", "show")).value).toEqual([]);
    expect((await json("state", "export")).value).toEqual({ latest_updates: {} });
  });

  test("is extracted and loaded in two steps", async () => {
    const extracted = await json("extract");
    expect(extracted).toMatchObject({ code: 0, stderr: "" });
    expect(extracted.value.results.map((item: { counts: { landed: number } }) => item.counts.landed)).toEqual(
      [2, 1],
    );
    const loaded = await json("load", "shop", "--tenant", "414");
    expect(loaded.value.results).toMatchObject([{ tenant_id: "414", load: { loaded: 2, rejected: 0 } }]);
    expect((await json("load")).value.results).toMatchObject([
      { load: { loaded: 0 } },
      { load: { loaded: 1 } },
    ]);
  });

  test("answers queries as a table, as CSV, and as one array of objects with exact values", async () => {
    const sql = "select id, total, null as nothing from shop.orders order by id";
    const table = await folder.leat("query", sql);
    expect(table.stdout.split("\n")[0]).toMatch(/^id\s+total\s+nothing$/);
    const csv = await folder.leat("query", sql, "--csv");
    expect(csv.stdout.split("\r\n")[2]).toMatch(/^2,12345678901234567890\.123\d*,$/);
    const { value } = await json("query", sql);
    expect(value[1]).toMatchObject({ id: 2, nothing: null });
    expect(String(value[1].total)).toMatch(/^12345678901234567890\.1230*$/);
    expect((await json("query", "select 1 as a, 2 as a where false")).value).toEqual([]);
    expect((await json("query", "select 1 as a, 2 as a")).value).toEqual([{ a: 1, a_1: 2 }]);
  });

  test("cuts no result silently", async () => {
    const { code, value } = await json("query", "select * from range(11)", "--rows-max", "10");
    expect({ code, error: value.error.code }).toEqual({ code: 1, error: "QUERY_FAILED" });
  });

  test("shows and exports where it stands", async () => {
    const { value } = await json("state", "show", "--tenant", "414");
    expect(value).toMatchObject([
      { source: "shop", stream: "orders", tenant_id: "414", cursor: "2026-01-03T10:00:00.000000Z", seq: 1 },
    ]);
    expect((await json("state", "export")).value).toEqual({
      latest_updates: {
        "414": { orders: "2026-01-03T10:00:00.000000Z" },
        "415": { orders: "2026-01-02T10:00:00.000000Z" },
      },
    });
  });

  test("fetches only what has changed, and shows the newest version", async () => {
    folder.write("data/415.ndjson", order(3, "8", "2026-01-04"));
    const { value } = await json("sync");
    expect(value.results.map((item: { counts: { landed: number } }) => item.counts.landed)).toEqual([0, 1]);
    expect((await json("query", "select id, total from orders where tenant_id = '415'")).value).toEqual([
      { id: 3, total: expect.anything() },
    ]);
    expect((await json("query", "select count(*)::int as n from shop.orders_history")).value).toEqual([
      { n: 4 },
    ]);
  });

  test("reads a range again without moving anything", async () => {
    const before = (await json("state", "export")).value;
    const { code, value } = await json("sync", "shop.orders", "--from", "2026-01-02", "--to", "2026-01-03");
    expect(code).toBe(0);
    expect(value.results.map((item: { counts: object }) => item.counts)).toMatchObject([
      { received: 1, landed: 0 },
      { received: 0, landed: 0 },
    ]);
    expect((await json("state", "export")).value).toEqual(before);
  });

  test("is set back by hand, with who and why in the log", async () => {
    const set = await json(
      "state",
      "set",
      "shop.orders",
      "--tenant",
      "414",
      "--to",
      "2026-01-03",
      "--why",
      "a test",
    );
    expect(set).toMatchObject({
      code: 0,
      value: [{ tenant_id: "414", after: { next: "2026-01-03T00:00:00.000000Z" } }],
    });
    const seq = String(set.value[0].seq).padStart(12, "0");
    const log = readFileSync(
      join(folder.path, `.leat/landing/log/shop/orders/tenant=414/${seq}.json`),
      "utf8",
    );
    expect(JSON.parse(log)).toMatchObject({ kind: "state-edit" });
    expect(log).toContain('"a test"');
    expect((await json("sync", "--tenant", "414")).value.results[0].counts).toMatchObject({
      received: 1,
      landed: 0,
    });
    expect((await json("state", "reset", "orders", "--tenant", "414")).code).toBe(0);
    expect((await json("sync", "--tenant", "414")).value.results[0].counts).toMatchObject({
      received: 2,
      landed: 0,
    });
  });

  test("is made anew by a full refresh, whole or not at all", async () => {
    const { code, value } = await json("sync", "--full-refresh", "--tenant", "414");
    expect(code).toBe(0);
    expect(value.results[0].counts).toMatchObject({ landed: 2 });
    expect(
      (await json("query", "select count(*)::int as n from orders where tenant_id = '414'")).value,
    ).toEqual([{ n: 2 }]);
    folder.write("data/414.ndjson", "");
    const shrunk = await json("sync", "--full-refresh", "--tenant", "414");
    expect(shrunk.code).toBe(1);
    expect(shrunk.value.results[0]).toMatchObject({ ok: false, error: { code: "REFRESH_SHRANK" } });
    expect(shrunk.stderr).toMatch(/^error REFRESH_SHRANK: .*\n {2}hint: .*--confirm-shrink/m);
  });

  test("is rebuilt from the landing alone, equal, without a single call", async () => {
    const before = calls();
    const whole = await json("rebuild");
    expect(whole).toMatchObject({
      code: 0,
      value: { streams: [{ stream: "shop.orders", comparison: "equal" }] },
    });
    const one = await json("rebuild", "shop.orders");
    expect(one.value).toMatchObject({ streams: [{ comparison: "equal" }], kept: null });
    rmSync(join(folder.path, ".leat/warehouse.duckdb"));
    expect((await json("rebuild")).value.streams[0].comparison).toBe("none before");
    expect(calls()).toBe(before);
    expect((await json("query", "select count(*)::int as n from orders")).value).toEqual([{ n: 3 }]);
  });

  test("agrees with itself by verify, and is told where it does not", async () => {
    expect(await json("verify")).toMatchObject({ code: 0, value: { ok: true, streams: [{ faults: [] }] } });
    const part = findPart(join(folder.path, ".leat/landing/landing"));
    const bytes = readFileSync(part);
    rmSync(part);
    const broken = await json("verify");
    expect(broken.code).toBe(1);
    expect(broken.value.streams[0].faults).toMatchObject([{ code: "PART_MISSING" }]);
    expect(broken.stderr).toContain("error PART_MISSING");
    expect((await json("verify", "--quick")).code).toBe(0);
    writeFileSync(part, bytes);
  });

  test("is rid by gc of files that nobody names, and of no others", async () => {
    const orphan = ".leat/landing/landing/shop/orders/tenant=415/seq=000000000001/run=dead/part-00009.ndjson";
    folder.write(orphan, "{}\n");
    expect((await json("gc", "--dry-run")).value).toMatchObject({ deleted: 1, deleted_bytes: 3 });
    expect(existsSync(join(folder.path, orphan))).toBe(true);
    expect((await json("gc")).value).toMatchObject({ deleted: 1 });
    expect(existsSync(join(folder.path, orphan))).toBe(false);
    expect((await json("verify")).code).toBe(0);
  });

  test("is rid by gc of old folders of killed processes, and of nothing that people keep beside the warehouse", async () => {
    const beside = join(folder.path, ".leat");
    const old = ["leat-work-AbC123", "leat-share-x1Y2z3", "work-sheets", "share-orders", "leat-load-of-mine"];
    for (const name of [...old, "leat-work-young1"]) mkdirSync(join(beside, name), { recursive: true });
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    for (const name of old) utimesSync(join(beside, name), yesterday, yesterday);
    expect((await json("gc")).value).toMatchObject({ swept: 2 });
    const left = readdirSync(beside);
    expect(left).toEqual(expect.arrayContaining([...old.slice(2), "leat-work-young1"]));
    expect(left.filter((name) => old.slice(0, 2).includes(name))).toEqual([]);
  });
});

function findPart(folderPath: string): string {
  const found = readdirRecursive(folderPath).find((path) => path.includes("part-"));
  if (found === undefined) throw new Error("no part was landed");
  return found;
}

const readdirRecursive = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name));
