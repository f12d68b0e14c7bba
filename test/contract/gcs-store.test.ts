/** `gs://` keeps the contract of object stores, against a fake of Google Cloud Storage on loopback. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGcsStore } from "../../src/stores/gcs/open-gcs-store.ts";
import { objectStoreContract } from "../../src/testing/object-store-contract.ts";
import { startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { type BucketsUnderTest, hastyWorld, startGcs } from "../stores/bucket-under-test.ts";

let gcs: BucketsUnderTest;
let count = 0;
beforeAll(async () => {
  gcs = await startGcs();
});
afterAll(() => gcs.fake.close());

const mebibyte = 1024 * 1024;

describe("Google Cloud Storage", () => {
  objectStoreContract(test, async () => {
    const bucket = `contract-${++count}`;
    const reopen = () => gcs.open(bucket, { prefix: count % 2 === 0 ? "" : "some/prefix/" });
    return { store: await reopen(), reopen, dispose: async () => {} };
  });

  test("every create, replacement and deletion depends on a generation", async () => {
    gcs.fake.clearLog();
    const store = await gcs.open("preconditions");
    await store.create("a", Buffer.from("1"));
    await store.put("head", Buffer.from("1"));
    await store.put("head", Buffer.from("2"));
    const writer = await store.openWriter("b");
    for (let piece = 0; piece < 3; piece++) await writer.write(Buffer.alloc(4 * mebibyte, piece));
    await writer.commit();
    await store.delete("a");
    const writes = gcs.fake.log.filter(({ verb }) => ["insert", "begin", "delete"].includes(verb));
    expect(writes.map(({ verb, path }) => [verb, /ifGenerationMatch=(\d+)/.exec(path)?.[1]?.length])).toEqual(
      [
        ["insert", 1],
        ["insert", 1],
        ["insert", 16],
        ["begin", 1],
        ["delete", 16],
      ],
    );
  });

  test("the bucket's own checksum is told without reading the object, and that there is none", async () => {
    const store = await gcs.open("checksums");
    await store.create("a", Buffer.from("123456789"));
    gcs.fake.clearLog();
    expect(await store.checksum?.("a")).toBe("e3069283");
    expect(await store.checksum?.("b")).toBeUndefined();
    expect(gcs.fake.log.map(({ verb }) => verb)).toEqual(["stat", "stat"]);
  });

  test("every request says who asks, and none asks for credentials at an address of one's own", async () => {
    gcs.fake.clearLog();
    const store = await gcs.open("agents");
    const writer = await store.openWriter("b");
    for (let piece = 0; piece < 3; piece++) await writer.write(Buffer.alloc(4 * mebibyte, piece));
    await writer.commit();
    for await (const _ of (await store.readStream("b")) ?? []);
    for await (const _ of store.list("")) break;
    expect(gcs.fake.log.length).toBeGreaterThan(4);
    expect(gcs.fake.log.filter(({ userAgent }) => !userAgent.startsWith("leat/test"))).toEqual([]);
  });

  test("an upload is gone on with where the bucket says, also when it keeps only a part of each piece", async () => {
    const fake = await startFakeGcs({ keptBytesMax: 3 * mebibyte });
    try {
      fake.buckets.make("slow");
      const place = { bucket: "slow", prefix: "", endpoint: fake.url };
      const store = await openGcsStore(hastyWorld(), place, "leat/test");
      const body = Buffer.alloc(20 * mebibyte + 7, "a text that is longer than nothing;");
      const writer = await store.openWriter("object");
      for (let at = 0; at < body.length; at += 1_000_000)
        await writer.write(body.subarray(at, at + 1_000_000));
      expect(await writer.commit()).toBe("created");
      expect(fake.buckets.read("slow", "object")?.equals(body)).toBe(true);
    } finally {
      await fake.close();
    }
  });

  test("a session that is refused at once and one that is refused at its end both say that the key exists", async () => {
    for (const checksAtInitiation of [true, false]) {
      const fake = await startFakeGcs({ checksAtInitiation });
      try {
        fake.buckets.seed("taken", "object", "first");
        const place = { bucket: "taken", prefix: "", endpoint: fake.url };
        const store = await openGcsStore(hastyWorld(), place, "leat/test");
        const writer = await store.openWriter("object");
        for (let piece = 0; piece < 5; piece++) await writer.write(Buffer.alloc(5 * mebibyte, piece));
        expect(await writer.commit()).toBe("exists");
        expect(fake.buckets.read("taken", "object")?.toString()).toBe("first");
        expect(fake.openSessions()).toBe(0);
      } finally {
        await fake.close();
      }
    }
  });

  test("what somebody has stored packed is read as it is stored", async () => {
    const { gzipSync } = await import("node:zlib");
    const packed = gzipSync("plain text");
    const store = await gcs.open("packed", { prefix: "" });
    gcs.fake.buckets.seed("packed", "logs.csv", packed, { contentEncoding: "gzip" });
    expect(Buffer.from((await store.read("logs.csv"))!).equals(packed)).toBe(true);
  });
});
