/** What no version needs is collected, and nothing else. */
import { describe, expect, test } from "vitest";
import { collectTidy } from "../../src/dataset/collect-tidy.ts";
import { collectVersions } from "../../src/dataset/collect-versions.ts";
import { readNewest } from "../../src/dataset/dataset-log.ts";
import { listVersions, readLayouts } from "../../src/dataset/list-versions.ts";
import { bringParts, findVersion } from "../../src/dataset/open-version.ts";
import { type DatasetRow, defineDataset, fromFiles, fromRows, z } from "../../src/index.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { type DatasetBench, readLinesOf, withBench } from "./dataset-bench.ts";

const columns = { id: z.int(), value: z.string().nullable() };

const specOf = (rows: readonly DatasetRow[], more: object = {}): DatasetSpec =>
  defineDataset({ name: "d", description: "x", columns, key: ["id"], from: fromRows(() => rows), ...more });

const row = (id: number, value: string | null) => ({ id, value });

/** Builds a version of each value, one after the other. */
async function buildMany(bench: DatasetBench, values: readonly string[]): Promise<readonly string[]> {
  const versions: string[] = [];
  for (const value of values) versions.push((await bench.build(specOf([row(1, value)]))).manifest.version);
  return versions;
}

describe("garbage", () => {
  test("of killed builds goes once its place in the log is another's, and not before", async () => {
    await withBench(async (bench) => {
      await bench.build(specOf([row(1, "a")]));
      const orphan = (seq: string) => `datasets/d/build=${seq}-0123456789abcdef0123/part-00001.parquet`;
      for (const seq of ["000000000001", "000000000002"])
        await bench.store.create(orphan(seq), Buffer.from("x"));
      const options = { keepVersions: undefined, isDryRun: false };
      expect(await collectVersions(bench.store, "d", { ...options, isDryRun: true })).toMatchObject({
        deleted: 1,
        waiting: 1,
      });
      expect(await collectVersions(bench.store, "d", options)).toMatchObject({
        deleted: 1,
        waiting: 1,
        versions: 0,
      });
      expect(await bench.keys("datasets/d/build=")).toContain(orphan("000000000002"));
      await bench.build(specOf([row(1, "b")]));
      expect(await collectVersions(bench.store, "d", options)).toMatchObject({ deleted: 1, waiting: 0 });
      for (const named of ["1", "2"]) {
        const entry = await findVersion(bench.store, "d", named);
        await expect(bringParts(bench.store, entry, bench.folder)).resolves.toHaveLength(1);
      }
    });
  });

  test("are versions beyond those to be kept; the others stay readable, and the log stays whole", async () => {
    await withBench(async (bench) => {
      await buildMany(bench, ["a", "b", "c", "d"]);
      const options = { keepVersions: 2, isDryRun: false };
      expect(await collectVersions(bench.store, "d", options)).toMatchObject({ versions: 2, deleted: 2 });
      expect(await collectVersions(bench.store, "d", options)).toMatchObject({ versions: 0, deleted: 0 });
      const { versions, count } = await listVersions(bench.store, "d", 10);
      expect(count).toBe(4);
      expect(versions.map(({ entry, isCollected }) => [entry.seq, isCollected])).toEqual([
        [4, false],
        [3, false],
        [2, true],
        [1, true],
      ]);
      const gone = await findVersion(bench.store, "d", "1");
      await expect(bringParts(bench.store, gone, bench.folder)).rejects.toMatchObject({
        code: "VERSION_UNKNOWN",
        message: expect.stringContaining("was collected"),
      });
      await expect(buildMany(bench, ["e"])).resolves.toHaveLength(1);
      expect((await readNewest(bench.store, "d"))?.seq).toBe(5);
    });
  });

  test("a death between mark and files is finished by the next collection", async () => {
    await withBench(async (bench) => {
      await buildMany(bench, ["a", "b"]);
      const dying: ObjectStore = {
        ...bench.store,
        delete: () => Promise.reject(new Error("the process is gone")),
      };
      const options = { keepVersions: 1, isDryRun: false };
      await expect(collectVersions(dying, "d", options)).rejects.toThrow("the process is gone");
      expect(await collectVersions(bench.store, "d", options)).toMatchObject({ versions: 0, deleted: 1 });
    });
  });

  test("are tidy rows of a month ago; a build that misses them reads the files again", async () => {
    await withBench(async (bench) => {
      await bench.land("a.csv", [row(1, "a")]);
      const spec = specOf([], { from: fromFiles("ons.workbooks", { read: readLinesOf("id", "value") }) });
      const { manifest } = await bench.build(spec);
      expect(await readLayouts(bench.store, manifest)).toMatchObject([
        { name: "a.csv", report: { rows: 1 } },
      ]);
      expect(await collectTidy(bench.store, { isDryRun: false })).toMatchObject({ deleted: 0 });
      const later: ObjectStore = {
        ...bench.store,
        nowMs: async () => (await bench.store.nowMs()) + 31 * 86_400_000,
      };
      expect(await collectTidy(later, { isDryRun: true })).toMatchObject({ deleted: 2 });
      expect(await collectTidy(later, { isDryRun: false })).toMatchObject({ deleted: 2 });
      expect(await bench.build(spec)).toMatchObject({
        status: "unchanged",
        seen: { readNow: ["https://ons.example/a.csv"] },
      });
      // Damaged ones are not believed.
      const rows = (await bench.keys("tidy/")).find((key) => key.endsWith(".zst"))!;
      const bytes = Buffer.from((await bench.store.read(rows))!);
      bytes[bytes.length - 5]! ^= 1;
      await bench.store.put(rows, bytes);
      expect(await bench.build(spec)).toMatchObject({
        status: "unchanged",
        seen: { readNow: ["https://ons.example/a.csv"] },
      });
      expect(await bench.build(spec)).toMatchObject({ status: "unchanged", seen: { readNow: [] } });
    });
  });
});
