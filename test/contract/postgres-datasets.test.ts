/** Versions of datasets as tables in Postgres: exact, replaced whole, and never an older one for a newer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatasetTable } from "../../src/ports/warehouse.ts";
import { failureOf } from "../../src/testing/warehouse-under-test.ts";
import { exportParquet } from "../../src/warehouses/duckdb/export-parquet.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { makeDatasetVersion, makeTypedVersion, typedRows } from "./dataset-version.ts";
import { openAt, runSql } from "./postgres-place.ts";

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  server = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), "leat-postgres-datasets-"));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const makeVersion = (name: string, sql: string, changes: Partial<DatasetTable> = {}) =>
  makeDatasetVersion(folder, name, sql, changes);

const open = async () => {
  const url = await server.newDatabase();
  return { url, warehouse: openAt(url, { exportParquet, workFolder: folder }) };
};

test("a version's values of every type arrive exactly, with descriptions", async () => {
  const { url, warehouse } = await open();
  const version = await makeTypedVersion(folder, "hugeint");
  expect(await warehouse.readDataset?.("deaths")).toBeUndefined();
  expect(await warehouse.publishDataset?.(version, signal)).toEqual({ seq: 1, version: "types" });
  expect(await warehouse.readDataset?.("deaths")).toEqual({ seq: 1, version: "types" });
  const { rows } = await warehouse.query("SELECT * FROM deaths ORDER BY f NULLS LAST");
  expect(rows).toEqual(typedRows);
  const comments = await runSql(
    url,
    "SELECT obj_description('leat_warehouse.deaths'::regclass) AS of_table, col_description('leat_warehouse.deaths'::regclass, 2) AS of_b",
  );
  expect(comments).toEqual([
    { of_table: "leat warehouse leat_warehouse: Deaths by week", of_b: "What b is" },
  ]);
});

test("a version replaces the one before, an older one replaces nothing, and a short count is refused", async () => {
  const { warehouse } = await open();
  const first = await makeVersion("first", "SELECT 1 AS n");
  const second = await makeVersion("second", "SELECT 2 AS n", { seq: 2 });
  await warehouse.publishDataset?.(second, signal);
  expect(await warehouse.publishDataset?.(first, signal)).toEqual({ seq: 2, version: "second" });
  const values = async () => (await warehouse.query("SELECT n FROM deaths")).rows;
  expect(await values()).toEqual([[2]]);
  await warehouse.publishDataset?.({ ...first, replaces: 2 }, signal);
  expect(await values()).toEqual([[1]]);
  const short = { ...second, seq: 3, version: "short", rowCount: 5 };
  await failureOf(Promise.resolve(warehouse.publishDataset?.(short, signal)), "PART_CORRUPT");
  expect(await values()).toEqual([[1]]);
  await warehouse.publishDataset?.({ ...second, seq: 4, schema: "ons" }, signal);
  expect((await warehouse.query("SELECT n FROM ons.deaths")).rows).toEqual([[2]]);
  await failureOf(warehouse.query("SELECT n FROM deaths"), "QUERY_FAILED");
});

test("a table of somebody's own under the dataset's name is refused and stays", async () => {
  const { url, warehouse } = await open();
  await runSql(url, "CREATE SCHEMA leat_warehouse; CREATE TABLE leat_warehouse.deaths AS SELECT 42 AS mine");
  const version = await makeVersion("mine", "SELECT 1 AS n");
  await failureOf(Promise.resolve(warehouse.publishDataset?.(version, signal)), "CONFIG_INVALID");
  expect(await runSql(url, "SELECT mine FROM leat_warehouse.deaths")).toEqual([{ mine: 42 }]);
});
