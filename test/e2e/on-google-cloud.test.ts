/**
 * The example as on Google Cloud, by two variables and no other change: landing at gs://, warehouse at bigquery://, both
 * stood in for by servers of our own, which lose answers.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveDeaths, stopServing } from "../../examples/ons-deaths/serve-deaths.ts";
import { compareWithTruth, type ViewRow } from "../../examples/stashstock/compare-with-truth.ts";
import { type Example, openExample } from "../../examples/stashstock/open-example.ts";
import { root } from "../../scripts/steps.ts";
import { type BigQueryServer, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { openHost, type Told } from "./open-host.ts";

let folder: string;
let example: Example;
let storage: FakeGcs;
let warehouse: BigQueryServer;
let host: ReturnType<typeof openHost>;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "leat-on-google-cloud-"));
  example = await openExample({
    seed: 7,
    dataFolder: join(folder, "example"),
    historyDays: 2,
    plantsPerLicense: 8,
  });
  storage = await startFakeGcs();
  storage.buckets.make("stashstock");
  storage.plan((exchange) => (exchange.number % 7 === 0 ? "after" : undefined));
  warehouse = await startBigQuery({
    readObject: async (bucket, key) => storage.buckets.read(bucket, key),
    fault: ({ number }) => (number % 7 === 0 ? "after" : undefined),
  });
  await warehouse.addDataset("shop-1", "warehouse");
  environment = {
    ...(example.environment as Record<string, string>), // No value is undefined.
    LEAT_LANDING: `gs://stashstock/landing?endpoint=${storage.url}`,
    LEAT_WAREHOUSE: `bigquery://shop-1/warehouse?location=EU&endpoint=${warehouse.url}`,
  };
  host = openHost({ environment });
});
afterAll(async () => {
  stopServing();
  await host.close();
  await example.close();
  await warehouse.close();
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

async function leat(...args: string[]): Promise<Told> {
  const told = await host.run(args, join(root, "examples/stashstock"), environment);
  expect(told.code, told.stderr).toBe(0);
  return told;
}

test("each customer's rows equal the partner's book, a second sync changes nothing, and all of it can be rebuilt", {
  timeout: 240_000,
}, async () => {
  await leat("sync", "--quiet");
  const { stdout } = await leat("query", "--json", "select * from stashstock.metrc_plants");
  const rows = JSON.parse(stdout) as readonly ViewRow[]; // What `query --json` promises to print.
  const tenants = ["41", "414", "733"];
  for (const tenant of tenants) {
    const truth = example.partner.truth(tenant);
    expect(truth.size).toBeGreaterThan(10);
    const ours = rows.filter((row) => String(row["tenant_id"]) === tenant);
    expect(compareWithTruth(ours, truth)).toMatchObject({ missing: [], surplus: [], differences: [] });
  }
  const again = await leat("sync");
  expect(again.stdout).toMatch(/^0 records landed, 0 rows loaded/m);
  expect(again.stdout).toMatch(/^The warehouse took 0 load jobs, 0 commits, \d+ queries; .* billed/m);
  const verified = JSON.parse((await leat("verify", "--json")).stdout) as {
    streams: readonly { loaded: number; faults: readonly unknown[] }[]; // As documented.
  };
  expect(verified.streams.map(({ loaded }) => loaded)).toEqual([56, 21, 13, 22]);
  expect(verified.streams.flatMap(({ faults }) => faults)).toEqual([]);
  const requests = example.partner.counts.total();
  // As documented.
  const dry = JSON.parse((await leat("rebuild", "--dry-run", "--json")).stdout) as {
    streams: readonly { packages: number; landedBytes: number; dollars: number }[];
  };
  expect(dry.streams).toHaveLength(4);
  for (const { packages, landedBytes, dollars } of dry.streams) {
    expect(packages).toBeGreaterThan(2);
    expect(dollars).toBeCloseTo((landedBytes / 1024 ** 4) * 6.25, 12);
  }
  expect((await leat("rebuild")).stdout).toMatch(/metrc_plants +3 +56 +equal/);
  expect(example.partner.counts.total()).toEqual(requests);
});

test("a dataset of the plants has the rows of the laptop, in the warehouse and over HTTP", {
  timeout: 240_000,
}, async () => {
  const config = { LEAT_CONFIG: join(root, "test/e2e/plants/leat.config.ts") };
  const laptop = { ...(example.environment as Record<string, string>), ...config }; // No value is undefined.
  const cloud = { ...environment, ...config };
  const run = async (where: Record<string, string>, ...args: string[]) => {
    const told = await host.run(args, join(root, "test/e2e/plants"), where);
    expect(told.code, told.stderr).toBe(0);
    return told.stdout;
  };
  const versions: string[] = [];
  const rows: unknown[][] = [];
  const answers: unknown[] = [];
  for (const where of [laptop, cloud]) {
    await run(where, "sync", "--quiet");
    // As documented.
    const { datasets } = JSON.parse(await run(where, "build", "--no-sync", "--json")) as {
      datasets: readonly { version: string }[];
    };
    versions.push(datasets[0]!.version);
    rows.push(
      JSON.parse(await run(where, "query", "--json", "select * from plants order by label")) as unknown[],
    );
    await using served = await serveDeaths({ ...process.env, ...where });
    const answer = await fetch(`${served.url}/datasets/plants/rows?limit=1000`);
    expect(answer.status).toBe(200);
    answers.push(await answer.json());
  }
  expect(rows[0]!.length).toBeGreaterThan(40);
  expect(rows[1]).toEqual(rows[0]);
  expect(versions[1]).toBe(versions[0]);
  expect(answers[1]).toEqual(answers[0]);
});
