/** The example's plants of one tenant, landed in a bucket of the fake: what the tests of faults and kills sync. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareWithTruth, type ViewRow } from "../../examples/stashstock/compare-with-truth.ts";
import { type Example, openExample } from "../../examples/stashstock/open-example.ts";
import { type LeatEnd, startLeat } from "../../examples/stashstock/run-leat.ts";
import { root } from "../../scripts/steps.ts";
import { openHost, type Told } from "../e2e/open-host.ts";
import type { FakeBuckets } from "../fakes/fake-objects.ts";
import type { FaultServer } from "../fakes/fault-server.ts";
import { startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { startFakeS3 } from "../fakes/start-fake-s3.ts";

const bucket = "stashstock";
const tenant = "414";
const stream = "stashstock.metrc_plants";
const project = join(root, "examples/stashstock");

/** A landing and a warehouse of their own. */
export type Place = Readonly<{
  /** Syncs to the end, in a process that many syncs share. */
  sync: () => Promise<Told>;
  /** Runs any command of leat there. */
  run: (...args: string[]) => Promise<Told>;
  /** Starts a sync as a process of its own. */
  start: () => Readonly<{ kill: () => void; ended: Promise<LeatEnd> }>;
  /** What is wrong with the view and the landing table; empty: every plant is there, once. */
  faults: () => Promise<readonly string[]>;
}>;

export type StashstockInABucket = Readonly<{
  fake: FaultServer & Readonly<{ buckets: FakeBuckets }>;
  example: Example;
  /** A new place, with nothing in it. */
  place: () => Place;
  close: () => Promise<void>;
}>;

export async function openStashstockInABucket(scheme: "gs" | "s3" = "gs"): Promise<StashstockInABucket> {
  const folder = await mkdtemp(join(tmpdir(), "leat-bucket-"));
  const example = await openExample({
    seed: 7,
    dataFolder: join(folder, "example"),
    historyDays: 2,
    plantsPerLicense: 8,
  });
  const fake = await (scheme === "gs" ? startFakeGcs() : startFakeS3());
  fake.buckets.make(bucket);
  const credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  const host = openHost({ environment: { ...example.environment, ...credentials } });
  let count = 0;
  return {
    fake,
    example,
    place() {
      const name = `place-${++count}`;
      const environment = {
        ...example.environment,
        ...credentials,
        LEAT_LANDING: `${scheme}://${bucket}/${name}?endpoint=${fake.url}`,
        LEAT_WAREHOUSE: `duckdb:${join(folder, `${name}.duckdb`)}`,
      };
      const run = (...args: string[]): Promise<Told> =>
        host.run(args, project, environment as Record<string, string>); // No value is undefined.
      const args = ["sync", "--json", "--quiet", stream, "--tenant", tenant];
      return {
        sync: () => run(...args),
        run,
        start: () => {
          const { kill, ended } = startLeat(args, { cwd: project, environment });
          return { kill: () => kill("SIGKILL"), ended };
        },
        faults: async () => [...(await compare(run, example)), ...(await findDoubled(run))],
      };
    },
    async close() {
      await host.close();
      await example.close();
      await fake.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Run = (...args: string[]) => Promise<Told>;

async function query(run: Run, sql: string): Promise<readonly ViewRow[]> {
  const { code, stdout, stderr } = await run("query", "--json", sql);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as readonly ViewRow[]; // What `query --json` promises to print.
}

async function compare(run: Run, example: Example): Promise<readonly string[]> {
  const rows = await query(run, "select * from stashstock.metrc_plants");
  const { missing, surplus, differences } = compareWithTruth(rows, example.partner.truth(tenant));
  return [
    ...missing.map((label) => `${label} is missing`),
    ...surplus.map((label) => `${label} is there once too often`),
    ...differences.map(({ label, column }) => `${label} differs in ${column}`),
  ];
}

/** Every version that was landed is there once. */
async function findDoubled(run: Run): Promise<readonly string[]> {
  const [row] = await query(
    run,
    `select (select count(*) from gcs_metrc_plants) - (select count(*) from
       (select distinct * exclude (_leat_package, _leat_row, _leat_extracted_at) from gcs_metrc_plants)) as doubled`,
  );
  return row?.["doubled"] === 0 ? [] : [`${String(row?.["doubled"])} rows are doubled`];
}
