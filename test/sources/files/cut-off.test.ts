/** A run that ends at any of its steps towards the store, with or without effect: the next one makes it whole. */
import { expect, test } from "vitest";
import { LeatError } from "../../../src/errors/leat-error.ts";
import { extractFiles } from "../../../src/extract/extract-files.ts";
import { listFileVersions, listLandedFiles } from "../../../src/extract/list-landed-files.ts";
import { verifyLog } from "../../../src/landing/verify-log.ts";
import type { FileReader } from "../../../src/ports/source.ts";
import { openScanner } from "../../../src/scan/open-scanner.ts";
import { createMemoryStore, type Interpose, type MemoryObjects } from "../../../src/testing/memory-store.ts";
import { testTenant, testWorld } from "../test-world.ts";
import { HastyClock, oneStream } from "./files-landing.ts";

/** Files as the publisher has them now: text by name. */
type Published = ReadonlyMap<string, string>;

const first: Published = new Map(["a", "b", "c", "d"].map((name) => [`${name}.csv`, `${name} 1\n`]));
/** One revised, one new, one gone. */
const second: Published = new Map(
  [...first, ["b.csv", "b 2\n"], ["e.csv", "e 1\n"]].filter(([name]) => name !== "d.csv") as [
    string,
    string,
  ][],
);

function openReader(published: Published, concurrency: number): FileReader {
  return {
    limits: { filesMax: 100, fileBytesMax: 1000, concurrency },
    requestCount: 0,
    async *find() {
      for (const name of published.keys()) yield { id: name, name, fields: {} };
    },
    async fetch({ id }, known) {
      const text = published.get(id) ?? "";
      if (known?.etag === text) return { status: "unchanged" };
      return {
        status: "fetched",
        body: (async function* () {
          yield Buffer.from(text);
        })(),
        discard: () => {},
        name: undefined,
        address: id,
        bytes: text.length,
        contentType: undefined,
        etag: text,
        lastModified: undefined,
        modifiedMs: undefined,
      };
    },
    close: async () => {},
  };
}

const source = oneStream({ folder: "nowhere", bounds: { checkpointBytes: 4 } }); // A commit for each.
const spec = source.streams[0]!;
const place = { source: "pub", stream: "docs", tenant: testTenant().id };

async function run(
  objects: MemoryObjects,
  published: Published,
  options: { concurrency: number; interpose?: Interpose },
) {
  const world = testWorld({ clock: new HastyClock() });
  const store = createMemoryStore({ objects, ...(options.interpose && { interpose: options.interpose }) });
  return extractFiles(
    { store, clock: world.clock, random: world.random, progress: world.progress, openScanner },
    {
      spec,
      tenant: testTenant(),
      reader: openReader(published, options.concurrency),
      mode: { kind: "incremental" },
      tenantColumn: "tenant_id",
      compression: "zstd",
      idempotencyKey: undefined,
      softDeadlineMs: undefined,
    },
    new AbortController().signal,
  );
}

/** Lets so many operations through; then the process is dead, and its last one took effect or did not. */
function dieAfter(steps: number, hasEffect: boolean): { interpose: Interpose; isDead: () => boolean } {
  let count = 0;
  return {
    interpose: async (_operation, effect) => {
      count++;
      if (count <= steps) return effect();
      if (count === steps + 1 && hasEffect) effect();
      throw new LeatError("STORE_UNWRITABLE", { message: "The process is dead.", retryable: false });
    },
    isDead: () => count > steps,
  };
}

test.each([
  [1, false],
  [1, true],
  [3, false],
  [3, true],
])("%s at a time, the last step with effect: %s", async (concurrency, hasEffect) => {
  let deaths = 0;
  for (let steps = 0; ; steps++) {
    const objects: MemoryObjects = new Map();
    await run(objects, first, { concurrency });
    const death = dieAfter(steps, hasEffect);
    const failure = await run(objects, second, { concurrency, interpose: death.interpose }).catch(
      (error: unknown) => error,
    );
    if (death.isDead()) deaths++;
    else expect(failure).toMatchObject({ status: "committed", missingFiles: 1 });
    await run(objects, second, { concurrency });

    const store = createMemoryStore({ objects });
    const versions = await listFileVersions(store, place);
    expect(versions.map(({ id, version }) => `${id} ${version}`).sort()).toEqual([
      "a.csv 1",
      "b.csv 1",
      "b.csv 2",
      "c.csv 1",
      "d.csv 1",
      "e.csv 1",
    ]);
    expect((await listLandedFiles(store, place)).map(({ id, version }) => `${id} ${version}`)).toEqual([
      "a.csv 1",
      "b.csv 2",
      "c.csv 1",
      "d.csv 1",
      "e.csv 1",
    ]);
    const { faults } = await verifyLog(store, place, { readsParts: true });
    expect(faults).toEqual([]);
    expect((await run(objects, second, { concurrency })).status).toBe("unchanged");
    if (!death.isDead()) break;
  }
  expect(deaths).toBeGreaterThan(10);
});
