/** Brings a stream's landing table to the columns that its packages and its declaration want. */
import {
  type CatalogColumn,
  keepTypes,
  type PlaceColumns,
  planSchema,
  type SchemaPlan,
} from "../../model/plan-schema.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { LedgerRow, PackageToLoad } from "../../ports/warehouse.ts";
import {
  type CatalogStream,
  lockSchema,
  lockStream,
  makeCatalog,
  ofStream,
  ownTable,
  readColumns,
  readLedgerRows,
  writeColumns,
  writeStream,
} from "./catalog.ts";
import {
  applySchema,
  changesTable,
  columnBytesMax,
  findStream,
  makeIndex,
  relationsOf,
} from "./landing-table.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { anyOf, quoteName } from "./sql-text.ts";
import { dropViews, refreshViews } from "./views.ts";

/** A loaded package that must be read again, with its row of the ledger. */
export type StalePackage = Readonly<{ tenant: PackageToLoad["tenant"]; row: LedgerRow }>;

/** Makes a stream's table and views, empty if need be. */
export async function prepareStream(
  session: PostgresSession,
  spec: StreamSpec,
  place: PlaceColumns,
): Promise<void> {
  await lockStream(session, spec);
  await makeCatalog(session);
  const { plan, changed, isNew } = await changeSchema(session, spec, place, "add-columns", []);
  if (isNew) await makeIndex(session, spec, changed);
  await refreshViews(session, spec, changed, plan.columns, { kind: "none" });
}

/**
 * Plans and makes the table's changes; says which loaded packages must be read again (I14).
 *
 * @param may - `add-columns` leaves the types of columns that are there to the next load, which can read packages again.
 */
export async function changeSchema(
  session: PostgresSession,
  spec: StreamSpec,
  wanted: PlaceColumns,
  may: "add-columns" | "change-types",
  packages: readonly PackageToLoad[],
): Promise<
  Readonly<{ plan: SchemaPlan; changed: CatalogStream; stale: readonly StalePackage[]; isNew: boolean }>
> {
  const mine = await findStream(session, spec);
  const place = {
    tenantColumn: wanted.tenantColumn,
    partitionColumn: wanted.partitionColumn ?? mine?.partitionColumn,
  };
  const recorded = await readColumns(session, spec);
  const established = await session.rows(
    `SELECT 1 AS one FROM ${ownTable(session, "loads")} WHERE ${ofStream(spec)} LIMIT 1`,
  );
  const tables = packages.map((pack) => pack.columns);
  const wholePlan = planSchema(spec, place, recorded, tables, established.length > 0, columnBytesMax);
  const plan = may === "change-types" ? wholePlan : keepTypes(wholePlan);
  const changed: CatalogStream = {
    source: spec.source,
    stream: spec.name,
    landingTable: spec.landingTable,
    ...place,
    shape: mine?.shape ?? "",
  };
  if (!changesTable(plan, place, mine)) {
    await keepSeen(session, spec, plan, recorded);
    return { plan, changed, stale: [], isNew: false };
  }
  await lockSchema(session);
  const stale = mine === undefined ? [] : await findStale(session, spec, mine.tenantColumn, plan);
  if (mine !== undefined) await dropViews(session, spec);
  await applySchema(session, spec, plan, place, mine);
  await writeColumns(session, spec, plan.columns);
  await writeStream(session, changed);
  return { plan, changed, stale, isNew: mine === undefined };
}

/** Packages with a value in a column whose landed text is needed, or with rejects, which may fit now. Before the change. */
async function findStale(
  session: PostgresSession,
  spec: StreamSpec,
  tenantColumn: string,
  plan: SchemaPlan,
): Promise<readonly StalePackage[]> {
  const reread = plan.columns.filter(({ change }) => change === "reread");
  if (plan.columns.every(({ change }) => change === "none")) return [];
  const held = anyOf(reread.map(({ before }) => `${quoteName(before!.name)} IS NOT NULL`));
  const packages =
    `SELECT ${quoteName(tenantColumn)}, _leat_package FROM ${relationsOf(session.address, spec).landing.sql} ` +
    `WHERE ${held} UNION SELECT tenant, seq FROM ${ownTable(session, "rejects")} WHERE ${ofStream(spec)}`;
  return await readLedgerRows(session, spec, `(tenant, seq) IN (${packages})`);
}

/** Writes down what has been seen where that is more than before; no table shows it. */
async function keepSeen(
  session: PostgresSession,
  spec: StreamSpec,
  plan: SchemaPlan,
  recorded: readonly CatalogColumn[],
): Promise<void> {
  const print = (columns: readonly CatalogColumn[]) =>
    JSON.stringify(columns.map(({ key, name, type, seen }) => [key, name, type, seen]));
  if (print(plan.columns) !== print(recorded)) await writeColumns(session, spec, plan.columns);
}
