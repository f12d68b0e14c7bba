/** A stream, a store in memory and a source of given pages, for tests of extract and load that need no partner's logic. */

import type { ExtractJob, ExtractMode, ExtractOutcome, ExtractPorts } from "../../src/extract/extract-job.ts";
import { extractStream } from "../../src/extract/extract-stream.ts";
import { readState } from "../../src/extract/read-state.ts";
import type { RunState } from "../../src/extract/run-state.ts";
import { type Head, readHead, readManifestOfLog } from "../../src/landing/log.ts";
import { readPart } from "../../src/landing/part-reader.ts";
import { type CursorValue, parseCursor } from "../../src/model/cursor.ts";
import { type StreamPlace, type TenantId, toTenantId } from "../../src/model/ids.ts";
import type { JsonValue } from "../../src/model/json-value.ts";
import type { Manifest, PartEntry } from "../../src/model/manifest.ts";
import { parseRecordSelector } from "../../src/model/record-selector.ts";
import type { CursorSpec, RangeSpec, StreamBounds, StreamSpec } from "../../src/model/stream.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { Page, PageSummary, RangeRequest, StreamReader } from "../../src/ports/source.ts";
import { openScanner } from "../../src/scan/open-scanner.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/fake-clock.ts";
import { createMemoryStore, type Interpose, type MemoryObjects } from "../../src/testing/memory-store.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";

/** A timestamp as a cursor value. */
export const at = (text: string): CursorValue => parseCursor(text, "iso")!; // Tests write good ones.

export const bounds: StreamBounds = {
  pagesMax: 1000,
  passesMax: 4,
  windowsMax: 1000,
  quarantineShareMax: 1,
  checkpointBytes: 1_000_000_000,
  runMsMax: 3_600_000,
  shrinkShareMin: 0.5,
  clockToleranceMs: 300_000,
};

export const openRange: RangeSpec = {
  startFormat: "iso-s",
  isStartInclusive: true,
  hasEnd: false,
  endFormat: "iso-s",
  spanMax: undefined,
};

export const timeCursor: CursorSpec = {
  field: "at",
  format: "iso",
  zone: "UTC",
  minimum: 86_400_000_000n,
  initial: undefined,
  lag: 0n,
  range: openRange,
};

/** A keyed stream with a time cursor, but for what is said otherwise. */
export function streamOf(given: Partial<StreamSpec> = {}): StreamSpec {
  return {
    source: "partner",
    name: "records",
    primaryKey: ["id"],
    cursor: timeCursor,
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
    landingTable: "partner_records",
    partitions: undefined,
    bounds,
    ...given,
  };
}

/** A page as a test writes it: the records, and what else the page says. */
export type GivenPage = Readonly<{
  records: readonly string[];
  overlap?: number;
  isSorted?: boolean;
  /** The `Date` header, ms; `none`: there is none. Default: the world's clock. */
  dateMs?: number | "none";
  body?: string;
}>;

/** What a source answers to a range: page after page; the summary is of the page before. */
export type Answer = (
  request: RangeRequest,
) => Iterable<GivenPage> | AsyncIterable<GivenPage> | Generator<GivenPage, void, PageSummary>;

/** Records as the only page of every range. */
export const onePage =
  (records: () => readonly string[]): Answer =>
  () => [{ records: records() }];

export type SyncWorld = Readonly<{
  objects: MemoryObjects;
  store: ObjectStore;
  clock: FakeClock;
  ports: ExtractPorts;
  spec: StreamSpec;
  tenant: TenantId;
  place: StreamPlace;
  /** Ranges that were asked for, newest last. */
  requests: RangeRequest[];
  extract(answer: Answer, given?: ExtractGiven): Promise<ExtractOutcome>;
  head(): Promise<Head | undefined>;
  manifests(): Promise<readonly Manifest[]>;
  state(): Promise<RunState>;
  /** Records of every package, oldest first, without leat's columns. */
  landed(): Promise<readonly string[]>;
  landedOf(manifest: Manifest): Promise<readonly string[]>;
}>;

export type ExtractGiven = Partial<{
  mode: ExtractMode;
  spec: StreamSpec;
  fields: Readonly<Record<string, JsonValue>>;
  tenantColumn: string;
  idempotencyKey: string;
  softDeadlineMs: number;
  signal: AbortSignal;
  compression: ExtractJob["compression"];
}>;

