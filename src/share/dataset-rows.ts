/**
 * A dataset's rows for one tenant: those of its newest version whose tenant's column is the tenant's id, byte for byte,
 * as one package that takes the place of the one before. The load's ledger, order and transaction make it exactly once.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { type ColumnKinds, type ColumnTable, kindBits } from "../model/column-kinds.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import { anythingSeen, nothingSeen } from "../model/plan-schema.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { ShareTable, TenantVersions } from "../ports/share.ts";
import type { LedgerRow, PackageToLoad, Warehouse } from "../ports/warehouse.ts";
import type { Progress } from "../ports/world.ts";
import { checkLines } from "./check-lines.ts";
import type { Mask } from "./masking.ts";
import { checkDatasetColumns, planDatasetTable } from "./plan-dataset-table.ts";
import type { ShareJob } from "./share-job.ts";
import { openShareWarehouse } from "./share-warehouse.ts";
import { refuseMask } from "./stream-rows.ts";
import type { TableRows } from "./table-rows.ts";

/** What a dataset's rows are taken from. */
export type DatasetShare = Readonly<{
  job: ShareJob;
  table: ShareTable;
  dataset: DatasetSpec;
  /** The tenant's column, as it is declared. */
  tenantColumn: string;
  versions: TenantVersions;
  warehouse: Warehouse;
  mask: Mask | undefined;
  progress: Progress;
  workFolder: string;
}>;

/** Opens them; the newest version is looked up once. */
export async function openDatasetRows(share: DatasetShare): Promise<TableRows> {
  const { job, table, dataset, tenantColumn, versions } = share;
  const entry = await versions.newest(dataset.name);
  const target = planDatasetTable(job.share, table, entry);
  return {
    target,
    schema: Object.entries(target.columns).map(([name, type]) => [name, JSON.stringify(type)] as const),
    isWhole: true,
    async check() {
      if (entry === undefined) return false;
      checkDatasetColumns(entry, tenantColumn, table);
      return true;
    },
    hasNews: async (loaded) => entry !== undefined && !isLoaded(entry, loaded),
    async plan(loaded, signal) {
      if (entry === undefined || isLoaded(entry, loaded)) return { packages: 0, rows: 0 };
      return await withRows(share, entry, signal, async ({ landed }) => ({ packages: 1, rows: landed }));
    },
    async load(into, signal) {
      assert(entry !== undefined, "a version is loaded when there is one");
      checkDatasetColumns(entry, tenantColumn, table);
      return await withRows(share, entry, signal, async (pack) => {
        const { warehouse, mask = refuseMask, workFolder } = share;
        const writer = openShareWarehouse({
          warehouse,
          stream: into,
          columns: table.columns,
          mask,
          workFolder,
        });
        const refuse = (): never => assert.fail("types of a version change in a table of its own only");
        const { packages } = await writer.load(into, [pack], refuse, signal);
        const [moved] = packages;
        const { source, name } = into;
        if (moved !== undefined)
          share.progress({
            type: "load",
            source,
            stream: name,
            tenant: pack.tenant,
            seq: pack.seq,
            rows: moved.loaded,
          });
        return {
          packages: packages.length,
          rows: moved?.loaded ?? 0,
          rejected: moved?.rejected ?? 0,
          seq: entry.seq,
          error: undefined,
        };
      });
    },
  };
}

/** @throws {@link LeatError} `LOG_REWRITTEN` when what was loaded is not in the dataset's log. */
function isLoaded({ dataset, seq, version }: DatasetManifest, loaded: LedgerRow | undefined): boolean {
  if (loaded === undefined || loaded.seq < seq) return false;
  if (loaded.seq === seq && loaded.manifestHash === version) return true;
  const what = loaded.seq === seq ? "is another version in the log" : "is not in the log";
  throw new LeatError("LOG_REWRITTEN", {
    message: `The dataset ${dataset}: the warehouse has loaded entry ${loaded.seq}, which ${what}.`,
    details: { dataset, seq: loaded.seq },
  });
}

/** Writes the tenant's rows to this disk, looks at each, and takes them away again. */
async function withRows<Result>(
  { job, table, versions, tenantColumn, workFolder }: DatasetShare,
  entry: DatasetManifest,
  signal: AbortSignal,
  work: (pack: PackageToLoad) => Promise<Result>,
): Promise<Result> {
  const tenant = job.tenant.id;
  const shared = entry.schema.columns.filter(
    ({ name }) => name !== tenantColumn && (table.columns?.some(({ key }) => key === name) ?? true),
  );
  const folder = await mkdtemp(join(workFolder, "version-"));
  try {
    const path = join(folder, "rows.ndjson");
    const columns = shared.map(({ name }) => name);
    try {
      await versions.writeRows({ entry, tenant, tenantColumn, columns }, path, signal);
    } catch (error) {
      throw isLeatError(error) && error instanceof LeatError
        ? error.at({ dataset: entry.dataset, tenant, seq: entry.seq })
        : error;
    }
    const { records, crc32c } = await checkLines(path, { column: tenantColumn, tenant });
    const { size } = await stat(path);
    const exactColumns = shared.filter(({ type }) => type === "json").map(({ name }) => name);
    const key = `datasets/${entry.dataset}/tenant-rows.ndjson`;
    const part = { key, bytes: size, plainBytes: size, records, crc32c, exactColumns: exactColumns.sort() };
    return await work({
      tenant,
      seq: entry.seq,
      manifestHash: entry.version,
      landed: records,
      generation: entry.seq,
      completesGeneration: true,
      columns: new Map(shared.map(({ name, type }) => [name, kindsOf(type)])) satisfies ColumnTable,
      parts: records === 0 ? [] : [{ entry: part, path, compression: "none" }],
      tenantColumn,
      partitionColumn: undefined,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Values come as text, but for JSON, which comes as it is. */
const kindsOf = (type: string): ColumnKinds =>
  type === "json" ? anythingSeen : { ...nothingSeen, kinds: kindBits.text | kindBits.null };
