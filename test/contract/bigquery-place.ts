/** A BigQuery of our own with an empty warehouse in it, and the contract's questions put in GoogleSQL. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dialect, transpile } from "@polyglot-sql/sdk";
import { decodePart } from "../../src/landing/part-reader.ts";
import type { QueryResult, StagedPart, Warehouse } from "../../src/ports/warehouse.ts";
import { createMemoryStore, type MemoryObjects } from "../../src/testing/memory-store.ts";
import type { WarehouseUnderTest } from "../../src/testing/warehouse-under-test.ts";
import { type BigQueryWarehouse, openBigQuery } from "../../src/warehouses/bigquery/open-bigquery.ts";
import { exportParquetLines } from "../../src/warehouses/duckdb/export-parquet.ts";
import { type BigQueryServer, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";

/** A place with what tests of BigQuery's own need. */
export type BigQueryPlace = WarehouseUnderTest &
  Readonly<{
    server: BigQueryServer;
    objects: MemoryObjects;
    /** Every object that a job has read, also after it was removed. */
    loaded: ReadonlyMap<string, Uint8Array>;
    own: BigQueryWarehouse;
    open: (parameters?: string, project?: string) => BigQueryWarehouse;
  }>;

const bucket = "gs://copies";

/** Opens an empty place. Several of them share a server, each with a project of its own. */
export async function openPlace(): Promise<BigQueryPlace> {
  const objects: MemoryObjects = new Map();
  const loaded = new Map<string, Uint8Array>();
  const server = await startBigQuery({
    readObject: async (_bucket, key) => {
      const body = objects.get(key)?.body;
      if (body !== undefined) loaded.set(key, body);
      return body;
    },
  });
  await server.addDataset("shop-1", "warehouse");
  const folder = await mkdtemp(join(tmpdir(), "leat-bigquery-"));
  const open = (parameters = "", project = "shop-1") =>
    openBigQuery(
      `bigquery://${project}/warehouse?location=EU&stagingBucket=${bucket}&endpoint=${server.url}${parameters}`,
      {
        openStaging: async () => ({ ...createMemoryStore({ objects, nowMs: Date.now }), url: bucket }),
        readPart: (part: StagedPart) => decodePart(createReadStream(part.path), part.entry.key),
        exportRows: exportParquetLines,
        workFolder: folder,
        waitFactor: 0.02,
      },
    );
  let others = 1;
  const own = open();
  return {
    server,
    objects,
    loaded,
    folder,
    own,
    open,
    warehouse: inGoogleSql(own),
    reopen: async () => inGoogleSql(open()),
    openAnother: async () => {
      others += 1;
      await server.addDataset(`shop-${others}`, "warehouse");
      return inGoogleSql(open("", `shop-${others}`));
    },
    async dispose() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The contract asks in DuckDB's dialect and names DuckDB's types: here it is put the other way. */
function inGoogleSql(warehouse: BigQueryWarehouse): Warehouse {
  const asked: Warehouse = {
    url: warehouse.url,
    compressions: warehouse.compressions,
    identity: () => warehouse.identity(),
    readLedger: (...args) => warehouse.readLedger(...args),
    readLedgerHeads: (spec) => warehouse.readLedgerHeads(spec),
    load: (...args) => warehouse.load(...args),
    settle: async (spec) => warehouse.settle?.(spec),
    prepare: (...args) => warehouse.prepare(...args),
    checksums: (spec) => warehouse.checksums(spec),
    currentDisagreements: (...args) => warehouse.currentDisagreements(...args),
    forget: (spec) => warehouse.forget(spec),
    readLoads: (...args) => warehouse.readLoads!(...args),
    readRejects: (...args) => warehouse.readRejects!(...args),
    readColumns: (spec) => warehouse.readColumns!(spec),
    close: () => warehouse.close(),
    async query(sql, options): Promise<QueryResult> {
      const { columns, rows } = await warehouse.query(toGoogleSql(sql), options);
      const asksForTypes = options?.rowsMax === 0 && sql.startsWith("SELECT * FROM");
      const json = asksForTypes ? await jsonColumns(warehouse, sql) : new Set();
      const typeOf = (name: string, type: string) => (json.has(name) ? "JSON" : duckDbType(type));
      return { columns: columns.map(({ name, type }) => ({ name, type: typeOf(name, type) })), rows };
    },
  };
  return asked;
}

/** Columns of JSON are text here; the registry tells which they are. */
async function jsonColumns(warehouse: BigQueryWarehouse, sql: string): Promise<ReadonlySet<unknown>> {
  const { rows } = await warehouse.query(
    "SELECT column_name FROM _leat_columns AS c JOIN _leat_streams AS s ON c.stream = s.stream " +
      `WHERE column_type = 'json' AND landing_table = '${sql.split(" ").at(-1)}'`,
  );
  return new Set(rows.map(([name]) => name));
}

/** Literals of DuckDB's own types have no translation that a library gets right. */
const literals: readonly (readonly [RegExp, string])[] = [
  [
    /^SELECT 9007199254740993::BIGINT/,
    "SELECT 9007199254740993, 42, CAST('1.10' AS DECIMAL(38,2)), CAST('2024-01-01' AS DATE), " +
      "CAST('2024-01-01 01:02:03.5' AS DATETIME), CAST('2024-01-01 01:02:03+02' AS TIMESTAMP), TRUE, NULL, CAST(0.5 AS FLOAT64)",
  ],
];

function toGoogleSql(sql: string): string {
  const literal = literals.find(([pattern]) => pattern.test(sql));
  if (literal !== undefined) return literal[1];
  const { success, sql: statements, error } = transpile(sql, Dialect.DuckDB, Dialect.BigQuery);
  if (!success || statements === undefined) throw new Error(`${sql}: ${error}`);
  // The engines sort NULL differently; where the contract counts on an order there is none, or it is lowest.
  return statements.join(";\n").replaceAll(" NULLS LAST", "");
}

const typeNames: Readonly<Record<string, string>> = {
  STRING: "VARCHAR",
  BOOL: "BOOLEAN",
  INT64: "BIGINT",
  FLOAT64: "DOUBLE",
  DATETIME: "TIMESTAMP",
  TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
  "BIGNUMERIC(38)": "HUGEINT",
};

function duckDbType(type: string): string {
  const numeric = /^(?:BIG)?NUMERIC\((\d+), (\d+)\)$/.exec(type);
  return numeric === null ? (typeNames[type] ?? type) : `DECIMAL(${numeric[1]},${numeric[2]})`;
}
