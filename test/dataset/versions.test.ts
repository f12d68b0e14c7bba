/** The log of a dataset: versions found and compared; builds that race or lose an answer. */
import { describe, expect, test } from "vitest";
import { readNewest } from "../../src/dataset/dataset-log.ts";
import { bringParts, findVersion, openVersion } from "../../src/dataset/open-version.ts";
import { type DatasetRow, defineDataset, fromRows, LeatError, z } from "../../src/index.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { type DatasetBench, withBench } from "./dataset-bench.ts";

const columns = { id: z.int(), value: z.string().nullable() };
const never = new AbortController().signal;

const specOf = (rows: readonly DatasetRow[], more: object = {}): DatasetSpec =>
  defineDataset({ name: "d", description: "x", columns, key: ["id"], from: fromRows(() => rows), ...more });

const row = (id: number, value: string | null) => ({ id, value });

/** Builds a version of each value, one after the other. */
async function buildMany(bench: DatasetBench, values: readonly string[]): Promise<readonly string[]> {
  const versions: string[] = [];
  for (const value of values) versions.push((await bench.build(specOf([row(1, value)]))).manifest.version);
  return versions;
}

describe("a version", () => {
  test("is named by schema and rows alone", async () => {
    await withBench(async (bench) => {
      const rows = [row(1, "a"), row(2, null)];
      const { manifest } = await bench.build(specOf(rows));
      const same = [
        specOf(rows.toReversed()),
        specOf(rows, { rules: [{ rule: "notNull", columns: "id" }] }),
        specOf(rows, { warehouseSchema: "other" }),
      ];
      for (const spec of same) expect(await bench.build(spec)).toMatchObject({ status: "unchanged" });
      const others = [
        specOf([row(1, "a"), row(2, "")]),
        specOf([row(1, "a")]),
        specOf(rows, { description: "y" }),
        specOf(rows, { sort: ["value"] }),
        specOf(rows, { columns: { id: z.int(), value: z.string().nullable().describe("said") } }),
      ];
      const versions = new Set([manifest.version]);
      for (const spec of others) versions.add((await bench.build(spec)).manifest.version);
      expect(versions.size).toBe(others.length + 1);
    });
  });

  test("that comes back is an entry of its own", async () => {
    await withBench(async (bench) => {
      const [one, two, three] = await buildMany(bench, ["a", "b", "a"]);
      expect(one).toBe(three);
      expect(two).not.toBe(one);
      expect((await readNewest(bench.store, "d"))?.seq).toBe(3);
    });
  });

  test("is found by the beginning of its name, by number, as latest and as previous", async () => {
    await withBench(async (bench) => {
      const versions = await buildMany(bench, ["a", "b", "c", "a"]);
      const seqOf = async (named: string) => (await findVersion(bench.store, "d", named)).seq;
      expect(await seqOf("latest")).toBe(4);
      expect(await seqOf("previous")).toBe(3);
      expect(await seqOf("2")).toBe(2);
      expect(await seqOf(versions[1]!.slice(0, 8))).toBe(2);
      expect(await seqOf(versions[0]!)).toBe(4); // Of equal ones the newest.
      for (const unknown of ["ffff0000ffff", "5", "newest", ""]) {
        await expect(findVersion(bench.store, "d", unknown)).rejects.toMatchObject({
          code: "VERSION_UNKNOWN",
          hint: expect.stringContaining(versions[2]!.slice(0, 12)),
        });
      }
      await expect(findVersion(bench.store, "other", "latest")).rejects.toMatchObject({
        hint: "Run `leat build other`.",
      });
      await expect(buildMany(bench, ["x"])).resolves.toHaveLength(1);
    });
  });

  test("is compared with another by key, cell by cell", async () => {
    await withBench(async (bench) => {
      const one = await bench.build(specOf([row(1, "a"), row(2, "b"), row(3, null), row(4, "same")]));
      const two = await bench.build(specOf([row(2, "B"), row(3, "c"), row(4, "same"), row(5, null)]));
      expect(two.changes).toEqual({
        added: 1,
        removed: 1,
        changed: 2,
        unchanged: 1,
        columns: { value: 2 },
        samples: [
          { change: "added", key: { id: 5 }, cells: { value: { before: null, after: null } } },
          { change: "changed", key: { id: 2 }, cells: { value: { before: "b", after: "B" } } },
          { change: "changed", key: { id: 3 }, cells: { value: { before: null, after: "c" } } },
          { change: "removed", key: { id: 1 }, cells: { value: { before: "a", after: null } } },
        ],
      });
      // Columns that come, go or change their type.
      const typed = specOf([{ id: "2", value: 5, more: true }], {
        columns: { id: z.string(), value: z.int(), more: z.boolean() },
      });
      const three = await bench.build(typed);
      expect(three.changes).toMatchObject({ added: 0, removed: 3, changed: 1, columns: { value: 1 } });
      const keyed = specOf([{ other: 1 }], { columns: { other: z.int() }, key: ["other"] });
      expect((await bench.build(keyed)).changes).toBeUndefined();
      const folder = bench.folder;
      const engine = bench.ports().engine;
      const [a, b] = [
        await openVersion(bench.store, two.manifest, folder),
        await openVersion(bench.store, one.manifest, folder),
      ];
      const back = await engine.compareVersions(a, b, { folder, samplesMax: 1 }, never);
      expect(back).toMatchObject({ added: 1, removed: 1, changed: 2 });
      expect(back.samples).toHaveLength(3);
    });
  });

  test("whose file was lost or changed is refused by name", async () => {
    await withBench(async (bench) => {
      const { manifest } = await bench.build(specOf([row(1, "a")]));
      const { key } = manifest.parts[0]!;
      const bytes = await bench.store.read(key);
      await bench.store.put(key, Buffer.concat([bytes!, Buffer.from("x")]));
      await expect(bringParts(bench.store, manifest, bench.folder)).rejects.toMatchObject({
        code: "PART_CORRUPT",
      });
      await bench.store.delete(key);
      await expect(bringParts(bench.store, manifest, bench.folder)).rejects.toMatchObject({
        code: "PART_MISSING",
      });
      // The rows are published again by the next change, and what is lost hinders no build.
      expect(await bench.build(specOf([row(1, "b")]))).toMatchObject({
        status: "published",
        changes: undefined,
      });
    });
  });

  test("of a newer leat, or edited by hand, is not taken for what it is not", async () => {
    await withBench(async (bench) => {
      await bench.build(specOf([row(1, "a")]));
      const key = "datasets/d/log/000000000001.json";
      const text = Buffer.from((await bench.store.read(key))!).toString("utf8");
      for (const wrong of [
        text.replace('"formatVersion": 1', '"formatVersion": 2'),
        "{",
        text.replace('"seq": 1', '"seq": 2'),
      ]) {
        await bench.store.put(key, Buffer.from(wrong));
        await expect(bench.build(specOf([row(1, "a")]))).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
      }
    });
  });
});

