/** A landing, a share and a customer's warehouse: what tests of shares begin with. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTenantVersions } from "../../src/dataset/open-tenant-versions.ts";
import { defineShare, type ShareDeclaration } from "../../src/define/define-share.ts";
import { LeatError } from "../../src/errors/leat-error.ts";
import type { DatasetManifest } from "../../src/model/dataset-manifest.ts";
import { type TenantId, toTenantId } from "../../src/model/ids.ts";
import type { StreamSpec } from "../../src/model/stream.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { TenantVersions } from "../../src/ports/share.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { deliverShare } from "../../src/share/deliver-share.ts";
import type { SharedTable, ShareMode, ShareOutcome } from "../../src/share/share-job.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { makeStreamSpec } from "../../src/testing/warehouse-under-test.ts";
import { writeTenantRows } from "../../src/warehouses/duckdb/tenant-rows.ts";
import { type LandChanges, landRecords } from "./land-records.ts";
import { publishRows } from "./publish-rows.ts";

/** A customer's warehouse, new and empty. */
export type SharePlace = Readonly<{
  address: string;
  /** Opens it as the command line does. */
  open: (address: string, workFolder: string) => Promise<Warehouse>;
  /** Changes something there as somebody who is not leat; `undefined`: nobody can. */
  change?: (sql: string) => Promise<void>;
  /** Names of all tables and views there, as `schema.name`, sorted. */
  relations: () => Promise<readonly string[]>;
  dispose: () => Promise<void>;
}>;

/** The stream that is shared. */
export const plants: StreamSpec = makeStreamSpec({
  source: "farm",
  name: "plants",
  landingTable: "farm_plants",
});

export const salt = "a salt that nobody can guess";

/** What is said of a delivery. */
export type DeliverOptions = Readonly<{
  share?: Partial<ShareDeclaration>;
  tenant?: string;
  mode?: ShareMode;
  project?: string;
  streams?: readonly StreamSpec[];
  /** Of which datasets the project has; shared where `share` names them. */
  datasets?: readonly DatasetSpec[];
  /** Interposes something between the share and the versions. */
  versions?: (versions: TenantVersions) => TenantVersions;
  signal?: AbortSignal;
  /** Interposes something between the share and the warehouse. */
  open?: (address: string, workFolder: string) => Promise<Warehouse>;
  resolve?: (reference: string) => Promise<string>;
  store?: ObjectStore;
}>;

export interface ShareStand extends AsyncDisposable {
  readonly store: ObjectStore;
  readonly place: SharePlace;
  readonly folder: string;
  land(
    records: readonly string[],
    changes?: LandChanges & Readonly<{ tenant?: string; stream?: StreamSpec }>,
  ): Promise<number>;
  /** Publishes a version of a dataset. */
  publish(spec: DatasetSpec, rows: readonly Readonly<Record<string, unknown>>[]): Promise<DatasetManifest>;
  deliver(options?: DeliverOptions): Promise<ShareOutcome>;
  /** Delivers and gives the only table; throws what failed. */
  table(options?: DeliverOptions): Promise<SharedTable>;
  /** Rows of a statement there. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** Columns of a table or view there, in order. */
  columns(table: string): Promise<readonly string[]>;
}

/** Opens a stand. */
export async function openStand(openPlace: () => Promise<SharePlace>): Promise<ShareStand> {
  const folder = await mkdtemp(join(tmpdir(), "leat-share-"));
  const workFolder = join(folder, "work");
  await mkdir(workFolder);
  const store = openFsStore(join(folder, "landing"));
  const place = await openPlace();
  const toTenant = (id: string | undefined): TenantId => toTenantId(id ?? "414");

  const deliver = async (options: DeliverOptions = {}): Promise<ShareOutcome> => {
    const streams = options.streams ?? [plants];
    const share = defineShare({
      name: "replica",
      streams: streams.map(({ source, name }) => `${source}.${name}`),
      to: "env:WAREHOUSE",
      ...options.share,
    });
    const open = options.open ?? place.open;
    const resolve = async (reference: string): Promise<string> => {
      if (reference === "env:WAREHOUSE") return place.address;
      if (reference === "env:SALT") return salt;
      throw new LeatError("SECRET_MISSING", { message: `The secret ${reference} is not set.` });
    };
    return await deliverShare(
      {
        store: options.store ?? store,
        versions: (options.versions ?? ((all) => all))(
          openTenantVersions(options.store ?? store, writeTenantRows, workFolder),
        ),
        secrets: { resolve: options.resolve ?? resolve },
        openTarget: (address) => open(address, workFolder),
        progress: () => {},
        workFolder,
      },
      {
        project: options.project ?? "farm",
        share,
        tenant: { id: toTenant(options.tenant), fields: {} },
        mode: options.mode ?? "deliver",
        streams: new Map(streams.map((spec) => [`${spec.source}.${spec.name}`, spec])),
        datasets: new Map(options.datasets?.map((spec) => [spec.name, spec])),
        tenantColumn: "tenant_id",
      },
      options.signal ?? new AbortController().signal,
    );
  };
  const query = async (sql: string, rowsMax?: number) => {
    const warehouse = await place.open(place.address, workFolder);
    try {
      return await warehouse.query(sql, rowsMax === undefined ? {} : { rowsMax });
    } finally {
      await warehouse.close();
    }
  };
  return {
    store,
    place,
    folder,
    land: (records, { tenant, stream = plants, ...changes } = {}) =>
      landRecords(
        store,
        { source: stream.source, stream: stream.name, tenant: toTenant(tenant) },
        records,
        changes,
      ),
    publish: (spec, rows) => publishRows(store, spec, rows),
    deliver,
    async table(options) {
      const { tables, error } = await deliver(options);
      const [table] = tables;
      const failure = error ?? table?.error;
      if (failure !== undefined) throw failure;
      if (table === undefined || tables.length !== 1) throw new Error(`${tables.length} tables, not one`);
      return table;
    },
    rows: async (sql) => (await query(sql)).rows,
    columns: async (table) => (await query(`SELECT * FROM ${table}`, 0)).columns.map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      await place.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
