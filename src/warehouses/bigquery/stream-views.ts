/**
 * What people query of a stream: the landing view over its physical table, current rows and history.
 *
 * The landing table's name is a view, since a column's type cannot be changed with its rows in one step: rows move into
 * another table in the commit, and the view is pointed at it afterwards, in one request. Until then it shows the old
 * table, whole. Views are compared with what they should say at each load; and when all that follows a commit is done,
 * the landing view's label says so, so that a look which finds nothing to load sees a death in between.
 */
import { LeatError } from "../../errors/leat-error.ts";
import type { WarehouseId } from "../../model/ids.ts";
import type { CatalogColumn, PlaceColumns, PlannedColumn } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { Catalog } from "./catalog.ts";
import { quoteName, quotePath } from "./sql-text.ts";
import { print, type TablePlace, type Tables } from "./tables.ts";
import { currentSql, historySql, type ViewInputs } from "./view-sql.ts";

/** What views are made with. */
export type ViewPorts = Readonly<{
  tables: Tables;
  catalog: Catalog;
  project: string;
  viewsPrefix: string;
}>;

/** A stream as its views show it. */
export type StreamShape = Readonly<{
  spec: StreamSpec;
  place: PlaceColumns;
  columns: readonly CatalogColumn[] | readonly PlannedColumn[];
  physicalTable: string;
  hasGenerations: boolean;
}>;

/** What stands beside a stream's current rows. */
export const historyName = (stream: string): string => `${stream}_history`;

/** The dataset of a source's views. */
export const viewsDataset = (viewsPrefix: string, source: string): string =>
  `${viewsPrefix}${source}`.replace(/[^A-Za-z0-9_]/g, "_");

/** Inputs of a stream's views. */
export function viewInputs({ catalog }: Pick<ViewPorts, "catalog">, shape: StreamShape): ViewInputs {
  const { spec, place, columns, hasGenerations } = shape;
  return {
    spec,
    place,
    columns,
    hasGenerations,
    landing: catalog.path(spec.landingTable),
    ledger: catalog.path("_leat_loads"),
  };
}

/** Rows as they were landed, under the names that the registry gives them. */
export function landingSql({ catalog }: Pick<ViewPorts, "catalog">, shape: StreamShape): string {
  const { place, columns, physicalTable } = shape;
  const first = [place.tenantColumn, place.partitionColumn].filter((name) => name !== undefined);
  const cells = columns.map(({ name, type }) =>
    type.type === "unknown" ? `CAST(NULL AS STRING) AS ${quoteName(name)}` : quoteName(name),
  );
  const names = [...first.map(quoteName), ...cells, ...Object.values(leatColumns)];
  return `SELECT ${names.join(", ")} FROM ${catalog.path(physicalTable)}`;
}

/** Makes a dataset that views stand in. @throws LeatError `CONFIG_INVALID` where it is another warehouse's. */
export async function makeViewsDataset(
  { tables, project }: ViewPorts,
  id: WarehouseId,
  dataset: string,
): Promise<void> {
  const found = await tables.makeDataset(dataset, { leat: id });
  const owner = (found["labels"] as Readonly<Record<string, string>> | undefined)?.["leat"];
  if (owner !== undefined && owner !== id)
    throw new LeatError("CONFIG_INVALID", {
      message: `The dataset ${project}.${dataset} holds the views of another warehouse of leat's.`,
      hint: "Tell them apart in the warehouse's address: &viewsPrefix=test_",
      details: { project, dataset },
    });
}

/** Brings a stream's views up to date. */
export async function refreshViews(ports: ViewPorts, id: WarehouseId, shape: StreamShape): Promise<void> {
  const { tables, catalog, viewsPrefix } = ports;
  const { spec } = shape;
  const dataset = viewsDataset(viewsPrefix, spec.source);
  const name = `${spec.source}.${spec.name}`;
  await settleView(
    tables,
    catalog.place(spec.landingTable),
    landingSql(ports, shape),
    `Landed rows of ${name}`,
  );
  await makeViewsDataset(ports, id, dataset);
  const inputs = viewInputs(ports, shape);
  if (!spec.isMaterialized)
    await settleView(
      tables,
      { dataset, table: spec.name },
      currentSql(inputs),
      `Newest version of each record of ${name}`,
    );
  await settleView(
    tables,
    { dataset, table: historyName(spec.name) },
    historySql(inputs),
    `Every version of each record of ${name}`,
  );
}

/** Label of the landing view: the commit (its count) after which everything was done. */
const settledLabel = "leat_settled";

/** Notes that what follows a commit is done. */
export async function markSettled(
  { tables, catalog }: ViewPorts,
  spec: StreamSpec,
  turn: number,
): Promise<void> {
  await tables.label(catalog.place(spec.landingTable), settledLabel, String(turn));
}

/** Whether what follows the newest commit is done; two requests, free of charge. */
export async function isSettled({ tables, catalog }: ViewPorts, spec: StreamSpec): Promise<boolean> {
  const { turn } = await catalog.readTurns(spec);
  const found = await tables.find(catalog.place(spec.landingTable));
  return found?.labels[settledLabel] === String(turn);
}

/** Paths of what stands in the source's dataset. */
export function viewPath(ports: ViewPorts, spec: StreamSpec): string {
  return quotePath(ports.project, viewsDataset(ports.viewsPrefix, spec.source), spec.name);
}

async function settleView(
  tables: Tables,
  place: TablePlace,
  query: string,
  description: string,
): Promise<void> {
  const found = await tables.find(place);
  if (found?.kind === "VIEW") {
    if (found.query !== query) await tables.changeView(place, query);
    return;
  }
  if (found !== undefined) {
    // Kept current rows, of a stream that keeps them no more; anything else is somebody's own.
    if (found.labels["leat"] !== "current")
      throw new LeatError("CONFIG_INVALID", {
        message: `${print(place)} is a table that leat has not made.`,
        hint: "Drop or rename it, or set `landingTable` of the stream.",
        details: { table: print(place) },
      });
    await tables.drop(place);
  }
  if (!(await tables.makeView(place, query, description))) await tables.changeView(place, query);
}
