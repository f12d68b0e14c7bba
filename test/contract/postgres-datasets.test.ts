/** Versions of datasets as tables in Postgres: exact, replaced whole, and never an older one for a newer. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DatasetTable } from "../../src/ports/warehouse.ts";
import { failureOf } from "../../src/testing/warehouse-under-test.ts";
import { exportParquet } from "../../src/warehouses/duckdb/export-parquet.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
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
const column = (name: string, type: string) => ({
  name,
  type,
  description: `What ${name} is`,
  unit: null,
  isNullable: true,
});

/** A version whose one file holds what the SQL selects. */
async function makeVersion(
  name: string,
  sql: string,
  changes: Partial<DatasetTable> = {},
): Promise<DatasetTable> {
  const path = join(folder, `${name}.parquet`);
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  return {
    dataset: "deaths",
    schema: "main",
    description: "Deaths by week",
    columns: [],
    seq: 1,
    version: name,
    rowCount: 1,
    paths: [path],
    replaces: undefined,
    ...changes,
  } as DatasetTable; // Columns have more facts than a table needs.
}

const open = async () => {
  const url = await server.newDatabase();
  return { url, warehouse: openAt(url, { exportParquet, workFolder: folder }) };
};

test("a version's values of every type arrive exactly, with descriptions", async () => {
  const { url, warehouse } = await open();
  const types = {
    a: "text",
    b: "bigint",
    c: "hugeint",
    d: "decimal(38,3)",
    e: "double",
    f: "boolean",
    g: "date",
    h: "timestamp",
    i: "timestamptz",
    j: "json",
    k: "text",
  };
  const version = await makeVersion(
    "types",
    `SELECT 'tab\t"quote" \\. \\N' || chr(10) || 'é' AS a, 9007199254740993::BIGINT AS b,
     '99999999999999999999999999999999999999'::DECIMAL(38,0) AS c, 12345678901234567890.123::DECIMAL(38,3) AS d,
     0.1::DOUBLE AS e, true AS f, DATE '2024-02-29' AS g, TIMESTAMP '2024-01-01 05:06:07.000001' AS h,
     TIMESTAMPTZ '2024-01-01 05:06:07+02' AS i, '{"x":1.10}'::VARCHAR AS j, '' AS k
     UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
    { rowCount: 2, columns: Object.entries(types).map(([name, type]) => column(name, type)) as never },
  );
  expect(await warehouse.readDataset?.("deaths")).toBeUndefined();
  expect(await warehouse.publishDataset?.(version, signal)).toEqual({ seq: 1, version: "types" });
  expect(await warehouse.readDataset?.("deaths")).toEqual({ seq: 1, version: "types" });
  const { rows } = await warehouse.query("SELECT * FROM deaths ORDER BY f NULLS LAST");
  expect(rows).toEqual([
    [
      'tab\t"quote" \\. \\N\né',
      "9007199254740993",
      "99999999999999999999999999999999999999",
      "12345678901234567890.123",
      0.1,
      true,
      "2024-02-29",
      "2024-01-01T05:06:07.000001",
      "2024-01-01T03:06:07Z",
      '{"x":1.10}',
      "",
    ],
    Array(11).fill(null),
  ]);
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
  const columns = [column("n", "bigint")] as never;
  const first = await makeVersion("first", "SELECT 1 AS n", { columns });
  const second = await makeVersion("second", "SELECT 2 AS n", { columns, seq: 2 });
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
  const version = await makeVersion("mine", "SELECT 1 AS n", { columns: [column("n", "bigint")] as never });
  await failureOf(Promise.resolve(warehouse.publishDataset?.(version, signal)), "CONFIG_INVALID");
  expect(await runSql(url, "SELECT mine FROM leat_warehouse.deaths")).toEqual([{ mine: 42 }]);
});
