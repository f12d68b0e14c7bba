/**
 * The rows of a version into the table that will hold them: as JSON lines whose values are all text, which the service
 * reads as the columns' types, exactly and free of charge.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-json (read 2026-11-21): whole numbers and
 *   decimals are read from text, dates and times in the forms that SQL writes.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import { parseColumnType } from "../../model/column-types.ts";
import type { WarehouseId } from "../../model/ids.ts";
import { encodeName } from "../../model/path-name.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { DatasetTable } from "../../ports/warehouse.ts";
import { copiesPrefix } from "./collect-copies.ts";
import { columnName } from "./column-naming.ts";
import { clusterColumnsMax, isClusterable, type TableField, tableField } from "./field-types.ts";
import { JobFailure } from "./jobs.ts";
import type { BatchPorts } from "./load-batch.ts";
import type { TablePlace } from "./tables.ts";

/** Writes the named columns of a Parquet file as lines of JSON with gzip: every value as text, NULL as null. */
export type ExportRows = (
  path: string,
  columns: readonly string[],
  file: string,
  signal: AbortSignal,
) => Promise<void>;

/** Rows on their way out of Parquet. `workFolder` has room for those of one file. */
export type RowTools = Readonly<{ exportRows: ExportRows; workFolder: string }>;

/** What a table is filled with. */
export type FillJob = Readonly<{
  id: WarehouseId;
  table: DatasetTable;
  physical: string;
  expiresAtMs: number;
}>;

/**
 * Makes the table and fills it.
 *
 * @throws LeatError `CONFIG_INVALID` without a bucket for copies, or where a column cannot be kept under its name;
 *   `PART_CORRUPT` when the files hold another number of rows than the version.
 */
export async function fillTable(
  ports: BatchPorts,
  rows: RowTools,
  { id, table, physical, expiresAtMs }: FillJob,
  signal: AbortSignal,
): Promise<void> {
  const fields = table.columns.map((column) => toField(table.dataset, column));
  const place = ports.catalog.place(physical);
  const clusterBy = clusterColumns(table);
  await ports.tables.make(place, { fields, clusterBy, expiresAtMs, description: table.description });
  const store = await openStaging(ports, table.dataset);
  const keys: string[] = [];
  try {
    for (const [at, path] of table.paths.entries()) {
      const part = `part-${String(at + 1).padStart(5, "0")}.ndjson.gz`;
      const key = `${copiesPrefix}${id}/dataset=${encodeName(table.dataset)}/${physical}/${part}`;
      keys.push(key);
      await copyRows(store, rows, { path, key, fields }, signal);
    }
    const uris = keys.map((key) => `${store.url}/${key}`);
    await loadCopies(ports, { place, fields, clusterBy, uris }, table, signal);
  } finally {
    // Should this fail, gc or the bucket's own rule removes them.
    for (const key of keys) await store.delete(key).catch(() => {});
  }
  const rowCount = (await ports.tables.find(place))?.rowCount;
  if (rowCount === table.rowCount) return;
  await ports.tables.drop(place);
  throw new LeatError("PART_CORRUPT", {
    message: `The Parquet files of the dataset ${table.dataset} hold ${rowCount} rows; its manifest says ${table.rowCount}.`,
    details: { dataset: table.dataset, version: table.version },
  });
}

async function openStaging({ tools }: BatchPorts, dataset: string): Promise<ObjectStore> {
  if (tools.openStaging !== undefined) return await tools.openStaging();
  throw new LeatError("CONFIG_INVALID", {
    message: `The dataset ${dataset} cannot have a table in BigQuery: there is no bucket of Google's to load it from.`,
    hint: "Put the landing at gs://…, or name a bucket for copies in the warehouse's address: &stagingBucket=gs://bucket/prefix. The version itself is published.",
    details: { dataset },
  });
}

async function copyRows(
  store: ObjectStore,
  { exportRows, workFolder }: RowTools,
  { path, key, fields }: Readonly<{ path: string; key: string; fields: readonly TableField[] }>,
  signal: AbortSignal,
): Promise<void> {
  const names = fields.map(({ name }) => name);
  const folder = await mkdtemp(join(workFolder, "leat-load-"));
  try {
    const file = join(folder, "rows.ndjson.gz");
    await exportRows(path, names, file, signal);
    const writer = await store.openWriter(key);
    try {
      for await (const chunk of createReadStream(file)) {
        signal.throwIfAborted();
        await writer.write(chunk as Uint8Array); // Without an encoding.
      }
      await writer.commit();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadCopies(
  { jobs, project }: BatchPorts,
  {
    place,
    fields,
    clusterBy,
    uris,
  }: Readonly<{
    place: TablePlace;
    fields: readonly TableField[];
    clusterBy: readonly string[];
    uris: readonly string[];
  }>,
  { dataset }: DatasetTable,
  signal: AbortSignal,
): Promise<void> {
  const load = {
    sourceUris: uris,
    destinationTable: { projectId: project, datasetId: place.dataset, tableId: place.table },
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    encoding: "UTF-8",
    maxBadRecords: 0,
    ignoreUnknownValues: false,
    schema: { fields },
    // A job that says another order than the table's is refused.
    ...(clusterBy.length > 0 && { clustering: { fields: clusterBy } }),
    createDisposition: "CREATE_NEVER",
    writeDisposition: "WRITE_TRUNCATE",
  };
  const what = `load the dataset ${dataset}`;
  try {
    const identity = JSON.stringify(["dataset", place, uris]);
    await jobs.run({ kind: "load", identity, configuration: { load }, labels: { dataset }, what }, signal);
  } catch (error) {
    throw error instanceof JobFailure ? error.toLeatError() : error;
  }
}

/** As the files are sorted, which is how most ask: a question for some of the first column's values reads their blocks. */
function clusterColumns({ sort, columns }: DatasetTable): readonly string[] {
  const typeOf = (name: string) =>
    parseColumnType(columns.find((column) => column.name === name)?.type ?? "");
  return sort
    .filter((name) => {
      const type = typeOf(name);
      return type !== undefined && isClusterable(type);
    })
    .slice(0, clusterColumnsMax);
}

/** Columns of a dataset are what its API calls them: one that cannot be kept is told, and not renamed. */
function toField(
  dataset: string,
  { name, type, description, unit }: DatasetTable["columns"][number],
): TableField {
  const parsed = parseColumnType(type);
  if (parsed === undefined) throw new Error(`the dataset ${dataset} has the unknown type ${type}`);
  if (columnName(name) !== name)
    throw new LeatError("CONFIG_INVALID", {
      message: `The dataset ${dataset} cannot have a table in BigQuery: its column "${name}" has a name that BigQuery does not take.`,
      hint: "Use letters, digits and underscores, beginning with a letter. The version itself is published.",
      details: { dataset, column: name },
    });
  const said = [description, unit === null ? null : `[${unit}]`].filter((part) => part !== null).join(" ");
  return { ...tableField(name, parsed), ...(said !== "" && { description: said }) };
}
