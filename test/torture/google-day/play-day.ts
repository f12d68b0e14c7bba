/**
 * Hours of a project on Google Cloud, on stand-ins of all its services: Cloud Scheduler calls the planner, which fills
 * Cloud Tasks, which call the sync app, which lands in Cloud Storage; every quarter of an hour the app loads into
 * BigQuery. All over HTTP, by the official clients. Calls come twice, and answers are lost.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCloudTasks } from "../../../src/dispatchers/cloud-tasks/open-cloud-tasks.ts";
import { extractFiles } from "../../../src/extract/extract-files.ts";
import { extractStream } from "../../../src/extract/extract-stream.ts";
import { readStagedPart } from "../../../src/landing/part-reader.ts";
import { loadStream } from "../../../src/load/load-stream.ts";
import { newRunId } from "../../../src/model/ids.ts";
import type { Project } from "../../../src/ports/project.ts";
import { openScanner } from "../../../src/scan/open-scanner.ts";
import { createSyncApp, openTraceStore } from "../../../src/server/sync-app.ts";
import { openGcsStore } from "../../../src/stores/gcs/open-gcs-store.ts";
import { openLane, openSyncLanes } from "../../../src/sync/lanes.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { createSeededRandom } from "../../../src/testing/seeded-random.ts";
import { openBigQuery } from "../../../src/warehouses/bigquery/open-bigquery.ts";
import { startBigQuery } from "../../fakes/bigquery/bigquery-server.ts";
import { type FakeTask, startCloudTasks } from "../../fakes/cloud-tasks.ts";
import type { Exchange } from "../../fakes/fault-server.ts";
import { startFakeGcs } from "../../fakes/start-fake-gcs.ts";
import { callerEmail, startTokenIssuer } from "../../fakes/token-issuer.ts";
import { fakeTenants } from "../../server/fake-stages.ts";
import { hastyWorld } from "../../stores/bucket-under-test.ts";
import { checkRows } from "./check-day.ts";
import { openDayPartner } from "./day-partner.ts";
import { type DayTraffic, measureDay } from "./measure-day.ts";

/** What is played. */
export type DaySize = Readonly<{ tenants: number; streams: number; hours: number; seed: number }>;

const minuteMs = 60_000;
const queue = "projects/shop-1/locations/europe-west1/queues/shop-syncs";
/** Tasks under way at once, as `dispatches_max` of the module says by default. */
const dispatchesMax = 10;
/** Deliveries of one task, as the module's queue says. */
const attemptsMax = 5;
/** Every so manieth exchange with storage or warehouse loses its answer; the last load loses none. */
const lostEvery = 97;