/** Makes a world. @param given - the stream, faults of the store, where the clock begins, the seed of the run ids. */
export function openWorld(
  given: Readonly<{
    spec?: StreamSpec;
    interpose?: Interpose;
    objects?: MemoryObjects;
    /** In place of memory. */
    store?: ObjectStore;
    startMs?: number;
    seed?: number;
    clock?: FakeClock;
  }> = {},
): SyncWorld {
  const objects: MemoryObjects = given.objects ?? new Map();
  const clock = given.clock ?? createFakeClock(given.startMs ?? Date.UTC(2026, 0, 10), "instant");
  const { interpose } = given;
  const memory = createMemoryStore({
    objects,
    nowMs: clock.nowMs,
    chunkBytes: 777,
    ...(interpose === undefined ? {} : { interpose }),
  });
  const store = given.store ?? memory;
  const random = createSeededRandom(given.seed ?? 1);
  const ports: ExtractPorts = { store, clock, random, progress: () => {}, openScanner };
  const spec = given.spec ?? streamOf();
  const tenant = toTenantId("414");
  const place: StreamPlace = { source: spec.source, stream: spec.name, tenant };
  const requests: RangeRequest[] = [];
  const head = () => readHead(store, place);
  const manifests = async () => {
    const newest = (await head())?.manifest.seq ?? 0;
    const all: Manifest[] = [];
    for (let seq = 1; seq <= newest; seq++) all.push((await readManifestOfLog(store, place, seq)).manifest);
    return all;
  };
  const landedOf = async (manifest: Manifest) => {
    const records: string[] = [];
    for (const part of manifest.parts) records.push(...(await recordsOf(store, part, manifest)));
    return records;
  };
  return {
    objects,
    store,
    clock,
    ports,
    spec,
    tenant,
    place,
    requests,
    extract: (answer, run = {}) => {
      const job: ExtractJob = {
        spec: run.spec ?? spec,
        tenant: { id: tenant, fields: run.fields ?? {} },
        reader: openGivenReader(answer, clock, requests),
        mode: run.mode ?? { kind: "incremental" },
        tenantColumn: run.tenantColumn ?? "tenant_id",
        compression: run.compression ?? "none",
        idempotencyKey: run.idempotencyKey,
        softDeadlineMs: run.softDeadlineMs,
      };
      return extractStream(ports, job, run.signal ?? new AbortController().signal);
    },
    head,
    manifests,
    state: async () => readState(store, await head()),
    landed: async () => {
      const records: string[] = [];
      for (const manifest of await manifests()) records.push(...(await landedOf(manifest)));
      return records;
    },
    landedOf,
  };
}

/** Lines of a part without the columns that leat put in front, found by their text and not by leat's own code. */
async function recordsOf(store: ObjectStore, part: PartEntry, manifest: Manifest): Promise<string[]> {
  let text = "";
  for await (const chunk of readPart(store, part)) text += Buffer.from(chunk).toString("utf8");
  const lastSpliced = manifest.partitionColumn ?? "_leat_extracted_at";
  const prefix = new RegExp(`^\\{.*?"${lastSpliced}":"[^"]*",?`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(prefix, "{"));
}

function openGivenReader(answer: Answer, clock: FakeClock, requests: RangeRequest[]): StreamReader {
  let requestCount = 0;
  return {
    get requestCount() {
      return requestCount;
    },
    async *read(request, signal): AsyncGenerator<Page, void, PageSummary> {
      requests.push(request);
      const pages = answer(request);
      const iterator =
        Symbol.asyncIterator in pages ? pages[Symbol.asyncIterator]() : pages[Symbol.iterator]();
      let summary: PageSummary | undefined;
      for (;;) {
        signal.throwIfAborted();
        // A plain iterator does not look at what it is given.
        const next = await (iterator as Iterator<GivenPage, void, PageSummary | undefined>).next(summary);
        if (next.done === true) return;
        requestCount++;
        summary = yield toPage(next.value, requestCount, clock);
      }
    },
    close: async () => {},
  };
}

function toPage(given: GivenPage, number: number, clock: FakeClock): Page {
  const text = given.body ?? `[${given.records.join(",")}]`;
  const dateMs = given.dateMs ?? clock.nowMs();
  return {
    body: (async function* () {
      yield Buffer.from(text);
    })(),
    selector: parseRecordSelector(""),
    at: `GET /records page ${number}`,
    clock: dateMs === "none" ? undefined : { dateMs, requestMs: 0 },
    overlap: given.overlap,
    isSorted: given.isSorted,
  };
}

/** A record of a key, a time and some content. */
export const record = (id: string, time: string, value: string | number = 0): string =>
  `{"id":${JSON.stringify(id)},"at":${JSON.stringify(time)},"v":${JSON.stringify(value)}}`;
