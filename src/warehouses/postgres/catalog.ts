/**
 * leat's own tables, all in the address's schema:
 *
 * - `_leat_warehouse`: this warehouse's random id (I18) and the version of these tables' form; one row.
 * - `_leat_streams`: which landing table belongs to which stream, and the form of its views.
 * - `_leat_columns`: per key of a stream its column, type and the kinds folded so far. `key_json` is the key itself, as
 *   a JSON string; `key` is for people, with U+FFFD for U+0000, which Postgres cannot keep.
 * - `_leat_loads`: the ledger (I11). `load_id` tells whose transaction wrote the row, where the answer to a commit was lost.
 * - `_leat_rejects`: landed records that do not fit their table's types, as they were landed.
 * - `_leat_datasets`: which version of a dataset its table holds.
 * - `_leat_shares`: who fills a stream's tables, where these are a share; made with the first of them.
 */
import { createHash, randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { parseColumnType, printColumnType } from "../../model/column-types.ts";
import { type TenantId, toTenantId, toWarehouseId, type WarehouseId } from "../../model/ids.ts";
import type { CatalogColumn } from "../../model/plan-schema.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { LedgerRow } from "../../ports/warehouse.ts";
import { functionsSql } from "./cursor-functions.ts";
import type { PostgresSession, TextRow } from "./postgres-session.ts";
import { allOf, quoteName, quoteText } from "./sql-text.ts";

/** Form of leat's tables; a schema of a newer one is refused. */
const catalogVersion = 1;

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

/** One of leat's own tables, with its schema. */
export type OwnTable = "warehouse" | "streams" | "columns" | "loads" | "rejects" | "datasets" | "shares";

/** `"leat_warehouse"._leat_loads`. */
export function ownTable({ address }: Pick<PostgresSession, "address">, name: OwnTable): string {
  return `${quoteName(address.schema)}._leat_${name}`;
}

function tablesSql(session: PostgresSession): readonly string[] {
  const table = (name: OwnTable) => `CREATE TABLE ${ownTable(session, name)}`;
  return [
    `${table("warehouse")} (id text NOT NULL, format_version integer NOT NULL, created_at timestamptz NOT NULL,
       is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only))`,
    `${table("streams")} (source text NOT NULL, stream text NOT NULL, landing_table text NOT NULL,
       tenant_column text NOT NULL, partition_column text, shape text NOT NULL, PRIMARY KEY (source, stream))`,
    `${table("columns")} (source text NOT NULL, stream text NOT NULL, key text NOT NULL, key_json text NOT NULL,
       column_name text NOT NULL, column_type text NOT NULL, kinds integer NOT NULL, int_digits_max integer NOT NULL,
       scale_max integer NOT NULL, has_exact_numbers boolean NOT NULL,
       PRIMARY KEY (source, stream, column_name))`,
    `${table("loads")} (source text, stream text, tenant text, seq bigint, manifest_hash text NOT NULL,
       loaded bigint NOT NULL, rejected bigint NOT NULL, generation bigint NOT NULL, completes boolean NOT NULL,
       loaded_at timestamptz NOT NULL, load_id text NOT NULL, PRIMARY KEY (source, stream, tenant, seq))`,
    `${table("rejects")} (source text NOT NULL, stream text NOT NULL, tenant text NOT NULL, seq bigint NOT NULL,
       "row" bigint, reason text NOT NULL, "column" text, record text NOT NULL)`,
    `${table("datasets")} (dataset text PRIMARY KEY, schema_name text NOT NULL, version text NOT NULL,
       seq bigint NOT NULL, row_count bigint NOT NULL, published_at timestamptz NOT NULL)`,
  ];
}

/** Whether leat's tables are there. */
export async function hasCatalog(session: PostgresSession): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ${quoteText(session.address.schema)} AND c.relname = '_leat_warehouse'`,
  );
  return rows.length > 0;
}

/**
 * Makes leat's schema, tables and the warehouse's id where they are missing.
 *
 * @throws LeatError `WAREHOUSE_UNREADABLE` for a database that keeps no UTF-8, or tables of a newer form.
 */
export async function makeCatalog(session: PostgresSession): Promise<void> {
  if (!(await hasCatalog(session))) {
    await lockSchema(session);
    if (!(await hasCatalog(session))) await create(session);
  }
  await readWarehouseId(session);
}

async function create(session: PostgresSession): Promise<void> {
  const [encoding] = await session.rows("SELECT current_setting('server_encoding') AS name");
  if (encoding?.["name"] !== "UTF8")
    throw new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The database of ${session.address.url} keeps ${encoding?.["name"]}, and not every text.`,
      hint: "Create the database with ENCODING 'UTF8' TEMPLATE template0.",
    });
  await makeSchema(session, session.address.schema);
  for (const sql of tablesSql(session)) await session.run(sql);
  for (const sql of functionsSql(session.address.schema)) await session.run(sql);
  const id = quoteText(randomBytes(10).toString("hex"));
  await session.run(`INSERT INTO ${ownTable(session, "warehouse")} VALUES (${id}, ${catalogVersion}, now())`);
}

