/** A process that is killed between a load and the word of it: the next one makes up for what was not told. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { orderProject, type TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

/** Ends its process as SIGKILL does when an event of this kind is about to be written, before a line of it is. */
const killAtEvent = (kind: string): string => `
import { DatabaseSync } from "node:sqlite";
const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  if (!sql.includes('into "event"')) return statement;
  for (const name of ["all", "run", "get", "iterate"]) {
    const own = statement[name].bind(statement);
    statement[name] = (...values) => {
      if (values.includes(${JSON.stringify(kind)})) process.kill(process.pid, "SIGKILL");
      return own(...values);
    };
  }
  return statement;
};`;

const lines = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");
const first = { id: 1, count: 5, updated_at: "2026-01-01T01:00:00Z" };

let folder: TestFolder;
beforeAll(() => {
  folder = makeFlowProject(
    orderProject({
      imports: 'import { syncFlow } from "leat";',
      more: 'flows: [syncFlow({ name: "nightly" })],',
    }),
  );
  folder.write("tenants.json", JSON.stringify([{ id: "1" }]));
  folder.write("data/1.ndjson", lines([first]));
  folder.write("kill-schema.mjs", killAtEvent("stream.schema"));
  folder.write("kill-packages.mjs", killAtEvent("stream.packages"));
});
afterAll(() => folder.remove());

/** What the events say: columns with their types, and packages. */
async function told(): Promise<Readonly<{ columns: readonly string[]; packages: readonly unknown[] }>> {
  const ledger = await openSqliteLedger(join(folder.path, ".leat/ledger.db"), systemClock);
  try {
    const schema = await ledger.listEvents({ kinds: ["stream.schema"], subject: "shop.orders" });
    const packages = await ledger.listEvents({ kinds: ["stream.packages"] });
    expect([...schema, ...packages].every(({ runId }) => runId !== null)).toBe(true);
    return {
      columns: schema.map(({ data }) => `${data["column"]}: ${data["from"]} -> ${data["to"]}`).sort(),
      packages: packages.map(({ data }) => data["seq"]),
    };
  } finally {
    await ledger.close();
  }
}

const run = (preload?: string) =>
  folder.start(
    ["run", "nightly", "--quiet"],
    preload === undefined ? {} : { NODE_OPTIONS: `--import=${join(folder.path, preload)}` },
  );

test("what a load has changed is told once, by whoever comes after a process that died before it told", {
  timeout: 60_000,
}, async () => {
  const killed = run("kill-schema.mjs");
  await killed.ended;
  expect(killed.child.signalCode, killed.output()).toBe("SIGKILL");
  const loaded = await folder.leat("query", "select count(*) as n from shop.orders", "--json");
  expect(loaded.stdout, loaded.stderr).toMatch(/\b1\b/); // The rows were committed before.
  expect(await told()).toEqual({ columns: [], packages: [] });

  const after = await run("kill-packages.mjs").ended; // Told of the columns, and not of the package.
  expect(after.code).not.toBe(0);
  const columns = ["count: null -> bigint", "id: null -> bigint", "updated_at: null -> timestamptz"];
  expect(await told()).toEqual({ columns, packages: [] });

  const third = await run().ended;
  expect(third.code, third.stderr).toBe(0);
  expect(await told()).toEqual({ columns, packages: [1] });

  // A column that becomes wider, and one that is new.
  folder.write(
    "data/1.ndjson",
    lines([first, { id: 2, count: 1.5, note: "new", updated_at: "2026-01-01T02:00:00Z" }]),
  );
  const widened = run("kill-schema.mjs");
  await widened.ended;
  expect(widened.child.signalCode, widened.output()).toBe("SIGKILL");
  const fourth = await run().ended;
  expect(fourth.code, fourth.stderr).toBe(0);
  const now = await told();
  expect(now.packages).toHaveLength(2); // The newest of each load that had news.
  const news = now.columns.filter((column) => !columns.includes(column));
  expect(news).toHaveLength(2);
  expect(news[0]).toMatch(/^count: bigint -> (decimal|double)/);
  expect(news[1]).toBe("note: null -> text");
});
