/**
 * leat's own tables in the file, all in `main`:
 *
 * - `_leat_warehouse`: this warehouse's random id (I18) and the version of these tables' form.
 * - `_leat_streams`: which landing table belongs to which stream, and the form of its views.
 * - `_leat_columns`: per key of a stream its column, type and the kinds folded so far. A copy of what the manifests of
 *   the loaded packages say; nothing but the loaded packages and the declaration decides it (I14).
 * - `_leat_loads`: the ledger (I11).
 * - `_leat_rejects`: landed records that do not fit their table's types, as they were landed.
 */
import { randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { parseColumnType, printColumnType } from "../../model/column-types.ts";
import { type TenantId, toTenantId, toWarehouseId, type WarehouseId } from "../../model/ids.ts";
import type { CatalogColumn } from "../../model/plan-schema.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { LedgerRow } from "../../ports/warehouse.ts";
import type { DuckDbSession, EngineRow } from "./duckdb-file.ts";
import { allOf, quoteText } from "./sql-text.ts";

/** Form of leat's tables; a file of a newer one is refused. */
export const catalogVersion = 1;

/** A stream as the warehouse keeps it. */
export type CatalogStream = Readonly<{
  source: string;
  stream: string;
  landingTable: string;
  tenantColumn: string;
  partitionColumn: string | undefined;
  /** SQL and column types of the current rows when the views were last made. */
  shape: string;
}>;

const tablesSql = [
  `CREATE TABLE IF NOT EXISTS main._leat_warehouse
     (id VARCHAR NOT NULL, format_version INTEGER NOT NULL, created_at TIMESTAMPTZ NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS main._leat_streams
     (source VARCHAR NOT NULL, stream VARCHAR NOT NULL, landing_table VARCHAR NOT NULL,
      tenant_column VARCHAR NOT NULL, partition_column VARCHAR, shape VARCHAR NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS main._leat_columns
     (source VARCHAR NOT NULL, stream VARCHAR NOT NULL, key VARCHAR NOT NULL, column_name VARCHAR NOT NULL,
      column_type VARCHAR NOT NULL, kinds INTEGER NOT NULL, int_digits_max INTEGER NOT NULL,
      scale_max INTEGER NOT NULL, has_exact_numbers BOOLEAN NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS main._leat_loads
     (source VARCHAR, stream VARCHAR, tenant VARCHAR, seq BIGINT, manifest_hash VARCHAR NOT NULL,
      loaded BIGINT NOT NULL, rejected BIGINT NOT NULL, generation BIGINT NOT NULL, completes BOOLEAN NOT NULL,
      loaded_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (source, stream, tenant, seq))`,
  `CREATE TABLE IF NOT EXISTS main._leat_rejects
     (source VARCHAR NOT NULL, stream VARCHAR NOT NULL, tenant VARCHAR NOT NULL, seq BIGINT NOT NULL,
      "row" BIGINT, reason VARCHAR NOT NULL, "column" VARCHAR, record VARCHAR NOT NULL)`,
];

/** Whether leat's tables are in the file. */
export async function hasCatalog(session: DuckDbSession): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM duckdb_tables()
     WHERE database_name = current_database() AND schema_name = 'main' AND table_name = '_leat_warehouse'`,
  );
  return rows.length > 0;
}

/** Makes leat's tables and the warehouse's id where they are missing. Inside a transaction, under the file's lock. */
export async function makeCatalog(session: DuckDbSession, file: string): Promise<void> {
  if (!(await hasCatalog(session))) {
    for (const sql of tablesSql) await session.run(sql);
    const id = quoteText(randomBytes(10).toString("hex"));
    await session.run(`INSERT INTO main._leat_warehouse VALUES (${id}, ${catalogVersion}, now())`);
  }
  await readWarehouseId(session, file);
}

/** Reads the id back, and checks that this leat knows the form of the tables. */
export async function readWarehouseId(session: DuckDbSession, file: string): Promise<WarehouseId> {
  const [row] = await session.rows("SELECT id, format_version FROM main._leat_warehouse");
  if (row === undefined || Number(row["format_version"]) > catalogVersion)
    throw new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The warehouse ${file} was written by a newer leat, or its table _leat_warehouse was emptied.`,
      hint: "Update leat, or run `leat rebuild` into a new file.",
      details: { file },
    });
  return toWarehouseId(text(row, "id"));
}

