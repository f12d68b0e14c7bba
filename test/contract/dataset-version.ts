/** A version of a dataset on this disk, made by hand. */
import { join } from "node:path";
import type { DatasetTable } from "../../src/ports/warehouse.ts";

/** A column with a description. */
export const datasetColumn = (name: string, type: string): DatasetTable["columns"][number] =>
  ({
    name,
    type,
    description: `What ${name} is`,
    unit: null,
    isNullable: true,
  }) as unknown as DatasetTable["columns"][number]; // Columns have more facts than a table needs.

/** Makes a version whose one file holds what the SQL (DuckDB's) selects. */
export async function makeDatasetVersion(
  folder: string,
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
    columns: [datasetColumn("n", "bigint")],
    sort: ["n"],
    seq: 1,
    version: name,
    rowCount: 1,
    paths: [path],
    replaces: undefined,
    ...changes,
  };
}

/** A version with a column of every type: hard values, then none. `wholeType`: what 38 digits are in the warehouse. */
export async function makeTypedVersion(folder: string, wholeType: string): Promise<DatasetTable> {
  const types = {
    a: "text",
    b: "bigint",
    c: wholeType,
    d: "decimal(38,3)",
    e: "double",
    f: "boolean",
    g: "date",
    h: "timestamp",
    i: "timestamptz",
    j: "json",
    k: "text",
  };
  return await makeDatasetVersion(
    folder,
    "types",
    `SELECT 'tab\t"quote" \\. \\N' || chr(10) || 'é' AS a, 9007199254740993::BIGINT AS b,
     '99999999999999999999999999999999999999'::DECIMAL(38,0) AS c, 12345678901234567890.123::DECIMAL(38,3) AS d,
     0.1::DOUBLE AS e, true AS f, DATE '2024-02-29' AS g, TIMESTAMP '2024-01-01 05:06:07.000001' AS h,
     TIMESTAMPTZ '2024-01-01 05:06:07+02' AS i, '{"x":1.10}'::VARCHAR AS j, '' AS k
     UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
    {
      rowCount: 2,
      columns: Object.entries(types).map(([name, type]) => datasetColumn(name, type)),
      sort: ["f", "e", "d", "c", "b", "a"],
    },
  );
}

/** Its rows as a query answers them, the one of nothing last. */
export const typedRows: readonly (readonly unknown[])[] = [
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
];
