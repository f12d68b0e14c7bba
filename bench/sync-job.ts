/**
 * A whole sync in a process of its own: `node bench/sync-job.ts URL FOLDER`. From the first request to a view that
 * answers. Prints one line of JSON.
 */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { extractFiles } from "../src/extract/extract-files.ts";
import { extractStream } from "../src/extract/extract-stream.ts";
import { readStagedPart } from "../src/landing/part-reader.ts";
import { loadStream } from "../src/load/load-stream.ts";
import { newRunId, toTenantId } from "../src/model/ids.ts";
import { openScanner } from "../src/scan/open-scanner.ts";
import { quoteExactColumns } from "../src/scan/quote-exact.ts";
import { rest } from "../src/sources/rest/rest.ts";
import { openFsStore } from "../src/stores/fs/open-fs-store.ts";
import { openSyncLanes } from "../src/sync/lanes.ts";
import { itemError } from "../src/sync/sync-job.ts";
import { syncProject } from "../src/sync/sync-project.ts";
import { openDuckDb } from "../src/warehouses/duckdb/open-duckdb.ts";

const [url = "", folder = ""] = process.argv.slice(2);
const begun = performance.now();
const source = rest({
  name: "bench",
  baseUrl: url,
  streams: {
    records: {
      path: "/page",
      records: "data.items",
      primaryKey: "id",
      cursor: { field: "updated_at", start: { param: "since", inclusive: true } },
      pagination: { type: "cursorToken", path: "meta.next", param: "page" },
    },
  },
});
const warehouse = openDuckDb(`duckdb:${join(folder, "warehouse.duckdb")}`, {
  quoteExact: quoteExactColumns,
  readPart: readStagedPart,
});
const { items } = await syncProject(
  {
    store: openFsStore(join(folder, "landing")),
    warehouse,
    clock: { nowMs: Date.now, sleep: (ms, signal) => wait(ms, undefined, { signal }) },
    random: { newRunId, fraction: Math.random },
    secrets: { resolve: (reference) => Promise.reject(new Error(reference)) },
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
    streams: source.streams.map((spec) => ({
      source,
      spec,
      tenants: [{ id: toTenantId("bench"), fields: {} }],
    })),
    steps: "both",
    modeOf: () => ({ kind: "incremental" }),
    tenantColumn: "tenant_id",
    idempotencyKey: undefined,
    softDeadlineMs: undefined,
    conflictRetriesMax: 0,
    roundsMax: 1,
  },
  new AbortController().signal,
);
const error = items.map(itemError).find((one) => one !== undefined);
if (error !== undefined) throw error;
const extracted = performance.now();
const { rows } = await warehouse.query("select count(*), max(id) from bench.records");
await warehouse.close();
console.log(
  JSON.stringify({
    records: Number(rows[0]?.[0]),
    seconds: (performance.now() - begun) / 1000,
    querySeconds: (performance.now() - extracted) / 1000,
    peakMb: process.resourceUsage().maxRSS / 1024,
  }),
);