/** `source = … AND stream = …`. */
export function ofStream(place: Readonly<{ source: string; stream: string }>): string {
  return allOf([`source = ${quoteText(place.source)}`, `stream = ${quoteText(place.stream)}`]);
}

/** The place of a stream as leat's tables name it. */
export const placeOf = (spec: StreamSpec): Readonly<{ source: string; stream: string }> => ({
  source: spec.source,
  stream: spec.name,
});

/** All streams of the file. */
export async function readStreams(session: DuckDbSession): Promise<readonly CatalogStream[]> {
  const rows = await session.rows("SELECT * FROM main._leat_streams ORDER BY source, stream");
  return rows.map((row) => ({
    source: text(row, "source"),
    stream: text(row, "stream"),
    landingTable: text(row, "landing_table"),
    tenantColumn: text(row, "tenant_column"),
    partitionColumn: row["partition_column"] === null ? undefined : text(row, "partition_column"),
    shape: text(row, "shape"),
  }));
}

/** Writes a stream's row anew. */
export async function writeStream(session: DuckDbSession, stream: CatalogStream): Promise<void> {
  await session.run(`DELETE FROM main._leat_streams WHERE ${ofStream(stream)}`);
  const partition = stream.partitionColumn === undefined ? "NULL" : quoteText(stream.partitionColumn);
  const texts = [stream.source, stream.stream, stream.landingTable, stream.tenantColumn].map(quoteText);
  await session.run(
    `INSERT INTO main._leat_streams VALUES (${texts.join(", ")}, ${partition}, ${quoteText(stream.shape)})`,
  );
}

/** The registry of a stream's columns. */
export async function readColumns(
  session: DuckDbSession,
  spec: StreamSpec,
): Promise<readonly CatalogColumn[]> {
  const rows = await session.rows(
    `SELECT * FROM main._leat_columns WHERE ${ofStream(placeOf(spec))} ORDER BY key`,
  );
  return rows.map((row) => {
    const type = parseColumnType(text(row, "column_type"));
    if (type === undefined) throw new Error(`_leat_columns has the unknown type ${text(row, "column_type")}`);
    return {
      key: text(row, "key"),
      name: text(row, "column_name"),
      type,
      seen: {
        kinds: Number(row["kinds"]),
        intDigitsMax: Number(row["int_digits_max"]),
        scaleMax: Number(row["scale_max"]),
        hasExactNumbers: row["has_exact_numbers"] === true,
      },
    };
  });
}

/** Columns of one statement: a stream with 300 keys needs one or two. */
const columnsPerInsert = 200;

/** Writes the registry of a stream's columns anew. */
export async function writeColumns(
  session: DuckDbSession,
  spec: StreamSpec,
  columns: readonly CatalogColumn[],
): Promise<void> {
  await session.run(`DELETE FROM main._leat_columns WHERE ${ofStream(placeOf(spec))}`);
  for (let from = 0; from < columns.length; from += columnsPerInsert) {
    const rows = columns.slice(from, from + columnsPerInsert).map(({ key, name, type, seen }) => {
      const texts = [spec.source, spec.name, key, name, printColumnType(type)].map(quoteText).join(", ");
      return `(${texts}, ${seen.kinds}, ${seen.intDigitsMax}, ${seen.scaleMax}, ${seen.hasExactNumbers})`;
    });
    await session.run(`INSERT INTO main._leat_columns VALUES ${rows.join(", ")}`);
  }
}

/** Ledger rows that satisfy a condition, by tenant, in the order of seq. */
export async function readLedgerRows(
  session: DuckDbSession,
  spec: StreamSpec,
  condition: string,
): Promise<readonly Readonly<{ tenant: TenantId; row: LedgerRow }>[]> {
  const rows = await session.rows(
    `SELECT * FROM main._leat_loads WHERE ${allOf([ofStream(placeOf(spec)), condition])} ORDER BY tenant, seq`,
  );
  return rows.map((row) => ({
    tenant: toTenantId(text(row, "tenant")),
    row: {
      seq: Number(row["seq"]),
      manifestHash: text(row, "manifest_hash"),
      loaded: Number(row["loaded"]),
      rejected: Number(row["rejected"]),
      generation: Number(row["generation"]),
    },
  }));
}

/** A column of text that is never null. */
export function text(row: EngineRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} of leat's tables holds no text`);
  return value;
}
