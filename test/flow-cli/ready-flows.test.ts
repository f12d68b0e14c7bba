import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import { LeatError } from "../../src/errors/leat-error.ts";
import { buildFlow, withNewsTriggers } from "../../src/flow/build-flow.ts";
import { createFlowRegistry } from "../../src/flow/deployment.ts";
import type { Flow } from "../../src/flow/flow-context.ts";
import { runForeground } from "../../src/flow/run-foreground.ts";
import { shareFlow, withShareTriggers } from "../../src/flow/share-flow.ts";
import { syncFlow } from "../../src/flow/sync-flow.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { FlowRun } from "../../src/model/run-record.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import type { ProjectWork } from "../../src/ports/project-work.ts";
import type { ShareSpec } from "../../src/ports/share.ts";
import type { Source } from "../../src/ports/source.ts";

/** Two streams, one the other's parent, and two tenants; what was done is noted, in its order. */
function makeWork(noted: string[], fails: (what: string) => boolean): ProjectWork {
  const note = (what: string): void => {
    noted.push(what);
    if (fails(what)) throw new LeatError("SOURCE_AUTH_FAILED", { message: `${what} was refused` });
  };
  return {
    planStreams: async () => [
      { stream: "shop.orders", source: "shop", parent: null, tenants: ["1", "2"] },
      { stream: "shop.lines", source: "shop", parent: "shop.orders", tenants: ["1", "2"] },
    ],
    findFiles: async () => [],
    async extract(stream, tenant) {
      note(`extract ${stream} ${tenant}`);
      return { packages: [1] };
    },
    async load(stream) {
      note(`load ${stream}`);
      return { packages: 1 };
    },
    planShares: async () => ["1", "2", "3"].map((tenant) => ({ share: "replicas", tenant })),
    async share(share, tenant) {
      note(`share ${share} ${tenant}`);
      return { tables: [] };
    },
    planDatasets: async (names) => (names.length === 0 ? ["a", "b"] : names),
    listUntidied: async (dataset) =>
      dataset === "a" ? ["x", "y"].map((name) => ({ name, fields: {}, sha256: name, objectKey: name })) : [],
    async tidy(dataset, { name }) {
      note(`tidy ${dataset} ${name}`);
      return { rows: 1 };
    },
    async check(dataset) {
      note(`check ${dataset}`);
      const seq = noted.filter((what) => what === `check ${dataset}`).length;
      return { dataset, status: "new", seq, version: "v", buildId: "b", rows: 1, filesRead: 0, warnings: [] };
    },
    async publish({ dataset, seq }) {
      note(`publish ${dataset} ${seq}`);
      if (dataset === "b" && seq === 1) return { status: "superseded" }; // Another build was first.
      return { status: "published", version: "v", seq, rows: 1, parts: 1 };
    },
  };
}

type Ended = Readonly<{ run: FlowRun; value: unknown; error: unknown }>;

/** Runs a flow over a ledger of its own; the second call goes on with what failed. */
async function withFlow(
  flow: Flow,
  work: ProjectWork,
  call: (run: () => Promise<Ended>, retry: (failed: FlowRun) => Promise<Ended>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-ready-"));
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), systemClock);
  const deployment = createFlowRegistry([flow]).deployment(flow.spec.name);
  const world = {
    ledger,
    clock: { nowMs: () => Date.now(), sleep: async () => {} }, // Pauses between tries take no time.
    fraction: () => 0,
    results: undefined,
    redact: (text: string) => text,
    codeVersion: null,
    tell: () => {},
    work,
  };
  const { signal } = new AbortController();
  try {
    await call(
      () => runForeground(world, { deployment, params: {}, by: "me" }, signal, () => {}),
      (failed) => runForeground(world, { deployment, retry: failed, fromTask: undefined }, signal, () => {}),
    );
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a sync extracts parents before their children, and loads each stream once", async () => {
  const noted: string[] = [];
  await withFlow(
    syncFlow(),
    makeWork(noted, () => false),
    async (run) => {
      const { run: ended } = await run();
      expect(ended.state).toBe("succeeded");
      expect(noted.filter((what) => what.startsWith("load"))).toEqual([
        "load shop.orders",
        "load shop.lines",
      ]);
      const child = noted.findIndex((what) => what.startsWith("extract shop.lines"));
      expect(noted.slice(0, child).sort()).toEqual([
        "extract shop.orders 1",
        "extract shop.orders 2",
        "load shop.orders",
      ]);
    },
  );
});