/** Plays the hours, checks that every row is there once, and tells what it took. */
export async function playDay(size: DaySize, say: (line: string) => void): Promise<DayTraffic> {
  const { hours, seed } = size;
  await using issuer = await startTokenIssuer();
  process.env["GCE_METADATA_HOST"] = issuer.metadataHost;
  process.env["METADATA_SERVER_DETECTION"] = "assume-present";
  process.env["GOOGLE_CLOUD_PROJECT"] = "shop-1"; // Else the library looks for it in many places.
  await using tasks = await startCloudTasks(queue, issuer.accessToken);
  const storage = await startFakeGcs();
  storage.buckets.make("shop");
  const warehouseServer = await startBigQuery({
    readObject: async (bucket, key) => storage.buckets.read(bucket, key),
  });
  await warehouseServer.addDataset("shop-1", "warehouse");
  const workFolder = await mkdtemp(join(tmpdir(), "leat-google-day-"));
  const startMs = Date.UTC(2026, 0, 5, 0, 2, 30);
  const clock = createFakeClock(startMs, "instant");
  const random = createSeededRandom(seed);
  const tenants = fakeTenants(...Array.from({ length: size.tenants }, (_, at) => `tenant-${at}`));
  const ids = tenants.map(({ id }) => id);
  const partner = openDayPartner(size.streams, seed, clock.nowMs);
  const { source } = partner;
  const store = await openGcsStore(
    hastyWorld(),
    { bucket: "shop", prefix: "", endpoint: storage.url },
    "leat/test",
  );
  const warehouse = openBigQuery(`bigquery://shop-1/warehouse?location=EU&endpoint=${warehouseServer.url}`, {
    openStaging: () => Promise.reject(new Error("nothing is copied")),
    readPart: readStagedPart,
    nowMs: clock.nowMs,
    waitFactor: 0.001,
  });
  const taskQueue = await openCloudTasks({ queue, callerEmail, url: tasks.url, clock });
  const project = { sources: [source], datasets: [], tenantColumn: "tenant_id" } as unknown as Project; // What the app looks at.
  const schedules = [
    {
      kind: "sync",
      id: "sync",
      ticks: { kind: "cron", cron: "0 * * * *", timezone: "UTC" },
      names: [],
      tenants: [],
    },
  ] as const;
  const failures: string[] = [];
  const { app } = createSyncApp(
    {
      project,
      readTenants: () => tenants,
      sync: {
        store,
        warehouse,
        clock,
        random: { newRunId, fraction: random.fraction },
        secrets: {
          resolve: (reference) => Promise.reject(new Error(`no secret is needed, yet ${reference} is asked`)),
        },
        places: { resolvePath: (path) => path, openStore: (url) => Promise.reject(new Error(url)) },
        progress: () => {},
        openScanner,
        workFolder,
        lanes: openSyncLanes(dispatchesMax),
        extractStream,
        extractFiles,
        loadStream,
      },
      redact: (text) => text,
      log: {
        destination: { write: () => {} },
        level: "warn",
        isGoogleCloud: true,
        redact: (text) => text,
        mixin: () => ({}),
      },
      auth: { mode: "none" },
      trace: openTraceStore(),
      openPlanner: async () => ({ queue: taskQueue, schedules }),
      appUrl: undefined,
      build: async () => [],
      share: async () => [],
    },
    { softDeadlineMs: 1_500_000, steps: "extract", cloudProject: "shop-1" },
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo; // It listens on TCP.
  const url = `http://127.0.0.1:${port}`;
  /** Requests to storage that loads have sent; all others are of plans and syncs. */
  const ofLoads = new Set<Exchange>();
  const counts = { plans: 0, loads: 0, deliveries: 0, repeats: 0, usedLoadJobs: 0 };

  const call = async (path: string, attempts: number): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await fetch(`${url}${path}`, { method: "POST" });
      const text = await answer.text();
      if (answer.ok && path === "/load") counts.usedLoadJobs += JSON.parse(text).usage.load_jobs;
      if (answer.ok) return;
      if (attempt === attempts) return void failures.push(`${path}: ${answer.status} ${text.slice(0, 300)}`);
    }
  };
  const deliver = async (task: FakeTask): Promise<void> => {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      counts.deliveries += 1;
      const answer = await tasks.send(task, "", attempt - 1);
      const text = await answer.text();
      if (answer.ok) return;
      counts.repeats += 1;
      if (attempt === attemptsMax) failures.push(`${task.name}: ${answer.status} ${text.slice(0, 300)}`);
    }
  };
  /** Cloud Scheduler calls at least once. */
  const times = (): number => (random.fraction() < 0.03 ? 2 : 1);

  try {
    const lane = openLane(dispatchesMax);
    let delivered = 0;
    const endMs = startMs + hours * 60 * minuteMs;
    for (let tickMs = startMs; tickMs < endMs; tickMs += 5 * minuteMs) {
      await clock.advance(Math.max(0, tickMs - clock.nowMs()));
      const minute = Math.round((tickMs - startMs) / minuteMs);
      const isLast = tickMs + 5 * minuteMs >= endMs;
      const loses = ({ number }: { number: number }) =>
        !isLast && number % lostEvery === 0 ? "after" : undefined;
      storage.plan(loses);
      warehouseServer.setFaults(loses);
      if (minute % 60 === 0) partner.change(ids, tickMs - 50 * minuteMs);
      const planned = times();
      counts.plans += planned;
      await Promise.all(Array.from({ length: planned }, () => call("/plan", 2)));
      const waiting = tasks.tasks.slice(delivered);
      delivered = tasks.tasks.length;
      await Promise.all(
        waiting.flatMap((task) => Array.from({ length: times() }, () => lane(() => deliver(task)))),
      );
      if (minute % 15 === 0 || isLast) {
        const loads = times();
        counts.loads += loads;
        const before = storage.log.length;
        await Promise.all(Array.from({ length: loads }, () => call("/load", 4)));
        for (const exchange of storage.log.slice(before)) ofLoads.add(exchange);
      }
      if (minute % 60 === 0) say(`hour ${minute / 60 + 1} of ${hours}: ${counts.deliveries} syncs so far`);
    }
    assert.deepEqual(failures, []);
    const streams = source.streams;
    const rows = await checkRows(warehouse, partner, streams, ids);
    return measureDay(
      size,
      { ...counts, tasks: tasks.tasks.length, enqueues: tasks.requests.length, rows },
      {
        storage: storage.log,
        ofLoads,
        buckets: storage.buckets,
        exchanges: warehouseServer.exchanges,
        jobs: warehouseServer.jobs.list(),
        requestsToPartner: partner.requests(),
      },
    );
  } finally {
    await app.close();
    await warehouseServer.close();
    await storage.close();
    await rm(workFolder, { recursive: true, force: true });
  }
}
