/** `leat share` on one project of three customers, one of whose warehouses is broken in one way or another. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, orderProject, type TestFolder } from "../cli/leat-process.ts";

const order = (id: number): string =>
  `{"id":${id},"total":${id}.5,"mail":"a@b","updated_at":"2026-01-02T10:00:00Z"}\n`;
const secret = "s3cr3t-of-the-broken-one";

let folder: TestFolder;
let silent: Server;
const sockets = new Set<Socket>();
beforeAll(async () => {
  // Takes connections and never says a word.
  silent = createServer((socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  folder = makeFolder();
  folder.write("package.json", '{ "type": "commonjs" }');
  folder.write("tenants.json", '[{"id":"414"},{"id":"415"},{"id":"416"}]');
  for (const [at, id] of ["414", "415", "416"].entries())
    folder.write(`data/${id}.ndjson`, order(at * 10 + 1) + order(at * 10 + 2));
  folder.write(
    ".env",
    `TO_414=duckdb:customers/414.duckdb\nTO_416=duckdb:customers/416.duckdb\nSALT=0123456789abcdef0123\n` +
      `TO_415=postgres://leat:${secret}@127.0.0.1:${port}/shop\n`,
  );
  const more = `
  flows: [shareFlow()],
  datasets: [
    defineDataset({
      name: "sums",
      description: "What each has bought.",
      columns: { tenant_id: z.string(), orders: z.int() },
      key: ["tenant_id"],
      tenantColumn: "tenant_id",
      from: fromSql("select tenant_id, count(*) as orders from shop.orders group by tenant_id", { streams: ["shop.orders"] }),
    }),
  ],
  shares: [
    defineShare({
      name: "replicas",
      schema: "replica",
      streams: [{ stream: "shop.orders", columns: { id: true, total: "amount", mail: { mask: true }, updated_at: true } }],
      salt: "env:SALT",
      deadline: "8s",
      to: (tenant) => "env:TO_" + tenant.id,
    }),
    defineShare({ name: "vip", streams: ["shop.orders"], tenants: ["416"], to: "env:TO_416", keep: "current" }),
    defineShare({ name: "reports", datasets: ["sums"], tenants: ["414", "416"], to: (tenant) => "env:TO_" + tenant.id }),
  ],`;
  folder.write(
    "leat.config.ts",
    orderProject({
      more,
      imports: 'import { defineDataset, defineShare, fromSql, shareFlow, z } from "leat";',
      pages: pagesOfDay,
    }),
  );
  expect((await folder.leat("sync", "--quiet")).code).toBe(0);
}, 60_000);
afterAll(async () => {
  folder.remove();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});

/** Answers on the day of the records only, as a partner would. */
const pagesOfDay = `
    if (start!.slice(0, 10) === "2026-01-02") yield await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url));`;

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await folder.leat("share", ...args, "--json", "--quiet");
  return { code, stdout, stderr, value: JSON.parse(stdout) };
};
type Report = {
  tenant_id: string;
  ok: boolean;
  error: { code: string } | null;
  tables: { status: string; rows: number }[];
};
const brief = (value: { results: Report[] }) =>
  value.results.map(({ tenant_id, ok, error, tables }) => ({
    tenant_id,
    ok,
    code: error?.code ?? null,
    moved: tables.map(({ status, rows }) => `${status} ${rows}`),
  }));