test("one tenant's failure leaves the others served; a retry extracts only what failed, and loads what it brought", async () => {
  const noted: string[] = [];
  let isBroken = true;
  const work = makeWork(noted, (what) => isBroken && what === "extract shop.orders 2");
  await withFlow(syncFlow(), work, async (run, retry) => {
    const failed = await run();
    expect(failed.run.state).toBe("failed");
    expect(failed.error).toMatchObject({
      code: "FLOW_MAP_FAILED",
      message: expect.stringContaining("1 of 4 extracts failed; the others are loaded:\n  shop.orders 2: "),
    });
    expect(noted).toContain("extract shop.orders 1");
    expect(noted).toContain("load shop.orders");
    expect(noted).toContain("load shop.lines");
    isBroken = false;
    noted.length = 0;
    const retried = await retry(failed.run);
    expect(retried.run.state).toBe("succeeded");
    expect(noted).toEqual(["extract shop.orders 2", "load shop.orders"]);
  });
});

test("a build lays out, checks and publishes the datasets in their order, and checks again what another superseded", async () => {
  const noted: string[] = [];
  await withFlow(
    buildFlow(),
    makeWork(noted, () => false),
    async (run) => {
      const { run: ended, value } = await run();
      expect(ended.state).toBe("succeeded");
      expect(noted).toEqual([
        "tidy a x",
        "tidy a y",
        "check a",
        "publish a 1",
        "check b",
        "publish b 1",
        "check b",
        "publish b 2",
      ]);
      expect(value).toMatchObject([
        { dataset: "a", status: "published", seq: 1, filesRead: 2 },
        { dataset: "b", status: "published", seq: 2, filesRead: 0 },
      ]);
    },
  );
});

test("a build whose publication fails goes on there, and lays nothing out again", async () => {
  const noted: string[] = [];
  let isBroken = true;
  const work = makeWork(noted, (what) => isBroken && what === "publish a 1");
  await withFlow(buildFlow(), work, async (run, retry) => {
    const failed = await run();
    expect(failed.run.state).toBe("failed");
    isBroken = false;
    noted.length = 0;
    expect((await retry(failed.run)).run.state).toBe("succeeded");
    expect(noted.slice(0, 2)).toEqual(["publish a 1", "check b"]);
  });
});

test("builds are triggered by the streams and datasets that are read, naming who reads them", () => {
  /** Only what is looked at. */
  const dataset = (name: string, from: object): DatasetSpec =>
    ({ name, from, rules: [] }) as unknown as DatasetSpec;
  const datasets = [
    dataset("orders", { kind: "stream", stream: "shop.orders" }),
    dataset("files", { kind: "files", stream: "ons" }),
    dataset("both", { kind: "query", streams: ["shop.orders"], datasets: ["files"] }),
  ];
  const sources = [{ name: "ons", streams: [{ name: "workbooks" }] }] as unknown as Source[]; // As much as is looked at.
  const [building] = withNewsTriggers([buildFlow({ name: "build" })], datasets, sources);
  expect(building?.spec.triggers).toEqual([
    { on: "stream.packages", stream: "shop.orders", params: { datasets: ["orders", "both"] } },
    { on: "stream.packages", stream: "ons.workbooks", params: { datasets: ["files"] } },
    { on: "dataset.version", dataset: "files", params: { datasets: ["both"] } },
  ]);
  const quiet = buildFlow({ name: "quiet", onNews: false });
  expect(withNewsTriggers([quiet], datasets, sources)).toEqual([quiet]);
});

test("a share whose warehouse is broken delays no other tenant's, and a retry does that one again", async () => {
  const noted: string[] = [];
  let isBroken = true;
  const work = makeWork(noted, (what) => isBroken && what === "share replicas 2");
  await withFlow(shareFlow(), work, async (run, retry) => {
    const first = await run();
    expect(first.error).toMatchObject({ code: "FLOW_MAP_FAILED" });
    expect(String((first.error as Error).message)).toContain("1 of 3 shares failed");
    expect(noted.toSorted()).toEqual(["share replicas 1", "share replicas 2", "share replicas 3"]);
    isBroken = false;
    const second = await retry(first.run);
    expect(second.value).toEqual([{ share: "replicas", tenants: 3 }]);
    expect(noted.slice(3)).toEqual(["share replicas 2"]);
  });
});

test("shares are triggered by what they bring, each by its own", () => {
  const share = (name: string, of: readonly string[]): ShareSpec => ({
    name,
    schema: name,
    tables: of.map((one) => ({
      kind: one.includes(".") ? "stream" : "dataset",
      of: one,
      name: one,
      columns: undefined,
    })),
    tenants: undefined,
    to: () => "",
    keep: "history",
    salt: undefined,
    deadlineMs: 1000,
  });
  const shares = [share("a", ["shop.orders", "shop.lines"]), share("b", ["shop.orders", "book"])];
  const flows = [shareFlow(), shareFlow({ name: "quiet", onNews: false })];
  const [onNews, quiet] = withShareTriggers(flows, shares);
  expect(onNews?.spec.triggers).toEqual([
    { on: "stream.packages", stream: "shop.orders", params: { shares: ["a", "b"] } },
    { on: "stream.packages", stream: "shop.lines", params: { shares: ["a"] } },
    { on: "dataset.version", dataset: "book", params: { shares: ["b"] } },
  ]);
  expect(quiet?.spec.triggers).toEqual([]);
});