/** Makes a schema where there is none; `CREATE SCHEMA IF NOT EXISTS` would ask for rights even where there is one. */
export async function makeSchema(session: PostgresSession, schema: string): Promise<void> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM pg_catalog.pg_namespace WHERE nspname = ${quoteText(schema)}`,
  );
  if (rows.length === 0) await session.run(`CREATE SCHEMA ${quoteName(schema)}`);
}

/** Waits until nobody else changes what streams share: leat's tables, schemas, short names. Until the transaction ends. */
export async function lockSchema(session: PostgresSession): Promise<void> {
  await lock(session, "");
}

/** Waits until nobody else loads the stream. Until the transaction ends; always before {@link lockSchema}. */
export async function lockStream(session: PostgresSession, spec: StreamSpec): Promise<void> {
  await lock(session, JSON.stringify([spec.source, spec.name]));
}

async function lock(session: PostgresSession, what: string): Promise<void> {
  const hash = createHash("sha256").update(`leat ${session.address.schema} ${what}`).digest();
  await session.rows(`SELECT pg_advisory_xact_lock(${hash.readBigInt64BE(0)})`);
}

/** Reads the id back, and checks that this leat knows the form of the tables. */
export async function readWarehouseId(session: PostgresSession): Promise<WarehouseId> {
  const [row] = await session.rows(`SELECT id, format_version FROM ${ownTable(session, "warehouse")}`);
  if (row === undefined || Number(row["format_version"]) > catalogVersion)
    throw new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The warehouse ${session.address.url} (schema ${session.address.schema}) was written by a newer leat, or its table _leat_warehouse was emptied.`,
      hint: "Update leat, or name another schema in the address and run `leat load`.",
    });
  return toWarehouseId(text(row, "id"));
}

/** `source = … AND stream = …`. */
export function ofStream(spec: Readonly<{ source: string; name: string }>, alias = ""): string {
  const of = alias === "" ? "" : `${alias}.`;
  return `${of}source = ${quoteText(spec.source)} AND ${of}stream = ${quoteText(spec.name)}`;
}

/** All streams of the warehouse. */
export async function readStreams(session: PostgresSession): Promise<readonly CatalogStream[]> {
  const rows = await session.rows(
    `SELECT * FROM ${ownTable(session, "streams")} ORDER BY source COLLATE "C", stream COLLATE "C"`,
  );
  return rows.map((row) => ({
    source: text(row, "source"),
    stream: text(row, "stream"),
    landingTable: text(row, "landing_table"),
    tenantColumn: text(row, "tenant_column"),
    partitionColumn: row["partition_column"] ?? undefined,
    shape: text(row, "shape"),
  }));
}

/** Writes a stream's row anew. */
export async function writeStream(session: PostgresSession, stream: CatalogStream): Promise<void> {
  const partition = stream.partitionColumn === undefined ? "NULL" : quoteText(stream.partitionColumn);
  const texts = [stream.source, stream.stream, stream.landingTable, stream.tenantColumn].map(quoteText);
  await session.run(
    `INSERT INTO ${ownTable(session, "streams")} VALUES (${texts.join(", ")}, ${partition}, ${quoteText(stream.shape)})
     ON CONFLICT (source, stream) DO UPDATE SET landing_table = EXCLUDED.landing_table,
       tenant_column = EXCLUDED.tenant_column, partition_column = EXCLUDED.partition_column, shape = EXCLUDED.shape`,
  );
}

/** The registry of a stream's columns, in the order of keys. */
export async function readColumns(
  session: PostgresSession,
  spec: StreamSpec,
): Promise<readonly CatalogColumn[]> {
  const rows = await session.rows(`SELECT * FROM ${ownTable(session, "columns")} WHERE ${ofStream(spec)}`);
  const columns = rows.map((row): CatalogColumn => {
    const type = parseColumnType(text(row, "column_type"));
    if (type === undefined) throw new Error(`_leat_columns has the unknown type ${text(row, "column_type")}`);
    return {
      key: JSON.parse(text(row, "key_json")) as string, // Written below.
      name: text(row, "column_name"),
      type,
      seen: {
        kinds: Number(row["kinds"]),
        intDigitsMax: Number(row["int_digits_max"]),
        scaleMax: Number(row["scale_max"]),
        hasExactNumbers: row["has_exact_numbers"] === "t",
      },
    };
  });
  return columns.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Columns of one statement: a stream with 300 keys needs one or two. */
const columnsPerInsert = 200;

/** Writes the registry of a stream's columns anew. */
export async function writeColumns(
  session: PostgresSession,
  spec: StreamSpec,
  columns: readonly CatalogColumn[],
): Promise<void> {
  await session.run(`DELETE FROM ${ownTable(session, "columns")} WHERE ${ofStream(spec)}`);
  for (let from = 0; from < columns.length; from += columnsPerInsert) {
    const rows = columns.slice(from, from + columnsPerInsert).map(({ key, name, type, seen }) => {
      const shown = key.replaceAll("\0", "\ufffd");
      const texts = [spec.source, spec.name, shown, JSON.stringify(key), name, printColumnType(type)];
      return `(${texts.map(quoteText).join(", ")}, ${seen.kinds}, ${seen.intDigitsMax}, ${seen.scaleMax}, ${seen.hasExactNumbers})`;
    });
    await session.run(`INSERT INTO ${ownTable(session, "columns")} VALUES ${rows.join(", ")}`);
  }
}

/** Ledger rows that satisfy a condition, by tenant, in the order of seq. */
export async function readLedgerRows(
  session: PostgresSession,
  spec: StreamSpec,
  condition: string,
): Promise<readonly Readonly<{ tenant: TenantId; row: LedgerRow }>[]> {
  const rows = await session.rows(
    `SELECT * FROM ${ownTable(session, "loads")} WHERE ${allOf([ofStream(spec), condition])}
     ORDER BY tenant COLLATE "C", seq`,
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

/** A column that is never null. */
export function text(row: TextRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new Error(`column ${column} of leat's tables holds no text`);
  return value;
}
