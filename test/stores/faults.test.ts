/** What a bucket is asked for comes true once, whatever happens to any one exchange of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LeatError } from "../../src/errors/leat-error.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { Exchange, Fault } from "../fakes/fault-server.ts";
import { type BucketsUnderTest, startGcs, startS3 } from "./bucket-under-test.ts";

const mebibyte = 1024 * 1024;

/** Faults that any exchange may meet. */
const faults: readonly Fault[] = ["before", "after", "twice", "late", "429", "503", "truncated"];
/** Those that say nothing of what became of the request; for scenarios that move many bytes. */
const losses: readonly Fault[] = ["before", "after", "twice", "late"];

/** Three pieces of an upload, each unlike the others. */
const large: Buffer = Buffer.concat(
  [8, 8, 1].map((size, number) => Buffer.alloc(size * mebibyte, `${number}-`)),
);

/** Many chunks of an answer. */
const medium: Buffer = Buffer.alloc(mebibyte, "medium ");

/** Something that is asked of a store, and what must be true afterwards. */
type Scenario = Readonly<{
  name: string;
  /** Default: all. */
  faults?: readonly Fault[];
  /** Objects that are there before. */
  seeds?: Readonly<Record<string, Buffer | string>>;
  run: (store: ObjectStore) => Promise<unknown>;
  expected: unknown;
  /** Objects that are there afterwards. */
  objects: Readonly<Record<string, Buffer | string>>;
}>;

const write = async (store: ObjectStore, key: string, body: Buffer): Promise<string> => {
  const writer = await store.openWriter(key);
  for (let at = 0; at < body.length; at += 3 * mebibyte)
    await writer.write(body.subarray(at, at + 3 * mebibyte));
  return writer.commit();
};

const scenarios: readonly Scenario[] = [
  {
    name: "a small object is created",
    run: (store) => store.create("a", Buffer.from("one")),
    expected: "created",
    objects: { a: "one" },
  },
  {
    name: "a small object that exists is left as it is",
    seeds: { a: "theirs" },
    run: (store) => store.create("a", Buffer.from("ours")),
    expected: "exists",
    objects: { a: "theirs" },
  },
  {
    name: "a large object is created",
    faults: losses,
    run: (store) => write(store, "a", large),
    expected: "created",
    objects: { a: large },
  },
  {
    name: "a large object that exists is left as it is",
    faults: losses,
    seeds: { a: "theirs" },
    run: (store) => write(store, "a", large),
    expected: "exists",
    objects: { a: "theirs" },
  },
  {
    name: "a hint is made and replaced",
    run: async (store) => {
      await store.put("head", Buffer.from("1"));
      await store.put("head", Buffer.from("2"));
      return Buffer.from((await store.read("head")) ?? []).toString();
    },
    expected: "2",
    objects: { head: "2" },
  },
  {
    name: "an object is deleted, and made anew",
    seeds: { a: "old" },
    run: async (store) => {
      await store.delete("a");
      return store.create("a", Buffer.from("new"));
    },
    expected: "created",
    objects: { a: "new" },
  },
  {
    name: "objects are read",
    seeds: { a: "text", b: medium },
    run: async (store) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await store.readStream("b")) ?? []) chunks.push(chunk);
      const text = Buffer.from((await store.read("a")) ?? []).toString();
      return [text, Buffer.concat(chunks).equals(medium), await store.read("missing")];
    },
    expected: ["text", true, undefined],
    objects: { a: "text", b: medium },
  },
  {
    name: "objects are listed over pages",
    seeds: Object.fromEntries(
      Array.from({ length: 150 }, (_, n) => [`k/${String(n).padStart(3, "0")}`, "x"]),
    ),
    run: async (store) => {
      const keys: string[] = [];
      for await (const { key } of store.list("k/", { startAfter: "k/004" })) keys.push(key);
      return [keys.length, keys[0], keys.at(-1), new Set(keys).size];
    },
    expected: [145, "k/005", "k/149", 145],
    objects: {},
  },
];

