/**
 * The spreadsheets' example on Google Cloud by two variables and no other change, from the publisher's page to the served
 * API: every row, version and answer equals the laptop's. Both services lose answers.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveDeaths, stopServing } from "../../examples/ons-deaths/serve-deaths.ts";
import { root } from "../../scripts/steps.ts";
import { type BigQueryServer, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { openHost } from "./open-host.ts";

type Environment = Record<string, string>;
let folder: string;
let storage: FakeGcs;
let warehouse: BigQueryServer;
let host: ReturnType<typeof openHost>;
let laptop: Environment;
let cloud: Environment;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "leat-deaths-cloud-"));
  await mkdir(join(folder, "page"));
  await publish(2018);
  storage = await startFakeGcs();
  storage.buckets.make("deaths");
  storage.plan((exchange) => (exchange.number % 7 === 0 ? "after" : undefined));
  warehouse = await startBigQuery({
    readObject: async (bucket, key) => storage.buckets.read(bucket, key),
    fault: ({ number }) => (number % 7 === 0 ? "after" : undefined),
  });
  await warehouse.addDataset("deaths-1", "warehouse");
  const common = { PATH: process.env["PATH"]!, ONS_WORKBOOKS: join(folder, "page") };
  host = openHost({ environment: common });
  laptop = {
    ...common,
    LEAT_LANDING: `file:${join(folder, "landing")}`,
    LEAT_WAREHOUSE: `duckdb:${join(folder, "warehouse.duckdb")}`,
  };
  cloud = {
    ...common,
    LEAT_LANDING: `gs://deaths/landing?endpoint=${storage.url}`,
    LEAT_WAREHOUSE: `bigquery://deaths-1/warehouse?location=EU&endpoint=${warehouse.url}`,
  };
});
afterAll(async () => {
  stopServing();
  await host.close();
  await warehouse.close();
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

const publish = (year: number): Promise<void> =>
  copyFile(join(root, "examples/ons-deaths/workbooks", `${year}.xls`), join(folder, "page", `${year}.xls`));

type Built = Readonly<{ dataset: string; status: string; version: string; table: string }>;

async function leat<Told>(where: Environment, ...args: string[]): Promise<Told> {
  const told = await host.run([...args, "--json"], join(root, "examples/ons-deaths"), where);
  expect(told.code, told.stderr).toBe(0);
  return JSON.parse(told.stdout) as Told; // As documented.
}

async function build(where: Environment): Promise<readonly Built[]> {
  return (await leat<{ datasets: readonly Built[] }>(where, "build", "deaths")).datasets;
}

const rowsOf = (where: Environment, table: string): Promise<readonly unknown[]> =>
  leat(where, "query", `SELECT * FROM ${table} ORDER BY datetime, area`);

async function ask(where: Environment): Promise<readonly unknown[]> {
  await using served = await serveDeaths(where);
  const answers: unknown[] = [];
  for (const path of ["/year/2018/geo_code/E08000007", "/area/E06000053"]) {
    const answer = await fetch(`${served.url}${path}`);
    answers.push([answer.status, await answer.json()]);
  }
  return answers;
}

test("two variables change where rows are, and no row, version or answer", { timeout: 300_000 }, async () => {
  const [here, there] = [await build(laptop), await build(cloud)];
  const facts = (built: readonly Built[]) =>
    built.map(({ dataset, status, version, table }) => ({ dataset, status, version, table }));
  expect(facts(there)).toEqual(facts(here));
  expect(there.map(({ table }) => table)).toEqual(["published", "published"]);
  for (const table of ["printed", "deaths"]) {
    const rows = await rowsOf(laptop, table);
    expect(rows.length).toBeGreaterThan(4_000);
    expect(await rowsOf(cloud, table)).toEqual(rows);
  }
  const answers = await ask(laptop);
  expect(answers.map((answer) => (answer as [number])[0])).toEqual([200, 200]);
  expect(await ask(cloud)).toEqual(answers);

  expect((await build(cloud)).map(({ status, table }) => [status, table])).toEqual([
    ["unchanged", "unchanged"],
    ["unchanged", "unchanged"],
  ]);
  await publish(2020);
  expect(facts(await build(cloud))).toEqual(facts(await build(laptop)));
  expect(await rowsOf(cloud, "deaths")).toEqual(await rowsOf(laptop, "deaths"));
});
