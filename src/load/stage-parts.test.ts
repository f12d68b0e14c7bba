import { expect, test } from "vitest";
import type { Head } from "../landing/log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { checkInPlace } from "./stage-parts.ts";

const head = (tenant: string, ...parts: readonly (readonly [key: string, crc32c: string])[]): Head =>
  ({
    manifest: { tenant, seq: 1, parts: parts.map(([key, crc32c]) => ({ key, crc32c })) },
  }) as unknown as Head; // All that is looked at.
const storeOf = (checksums: Readonly<Record<string, string | null>>) => {
  const asked: string[] = [];
  const store = {
    url: "gs://bucket",
    checksum: async (key: string) => {
      asked.push(key);
      return checksums[key];
    },
  } as unknown as ObjectStore; // Likewise.
  return { store, asked };
};
const inPlace = { readsInPlace: (_url: string, compression: string) => compression !== "zstd" };

test("parts that are read in the store are compared with its own checksums", async () => {
  const { store, asked } = storeOf({ "a.ndjson.gz": "01", "b.ndjson.gz": "02", "c.ndjson.gz": null });
  const heads = [
    head("1", ["a.ndjson.gz", "01"], ["z.ndjson.zst", "09"]),
    head("2", ["b.ndjson.gz", "02"], ["c.ndjson.gz", "03"]),
  ];
  expect(await checkInPlace(store, inPlace, heads)).toBeUndefined();
  expect(asked).toEqual(["a.ndjson.gz", "b.ndjson.gz", "c.ndjson.gz"]); // The other is read and checked when it is copied.
});

test("the first that was replaced or is gone is told with its package", async () => {
  const { store } = storeOf({ "a.ndjson.gz": "01", "b.ndjson.gz": "ff" });
  const replaced = await checkInPlace(store, inPlace, [
    head("1", ["a.ndjson.gz", "01"]),
    head("2", ["b.ndjson.gz", "02"]),
  ]);
  expect([replaced?.head.manifest.tenant, replaced?.error.code]).toEqual(["2", "PART_CORRUPT"]);
  expect(replaced?.error.message).toMatch(/b\.ndjson\.gz has checksum ff; its manifest says 02/);
  const gone = await checkInPlace(store, inPlace, [head("1", ["x.ndjson.gz", "01"])]);
  expect(gone?.error.code).toBe("PART_MISSING");
});

test("a store that knows no checksums is asked nothing", async () => {
  const store = { url: "gs://bucket" } as unknown as ObjectStore; // Likewise.
  expect(await checkInPlace(store, inPlace, [head("1", ["a.ndjson.gz", "01"])])).toBeUndefined();
});