describe.each([
  ["gs://", startGcs],
  ["s3://", startS3],
] as const)("%s", (_, start) => {
  let place: BucketsUnderTest;
  let count = 0;
  beforeAll(async () => {
    place = await start();
  });
  afterAll(() => place.fake.close());

  /** Runs a scenario in a bucket of its own. */
  const runIn = async (scenario: Scenario, plan: ((exchange: Exchange) => Fault | undefined) | undefined) => {
    const bucket = `faults-${++count}`;
    const store = await place.open(bucket, { prefix: "" });
    await store.create("proved", Buffer.from("Whether the store keeps conditions is asked once, here."));
    for (const [key, body] of Object.entries(scenario.seeds ?? {}))
      place.fake.buckets.seed(bucket, key, body);
    place.fake.clearLog();
    place.fake.plan(plan);
    const result = await scenario.run(store).finally(() => {
      place.fake.plan(undefined);
      place.fake.settle();
    });
    const exchanges = place.fake.log.map(({ verb }) => verb);
    expect(result).toEqual(scenario.expected);
    for (const [key, body] of Object.entries(scenario.objects)) {
      expect(place.fake.buckets.read(bucket, key)?.equals(Buffer.from(body)), key).toBe(true);
    }
    return exchanges;
  };

  test.each(scenarios)("$name, whatever happens to one exchange", async (scenario) => {
    const exchanges = await runIn(scenario, undefined);
    expect(exchanges.length).toBeGreaterThan(0);
    for (let number = 1; number <= exchanges.length; number++) {
      for (const fault of scenario.faults ?? faults) {
        const began = place.openUploads();
        await runIn(scenario, (exchange) => (exchange.number === number ? fault : undefined)).catch(
          (error) => {
            throw new Error(`${fault} at exchange ${number} (${exchanges[number - 1]}): ${error.message}`, {
              cause: error,
            });
          },
        );
        // An upload whose beginning was not heard of cannot be given up, nor one whose end is not heard; they expire.
        if (!["begin", "cancel"].includes(exchanges[number - 1]!)) expect(place.openUploads()).toBe(began);
      }
    }
  });

  test("folders are told over pages, a thousand by each request, whatever they hold", async () => {
    const store = await place.open("folders");
    const names = Array.from({ length: 1_205 }, (_, n) => `log/tenant=${String(n).padStart(4, "0")}/`);
    for (const name of names)
      for (const seq of [1, 2]) place.fake.buckets.seed("folders", `base/${name}${seq}`, "x");
    place.fake.buckets.seed("folders", "base/log/beside", "x");
    place.fake.clearLog();
    const folders: string[] = [];
    for await (const folder of store.listFolders("log/")) folders.push(folder);
    expect(folders).toEqual(names);
    expect(place.fake.log.map(({ verb }) => verb)).toEqual(["list", "list"]);
  });

  test("a small object is created once, whatever happens to any two exchanges", async () => {
    const scenario = scenarios[0]!;
    for (const first of faults) {
      for (const second of faults) {
        await runIn(scenario, ({ number }) => (number === 1 ? first : number === 2 ? second : undefined));
      }
    }
  });

  test("bytes that were damaged on the way are not taken for the object's", async () => {
    const store = await place.open("damage", { prefix: "" });
    place.fake.buckets.seed("damage", "a", "x".repeat(1000));
    place.fake.plan(({ verb, number }) => (verb === "read" && number === 1 ? "damaged" : undefined));
    place.fake.clearLog();
    expect(Buffer.from((await store.read("a"))!).toString()).toBe("x".repeat(1000));
    place.fake.clearLog();
    const drain = async () => {
      for await (const _ of (await store.readStream("a"))!);
    };
    await expect(drain()).rejects.toMatchObject({ code: "STORE_UNREADABLE", retryable: true });
    place.fake.plan(undefined);
  });

  test("bytes that arrive damaged at the bucket become no object, or are sent again", async () => {
    const small = Buffer.alloc(20_000, "small ");
    for (const [body, verb] of [
      [small, "insert"],
      [large, "piece"],
    ] as const) {
      const bucket = `garbled-${verb}`;
      const store = await place.open(bucket, { prefix: "" });
      await store.create("proved", Buffer.from(""));
      let count = 0;
      place.fake.plan((exchange) => (exchange.verb === verb && ++count === 1 ? "garbled" : undefined));
      const outcome = await write(store, "a", body).catch((error: LeatError) => error);
      place.fake.plan(undefined);
      expect(count).toBeGreaterThan(0);
      const stored = place.fake.buckets.read(bucket, "a");
      if (outcome === "created") expect(stored?.equals(body)).toBe(true);
      else {
        // Of an upload in one session, earlier pieces are not here any more: the run is repeated.
        expect(outcome).toMatchObject({ code: "STORE_UNWRITABLE", retryable: true });
        expect(stored).toBeUndefined();
      }
    }
  });

  test("an answer that never comes is given up, and the object is known again", async () => {
    const store = await place.open("silence", { prefix: "", requestMsMax: 300 });
    await store.create("proved", Buffer.from(""));
    place.fake.clearLog();
    place.fake.plan(({ verb }) => (verb === "insert" ? "silent" : undefined));
    expect(await store.create("a", Buffer.from("one"))).toBe("created");
    place.fake.plan(undefined);
    expect(place.fake.buckets.read("silence", "a")?.toString()).toBe("one");
  });

  test("a hint that was taken away, or replaced by others, is replaced all the same", async () => {
    const store = await place.open("hints", { prefix: "" });
    const { buckets } = place.fake;
    await store.put("head", Buffer.from("1"));
    buckets.remove("hints", "head");
    await store.put("head", Buffer.from("2"));
    expect(buckets.read("hints", "head")?.toString()).toBe("2");
    buckets.seed("hints", "head", "theirs");
    await store.put("head", Buffer.from("3"));
    expect(buckets.read("hints", "head")?.toString()).toBe("3");
    await store.read("head");
    buckets.seed("hints", "head", "theirs again");
    await store.delete("head");
    expect(buckets.read("hints", "head")).toBeUndefined();
  });

  test("an object that was not there, and has been made by others since, is deleted", async () => {
    const store = await place.open("others", { prefix: "" });
    expect(await store.read("a")).toBeUndefined();
    place.fake.buckets.seed("others", "a", "theirs");
    await store.delete("a");
    expect(place.fake.buckets.read("others", "a")).toBeUndefined();
  });

  test("an aborted writer has the bucket forget what was sent", async () => {
    const store = await place.open("aborts", { prefix: "" });
    const began = place.openUploads();
    const writer = await store.openWriter("a");
    await writer.write(large);
    expect(place.openUploads()).toBe(began + 1);
    await writer.abort();
    expect(place.openUploads()).toBe(began);
    expect(await store.read("a")).toBeUndefined();
  });
});
