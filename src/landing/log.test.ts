import { describe, expect, test } from "vitest";
import { manifestOf, place, putManifests } from "../../test/properties/manifest-of.ts";
import { LeatError } from "../errors/leat-error.ts";
import { toRunId, toTenantId } from "../model/ids.ts";
import { createMemoryStore, type Interpose, type MemoryObjects } from "../testing/memory-store.ts";
import {
  appendManifest,
  listTenants,
  manifestAgeMs,
  readHead,
  readManifestOfLog,
  walkPackages,
} from "./log.ts";
import { headKey, manifestKey } from "./names.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });

/** A log of `length` empty manifests, and a count of what is asked of its store. */
function logOf(length: number, hint?: string) {
  const objects: MemoryObjects = new Map();
  putManifests(
    objects,
    Array.from({ length }, (_, i) => manifestOf(i + 1)),
  );
  if (hint !== undefined) objects.set(headKey(place), { body: Buffer.from(hint), createdAtMs: 0 });
  let requests = 0;
  const store = createMemoryStore({
    objects,
    interpose: async (_operation, effect) => {
      requests++;
      return effect();
    },
  });
  return { objects, store, requests: () => requests };
}

describe("I1 the head", () => {
  test.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100])("of %i manifests is found with no hint", async (length) => {
    const log = logOf(length);
    expect((await readHead(log.store, place))?.manifest.seq ?? 0).toBe(length);
    expect(log.requests()).toBeLessThanOrEqual(3 + 2 * Math.ceil(Math.log2(length + 2)));
  });

  test("is found in three requests with a fresh hint", async () => {
    const log = logOf(40, "40");
    expect((await readHead(log.store, place))?.manifest.seq).toBe(40);
    expect(log.requests()).toBe(3);
  });

  test.each(["1", "17", "39"])("is found with the old hint %s, upward from there", async (hint) => {
    const log = logOf(40, hint);
    expect((await readHead(log.store, place))?.manifest.seq).toBe(40);
    expect(log.requests()).toBeLessThanOrEqual(3 + 2 * Math.ceil(Math.log2(40 - Number(hint) + 2)));
  });

  test.each([
    "41",
    "9000",
    "0",
    "-3",
    "1.5",
    "x",
    "",
  ])("is found with the hint %j, which counts for nothing", async (hint) => {
    const log = logOf(40, hint);
    expect((await readHead(log.store, place))?.manifest.seq).toBe(40);
    expect(log.requests()).toBeLessThanOrEqual(16);
  });

  test("takes requests that grow with the logarithm of the log", async () => {
    const log = logOf(3000);
    await readHead(log.store, place);
    expect(log.requests()).toBeLessThanOrEqual(3 + 2 * Math.ceil(Math.log2(3000)));
  });
});

describe("I9 a commit", () => {
  const mine = manifestOf(1, { runId: toRunId("mine") });
  const theirs = manifestOf(1, { runId: toRunId("theirs") });

  test("of a seq that another run has is STATE_CONFLICT, and leaves theirs", async () => {
    const log = logOf(0);
    await appendManifest(log.store, theirs);
    await expect(appendManifest(log.store, mine)).rejects.toThrow(code("STATE_CONFLICT"));
    expect((await readHead(log.store, place))?.manifest.runId).toBe("theirs");
  });

  test.each([
    true,
    false,
  ])("whose answer was lost is settled by the log (took effect: %s)", async (tookEffect) => {
    const objects: MemoryObjects = new Map();
    let lost = 0;
    const interpose: Interpose = async (operation, effect) => {
      if (operation.kind !== "create" || lost++ > 0) return effect();
      if (tookEffect) effect();
      throw new LeatError("STORE_UNWRITABLE", { message: "the answer was lost" });
    };
    const head = await appendManifest(createMemoryStore({ objects, interpose }), mine);
    expect(await readHead(createMemoryStore({ objects }), place)).toEqual(head);
  });

  test("whose answers are all lost fails, when none took effect", async () => {
    const interpose: Interpose = async (operation, effect) => {
      if (operation.kind === "create") throw new LeatError("STORE_UNWRITABLE", { message: "down" });
      return effect();
    };
    const store = createMemoryStore({ interpose });
    await expect(appendManifest(store, mine)).rejects.toThrow(code("STORE_UNWRITABLE"));
    expect(await readHead(store, place)).toBeUndefined();
  });

  test("to a store that says it exists and cannot show it ends, too", async () => {
    const store = { ...createMemoryStore(), create: async () => "exists" as const };
    await expect(appendManifest(store, mine)).rejects.toThrow(code("STORE_UNREADABLE"));
  });

  test("stands although the hint could not be written", async () => {
    const interpose: Interpose = async (operation, effect) => {
      if (operation.kind === "put") throw new LeatError("STORE_UNWRITABLE", { message: "down" });
      return effect();
    };
    const store = createMemoryStore({ interpose });
    await appendManifest(store, mine);
    expect((await readHead(store, place))?.manifest.runId).toBe("mine");
  });

  test("larger than a manifest may be is refused before anything is written", async () => {
    const log = logOf(0);
    const columns = new Map(
      Array.from({ length: 60_000 }, (_, i) => [
        `column_${i}`,
        { kinds: 4, intDigitsMax: 1, scaleMax: 0, hasExactNumbers: false },
      ]),
    );
    await expect(appendManifest(log.store, manifestOf(1, { columns }))).rejects.toThrow(
      code("RUN_BOUND_REACHED"),
    );
    expect(log.objects.size).toBe(0);
  });
});

