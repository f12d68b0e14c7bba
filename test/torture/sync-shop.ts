/** The shop's project, and one sync of it: what the kill matrix kills, and what repairs it afterwards. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { extractFiles } from "../../src/extract/extract-files.ts";
import { extractStream } from "../../src/extract/extract-stream.ts";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import { loadStream } from "../../src/load/load-stream.ts";
import { newRunId, toTenantId } from "../../src/model/ids.ts";
import type { Source, Tenant } from "../../src/ports/source.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { openScanner } from "../../src/scan/open-scanner.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { openSyncLanes } from "../../src/sync/lanes.ts";
import type { SyncResult } from "../../src/sync/sync-job.ts";
import { syncProject } from "../../src/sync/sync-project.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";
import { type GoogleShop, openGoogleShop } from "./open-google-shop.ts";

/** Every commit as early as it can come, so that there is much to kill between. */
const bounds = { checkpointBytes: 1 };

/** Windows with checkpoints; twins without a key; a swapped generation; children; a sort with commits within a range. */
export function shopSource(url: string): Source {
  const since = { start: { param: "since", inclusive: true } } as const;
  return rest({
    name: "shop",
    baseUrl: url,
    retry: { tries: 2 },
    streams: {
      orders: {
        path: "/orders",
        primaryKey: "id",
        cursor: {
          field: "updated_at",
          initial: "2026-01-01",
          lag: "10s",
          spanMax: "720h",
          start: { param: "from", inclusive: true },
          end: { param: "to" },
        },
        pagination: { type: "single" },
        bounds: { ...bounds, windowsMax: 8 },
      },
      events: {
        path: "/events",
        records: "items",
        cursor: { field: "at", lag: "1h", ...since },
        pagination: { type: "cursorToken", path: "next", param: "token" },
        writeDisposition: "append",
        bounds,
      },
      codes: {
        path: "/codes",
        records: "data",
        primaryKey: "code",
        pagination: { type: "offset", param: "offset" },
        stability: "passes",
        writeDisposition: "replace",
        bounds,
      },
      items: {
        path: "/items/{partition}",
        primaryKey: "item",
        parent: { stream: "orders", field: "id", column: "order_id" },
        pagination: { type: "single" },
        bounds,
      },
      plants: {
        path: "/plants",
        records: "plants",
        primaryKey: "label",
        cursor: { field: "changed_at", lag: "0s", ...since },
        sort: { param: "sort", value: "changed_at,label" },
        pagination: { type: "offset", param: "offset" },
        stability: "overlap",
        bounds,
      },
    },
  });
}

export const shopTenant: Tenant = { id: toTenantId("414"), fields: {} };

export function openShopWarehouse(folder: string): Warehouse {
  return openDuckDb(`duckdb:${join(folder, "warehouse.duckdb")}`, {
    quoteExact: quoteExactColumns,
    readPart: readStagedPart,
    threads: 1,
  });
}

/** Syncs every stream of the shop once, into the folder or stand-ins of Google's. Items tell how each ended. */
export async function syncShop(
  folder: string,
  url: string,
  options: { streams?: readonly string[]; google?: GoogleShop | undefined } = {},
): Promise<SyncResult> {
  const source = shopSource(url);
  const { store, warehouse } =
    options.google === undefined
      ? { store: openFsStore(join(folder, "landing")), warehouse: openShopWarehouse(folder) }
      : await openGoogleShop(options.google);
  const ordered = [...source.streams].sort(
    (a, b) => Number(a.partitions !== undefined) - Number(b.partitions !== undefined),
  );
  const streams = ordered.filter((spec) => options.streams?.includes(spec.name) ?? true);
  try {
    return await syncProject(
      {
        store,
        warehouse,
        clock: { nowMs: Date.now, sleep: (ms, signal) => wait(ms, undefined, { signal }) },
        random: { newRunId, fraction: Math.random },
        secrets: {
          resolve: (reference) => Promise.reject(new Error(`no secret is needed, yet ${reference} is asked`)),
        },
        places: { resolvePath: (path) => path, openStore: (url) => Promise.reject(new Error(url)) },
        progress: () => {},
        openScanner,
        workFolder: join(folder, "work"),
        lanes: openSyncLanes(1),
        extractStream,
        extractFiles,
        loadStream,
      },
      {
        streams: streams.map((spec) => ({ source, spec, tenants: [shopTenant] })),
        steps: "both",
        modeOf: () => ({ kind: "incremental" }),
        tenantColumn: "tenant_id",
        idempotencyKey: undefined,
        softDeadlineMs: undefined,
        conflictRetriesMax: 3,
        roundsMax: 100,
      },
      new AbortController().signal,
    );
  } finally {
    await warehouse.close();
  }
}
