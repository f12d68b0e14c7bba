/** Versions of datasets in BigQuery: exact, shown whole in one step, and never an older one for a newer. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatasetTable } from "../../src/ports/warehouse.ts";
import { failureOf } from "../../src/testing/warehouse-under-test.ts";
import type { Exchange, ExchangeFault } from "../fakes/bigquery/bigquery-server.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";
import { datasetColumn, makeDatasetVersion, makeTypedVersion, typedRows } from "./dataset-version.ts";

let place: BigQueryPlace;
let projects = 1;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place.dispose());

const { signal } = new AbortController();
const day = 86_400_000;

const column = datasetColumn;
const makeVersion = (name: string, sql: string, changes: Partial<DatasetTable> = {}) =>
  makeDatasetVersion(place.folder, name, sql, changes);

/** An empty warehouse in a project of its own. */
async function open() {
  const project = `sets-${projects++}`;
  await place.server.addDataset(project, "warehouse");
  const warehouse = place.open("", project);
  const publish = (table: DatasetTable) => warehouse.publishDataset!(table, signal);
  const values = async (from = "deaths") => (await warehouse.query(`SELECT n FROM ${from}`)).rows;
  const physical = () =>
    place.server.tables.names(project, "warehouse").filter((name) => name.startsWith("_leat_dataset_"));
  return { project, warehouse, publish, values, physical };
}

test("a version's values of every type arrive exactly, with descriptions", async () => {
  const { project, warehouse, publish, physical } = await open();
  const version = await makeTypedVersion(place.folder, "decimal(38,0)"); // There is no HUGEINT.
  expect(await warehouse.readDataset?.("deaths")).toBeUndefined();
  expect(await publish(version)).toEqual({ seq: 1, version: "types" });
  expect(await warehouse.readDataset?.("deaths")).toEqual({ seq: 1, version: "types" });
  const { rows } = await warehouse.query("SELECT * FROM deaths ORDER BY f DESC");
  expect(rows).toEqual(typedRows);
  const view = place.server.tables.table(project, "warehouse", "deaths");
  expect(view.said).toMatchObject({ description: "Deaths by week" });
  expect(view.fields[1]).toMatchObject({ name: "b", description: "What b is" });
  expect([...place.objects.keys()].filter((key) => key.includes("dataset="))).toEqual([]);
  // Sorted as the files are, by what a table can be sorted by: not by the double, and by four columns at most.
  const [table = ""] = physical();
  const { said } = place.server.tables.table(project, "warehouse", table);
  expect(said["clustering"]).toEqual({ fields: ["f", "d", "c", "b"] });
});

test("a version replaces the one before, an older one replaces nothing, and a short count is refused", async () => {
  const { project, warehouse, publish, values, physical } = await open();
  const first = await makeVersion("first", "SELECT 1 AS n");
  const second = await makeVersion("second", "SELECT 2 AS n", { seq: 2 });
  await publish(second);
  expect(await publish(first)).toEqual({ seq: 2, version: "second" });
  expect(await values()).toEqual([[2]]);
  await publish({ ...first, replaces: 2 });
  expect(await values()).toEqual([[1]]);
  const short = { ...second, seq: 3, version: "short", rowCount: 5 };
  await failureOf(publish(short), "PART_CORRUPT");
  expect(await values()).toEqual([[1]]);
  await publish({ ...second, seq: 4, schema: "ons" });
  expect(await values("ons.deaths")).toEqual([[2]]);
  await failureOf(warehouse.query("SELECT n FROM deaths"), "QUERY_FAILED");
  // Tables that were replaced wait for queries that have begun, and then drop themselves; the shown one stays.
  const lives = physical().map((name) => {
    const { said } = place.server.tables.table(project, "warehouse", name);
    return said["expirationTime"] === undefined;
  });
  expect(lives.filter(Boolean)).toHaveLength(1);
});

test("a table or view of somebody's own under the dataset's name is refused and stays", async () => {
  const { project, publish, values } = await open();
  const version = await makeVersion("mine", "SELECT 1 AS n");
  await place.server.run(
    project,
    "warehouse",
    `CREATE OR REPLACE TABLE \`${project}\`.warehouse.deaths OPTIONS (labels = [('by', 'hand')]) AS SELECT 42 AS n`,
  );
  expect((await failureOf(publish(version), "CONFIG_INVALID")).message).toContain("warehouse.deaths");
  expect(await values()).toEqual([[42]]);
});