describe("leat share", () => {
  test("tells what would move, and makes nothing", async () => {
    const { code, value } = await json("replicas", "--dry-run", "--tenant", "414", "416");
    expect({ code, ok: value.ok }).toEqual({ code: 0, ok: true });
    expect(brief(value).map(({ moved }) => moved)).toEqual([["planned 2"], ["planned 2"]]);
    expect(existsSync(join(folder.path, "customers/414.duckdb"))).toBe(false);
  });

  test("serves the others while one warehouse does not answer, and tells that one by name, without its password", async () => {
    const startedAtMs = performance.now();
    const { code, value, stdout, stderr } = await json("replicas", "--concurrency", "2");
    expect(code).toBe(1);
    expect(brief(value)).toEqual([
      { tenant_id: "414", ok: true, code: null, moved: ["moved 2"] },
      { tenant_id: "415", ok: false, code: "SHARE_DEADLINE", moved: [] },
      { tenant_id: "416", ok: true, code: null, moved: ["moved 2"] },
    ]);
    expect(performance.now() - startedAtMs).toBeLessThan(40_000);
    expect(stdout + stderr).not.toContain(secret);
  });

  test("moves nothing twice, and prints receipts with the statement that gives them", async () => {
    const { code, stdout } = await folder.leat("share", "replicas", "--tenant", "414", "--quiet");
    expect(code).toBe(0);
    expect(stdout).toMatch(/replica\.orders .* unchanged/);
    expect(stdout).toContain("2 rows, checksum");
    expect(stdout).toMatch(/SELECT count\(\*\) AS row_count, .* FROM "replica"\."orders"/);
  });

  test("takes wrong credentials of one for the fault of one", async () => {
    const env = readFileSync(join(folder.path, ".env"), "utf8");
    writeFileSync(
      join(folder.path, ".env"),
      env.replace(/TO_415=.*/, "TO_415=duckdb:customers/broken.duckdb"),
    );
    mkdirSync(join(folder.path, "customers"), { recursive: true });
    writeFileSync(
      join(folder.path, "customers/broken.duckdb"),
      "this is no database, but it is long enough to be one",
    );
    const { code, value } = await json("replicas");
    expect(code).toBe(1);
    const errors = value.results.map(
      (one: { error: unknown; tables: { error: { code: string } | null }[] }) =>
        one.tables[0]?.error?.code ?? one.error,
    );
    expect(errors).toEqual([null, "WAREHOUSE_UNREADABLE", null]);
    writeFileSync(join(folder.path, ".env"), env.replace(/TO_415=.*/, ""));
    const missing = await json("replicas");
    expect(brief(missing.value).map(({ code }) => code)).toEqual([null, "SECRET_MISSING", null]);
    writeFileSync(join(folder.path, ".env"), env.replace(/TO_415=.*/, `TO_415=mysql://x:${secret}@host/y`));
    const strange = await json("replicas");
    expect(brief(strange.value).map(({ code }) => code)).toEqual([null, "CONFIG_INVALID", null]);
    expect(strange.stdout + strange.stderr).not.toContain(secret);
    writeFileSync(join(folder.path, ".env"), env);
  });

  test("knows near names of shares and tenants, and which wishes exclude each other", async () => {
    expect(await folder.leat("share", "replcas")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"replicas"'),
    });
    expect(await folder.leat("share", "--tenant", "4144")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean "414"'),
    });
    expect(await folder.leat("share", "vip", "--tenant", "414")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"vip" is not for tenant "414"'),
    });
    expect((await folder.leat("share", "--full", "--remove")).stderr).toContain("different wishes");
  });

  test("refuses the same table to a second share of the same warehouse, and removes only its own", async () => {
    expect(brief((await json("vip")).value)).toMatchObject([{ ok: true, moved: ["moved 2"] }]);
    const { value } = await json("replicas", "--tenant", "416", "--remove");
    expect(brief(value)).toMatchObject([{ ok: true, moved: ["removed 0"] }]);
    expect(brief((await json("vip")).value)).toMatchObject([{ ok: true, moved: ["unchanged 0"] }]);
  });

  test("brings each its rows of a dataset that is built of all, and counts them when asked", async () => {
    const before = await json("reports");
    expect(brief(before.value).map(({ moved }) => moved)).toEqual([["empty 0"], ["empty 0"]]);
    expect((await folder.leat("build", "sums", "--quiet")).code).toBe(0);
    expect(brief((await json("reports")).value).map(({ moved }) => moved)).toEqual([
      ["moved 1"],
      ["moved 1"],
    ]);
    const verified = await folder.leat("share", "reports", "--verify", "--quiet");
    expect(verified.code).toBe(0);
    expect(verified.stdout).toMatch(/reports\.sums .* verified/);
    expect(verified.stdout).toContain("1 rows, checksum");
  });

  test("is done as a flow as well, a task a tenant", async () => {
    const { code, stdout, stderr } = await folder.leat(
      "run",
      "share",
      "--params",
      '{"shares":["replicas"],"tenants":["414"]}',
      "--json",
      "--quiet",
    );
    expect(code, stderr).toBe(0);
    const { result } = JSON.parse(stdout);
    expect(result).toEqual([{ share: "replicas", tenants: 1 }]);
  });

  test("leaves no work folder behind", async () => {
    const { readdirSync } = await import("node:fs");
    expect(readdirSync(join(folder.path, ".leat")).filter((name) => name.startsWith("leat-share-"))).toEqual(
      [],
    );
  });
});
