/** Sources and stages that a test scripts, behind the same ports as the real ones. */
import type { ExtractJob, ExtractOutcome, ExtractStream } from "../../src/extract/extract-job.ts";
import type { LoadStream, TenantLoad } from "../../src/load/load-outcome.ts";
import type { TenantId } from "../../src/model/ids.ts";
import { toTenantId } from "../../src/model/ids.ts";
import type { StreamSpec } from "../../src/model/stream.ts";
import type { Source, StreamReader, Tenant } from "../../src/ports/source.ts";
import type { ProgressEvent } from "../../src/ports/world.ts";
import type { OpenScanner } from "../../src/scan/record-batch.ts";
import { openSyncLanes } from "../../src/sync/lanes.ts";
import type { SyncJob, SyncPorts } from "../../src/sync/sync-job.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/fake-clock.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { createMemoryWarehouse } from "../../src/testing/memory-warehouse.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";

/** A stream as a source would have made it. */
export function fakeSpec(source: string, name: string, parent?: string): StreamSpec {
  return {
    source,
    name,
    primaryKey: ["id"],
    cursor: {
      field: "updated_at",
      format: "iso",
      zone: "UTC",
      minimum: 0n,
      initial: undefined,
      lag: 0n,
      range: {
        startFormat: "iso-s",
        isStartInclusive: true,
        hasEnd: true,
        endFormat: "iso-s",
        spanMax: undefined,
      },
    },
    writeDisposition: "merge",
    contract: "evolve",
    columns: {},
    volatileFields: [],
    isSorted: false,
    trustOrder: false,
    stability: "trusted",
    currentBy: "cursor",
    deletedField: undefined,
    isMaterialized: false,
    landingTable: `${source}_${name}`,
    partitions:
      parent === undefined
        ? undefined
        : { from: "stream", stream: parent, field: "id", column: "parent_id", when: "always" },
    bounds: {
      pagesMax: 100,
      passesMax: 5,
      windowsMax: 10,
      quarantineShareMax: 0.01,
      checkpointBytes: 1_000_000,
      runMsMax: 60_000,
      shrinkShareMin: 0.5,
      clockToleranceMs: 300_000,
    },
  };
}

/** A source of such streams; `opened` counts readers that are open. */
export function fakeSource(
  name: string,
  streams: Readonly<Record<string, string | undefined>>,
): { source: Source; readers: { opened: number; closed: number } } {
  const readers = { opened: 0, closed: 0 };
  const source: Source = {
    name,
    streams: Object.entries(streams).map(([stream, parent]) => fakeSpec(name, stream, parent)),
    open: async () => {
      readers.opened++;
      const reader: StreamReader = {
        read: () => {
          throw new Error("the scripted stage reads nothing");
        },
        requestCount: 0,
        close: async () => {
          readers.closed++;
        },
      };
      return reader;
    },
  };
  return { source, readers };
}

export const fakeTenants = (...ids: string[]): Tenant[] =>
  ids.map((id) => ({ id: toTenantId(id), fields: {} }));

/** An extract that landed some records. */
export function fakeOutcome(landed: number, more: Partial<ExtractOutcome> = {}): ExtractOutcome {
  const nothing = { cursor: undefined, scannedTo: undefined, next: undefined, since: undefined };
  const cursor = BigInt(Date.UTC(2026, 0, 2)) * 1000n;
  return {
    status: landed > 0 ? "committed" : "unchanged",
    seqs: landed > 0 ? [1] : [],
    counts: {
      received: landed + 1,
      landed,
      boundarySkipped: 1,
      repeated: 0,
      quarantined: 0,
      restated: 0,
      unusableCursor: 0,
    },
    before: nothing,
    after: { ...nothing, cursor, next: cursor },
    requests: 3,
    pages: 2,
    receivedBytes: 100,
    landedBytes: 90,
    hasMore: false,
    ...more,
  };
}

/** What a load says when it has brought in one package of `rows`. */
export const fakeLoad = (tenant: TenantId, rows: number): TenantLoad => ({
  tenant,
  packages: 1,
  loaded: rows,
  rejected: 0,
  seq: 1,
  error: undefined,
});

type Script = Readonly<{
  extract?: (job: ExtractJob, signal: AbortSignal) => Promise<ExtractOutcome>;
  load?: LoadStream;
  extractsPerSource?: number;
}>;

/** Ports around scripted stages; `trace` says what ran when, `events` what was told. */
export function fakePorts(script: Script): {
  ports: SyncPorts;
  trace: string[];
  events: ProgressEvent[];
  clock: FakeClock;
} {
  const trace: string[] = [];
  const events: ProgressEvent[] = [];
  const clock = createFakeClock(Date.UTC(2026, 0, 1), "instant");
  const extractStream: ExtractStream = async (_ports, job, signal) => {
    trace.push(`extract ${job.spec.name} ${job.tenant.id}`);
    const outcome = await (script.extract?.(job, signal) ?? Promise.resolve(fakeOutcome(2)));
    trace.push(`extracted ${job.spec.name} ${job.tenant.id}`);
    return outcome;
  };
  const loadStream: LoadStream = async (ports, spec, tenants, signal) => {
    trace.push(`load ${spec.name} ${tenants.join(" ")}`);
    if (script.load !== undefined) return script.load(ports, spec, tenants, signal);
    return { tenants: tenants.map((tenant) => fakeLoad(tenant, 2)), changes: [] };
  };
  const openScanner: OpenScanner = () => {
    throw new Error("the scripted stage scans nothing");
  };
  const ports: SyncPorts = {
    store: createMemoryStore(),
    warehouse: createMemoryWarehouse(),
    clock,
    random: createSeededRandom(1),
    secrets: { resolve: async () => "" },
    places: { resolvePath: (path) => path, openStore: (url) => Promise.reject(new Error(url)) },
    progress: (event) => events.push(event),
    openScanner,
    workFolder: "/nowhere",
    lanes: openSyncLanes(script.extractsPerSource),
    extractStream,
    extractFiles: () => Promise.reject(new Error("no files are scripted")),
    loadStream,
  };
  return { ports, trace, events, clock };
}

/** A job that does all that there is for some sources and tenants. */
export function fakeJob(
  sources: readonly Source[],
  tenants: readonly Tenant[],
  more: Partial<SyncJob> = {},
): SyncJob {
  const streams = sources.flatMap((source) => source.streams.map((spec) => ({ source, spec, tenants })));
  return {
    streams,
    steps: "both",
    modeOf: () => ({ kind: "incremental" }),
    tenantColumn: "tenant_id",
    idempotencyKey: undefined,
    softDeadlineMs: undefined,
    conflictRetriesMax: 2,
    roundsMax: 10,
    ...more,
  };
}