test("a column whose name BigQuery does not take is told, and nothing is made", async () => {
  const { publish, physical } = await open();
  const version = await makeVersion("named", 'SELECT 1 AS "per cent"', {
    columns: [column("per cent", "bigint")],
  });
  expect((await failureOf(publish(version), "CONFIG_INVALID")).message).toContain('"per cent"');
  expect(physical()).toEqual([]);
});

test("two that publish at once leave the later entry, whole, and each says what is there", async () => {
  const { warehouse, values } = await open();
  const versions = await Promise.all(
    [1, 2, 3, 4].map((seq) => makeVersion(`at-once-${seq}`, `SELECT ${seq} AS n`, { seq })),
  );
  const ended = await Promise.allSettled(
    versions.map((version) => warehouse.publishDataset!(version, signal)),
  );
  expect(ended.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(await warehouse.readDataset?.("deaths")).toEqual({ seq: 4, version: "at-once-4" });
  expect(await values()).toEqual([[4]]);
});

test("a death at any change leaves the version before or the new one, and the next build ends it", async () => {
  const first = await makeVersion("before", "SELECT 1 AS n");
  const second = await makeVersion("after", "SELECT 2 AS n", { seq: 2 });
  const undisturbed = await open();
  await undisturbed.publish(first);
  const count = await countChanges(() => undisturbed.publish(second));
  expect(count).toBeGreaterThanOrEqual(7);
  const seen = new Set<string>();
  for (let at = 0; at < count; at += 1)
    for (const kind of ["before", "after"] as const) {
      const { project, warehouse, publish, values } = await open();
      await publish(first);
      const controller = new AbortController();
      let changes = 0;
      place.server.setFaults((exchange: Exchange): ExchangeFault | undefined => {
        if (controller.signal.aborted) return "before"; // Nothing more is heard of the process from here on.
        if (!isChange(exchange) || changes++ < at) return undefined;
        controller.abort();
        return kind;
      });
      await warehouse.publishDataset!(second, controller.signal).catch(() => {});
      place.server.setFaults(undefined);
      await place.server.jobs.settle();
      const again = place.open("", project);
      const [[shown]] = (await values()) as [[number]];
      seen.add(`${kind} ${shown}`);
      const held = await again.readDataset!("deaths");
      if (held !== undefined) expect(held.seq, `${kind} ${at}`).toBe(shown);
      expect(await again.publishDataset!(second, signal), `${kind} ${at}`).toEqual({
        seq: 2,
        version: "after",
      });
      expect(await values(), `${kind} ${at}`).toEqual([[2]]);
      expect(await again.readDataset!("deaths")).toEqual({ seq: 2, version: "after" });
    }
  expect([...seen].sort()).toEqual(["after 1", "after 2", "before 1", "before 2"]);
});

const isChange = ({ method }: Exchange): boolean => method !== "GET";

async function countChanges(run: () => Promise<unknown>): Promise<number> {
  const before = place.server.exchanges.length;
  await run();
  return place.server.exchanges.slice(before).filter(isChange).length;
}

test("what a killed process has left is dropped by a later publication, when it is a day old", async () => {
  const { project, publish, values, physical } = await open();
  const version = (seq: number) => makeVersion(`orphans-${seq}`, `SELECT ${seq} AS n`, { seq });
  await publish(await version(1));
  const [left] = physical();
  await place.server.run(
    project,
    "warehouse",
    `CREATE OR REPLACE TABLE \`${project}\`.warehouse._leat_dataset_deaths_00000000000a OPTIONS (labels = [('by', 'death')]) AS SELECT 0 AS n`,
  );
  await publish(await version(2));
  expect(physical()).toContain("_leat_dataset_deaths_00000000000a");
  for (const name of ["_leat_dataset_deaths_00000000000a", left!])
    place.server.tables.table(project, "warehouse", name).createdAtMs -= 2 * day;
  await publish(await version(3));
  expect(physical()).toHaveLength(2); // The shown one, and the one before, which drops itself.
  expect(physical()).not.toContain("_leat_dataset_deaths_00000000000a");
  expect(await values()).toEqual([[3]]);
});
