/**
 * The newest version of a dataset as people query it: a view over a table that holds this version alone.
 *
 * The table is filled by a load job before anybody is told of it. Then one transaction writes the dataset's ledger row,
 * which names the table, and one request points the view at it. A death between the two leaves the view at the version
 * before, whole: what the ledger says counts only where the view shows it, so that the next build ends the work. Of two
 * who publish at once the later commit wins, and whoever points the view last has looked at the ledger after it.
 */
import { randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import type { WarehouseId } from "../../model/ids.ts";
import type { DatasetTable, PublishedDataset } from "../../ports/warehouse.ts";
import type { CatalogDataset } from "./catalog.ts";
import { inTurn, isOvertaken } from "./commit-script.ts";
import { fillTable, type RowTools } from "./dataset-load.ts";
import { JobFailure } from "./jobs.ts";
import type { BatchPorts } from "./load-batch.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { makeViewsDataset, viewsDataset } from "./stream-views.ts";
import { print, type TableFacts, type TablePlace } from "./tables.ts";
import { turnTable } from "./turn-table.ts";

/** Times that it is begun again because another commit of the dataset came between. */
const roundsMax = 8;
/** A table that nobody was told of drops itself; one whose version was replaced is dropped when it is so old. */
const orphanLivesMs = 86_400_000;
/** How long a replaced version's table stays for queries that have begun: the longest that a query may take. */
const replacedLivesMs = 6 * 3_600_000;

/** A version of the ledger, and what is there of it. */
type HeldVersion = CatalogDataset &
  Readonly<{ view: TablePlace; shown: TableFacts | undefined; table: TableFacts | undefined }>;

/** What the view of a dataset shows; `undefined`: nothing that the ledger knows of. */
export async function readDataset(ports: BatchPorts, dataset: string): Promise<PublishedDataset | undefined> {
  const held = await readHeld(ports, dataset);
  if (held === undefined || held.table === undefined || !isShown(ports, held)) return undefined;
  return { seq: held.seq, version: held.version };
}

/** Publishes a version, unless a later one is there; see `Warehouse.publishDataset`. */
export async function publishDataset(
  ports: BatchPorts,
  rows: RowTools,
  table: DatasetTable,
  signal: AbortSignal,
): Promise<PublishedDataset> {
  const { catalog, tables, queries } = ports;
  const id = await catalog.make();
  const owner = { source: "", name: table.dataset };
  await catalog.makeTurns(owner, async (sql) => void (await queries.rows(sql, `publish ${table.dataset}`)));
  const view = viewPlace(ports, table.schema, table.dataset);
  if (!isMain(table.schema)) await makeViewsDataset(ports, id, view.dataset);
  await refuseTaken(ports, view, table.dataset);
  const physical = `${tablePrefix(table.dataset)}${randomBytes(6).toString("hex")}`;
  let isFilled = false;
  for (let round = 1; round <= roundsMax; round += 1) {
    ports.api.throwIfStopped(signal);
    const { turn } = await catalog.readTurns(owner);
    const held = await readHeld(ports, table.dataset);
    if (held?.table !== undefined && !isReplaced(held, table)) {
      await show(ports, table.dataset); // A death may have come between.
      if (isFilled) await tables.drop(catalog.place(physical));
      return { seq: held.seq, version: held.version };
    }
    if (!isFilled)
      await fillTable(
        ports,
        rows,
        { id, table, physical, expiresAtMs: ports.nowMs() + orphanLivesMs },
        signal,
      );
    isFilled = true;
    if (await commit(ports, { id, turn, table, physical }, signal)) {
      await show(ports, table.dataset);
      if (held !== undefined) await retire(ports, held, view);
      await dropOrphans(ports, table.dataset, physical);
      return { seq: table.seq, version: table.version };
    }
    await ports.api.wait(300 * round * (0.5 + Math.random()), signal);
  }
  throw new LeatError("WAREHOUSE_LOCKED", {
    message: `The dataset ${table.dataset}: other builds of it came between ${roundsMax} times; its table was not changed.`,
    hint: "Run it again, or let one process at a time build a dataset.",
    details: { dataset: table.dataset },
  });
}

/** Whether what is there gives way. */
function isReplaced(held: CatalogDataset, table: DatasetTable): boolean {
  const isEqual = held.version === table.version && held.seq === table.seq && held.schema === table.schema;
  const isLater = held.seq > table.seq && held.seq !== table.replaces;
  return !isEqual && !isLater;
}

/** Writes the ledger row. @returns whether no other commit came between. */
async function commit(
  ports: BatchPorts,
  {
    id,
    turn,
    table,
    physical,
  }: Readonly<{ id: WarehouseId; turn: number; table: DatasetTable; physical: string }>,
  signal: AbortSignal,
): Promise<boolean> {
  const { catalog, jobs, queries } = ports;
  const { dataset, schema, version, seq, rowCount } = table;
  const paths = {
    warehouse: catalog.path("_leat_warehouse"),
    turns: catalog.path(turnTable({ source: "", name: dataset })),
  };
  const ledger = catalog.path("_leat_datasets");
  const sql = inTurn({ id, turn, paths }, [
    `DELETE FROM ${ledger} WHERE dataset = ${quoteText(dataset)}`,
    `INSERT INTO ${ledger} (dataset, schema_name, version, seq, row_count, physical_table, published_at) VALUES ` +
      `(${[dataset, schema, version].map(quoteText).join(", ")}, ${seq}, ${rowCount}, ${quoteText(physical)}, CURRENT_TIMESTAMP())`,
  ]);
  const what = `publish the dataset ${dataset}`;
  try {
    const configuration = queries.configuration(sql);
    await jobs.run({ kind: "commit", identity: sql, configuration, labels: { dataset }, what }, signal);
    return true;
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    if (isOvertaken(error.failure.message)) return false;
    throw error.toLeatError();
  }
}

/** Points the view at what the ledger says, and looks again: another may have committed meanwhile. */
async function show(ports: BatchPorts, dataset: string): Promise<void> {
  const { tables, catalog } = ports;
  for (let round = 1; round <= roundsMax; round += 1) {
    const held = await readHeld(ports, dataset);
    if (held?.table === undefined) return; // Another has replaced it, and shows its own.
    if (held.table.expiresAtMs !== undefined) await tables.expire(catalog.place(held.physicalTable), null);
    if (isShown(ports, held)) return;
    const { fields, description } = held.table;
    const query = `SELECT ${fields.map(({ name }) => quoteName(name)).join(", ")}${fromSql(ports, held)}`;
    if (held.shown !== undefined || !(await tables.makeView(held.view, query, description)))
      await tables.changeView(held.view, query);
    await tables.describeView(held.view, fields, description);
  }
  throw new LeatError("WAREHOUSE_LOCKED", {
    message: `The dataset ${dataset}: others published it ${roundsMax} times meanwhile.`,
    hint: "Run it again, or let one process at a time build a dataset.",
    details: { dataset },
  });
}

/** Takes away what was shown before: its table, when queries of it have ended, and its view where that stood elsewhere. */
async function retire(ports: BatchPorts, before: HeldVersion, view: TablePlace): Promise<void> {
  const { tables, catalog } = ports;
  const isMoved = print(before.view) !== print(view);
  if (isMoved && before.shown !== undefined && isOwn(ports, before.shown)) await tables.drop(before.view);
  await tables.expire(catalog.place(before.physicalTable), ports.nowMs() + replacedLivesMs);
}

/** Drops tables of versions that a killed process has left behind. Nobody publishes for a day. */
async function dropOrphans(ports: BatchPorts, dataset: string, kept: string): Promise<void> {
  const prefix = tablePrefix(dataset);
  const beforeMs = ports.nowMs() - orphanLivesMs;
  const warehouse = ports.catalog.place(kept).dataset;
  for (const { name, createdAtMs } of await ports.tables.listNamed(warehouse, prefix))
    if (name !== kept && createdAtMs < beforeMs && /^[0-9a-f]{12}$/.test(name.slice(prefix.length)))
      await ports.tables.drop(ports.catalog.place(name));
}

async function readHeld(ports: BatchPorts, dataset: string): Promise<HeldVersion | undefined> {
  const row = await ports.catalog.readDataset(dataset);
  if (row === undefined) return undefined;
  const view = viewPlace(ports, row.schema, dataset);
  const [shown, table] = await Promise.all([
    ports.tables.find(view),
    ports.tables.find(ports.catalog.place(row.physicalTable)),
  ]);
  return { ...row, view, shown, table };
}

/** Tables of a dataset's versions; no table of a stream begins so. */
const tablePrefix = (dataset: string): string => `_leat_dataset_${dataset}_`;

const isMain = (schema: string): boolean => foldColumnName(schema) === "main";

/** The schema that declarations call `main` is the warehouse's own dataset, which queries need not name. */
const viewPlace = (ports: BatchPorts, schema: string, dataset: string): TablePlace => ({
  dataset: isMain(schema) ? ports.api.address.dataset : viewsDataset(ports.viewsPrefix, schema),
  table: dataset,
});

const fromSql = ({ catalog }: BatchPorts, { physicalTable }: CatalogDataset): string =>
  ` FROM ${catalog.path(physicalTable)}`;

const isShown = (ports: BatchPorts, held: HeldVersion): boolean =>
  held.shown?.kind === "VIEW" && held.shown.query?.endsWith(fromSql(ports, held)) === true;

/** Whether a view shows a version of a dataset of this warehouse. */
const isOwn = ({ catalog }: BatchPorts, { kind, query }: TableFacts): boolean =>
  kind === "VIEW" && query?.includes(` FROM ${catalog.path("_leat_dataset_").slice(0, -1)}`) === true;

/** @throws LeatError `CONFIG_INVALID` where the name belongs to somebody else. */
async function refuseTaken(ports: BatchPorts, view: TablePlace, dataset: string): Promise<void> {
  const found = await ports.tables.find(view);
  if (found === undefined || isOwn(ports, found)) return;
  throw new LeatError("CONFIG_INVALID", {
    message: `The dataset ${dataset} cannot have the name ${print(view)}: there is a ${found.kind === "VIEW" ? "view" : "table"} of that name, which leat has not made.`,
    hint: "Rename the dataset, set `warehouseSchema`, or drop what is there. The version itself is published.",
    details: { dataset },
  });
}
