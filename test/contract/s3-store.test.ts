/** `s3://` keeps the contract of object stores, against a fake of Amazon S3 on loopback. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openS3Store } from "../../src/stores/s3/open-s3-store.ts";
import { objectStoreContract } from "../../src/testing/object-store-contract.ts";
import { startFakeS3 } from "../fakes/start-fake-s3.ts";
import { type BucketsUnderTest, hastyWorld, startS3 } from "../stores/bucket-under-test.ts";

let s3: BucketsUnderTest;
let count = 0;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.fake.close());

const mebibyte = 1024 * 1024;
const place = (bucket: string, endpoint: string) => ({
  bucket,
  prefix: "",
  endpoint,
  region: undefined,
  isPathStyle: true,
});

describe("Amazon S3", () => {
  objectStoreContract(test, async () => {
    const bucket = `contract-${++count}`;
    const reopen = () => s3.open(bucket, { prefix: count % 2 === 0 ? "" : "some/prefix/" });
    return { store: await reopen(), reopen, dispose: async () => {} };
  });

  test("every request says who asks", async () => {
    s3.fake.clearLog();
    const store = await s3.open("agents");
    await store.create("a", Buffer.from("1"));
    await store.read("a");
    expect(s3.fake.log.filter(({ userAgent }) => !userAgent.includes("leat/test"))).toEqual([]);
  });

  test("a conflict with a write that is under way is tried again", async () => {
    const fake = await startFakeS3();
    try {
      fake.buckets.make("busy");
      const store = await openS3Store(hastyWorld(), place("busy", fake.url), "leat/test");
      await store.create("first", Buffer.from("the proof of conditions is behind us"));
      fake.conflict(2);
      expect(await store.create("a", Buffer.from("1"))).toBe("created");
      const writer = await store.openWriter("b");
      for (let piece = 0; piece < 3; piece++) await writer.write(Buffer.alloc(4 * mebibyte, piece));
      fake.conflict(2);
      expect(await writer.commit()).toBe("created");
      expect(fake.openUploads()).toBe(0);
    } finally {
      await fake.close();
    }
  });

  test("a store that does not keep conditions is refused before anything is written", async () => {
    const fake = await startFakeS3({ ignoresConditions: true });
    try {
      fake.buckets.make("careless");
      const store = await openS3Store(hastyWorld(), place("careless", fake.url), "leat/test");
      const refusal = { code: "NOT_SUPPORTED", message: expect.stringContaining("only if absent") };
      await expect(store.create("log/1.json", Buffer.from("1"))).rejects.toMatchObject(refusal);
      await expect(store.openWriter("part")).rejects.toMatchObject(refusal);
      await expect(store.put("head", Buffer.from("1"))).rejects.toMatchObject(refusal);
      expect(fake.buckets.keys("careless", "log/")).toEqual([]);
    } finally {
      await fake.close();
    }
  });

  test("conditions are proved once a process, by one request where they were proved before", async () => {
    s3.fake.clearLog();
    for (let process = 0; process < 2; process++) {
      const store = await s3.open("proofs");
      await store.create(`a-${process}`, Buffer.from("1"));
      await store.create(`b-${process}`, Buffer.from("1"));
    }
    const proofs = s3.fake.log.filter(
      ({ verb, path }) => verb === "insert" && path.includes("conditional-writes"),
    );
    expect(proofs.map(({ status }) => status)).toEqual([200, 412, 412]);
  });

  test("a bucket of another region is told with the region to name", async () => {
    const fake = await startFakeS3();
    try {
      const store = await openS3Store(hastyWorld(), place("elsewhere", fake.url), "leat/test");
      fake.fail({ status: 301, code: "PermanentRedirect", headers: { "x-amz-bucket-region": "eu-west-2" } });
      await expect(store.read("a")).rejects.toMatchObject({
        code: "STORE_MISSING",
        message: expect.stringContaining("the bucket is in the region eu-west-2"),
        hint: expect.stringContaining("?region=eu-west-2"),
      });
    } finally {
      await fake.close();
    }
  });
});
