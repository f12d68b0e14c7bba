/**
 * Places for broken syncs into gs:// and BigQuery: each has stand-ins of its own, which begin with what a sync before it
 * left. That is made once and copied: what breaks is one step, and only it is synced.
 */
import { join } from "node:path";
import type { SyncResult } from "../../src/sync/sync-job.ts";
import { type BigQueryServer, type SavedBigQuery, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";
import type { FakeBuckets } from "../fakes/fake-objects.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { checkGoogleShop, shopStreams } from "./check-shop.ts";
import { runProcess } from "./kill-matrix.ts";
import { openGoogleShop } from "./open-google-shop.ts";
import { openShop } from "./shop.ts";
import { syncShop } from "./sync-shop.ts";

/** A sync of some streams after others: `first` into an empty place, `change` after news at the shop. */
export type Step = Readonly<{
  name: string;
  scenario: "first" | "change";
  streams: readonly string[];
  /** What was synced before. */
  previous: Step | undefined;
}>;

/** Both scenarios, each stream a step, in the order in which a sync takes them; or all streams in one. */
export function stepsOf(isWhole: boolean): readonly Step[] {
  const steps: Step[] = [];
  for (const scenario of ["first", "change"] as const)
    for (const streams of isWhole ? [shopStreams] : shopStreams.map((stream) => [stream])) {
      const name = isWhole ? scenario : `${scenario} ${streams.join()}`;
      steps.push({ name, scenario, streams, previous: steps.at(-1) });
    }
  return steps;
}

/** What a place held. */
type Saved = Readonly<{ objects: FakeBuckets; warehouse: SavedBigQuery; changedAt: Date | undefined }>;

/** A place as it is before a step. */
export type Place = Readonly<{
  storage: FakeGcs;
  warehouse: BigQueryServer;
  /** Syncs the step in this process. */
  sync: () => Promise<SyncResult>;
  /** Syncs it in one of its own. */
  start: (
    environment: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ) => ReturnType<typeof runProcess>;
  /** What the warehouse has too little or too much of, of the step's streams. */
  check: () => Promise<readonly string[]>;
  close: () => Promise<void>;
}>;

const [bucket, project] = ["bucket", "project"];

export class GoogleWorld {
  readonly #folder: string;
  readonly #saved = new Map<string, Promise<Saved>>();

  /** @param folder - for what is saved, and for what processes compile. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(step: Step): Promise<Place> {
    return await this.#openFrom(step, await this.#before(step));
  }

  async #before(step: Step): Promise<Saved | undefined> {
    if (step.previous === undefined) return undefined;
    const saved = this.#saved.get(step.name) ?? this.#makeBefore(step, step.previous);
    this.#saved.set(step.name, saved);
    return await saved;
  }

  async #makeBefore(step: Step, previous: Step): Promise<Saved> {
    const before = await this.#before(previous);
    const place = await this.#openFrom(previous, before);
    try {
      await place.sync();
      const wrong = await place.check();
      if (wrong.length > 0) throw new Error(`${previous.name}, unbroken: ${wrong.join("; ")}`);
      await place.warehouse.jobs.settle();
      return {
        objects: place.storage.buckets.copy(),
        warehouse: await place.warehouse.save(join(this.#folder, `before-${step.name}.duckdb`)),
        changedAt: step.scenario === "change" ? (before?.changedAt ?? new Date()) : undefined,
      };
    } finally {
      await place.close();
    }
  }

  async #openFrom(step: Step, before: Saved | undefined): Promise<Place> {
    const shop = await openShop();
    if (before?.changedAt !== undefined) shop.change(before.changedAt);
    const storage = await startFakeGcs(before && { saved: before.objects });
    const warehouse = await startBigQuery({
      readObject: async (bucketName, key) => storage.buckets.read(bucketName, key),
      ...(before && { saved: before.warehouse }),
    });
    if (before === undefined) {
      storage.buckets.make(bucket);
      await warehouse.addDataset(project, "warehouse");
    }
    const google = { storageUrl: storage.url, bucket, warehouseUrl: warehouse.url, project };
    const { streams } = step;
    const folder = this.#folder;
    return {
      storage,
      warehouse,
      sync: () => syncShop(folder, shop.url, { streams, google }),
      start: (environment, signal) =>
        runProcess({
          folder,
          url: shop.url,
          compiledIn: folder,
          environment,
          ...(signal && { signal }),
          streams,
          google,
        }),
      async check() {
        const opened = await openGoogleShop(google);
        // Where a table is missing, what the sync has said of it is to be read as well.
        return await checkGoogleShop(opened.warehouse, shop, streams).catch((error) => [String(error)]);
      },
      async close() {
        await shop.close();
        await warehouse.close();
        await storage.close();
      },
    };
  }
}
