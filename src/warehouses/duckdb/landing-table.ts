/** The landing table of a stream: made, renamed, altered as a {@link SchemaPlan} says. */
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import {
  type PlaceColumns,
  type PlannedColumn,
  planRenames,
  type SchemaPlan,
} from "../../model/plan-schema.ts";
import { leatColumns, leatPrefix, type StreamSpec } from "../../model/stream.ts";
import { type CatalogStream, readStreams } from "./catalog.ts";
import { engineType } from "./cell-reading.ts";
import { catalogName, type DuckDbSession } from "./duckdb-file.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** `main."metrc_plants"`. */
export const landingOf = (spec: StreamSpec): string => `main.${quoteName(spec.landingTable)}`;

/** Schemas that the engine has itself; a source named so would meet leat's tables or the engine's. */
const takenSchemas: ReadonlySet<string> = new Set([
  catalogName,
  "main",
  "temp",
  "system",
  "information_schema",
  "pg_catalog",
]);

/** What stands in the schema of a stream's source. */
export const historyName = (stream: string): string => `${stream}_history`;

/**
 * Checks that a stream's table and views meet no other stream's, without case, as the engine compares names.
 *
 * @returns the stream's row of the catalog, and those of all others.
 * @throws LeatError `CONFIG_INVALID` naming both; `LEDGER_MISMATCH` when its table was dropped by hand.
 */
export async function findStream(
  session: DuckDbSession,
  spec: StreamSpec,
): Promise<Readonly<{ mine: CatalogStream | undefined; others: readonly CatalogStream[] }>> {
  const all = await readStreams(session);
  const isMine = (stream: CatalogStream) => stream.source === spec.source && stream.stream === spec.name;
  const mine = all.find(isMine);
  const others = all.filter((stream) => !isMine(stream));
  const fault = findClash(spec, mine, others);
  if (fault !== undefined)
    throw new LeatError("CONFIG_INVALID", {
      message: `The stream ${spec.source}.${spec.name} cannot be loaded: ${fault}.`,
      hint: "Rename the stream or source, or set `landingTable`, so that names differ without regard to case.",
      details: { source: spec.source, stream: spec.name },
    });
  if (mine !== undefined) await refuseGone(session, spec);
  return { mine, others };
}

/** A table that somebody dropped is not made anew in silence: what the ledger says is loaded would be lost. */
async function refuseGone(session: DuckDbSession, spec: StreamSpec): Promise<void> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'main'
     AND lower(table_name) = lower(${quoteText(spec.landingTable)})`,
  );
  if (rows.length > 0) return;
  throw new LeatError("LEDGER_MISMATCH", {
    message: `${spec.source}.${spec.name}: its table main.${spec.landingTable} is gone; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, table: spec.landingTable },
  });
}

function findClash(
  spec: StreamSpec,
  mine: CatalogStream | undefined,
  others: readonly CatalogStream[],
): string | undefined {
  const fold = foldColumnName;
  const table = fold(spec.landingTable);
  if (takenSchemas.has(fold(spec.source))) return `the schema "${spec.source}" is the engine's own`;
  if (table.startsWith(leatPrefix)) return `tables that begin with ${leatPrefix} are leat's own`;
  if (mine !== undefined && mine.landingTable !== spec.landingTable)
    return `its rows are in the table ${mine.landingTable}, not in ${spec.landingTable}`;
  const views = [spec.name, historyName(spec.name)].map(fold);
  for (const other of others) {
    const name = `${other.source}.${other.stream}`;
    if (fold(other.landingTable) === table) return `the table ${spec.landingTable} is that of ${name}`;
    if (fold(other.source) !== fold(spec.source)) continue;
    if (other.source !== spec.source) return `the schema of ${name} differs from its own only in case`;
    const taken = [other.stream, historyName(other.stream)].map(fold);
    const view = views.find((view) => taken.includes(view));
    if (view !== undefined) return `the view ${view} is that of ${name}`;
  }
  return undefined;
}

/** Makes the table if need be and gives it the planned columns. Values of `reread` columns are gone afterwards. */
export async function applySchema(
  session: DuckDbSession,
  spec: StreamSpec,
  plan: SchemaPlan,
  place: PlaceColumns,
  recorded: CatalogStream | undefined,
): Promise<void> {
  const table = landingOf(spec);
  await session.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(spec.source)}`);
  if (recorded === undefined) {
    await freeName(session, spec.landingTable);
    await session.run(`CREATE TABLE ${table} (${tableColumns(plan, place).join(", ")})`);
    return;
  }
  for (const { from, to } of planRenames(plan, place, recorded))
    await session.run(`ALTER TABLE ${table} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)}`);
  if (place.partitionColumn !== undefined && recorded.partitionColumn === undefined)
    await session.run(`ALTER TABLE ${table} ADD COLUMN ${quoteName(place.partitionColumn)} VARCHAR`);
  for (const column of plan.columns) {
    const type = engineType(column.type);
    if (column.before === undefined)
      await session.run(`ALTER TABLE ${table} ADD COLUMN ${quoteName(column.name)} ${type}`);
    else if (column.change !== "none" && engineType(column.before.type) !== type)
      await session.run(
        `ALTER TABLE ${table} ALTER COLUMN ${quoteName(column.name)} TYPE ${type} USING ${castOf(column, type)}`,
      );
  }
}

function castOf(column: PlannedColumn, type: string): string {
  const isKept = column.change === "in-place" && column.before?.type.type !== "unknown";
  return isKept ? `CAST(${quoteName(column.name)} AS ${type})` : `CAST(NULL AS ${type})`;
}

function tableColumns(plan: SchemaPlan, place: PlaceColumns): readonly string[] {
  const { package: pack, row, extractedAt } = leatColumns;
  const columns = [
    `${quoteName(place.tenantColumn)} VARCHAR NOT NULL`,
    `${pack} BIGINT NOT NULL`,
    `${row} BIGINT NOT NULL`,
    `${extractedAt} TIMESTAMPTZ`,
  ];
  if (place.partitionColumn !== undefined) columns.push(`${quoteName(place.partitionColumn)} VARCHAR`);
  return [...columns, ...plan.columns.map(({ name, type }) => `${quoteName(name)} ${engineType(type)}`)];
}

/** Says of a view in `main` that leat made it as a short name, and may take it away. */
export const shortNameComment = "leat: short name";

/** Takes away leat's own short name where a landing table needs it. */
async function freeName(session: DuckDbSession, table: string): Promise<void> {
  for (const name of await readShortNames(session))
    if (foldColumnName(name) === foldColumnName(table))
      await session.run(`DROP VIEW main.${quoteName(name)}`);
}

/** Short names that leat has made in `main`. */
export async function readShortNames(session: DuckDbSession): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = 'main'
     AND comment = ${quoteText(shortNameComment)} ORDER BY view_name`,
  );
  return rows.map((row) => String(row["view_name"]));
}
