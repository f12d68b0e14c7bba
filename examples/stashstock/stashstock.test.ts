import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Example, openExample, type SyncedStream } from "./open-example.ts";

const main = "stashstock.metrc_plants";
let example: Example;
let dataFolder: string;

beforeEach(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), "stashstock-"));
  example = await openExample({ seed: 20, dataFolder, historyDays: 3, plantsPerLicense: 45 });
});
afterEach(async () => {
  await example.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

/** Nothing that the partner does is still to be seen, and every window that holds it may be asked for. */
const settle = () => example.partner.advance(example.partner.msUntilSettled() + 2000);

const sumOf = (results: readonly SyncedStream[], read: (item: SyncedStream) => number | undefined) =>
  results.reduce((total, item) => total + (read(item) ?? 0), 0);
const fetched = (results: readonly SyncedStream[]) => sumOf(results, ({ counts }) => counts?.received);
const ofStream = (results: readonly SyncedStream[], stream: string) =>
  results.filter((item) => item.stream === stream);

/** The view is the partner's book, and no version was landed twice. */
async function expectTruth(tenants: readonly string[] = example.tenants): Promise<void> {
  const comparisons = await example.compare();
  for (const tenant of tenants) {
    const { equal, missing, surplus, differences } = comparisons.get(tenant)!;
    const plants = example.partner.truth(tenant).size;
    expect({ tenant, equal, missing, surplus, differences }).toEqual({
      tenant,
      equal: plants,
      missing: [],
      surplus: [],
      differences: [],
    });
  }
  expect(await example.countDoubled()).toBe(0);
}

test("a first sync shows every plant, a second only what changed since, and the view equals the truth", async () => {
  const first = await example.sync();
  expect(first.exitCode).toBe(0);
  const plants = example.tenants.reduce((n, tenant) => n + example.partner.truth(tenant).size, 0);
  expect(fetched(ofStream(first.results, "metrc_plants"))).toBe(plants);
  await expectTruth();

  const changed = [
    ...example.partner.change({ count: 25 }),
    ...example.partner.change({ count: 4, isNew: true }),
  ];
  settle();
  const second = await example.sync();
  expect(second.exitCode).toBe(0);
  const again = ofStream(second.results, "metrc_plants");
  expect(fetched(again)).toBe(changed.length);
  expect(sumOf(again, ({ counts }) => counts?.landed)).toBe(changed.length);
  // Seven licences, and at most two windows each: the first may end before the partner's clock is known.
  expect(sumOf(again, ({ requests }) => requests)).toBeLessThanOrEqual(14);
  await expectTruth();
});

test("plants whose time says never, ids beyond 2^53 and decimals arrive as they were sent", async () => {
  await example.sync(main);
  const truth = example.tenants.flatMap((tenant) => [...example.partner.truth(tenant).values()]);
  const isNever = truth.filter(({ fields }) => String(fields["LastModified"]).startsWith("0001-"));
  const isLarge = truth.filter(({ fields }) => (fields["Id"] as bigint) > 2n ** 53n); // Ids are bigints.
  const isLong = truth.filter(({ fields }) =>
    JSON.stringify(fields["HarvestedWetWeight"])?.includes("1234567890"),
  );
  const [row] = await example.query(
    `select count(*) filter (year("lastModified") = 1) as never, count(*) filter (id > 9007199254740992) as large,
       count(*) filter ("harvestedWetWeight" > 12345678901234566) as long from stashstock.metrc_plants`,
  );
  const counts = [row?.["never"], row?.["large"], row?.["long"]].map(Number);
  expect(counts).toEqual([isNever.length, isLarge.length, isLong.length]);
  for (const count of counts) expect(count).toBeGreaterThan(0);
  await expectTruth();
});

test("changes that show late or carry an older time are not lost, and lag reads them without doubling", async () => {
  await example.sync(main);
  example.partner.change({ count: 10, lateMs: 40_000 });
  example.partner.change({ count: 10 });
  example.partner.advance(3000);
  await example.sync(main);
  example.partner.change({ count: 10, backdateMs: 15_000 });
  settle();
  const { exitCode, results } = await example.sync(main);
  expect(exitCode).toBe(0);
  // What was changed just before the sync in the middle lies within the lag: fetched again, landed once.
  expect(sumOf(ofStream(results, "metrc_plants"), ({ counts }) => counts?.boundary_skipped)).toBeGreaterThan(
    0,
  );
  await expectTruth();
});

test("429s, 500s and answers that break off cost requests and nothing else", async () => {
  const { faults } = example.partner;
  faults.inject({ kind: "status", status: 429, retryAfter: "1", tenant: "414", times: 2 });
  faults.inject({ kind: "status", status: 500, every: 9, times: 4 });
  faults.inject({ kind: "break", endpoint: "v1/all", after: 4 });
  faults.inject({ kind: "break", endpoint: "v2/flowering", after: 2 });
  const { exitCode } = await example.sync();
  expect(exitCode).toBe(0);
  expect(example.partner.counts.total()).toMatchObject({ refused: 6, broken: 2 });
  await expectTruth();
});

test("a tenant whose key is refused is told by name, and the others are served", async () => {
  example.partner.faults.inject({ kind: "status", status: 401, tenant: "41", times: 1000 });
  const { exitCode, results } = await example.sync(main);
  expect(exitCode).toBe(1);
  for (const { tenant_id, ok, error } of results) {
    expect({ tenant_id, ok, code: error?.code }).toEqual({
      tenant_id,
      ok: tenant_id !== "41",
      code: tenant_id === "41" ? "SOURCE_AUTH_FAILED" : undefined,
    });
  }
  await expectTruth(["414", "733"]);
  example.partner.faults.clear();
  expect((await example.sync(main)).exitCode).toBe(0);
  await expectTruth();
});

test("a page for people instead of JSON fails the stream and moves nothing", async () => {
  const page = { body: "<html>Maintenance</html>", contentType: "text/html" };
  example.partner.faults.inject({
    kind: "status",
    status: 200,
    ...page,
    endpoint: "v1/all",
    tenant: "733",
    times: 1000,
  });
  const { exitCode, results } = await example.sync(main);
  expect(exitCode).toBe(1);
  expect(results.filter(({ ok }) => !ok).map(({ tenant_id }) => tenant_id)).toEqual(["733"]);
  example.partner.faults.clear();
  expect((await example.sync(main)).exitCode).toBe(0);
  await expectTruth();
});

test("a sync killed at any answer is made good by the next", async () => {
  const { partner } = example;
  for (const answersMax of [0, 1, 8, 20]) {
    partner.change({ count: 40 });
    settle();
    const before = partner.counts.total();
    partner.faults.inject({ kind: "stall", after: answersMax, times: Number.MAX_SAFE_INTEGER });
    const killed = example.start("sync", "--quiet");
    await partner.counts.reach(
      ({ answered, requests }) =>
        answered >= before.answered + answersMax && requests > before.requests + answersMax,
    );
    killed.kill("SIGKILL");
    expect((await killed.ended).signal).toBe("SIGKILL");
    partner.faults.clear();
  }
  expect((await example.sync()).exitCode).toBe(0);
  await expectTruth();
});

test("v1 arrays and v2 pages bring the same plants as the partner's lists", async () => {
  await example.sync();
  example.partner.change({ count: 60 });
  example.partner.advance(65_000); // Pages are read only up to the lag of a minute, where they no longer shift.
  await example.sync();
  const truth = example.tenants.flatMap((tenant) =>
    [...example.partner.truth(tenant).values()].map(({ fields }) => fields),
  );
  const labels = (isThere: (fields: (typeof truth)[number]) => boolean) =>
    truth
      .filter(isThere)
      .map((fields) => fields["Label"])
      .sort();
  const inView = async (stream: string) =>
    (await example.query(`select "Label" from stashstock.${stream} order by 1`)).map((row) => row["Label"]);
  // Nothing leaves the inactive list; from the others plants go on, and stay in the view as they were last seen there.
  expect(await inView("plants_inactive")).toEqual(labels((fields) => fields["State"] !== "Tracked"));
  for (const [stream, phase] of [
    ["plants_vegetative", "Vegetative"],
    ["plants_flowering", "Flowering"],
  ] as const) {
    const now = labels((fields) => fields["State"] === "Tracked" && fields["GrowthPhase"] === phase);
    expect(await inView(stream)).toEqual(expect.arrayContaining(now));
  }
});

test("as a flow, each tenant and stream has a run of its own, and the view equals the truth", async () => {
  const { exitCode, stdout, stderr } = await example.run("run", "sync", "--json", "--quiet");
  expect(exitCode, stderr).toBe(0);
  const { run, result } = JSON.parse(stdout);
  expect(result).toHaveLength(4);
  for (const synced of result) expect(synced).toMatchObject({ tenants: example.tenants.length, failed: [] });
  const shown = JSON.parse((await example.run("show", run.id, "--json")).stdout);
  expect(shown.children).toHaveLength(4 * example.tenants.length);
  await expectTruth();
});

test("each customer's own warehouse holds that customer's plants, and nobody else's", async () => {
  await example.sync();
  const first = await example.share();
  expect(first.map(({ target }) => target.slice(0, target.indexOf(":")))).toEqual([
    "duckdb",
    "parquet",
    "duckdb",
  ]);
  const changed = example.partner.change({ count: 12 });
  settle();
  await example.sync();
  const second = await example.share();
  expect(second.reduce((sum, { tables }) => sum + tables[0]!.rows, 0)).toBe(changed.length);
  for (const [tenant, compared] of await example.compareReplicas()) {
    const { equal, isEqual, otherTenants } = compared;
    const plants = example.partner.truth(tenant).size;
    expect({ tenant, equal, isEqual, otherTenants }).toEqual({
      tenant,
      equal: plants,
      isEqual: true,
      otherTenants: 0,
    });
  }
});
