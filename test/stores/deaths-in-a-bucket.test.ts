/** The other example, with its landing and its dataset's versions in a bucket: from spreadsheets to an answer of the API. */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLeat, serveDeaths, stopServing } from "../../examples/ons-deaths/serve-deaths.ts";
import { root } from "../../scripts/steps.ts";
import type { Exchange, Fault } from "../fakes/fault-server.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";

let folder: string;
let fake: FakeGcs;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "leat-deaths-"));
  await mkdir(join(folder, "page"));
  for (const year of [2012, 2018]) {
    await copyFile(
      join(root, "examples/ons-deaths/workbooks", `${year}.xls`),
      join(folder, "page", `${year}.xls`),
    );
  }
  fake = await startFakeGcs();
  fake.buckets.make("deaths");
});
afterAll(async () => {
  stopServing();
  await fake.close();
  await rm(folder, { recursive: true, force: true });
});

const environment = (landing: string): NodeJS.ProcessEnv => ({
  ...process.env,
  ONS_WORKBOOKS: join(folder, "page"),
  LEAT_LANDING: landing,
  LEAT_WAREHOUSE: `duckdb:${join(folder, `${landing.slice(0, 2)}.duckdb`)}`,
});

/** Versions by dataset. A version is named by its rows. */
async function build(landing: string): Promise<Readonly<Record<string, string>>> {
  const told = await runLeat(["build", "deaths", "--json"], environment(landing));
  const { datasets } = JSON.parse(told) as { datasets: readonly { dataset: string; version: string }[] }; // As documented.
  return Object.fromEntries(datasets.map(({ dataset, version }) => [dataset, version]));
}

test("versions built in a bucket that loses every fifth answer equal those built on a disk, and are served", async () => {
  const landing = `gs://deaths/landing?endpoint=${fake.url}`;
  const onDisk = await build(`file:${join(folder, "landing")}`);
  let count = 0;
  fake.plan((exchange: Exchange): Fault | undefined => {
    count++;
    return exchange.number % 5 === 0 ? "after" : undefined;
  });
  const inBucket = await build(landing);
  expect(count).toBeGreaterThan(20);
  expect(Object.keys(inBucket)).toContain("deaths");
  expect(inBucket).toEqual(onDisk);
  expect(fake.buckets.keys("deaths").every((key) => key.startsWith("landing/"))).toBe(true);

  await using served = await serveDeaths(environment(landing));
  const answer = await fetch(`${served.url}/year/2018/geo_code/E08000007`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ year: 2018, geo_code: "E08000007" });
});
