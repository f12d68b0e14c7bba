/** The control API over a shop whose orders are landed on this disk and loaded into DuckDB. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "../../src/cli/system-world.ts";
import { defineProject } from "../../src/define/define-project.ts";
import { extractFiles } from "../../src/extract/extract-files.ts";
import { extractStream } from "../../src/extract/extract-stream.ts";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import { loadStream } from "../../src/load/load-stream.ts";
import { toTenantId } from "../../src/model/ids.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { Project } from "../../src/ports/project.ts";
import type { Source } from "../../src/ports/source.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { openScanner } from "../../src/scan/open-scanner.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { defineSource } from "../../src/sources/generator/define-source.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { choosePairs } from "../../src/sync/choose-pairs.ts";
import { openSyncLanes } from "../../src/sync/lanes.ts";
import { syncProject } from "../../src/sync/sync-project.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";
import { type ApiStand, type StandOptions, token, withApi } from "./open-api.ts";

/** What a partner has of each tenant, as lines of JSON. */
export type ShopRecords = Map<string, readonly object[]>;

/** The API, and the shop behind it. */
export type ShopStand = ApiStand &
  Readonly<{
    records: ShopRecords;
    store: ObjectStore;
    /** Lands and loads what is new, for the tenants that have records. */
    sync(): Promise<void>;
  }>;

/** The stream's own clock stands still after its records, so that a cursor may be set to any of their days. */
export const shopTenants = ["414", "tenant ü/7"] as const;

function makeSource(records: ShopRecords): Source {
  return defineSource({
    name: "shop",
    streams: {
      orders: {
        primaryKey: "id",
        cursor: { field: "updated_at", initial: "2026-01-01", start: { inclusive: true } },
        records: "lines",
        pages: async function* ({ tenant, start }) {
          const own = records.get(tenant.id) ?? [];
          const since = String(start ?? "");
          const shown = own.filter((one) => "updated_at" in one && String(one.updated_at) >= since);
          yield Buffer.from(shown.map((one) => `${JSON.stringify(one)}\n`).join(""));
        },
      },
    },
  });
}

/** Opens the shop and its API, calls, and closes all of it. @param openOther - a warehouse in place of DuckDB. */
export async function withShop(
  call: (stand: ShopStand) => Promise<void>,
  options: StandOptions = { token },
  openOther?: () => Warehouse,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "leat-shop-"));
  const records: ShopRecords = new Map();
  const source = makeSource(records);
  const store = openFsStore(join(folder, "landing"));
  const workFolder = join(folder, "work");
  mkdirSync(workFolder);
  let warehouse: Promise<Warehouse> | undefined;
  const openWarehouse = (): Promise<Warehouse> => {
    warehouse ??= Promise.resolve(
      openOther?.() ??
        openDuckDb(`duckdb:${join(folder, "warehouse.duckdb")}`, {
          quoteExact: quoteExactColumns,
          readPart: readStagedPart,
          workFolder,
        }),
    );
    return warehouse;
  };
  const project: Project = defineProject({ name: "shop", sources: [source] });
  const sync = async (): Promise<void> => {
    const { items } = await syncProject(
      {
        store,
        warehouse: await openWarehouse(),
        clock: systemClock,
        random: systemRandom,
        secrets: { resolve: async () => "" },
        places: {
          resolvePath: (path) => path,
          openStore: () => Promise.reject(new Error("it has no other")),
        },
        progress: () => {},
        openScanner,
        workFolder,
        lanes: openSyncLanes(),
        extractStream,
        extractFiles,
        loadStream,
      },
      {
        streams: choosePairs({
          project,
          tenants: [...records.keys()].map((id) => ({ id: toTenantId(id), fields: {} })),
        }),
        steps: "both",
        modeOf: () => ({ kind: "incremental" }),
        tenantColumn: project.tenantColumn,
        idempotencyKey: undefined,
        softDeadlineMs: undefined,
        conflictRetriesMax: 0,
        roundsMax: 10,
      },
      new AbortController().signal,
    );
    for (const { extractError, loadError } of items) {
      const error = extractError ?? loadError;
      if (error !== undefined) throw error;
    }
  };
  try {
    await withApi((stand) => call({ ...stand, records, store, sync }), {
      sources: [source],
      tenants: shopTenants,
      store,
      openWarehouse,
      ...options,
    });
  } finally {
    await (await warehouse)?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
