/** Versions of datasets as tables in Postgres: exact, replaced whole, and never an older one for a newer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatasetTable, QueryPage, Warehouse } from "../../src/ports/warehouse.ts";
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

/** All rows of all pages. */
async function readAll(warehouse: Warehouse, sql: string) {
  const pages: QueryPage[] = [];
  for await (const page of warehouse.readPages!(sql, signal)) pages.push(page);
  return { pages, columns: pages[0]?.columns, rows: pages.flatMap(({ rows }) => rows) };
}

test("a query's rows come in pages as text that a dataset's columns are read from", async () => {
  const { warehouse } = await open();
  await warehouse.publishDataset?.(await makeTypedVersion(folder, "hugeint"), signal);
  const { columns, rows } = await readAll(
    warehouse,
    "SELECT f, c, d, i, j, ARRAY[1, NULL] AS l, ROW(1, 'x') AS r FROM deaths ORDER BY f NULLS LAST -- all",
  );
  expect(columns?.map(({ name, type }) => [name, type]).slice(0, 3)).toEqual([
    ["f", "boolean"],
    ["c", "numeric(39,0)"],
    ["d", "numeric(38,3)"],
  ]);
  expect(rows[0]?.[0]).toMatch(/^(true|false)$/);
  expect(rows[0]?.slice(1, 3).map((text) => /^-?\d{20,}/.test(text ?? ""))).toEqual([true, true]);
  expect(JSON.parse(rows[0]?.[5] ?? "")).toEqual([1, null]);
  expect(JSON.parse(rows[0]?.[6] ?? "")).toEqual({ f1: 1, f2: "x" });
  expect(rows[1]?.slice(0, 5)).toEqual([null, null, null, null, null]);
});

test("pages are small however wide rows are, and one page tells the columns of no rows", async () => {
  const { warehouse } = await open();
  const wide = "SELECT n, repeat('x', 200000) AS t FROM generate_series(1, 300) AS n";
  const { pages, rows } = await readAll(warehouse, wide);
  expect(rows.map(([n]) => Number(n))).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
  expect(Math.max(...pages.slice(1).map((page) => page.rows.length))).toBeLessThanOrEqual(21);
  const { pages: one, columns } = await readAll(warehouse, "SELECT 1 AS a, 2 AS a WHERE false");
  expect([one.length, one[0]?.rows, columns?.map(({ name }) => name)]).toEqual([1, [], ["a", "a"]]);
});

test("all pages are of one snapshot, and whoever stops reading leaves nothing open", async () => {
  const { url, warehouse } = await open();
  await runSql(url, "CREATE TABLE many AS SELECT n FROM generate_series(1, 5000) AS n");
  let rows = 0;
  for await (const page of warehouse.readPages!("SELECT n FROM public.many", signal)) {
    if (rows === 0) await runSql(url, "DELETE FROM many");
    rows += page.rows.length;
  }
  expect(rows).toBe(5000);
  for await (const page of warehouse.readPages!("SELECT generate_series(1, 10000000)", signal))
    if (page.rows.length > 0) break;
  const left = "SELECT pid FROM pg_stat_activity WHERE application_name = 'leat warehouse'";
  await expect.poll(() => runSql(url, left)).toEqual([]);
});

test("a query that is wrong, writes, is stopped or is several is told as such", async () => {
  const { url, warehouse } = await open();
  await runSql(url, "CREATE TABLE kept AS SELECT 1 AS n");
  for (const sql of ["SELECT nothing", "DELETE FROM public.kept", "SELECT 1; SELECT 2", "SELECT 1 / 0"])
    await failureOf(readAll(warehouse, sql), "QUERY_FAILED");
  expect(await runSql(url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  const stop = new AbortController();
  const pages = warehouse.readPages!("SELECT generate_series(1, 10000000)", stop.signal);
  const reading = (async () => {
    for await (const page of pages) if (page.rows.length > 0) stop.abort();
  })();
  await failureOf(reading, "INTERRUPTED");
});