describe("a build that meets another", () => {
  /** Another build publishes when the first is about to create its entry. */
  const interrupted = (
    bench: DatasetBench,
    meanwhile: (attempt: number) => Promise<unknown>,
  ): ObjectStore => {
    let attempts = 0;
    const create: ObjectStore["create"] = async (key, body) => {
      if (key.includes("/log/")) await meanwhile(++attempts);
      return await bench.store.create(key, body);
    };
    return { ...bench.store, create };
  };

  test("with equal rows takes the other's version for its own", async () => {
    await withBench(async (bench) => {
      const spec = specOf([row(1, "a")]);
      const store = interrupted(bench, () => bench.build(spec));
      const outcome = await bench.build(spec, { store });
      expect(outcome).toMatchObject({ status: "unchanged", manifest: { seq: 1 }, table: "unchanged" });
      expect(await bench.keys("datasets/d/build=")).toEqual(outcome.manifest.parts.map(({ key }) => key));
    });
  });

  test("with other rows begins anew, and publishes after it", async () => {
    await withBench(async (bench) => {
      const store = interrupted(bench, (attempt) =>
        attempt === 1 ? bench.build(specOf([row(1, "b")])) : Promise.resolve(),
      );
      const outcome = await bench.build(specOf([row(1, "a")]), { store });
      expect(outcome).toMatchObject({ status: "published", manifest: { seq: 2 }, changes: { changed: 1 } });
      expect(await bench.query("select value from d")).toEqual([{ value: "a" }]);
    });
  });

  test("again and again gives up, and has changed nothing", async () => {
    await withBench(async (bench) => {
      const store = interrupted(bench, (attempt) => bench.build(specOf([row(1, `b${attempt}`)])));
      await expect(bench.build(specOf([row(1, "a")]), { store })).rejects.toMatchObject({
        code: "STATE_CONFLICT",
        retryable: true,
      });
      expect(await bench.keys("datasets/d/log/")).toHaveLength(4);
      expect(await bench.query("select value from d")).toEqual([{ value: "b4" }]);
    });
  });

  test("never puts an older version over a newer one in the warehouse", async () => {
    await withBench(async (bench) => {
      const newer = specOf([row(1, "newer")]);
      const slow = {
        ...bench.warehouse,
        readDataset: (name: string) => bench.warehouse.readDataset!(name),
        publishDataset: async (...args: Parameters<NonNullable<typeof bench.warehouse.publishDataset>>) => {
          await bench.build(newer);
          return await bench.warehouse.publishDataset!(...args);
        },
      };
      const outcome = await bench.build(specOf([row(1, "older")]), { warehouse: slow });
      expect(outcome).toMatchObject({ status: "published", manifest: { seq: 1 }, table: "unchanged" });
      expect(await bench.query("select value from d")).toEqual([{ value: "newer" }]);
    });
  });

  test("whose answer is lost finds its own entry, or that there is none", async () => {
    await withBench(async (bench) => {
      const lost = () => new LeatError("STORE_UNWRITABLE", { message: "The answer was lost." });
      let failures = 0;
      const create: ObjectStore["create"] = async (key, body) => {
        if (!key.includes("/log/")) return await bench.store.create(key, body);
        failures++;
        if (failures === 1) throw lost(); // Nothing arrived.
        await bench.store.create(key, body);
        throw lost(); // It arrived.
      };
      const outcome = await bench.build(specOf([row(1, "a")]), { store: { ...bench.store, create } });
      expect(outcome).toMatchObject({ status: "published", manifest: { seq: 1 } });
      expect(failures).toBe(2);
      const down: ObjectStore = { ...bench.store, create: () => Promise.reject(lost()) };
      await expect(bench.build(specOf([row(1, "b")]), { store: down })).rejects.toMatchObject({
        code: "STORE_UNWRITABLE",
      });
      expect(await bench.query("select value from d")).toEqual([{ value: "a" }]);
    });
  });
});

