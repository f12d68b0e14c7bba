/** Reads a customer's own warehouse as the customer does, with the customer's own tools and nothing of leat. */
import { DuckDBInstance } from "@duckdb/node-api";
import pg from "pg";
import type { ViewRow } from "./compare-with-truth.ts";

/**
 * All rows of a shared table.
 *
 * @param target - the warehouse, as `leat share` tells it.
 * @param query - a receipt's statement, which names the table or the files it is about.
 */
export async function readReplica(
  target: string,
  query: string,
  environment: Readonly<NodeJS.ProcessEnv>,
): Promise<readonly ViewRow[]> {
  const table = query.slice(query.indexOf(" FROM ") + 6);
  return target.startsWith("postgres:")
    ? await readPostgres(environment["STASHSTOCK_POSTGRES_733"] ?? "", `SELECT * FROM ${table}`)
    : await readDuckDb(target.startsWith("duckdb:") ? target.slice(7) : ":memory:", `SELECT * FROM ${table}`);
}

async function readDuckDb(file: string, sql: string): Promise<readonly ViewRow[]> {
  const instance = await DuckDBInstance.create(file, file === ":memory:" ? {} : { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function readPostgres(url: string, sql: string): Promise<readonly ViewRow[]> {
  // Numbers beyond a double's reach stay text, and times as the server writes them.
  const asText = {
    getTypeParser: (oid: number) => (oid === 16 ? (text: string) => text === "t" : (text: string) => text),
  };
  const client = new pg.Client({ connectionString: url, types: asText, options: "-c TimeZone=UTC" });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
