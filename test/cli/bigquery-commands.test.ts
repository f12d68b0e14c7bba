/** Commands on a warehouse in BigQuery, on a BigQuery of our own. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { turnTable } from "../../src/warehouses/bigquery/turn-table.ts";
import { type BigQueryPlace, openPlace } from "../contract/bigquery-place.ts";
import { startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { makeFolder, type TestFolder } from "./leat-process.ts";

const config = `
import { defineProject, defineSource } from "leat";

const metrc = defineSource({
  name: "metrc",
  streams: {
    metrc_plants: {
      primaryKey: "id",
      records: "lines",
      pages: async function* () {
        yield new TextEncoder().encode('{"id":1}\\n');
      },
    },
  },
});
export default defineProject({ name: "greenhouse", sources: [metrc], tenants: "tenants.json" });
`;

let place: BigQueryPlace;
let folder: TestFolder;
beforeEach(async () => {
  place = await openPlace();
  folder = makeFolder();
  folder.write("leat.config.ts", config);
  folder.write("tenants.json", '[{ "id": "414" }]');
  folder.write(
    ".env",
    `LEAT_WAREHOUSE=bigquery://shop-1/warehouse?location=EU&endpoint=${place.server.url}\n`,
  );
});
afterEach(async () => {
  folder.remove();
  await place.dispose();
});

test("query asks it, tells what a question would cost, and refuses what changes anything", async () => {
  await new WarehouseBench(place).loadRecords(makeStreamSpec(), [
    plant(1, "2024-01-01"),
    plant(2, "2024-01-02"),
  ]);
  const sql = "select id, modified from metrc.metrc_plants order by id";
  const rows = await folder.leat("query", sql, "--json");
  expect(rows.stderr).toBe("");
  expect(JSON.parse(rows.stdout)).toEqual([
    { id: 1, modified: "2024-01-01" },
    { id: 2, modified: "2024-01-02" },
  ]);
  place.server.jobs.scannedBytes = 512 * 1024 ** 3;
  const cost = await folder.leat("query", sql, "--dry-run");
  expect(cost.stdout).toBe("It would read 524288.0 MiB, some $3.1250 on demand. Nothing was run.\n");
  const refused = await folder.leat("query", "delete from metrc.metrc_plants where true");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("QUERY_FAILED")]);
  const few = await folder.leat("query", sql, "--rows-max", "1");
  expect(few.stderr).toMatch(/QUERY_TOO_COSTLY|more than 1 rows/);
});

test("verify tells what is kept beside the ledger and is not what it says, and how that is mended", async () => {
  const spec = makeStreamSpec();
  await new WarehouseBench(place).loadRecords(spec, [plant(1, "2024-01-01")]);
  const sums = `its sum in ${turnTable(spec)} 7 up to 1 with 1 rows`;
  expect((await folder.leat("verify")).stdout).not.toContain(sums);
  await place.server.run("shop-1", "warehouse", `UPDATE ${turnTable(spec)} SET packages = 7 WHERE TRUE`);
  const { code, stdout, stderr } = await folder.leat("verify");
  expect([code, `${stdout}${stderr}`]).toEqual([1, expect.stringContaining(sums)]);
  expect(`${stdout}${stderr}`).toContain("leat rebuild metrc.metrc_plants");
});

test("a landing on this disk without a bucket for copies is refused in words, and stays landed", async () => {
  const told = await folder.leat("sync", "--json");
  expect(told.code).not.toBe(0);
  expect(`${told.stdout}${told.stderr}`).toContain("stagingBucket=gs://");
  const again = await folder.leat("verify");
  expect(`${again.stdout}${again.stderr}`).toContain("metrc.metrc_plants");
});

test("a dataset that is not there is told with the command that makes it", async () => {
  const url = `bigquery://shop-7/warehouse?location=EU&endpoint=${place.server.url}`;
  const { ended } = folder.start(["sync"], { LEAT_WAREHOUSE: url });
  const { code, stdout, stderr } = await ended;
  expect(code).not.toBe(0);
  expect(`${stdout}${stderr}`).toContain("bq --location=EU mk --dataset shop-7:warehouse");
});

test("gc removes copies that dead loads have left in the landing's bucket, and none that a load may read", async () => {
  const gcs = await startFakeGcs();
  try {
    const dayMs = 24 * 3600 * 1000;
    const copies = { "tenant=414/old.ndjson": 4 * dayMs, "tenant=414/young.ndjson": 2 * dayMs };
    for (const [name, ageMs] of Object.entries(copies)) {
      const key = `base/leat-stage/id/metrc/metrc_plants/${name}`;
      gcs.buckets.seed("shop", key, "x");
      const { objects } = gcs.buckets.get("shop")!;
      objects.set(key, { ...objects.get(key)!, createdAtMs: Date.now() - ageMs });
    }
    const gc = (...args: string[]) =>
      folder.start(["gc", ...args], { LEAT_LANDING: `gs://shop/base?endpoint=${gcs.url}` }).ended;
    expect(await gc("--dry-run")).toMatchObject({ code: 0, stderr: "" });
    expect(gcs.buckets.keys("shop")).toHaveLength(2);
    const { code, stdout, stderr } = await gc("--json");
    expect([code, stderr, JSON.parse(stdout).swept]).toEqual([0, "", 1]);
    expect(gcs.buckets.keys("shop")).toEqual([
      "base/leat-stage/id/metrc/metrc_plants/tenant=414/young.ndjson",
    ]);
  } finally {
    await gcs.close();
  }
});

test("quota tells what everybody took of the day, with the table and stream that took most", async () => {
  const bench = new WarehouseBench(place);
  const spec = makeStreamSpec();
  for (const day of ["2024-01-01", "2024-01-02"]) await bench.loadRecords(spec, [plant(1, day)]);
  const told = await folder.leat("quota", "--json");
  expect(told.stderr).toBe("");
  const { ok, quotas } = JSON.parse(told.stdout) as {
    ok: boolean;
    quotas: { what: string; used: number; limit: number | null; note: string }[];
  }; // As documented.
  expect(ok).toBe(true);
  expect(quotas.map(({ what, used, limit }) => [what, used, limit])).toEqual([
    ["load jobs of the project", 2, 100_000],
    ["changes of one table by jobs", 1, 1_500],
    ["changes of one stream's partitions", 2, 30_000],
    ["MiB billed", expect.any(Number), null],
    ["jobs refused for a quota", 0, null],
  ]);
  expect(quotas[2]!.note).toContain("metrc.metrc_plants");
  place.server.setFaults(undefined, ({ kind }) =>
    kind === "load" ? { reason: "quotaExceeded", message: "Quota exceeded: too many loads" } : undefined,
  );
  await bench.loadRecords(spec, [plant(1, "2024-01-03")]).catch(() => {});
  const words = await folder.leat("quota");
  expect(words.stdout).toMatch(/load jobs of the project +3 +100,000 +1 of them failed, and count/);
  expect(words.stdout).toMatch(/jobs refused for a quota +1/);
  const { ended } = folder.start(["quota"], { LEAT_WAREHOUSE: "duckdb:warehouse.duckdb" });
  const { code, stderr } = await ended;
  expect([code === 0, stderr]).toEqual([false, expect.stringContaining("NOT_SUPPORTED")]);
});

test("credentials that are no credentials are told at once, and no piece of their file", async () => {
  folder.write("key.json", 'secret-key-material {"private_key": "x"}');
  for (const [name, words] of [
    ["key.json", "holds no Google credentials: it is not JSON"],
    ["nowhere.json", "nowhere.json does not exist"],
  ] as const) {
    const startedAt = performance.now();
    const told = await folder.start(["check"], {
      LEAT_WAREHOUSE: "bigquery://shop-1/warehouse?location=EU",
      GOOGLE_APPLICATION_CREDENTIALS: join(folder.path, name),
      METADATA_SERVER_DETECTION: "none",
    }).ended;
    expect(told.code).toBe(1);
    expect(told.stderr).toContain("error WAREHOUSE_DENIED: ");
    expect(told.stderr).toContain(words);
    expect(told.stderr).toContain("gcloud auth application-default login");
    expect(told.stderr).not.toContain("secret-key");
    expect(performance.now() - startedAt).toBeLessThan(15_000); // Not after the retries of an outage, which take 20 s.
  }
});

test("what neither extract nor load can read is told once", async () => {
  const landing = { LEAT_LANDING: "gs://nowhere/landing", METADATA_SERVER_DETECTION: "none" };
  const told = await folder.start(["sync"], {
    ...landing,
    GOOGLE_APPLICATION_CREDENTIALS: join(folder.path, "nowhere.json"),
  }).ended;
  expect(told.stderr.match(/^error STORE_DENIED: .*log\/metrc\/metrc_plants\/tenant=414/gm)).toHaveLength(1);
});