describe("a log is read", () => {
  test("package by package, without the empty manifests between", async () => {
    const objects: MemoryObjects = new Map();
    const kinds = ["data", "empty", "empty", "data", "forget", "state-edit", "empty"] as const;
    let previous = 0;
    const manifests = kinds.map((kind, i) => {
      const manifest = manifestOf(i + 1, { kind, previousDataSeq: previous });
      if (kind === "data" || kind === "forget") previous = i + 1;
      return manifest;
    });
    putManifests(objects, manifests);
    const store = createMemoryStore({ objects });
    const head = (await readHead(store, place))!;
    const walk = async (afterSeq: number) => {
      const seqs: number[] = [];
      for await (const { manifest } of walkPackages(store, place, head, afterSeq)) seqs.push(manifest.seq);
      return seqs;
    };
    expect(await walk(0)).toEqual([5, 4, 1]);
    expect(await walk(1)).toEqual([5, 4]);
    expect(await walk(5)).toEqual([]);
  });

  test("and a manifest that is missing in its middle is LOG_GAP", async () => {
    const log = logOf(3);
    log.objects.delete(manifestKey(place, 2));
    await expect(readManifestOfLog(log.store, place, 2)).rejects.toThrow(code("LOG_GAP"));
  });

  test("I13 and a manifest of another tenant in its place is refused", async () => {
    const log = logOf(0);
    const body = (await appendManifest(log.store, manifestOf(1, { tenant: toTenantId("41") }))).manifest;
    const copy = log.objects.get(manifestKey(body, 1))!;
    log.objects.set(manifestKey(place, 1), copy);
    await expect(readHead(log.store, place)).rejects.toThrow(code("MANIFEST_INVALID"));
  });

  test("and its newest manifest's age is told by the store's clock", async () => {
    let nowMs = 1000;
    const store = createMemoryStore({ nowMs: () => nowMs });
    await appendManifest(store, manifestOf(1, { committedAt: "2099-01-01T00:00:00.000Z" }));
    nowMs = 61_000;
    expect(await manifestAgeMs(store, place, 1)).toBe(60_000);
  });
});

test("I13 tenants of a stream are listed, whatever they are called and whatever else lies there", async () => {
  const store = createMemoryStore();
  const names = ["41", "414", "4", "A", "a", "a b", "a-b", "tenant=x", "ü"];
  for (const name of names) {
    await appendManifest(store, manifestOf(1, { tenant: toTenantId(name) }));
    await appendManifest(store, manifestOf(2, { tenant: toTenantId(name) }));
  }
  await appendManifest(store, manifestOf(1, { stream: "records2" }));
  await store.put("log/partner/records/tenant=gone/head", Buffer.from("7"));
  expect((await listTenants(store, "partner", "records")).toSorted()).toEqual(names.toSorted());
});

test("I13 tenants that are known are listed by one request, and only strangers' logs are read", async () => {
  const objects: MemoryObjects = new Map();
  const asked: string[] = [];
  const store = createMemoryStore({
    objects,
    interpose: async ({ kind, key }, effect) => {
      asked.push(`${kind} ${key}`);
      return effect();
    },
  });
  const long = "x".repeat(200); // Its folder's name is a digest.
  const names = ["41", "414", "A", long];
  for (const name of [...names, "stranger"])
    await appendManifest(store, manifestOf(1, { tenant: toTenantId(name) }));
  asked.length = 0;
  const known = [...names, "without a log"].map(toTenantId);
  const listed = await listTenants(store, "partner", "records", known);
  expect(listed.toSorted()).toEqual([...names, "stranger"].toSorted());
  expect(asked).toEqual([
    "list log/partner/records/",
    "list log/partner/records/tenant=stranger/",
    "read log/partner/records/tenant=stranger/000000000001.json",
  ]);
});
