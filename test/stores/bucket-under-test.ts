/** Stores in buckets of the fakes, for tests that treat vendors alike. */

import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { AttemptWorld } from "../../src/stores/bucket/attempts.ts";
import { openGcsStore } from "../../src/stores/gcs/open-gcs-store.ts";
import { openS3Store } from "../../src/stores/s3/open-s3-store.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import type { FakeBuckets } from "../fakes/fake-objects.ts";
import type { FaultServer } from "../fakes/fault-server.ts";
import { startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { startFakeS3 } from "../fakes/start-fake-s3.ts";

/** A running fake and stores in it. */
export type BucketsUnderTest = Readonly<{
  fake: FaultServer & Readonly<{ buckets: FakeBuckets }>;
  /** Uploads that have begun and neither ended nor been given up. */
  openUploads: () => number;
  /** Opens a store in a bucket, as another process would. */
  open: (bucket: string, options?: OpenOptions) => Promise<ObjectStore>;
}>;

export type OpenOptions = Readonly<{ prefix?: string; signal?: AbortSignal; requestMsMax?: number }>;

/** Waits take no time. */
export const hastyWorld = (options: OpenOptions = {}): AttemptWorld => ({
  clock: createFakeClock(0, "instant"),
  random: { fraction: () => 0.5 },
  signal: options.signal ?? new AbortController().signal,
  requestMsMax: options.requestMsMax ?? 20_000,
});

/** How the tests name themselves. */
const agent = "leat/test";

export async function startGcs(): Promise<BucketsUnderTest> {
  const fake = await startFakeGcs();
  return {
    fake,
    openUploads: fake.openSessions,
    open: (bucket, options = {}) => {
      fake.buckets.make(bucket);
      const place = { bucket, prefix: options.prefix ?? "base/", endpoint: fake.url };
      return openGcsStore(hastyWorld(options), place, agent);
    },
  };
}

export async function startS3(): Promise<BucketsUnderTest> {
  // The client looks for credentials in the environment; the fake only wants to see that there were some.
  process.env["AWS_ACCESS_KEY_ID"] = "test";
  process.env["AWS_SECRET_ACCESS_KEY"] = "test";
  const fake = await startFakeS3();
  return {
    fake,
    openUploads: fake.openUploads,
    open: (bucket, options = {}) => {
      fake.buckets.make(bucket);
      const place = {
        bucket,
        prefix: options.prefix ?? "base/",
        endpoint: fake.url,
        region: undefined,
        isPathStyle: true,
      };
      return openS3Store(hastyWorld(options), place, agent);
    },
  };
}
