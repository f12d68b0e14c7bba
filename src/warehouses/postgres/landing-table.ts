/** The landing table of a stream: made, renamed, altered as a {@link SchemaPlan} says. */
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import type { ColumnType } from "../../model/column-types.ts";
import {
  type PlaceColumns,
  type PlannedColumn,
  planRenames,
  type SchemaPlan,
} from "../../model/plan-schema.ts";
import { leatColumns, leatPrefix, type StreamSpec } from "../../model/stream.ts";
import { type CatalogStream, makeSchema, readStreams } from "./catalog.ts";
import { claim, markOwn, readRelation } from "./own-relations.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { nameBytesMax, toRelationName } from "./relation-names.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Most columns: 1,600 of a table or view, less leat's own five and the three that the history adds. */
const columnsMax = 1592;

/** Ending of the view of every version. */
const historyEnding = "_history";

/** Where the tables and views of a stream are, each as schema and name. */
export type StreamRelations = Readonly<{
  landing: RelationName;
  current: RelationName;
  history: RelationName;
}>;

/** A relation's place. `sql` is both names, quoted. */
export type RelationName = Readonly<{ schema: string; name: string; sql: string }>;

export const toName = (schema: string, name: string): RelationName => ({
  schema,
  name,
  sql: `${quoteName(schema)}.${quoteName(name)}`,
});

/** Names of a stream's table and views; long ones are shortened. */
export function relationsOf(
  address: PostgresAddress,
  spec: Readonly<{ source: string; name: string; landingTable: string }>,
): StreamRelations {
  const schema = toRelationName(`${address.viewPrefix}${spec.source}`);
  return {
    landing: toName(address.schema, toRelationName(spec.landingTable)),
    current: toName(schema, toRelationName(spec.name)),
    history: toName(schema, toRelationName(spec.name, historyEnding)),
  };
}

/**
 * Checks that a stream's table and views meet no other stream's, without case, as other engines compare names.
 *
 * @returns the stream's row of the catalog.
 * @throws LeatError `CONFIG_INVALID` naming both; `LEDGER_MISMATCH` when its table was dropped by hand.
 */
export async function findStream(
  session: PostgresSession,
  spec: StreamSpec,
): Promise<CatalogStream | undefined> {
  const all = await readStreams(session);
  const isMine = (stream: CatalogStream) => stream.source === spec.source && stream.stream === spec.name;
  const mine = all.find(isMine);
  const fault = findClash(
    session.address,
    spec,
    mine,
    all.filter((stream) => !isMine(stream)),
  );
  if (fault !== undefined)
    throw new LeatError("CONFIG_INVALID", {
      message: `The stream ${spec.source}.${spec.name} cannot be loaded: ${fault}.`,
      hint: "Rename the stream or source, or set `landingTable`, so that names differ without regard to case.",
      details: { source: spec.source, stream: spec.name },
    });
  const { landing } = relationsOf(session.address, spec);
  // A table that somebody dropped is not made anew in silence: what the ledger says is loaded would be lost.
  if (mine !== undefined && (await readRelation(session, landing)) === undefined)
    throw alteredTable(spec, landing, "is gone");
  return mine;
}