describe("a table in the warehouse", () => {
  test("follows the dataset's schema, types and documentation", async () => {
    await withBench(async (bench) => {
      await bench.build(specOf([row(1, "a")], { warehouseSchema: "stats" }));
      expect(await bench.query("select value from stats.d")).toEqual([{ value: "a" }]);
      await bench.build(
        specOf([{ id: 1, value: "2.5" }], {
          columns: {
            id: z.int(),
            value: z.string().meta({ type: "decimal(9,2)", description: "Rate", unit: "%" }),
          },
        }),
      );
      expect(
        await bench.query(
          "select column_name, data_type, comment from duckdb_columns() where table_name = 'd'",
        ),
      ).toEqual([
        { column_name: "id", data_type: "BIGINT", comment: null },
        { column_name: "value", data_type: "DECIMAL(9,2)", comment: "Rate [%]" },
      ]);
      await expect(bench.query("select value from stats.d")).rejects.toMatchObject({ code: "QUERY_FAILED" });
    });
  });

  test("is made anew after somebody dropped it, and takes nobody else's place", async () => {
    await withBench(async (bench) => {
      const spec = specOf([row(1, "a")]);
      await bench.build(spec);
      await editByHand(bench, "drop table d");
      expect(await bench.build(spec)).toMatchObject({ status: "unchanged", table: "published" });
      await editByHand(bench, "create table main.mine as select 1 as x");
      await expect(bench.build(specOf([row(1, "a")], { name: "Mine" }))).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        message: expect.stringContaining("there is a table of that name, which leat has not made"),
      });
      expect(await bench.query("select x from mine")).toEqual([{ x: 1 }]);
    });
  });

  test("of a landing that was made anew is replaced although its number was higher", async () => {
    await withBench(async (bench) => {
      await buildMany(bench, ["a", "b", "c"]);
      for (const key of await bench.keys("datasets/")) await bench.store.delete(key);
      expect(await bench.build(specOf([row(1, "z")]))).toMatchObject({
        manifest: { seq: 1 },
        table: "published",
      });
      expect(await bench.query("select value from d")).toEqual([{ value: "z" }]);
    });
  });
});

async function editByHand(bench: DatasetBench, sql: string): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(`${bench.folder}/warehouse.duckdb`);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}
