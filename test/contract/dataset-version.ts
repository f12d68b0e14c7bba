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
    seq: 1,
    version: name,
    rowCount: 1,
    paths: [path],
    replaces: undefined,
    ...changes,
  };
}