function alteredTable(spec: StreamSpec, landing: RelationName, what: string): LeatError {
  return new LeatError("LEDGER_MISMATCH", {
    message: `${spec.source}.${spec.name}: its table ${landing.schema}.${landing.name} ${what}; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, table: landing.name },
  });
}

function findClash(
  address: PostgresAddress,
  spec: StreamSpec,
  mine: CatalogStream | undefined,
  others: readonly CatalogStream[],
): string | undefined {
  const fold = foldColumnName;
  const schema = relationsOf(address, spec).current.schema;
  const isTaken = fold(schema) === address.schema || schema === "information_schema";
  if (isTaken || schema.startsWith("pg_")) return `the schema "${schema}" is leat's or the engine's own`;
  if (fold(spec.landingTable).startsWith(leatPrefix))
    return `tables that begin with ${leatPrefix} are leat's own`;
  if (mine !== undefined && mine.landingTable !== spec.landingTable)
    return `its rows are in the table ${mine.landingTable}, not in ${spec.landingTable}`;
  const own = foldedNames(address, spec);
  for (const other of others) {
    const name = `${other.source}.${other.stream}`;
    const theirs = foldedNames(address, { ...other, name: other.stream });
    if (theirs.landing === own.landing) return `the table ${spec.landingTable} is that of ${name}`;
    if (fold(other.source) !== fold(spec.source)) continue;
    if (other.source !== spec.source) return `the schema of ${name} differs from its own only in case`;
    const view = own.views.find((view) => theirs.views.includes(view));
    if (view !== undefined) return `the view ${view} is that of ${name}`;
  }
  return undefined;
}

function foldedNames(
  address: PostgresAddress,
  stream: Readonly<{ source: string; name: string; landingTable: string }>,
) {
  const { landing, current, history } = relationsOf(address, stream);
  const [table, ...views] = [landing, current, history].map(({ name }) => foldColumnName(name));
  return { landing: table, views };
}

/** Makes the table if need be and gives it the planned columns. Values of `reread` columns are gone afterwards. */
export async function applySchema(
  session: PostgresSession,
  spec: StreamSpec,
  plan: SchemaPlan,
  place: PlaceColumns,
  recorded: CatalogStream | undefined,
): Promise<void> {
  const { landing, current } = relationsOf(session.address, spec);
  if (plan.columns.length > columnsMax) throw tooManyColumns(spec, plan);
  if (recorded === undefined) {
    await makeSchema(session, current.schema);
    await claim(session, landing, "short name");
    await session.run(`CREATE TABLE ${landing.sql} (${tableColumns(plan, place).join(", ")})`);
    await markOwn(session, "TABLE", landing, `what was landed of ${spec.source}.${spec.name}`);
    return;
  }
  for (const { from, to } of planRenames(plan, place, recorded))
    await session.run(`ALTER TABLE ${landing.sql} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`);
  const changes: string[] = [];
  if (place.partitionColumn !== undefined && recorded.partitionColumn === undefined)
    changes.push(`ADD COLUMN ${quoteName(place.partitionColumn)} text`);
  for (const column of plan.columns) {
    const type = engineType(column.type);
    if (column.before === undefined) changes.push(`ADD COLUMN ${quoteName(column.name)} ${type}`);
    else if (
      column.change !== "none" &&
      (engineType(column.before.type) !== type || column.change === "reread")
    )
      changes.push(`ALTER COLUMN ${quoteName(column.name)} TYPE ${type} USING ${castOf(column, type)}`);
  }
  // One statement: however many columns change, the table is written anew once.
  if (changes.length > 0) await session.run(`ALTER TABLE ${landing.sql} ${changes.join(", ")}`);
}

/**
 * Gives a new table its index, by which every load counts what is there of its packages: after the first rows, which
 * takes half the time of doing it with them. The package first: its numbers grow, so that rows come at the index's end.
 */
export async function makeIndex(
  session: PostgresSession,
  spec: StreamSpec,
  place: PlaceColumns,
): Promise<void> {
  const { landing } = relationsOf(session.address, spec);
  await session.run(
    `CREATE INDEX ON ${landing.sql} (${leatColumns.package}, ${quoteName(place.tenantColumn)})`,
  );
}

function tooManyColumns(spec: StreamSpec, plan: SchemaPlan): LeatError {
  return new LeatError("LOAD_FAILED", {
    message: `${spec.source}.${spec.name}: its records have ${plan.columns.length} columns, and a table of Postgres has room for ${columnsMax}; nothing was loaded.`,
    hint: 'Declare the columns that you need in `columns` of the stream and use contract "discard", or use another warehouse.',
    details: { source: spec.source, stream: spec.name, columns: plan.columns.length },
  });
}

function castOf(column: PlannedColumn, type: string): string {
  const isKept = column.change === "in-place" && column.before?.type.type !== "unknown";
  return isKept ? `CAST(${quoteName(column.name)} AS ${type})` : `CAST(NULL AS ${type})`;
}

function tableColumns(plan: SchemaPlan, place: PlaceColumns): readonly string[] {
  const { package: pack, row, extractedAt } = leatColumns;
  const columns = [
    `${quoteName(place.tenantColumn)} text NOT NULL`,
    `${pack} bigint NOT NULL`,
    `${row} bigint NOT NULL`,
    `${extractedAt} timestamptz`,
  ];
  if (place.partitionColumn !== undefined) columns.push(`${quoteName(place.partitionColumn)} text`);
  return [...columns, ...plan.columns.map(({ name, type }) => `${quoteName(name)} ${engineType(type)}`)];
}

/** Whether a plan changes anything of a table that is there. */
export function changesTable(
  plan: SchemaPlan,
  place: PlaceColumns,
  recorded: CatalogStream | undefined,
): boolean {
  if (recorded === undefined || recorded.tenantColumn !== place.tenantColumn) return true;
  if (recorded.partitionColumn !== place.partitionColumn) return true;
  return plan.columns.some(
    ({ name, before, change }) => before === undefined || before.name !== name || change !== "none",
  );
}

/**
 * Compares the table with what is recorded of it. Columns that somebody added stay as they are, and empty in new rows.
 *
 * @throws LeatError `LEDGER_MISMATCH` naming what is gone or of another type.
 */
export async function refuseAltered(
  session: PostgresSession,
  spec: StreamSpec,
  recorded: CatalogStream,
  columns: readonly Readonly<{ name: string; type: ColumnType }>[],
): Promise<void> {
  const { landing } = relationsOf(session.address, spec);
  const rows = await session.rows(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = ${quoteText(landing.sql)}::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
  );
  const types = new Map(rows.map((row) => [row["name"], row["type"]]));
  const own = [
    recorded.tenantColumn,
    ...(recorded.partitionColumn === undefined ? [] : [recorded.partitionColumn]),
  ];
  const expected = [
    ...own.map((name) => [name, "text"] as const),
    ...[leatColumns.package, leatColumns.row].map((name) => [name, "bigint"] as const),
    [leatColumns.extractedAt, "timestamp with time zone"] as const,
    ...columns.map(({ name, type }) => [name, printedType(type)] as const),
  ];
  for (const [name, type] of expected) {
    const is = types.get(name);
    if (is === undefined) throw alteredTable(spec, landing, `has lost its column "${name}"`);
    if (is !== type) throw alteredTable(spec, landing, `has a column "${name}" of ${is} in place of ${type}`);
  }
}

/** The engine's name of a type. */
export function engineType(type: ColumnType): string {
  switch (type.type) {
    case "unknown":
    case "text":
      return "text";
    case "hugeint":
      return "numeric(39,0)"; // Room for all of 128 bits; and no declared decimal has so many digits.
    case "decimal":
      return `numeric(${type.precision},${type.scale})`;
    case "double":
      return "double precision";
    default:
      return type.type;
  }
}

/** The same as the engine prints it back. */
function printedType(type: ColumnType): string {
  if (type.type === "timestamp") return "timestamp without time zone";
  return type.type === "timestamptz" ? "timestamp with time zone" : engineType(type);
}

/** Longest name of a column. */
export const columnBytesMax: number = nameBytesMax;
