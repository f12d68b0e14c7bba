/** Random files, releases and rows against a model in a few lines of JavaScript. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineDataset, fromFiles, fromRows, z } from "../../src/index.ts";
import type { DatasetSpec, DuplicateChoice } from "../../src/ports/dataset.ts";
import { readLinesOf, withBench } from "./dataset-bench.ts";

/** Builds of one property; each takes some tenths of a second. */
const numRuns = 8;

type Row = Readonly<{ code: string | null; month: number; deaths: number | null; note: string | null }>;

const rowOf = fc.record({
  code: fc.constantFrom("E1", "E2", "é", "e1", "", null),
  month: fc.integer({ min: 1, max: 3 }),
  deaths: fc.option(fc.integer({ min: -2, max: 3 })),
  note: fc.option(fc.string({ unit: fc.constantFrom("a", "\u0000", "\n", '"', "😀", " "), maxLength: 3 })),
});
const keyOf = ({ code, month }: Row): string => JSON.stringify([code, month]);

/** Files of a release each; a year says which is which, whatever the order of landing. */
const filesOf = fc.uniqueArray(
  fc.record({ year: fc.integer({ min: 2000, max: 2009 }), rows: fc.array(rowOf, { maxLength: 12 }) }),
  { selector: ({ year }) => year, minLength: 1, maxLength: 4 },
);

const columns = {
  code: z.string().nullable(),
  month: z.int(),
  deaths: z.int().nullable(),
  note: z.string().nullable(),
};

const specOf = (duplicates: DuplicateChoice): DatasetSpec =>
  defineDataset({
    name: "d",
    description: "x",
    columns,
    key: ["code", "month"],
    sort: ["month", "deaths"],
    duplicates,
    rules: [{ rule: "rowCount", min: 0 }],
    from: fromFiles("ons.workbooks", {
      read: readLinesOf("code", "month", "deaths", "note"),
      release: { fields: ["year"] },
    }),
  });

/** What a dataset is, by the simplest means: files in order, a map by key, a sort. */
function model(files: readonly { year: number; rows: readonly Row[] }[], duplicates: "first" | "last") {
  const held = new Map<string, Row>();
  let [restated, repeated] = [0, 0];
  for (const { rows } of files.toSorted((a, b) => a.year - b.year)) {
    const own = new Map<string, Row>();
    for (const row of duplicates === "first" ? rows.toReversed() : rows) own.set(keyOf(row), row);
    for (const [key, row] of own) {
      const before = held.get(key);
      const isEqual = before !== undefined && before.deaths === row.deaths && before.note === row.note;
      if (before !== undefined) isEqual ? repeated++ : restated++;
      held.set(key, row);
    }
  }
  const compare = (a: unknown, b: unknown): number => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
    return Number(a) - Number(b);
  };
  const rows = [...held.values()].sort(
    (a, b) => compare(a.month, b.month) || compare(a.deaths, b.deaths) || compare(a.code, b.code),
  );
  return { rows, restated, repeated };
}

describe("for any files in any order of landing", () => {
  test.each([
    "first",
    "last",
  ] as const)("a dataset is what the model says (%s of duplicates)", async (duplicates) => {
    await fc.assert(
      fc.asyncProperty(filesOf, async (files) => {
        await withBench(async (bench) => {
          for (const { year, rows } of files)
            await bench.land(`${year}.xls`, rows, { fields: { year: String(year) } });
          const { manifest } = await bench.build(specOf(duplicates));
          const expected = model(files, duplicates);
          expect(await bench.query("select * from d")).toEqual(expected.rows);
          expect(manifest).toMatchObject({
            rowCount: expected.rows.length,
            restatement: { restated: expected.restated, repeated: expected.repeated },
          });
          expect(await bench.build(specOf(duplicates))).toMatchObject({ status: "unchanged" });
        });
      }),
      { numRuns },
    );
  });

  test("duplicates within a file are found, and only those", async () => {
    await fc.assert(
      fc.asyncProperty(filesOf, async (files) => {
        const isDoubled = files.some(({ rows }) => new Set(rows.map(keyOf)).size < rows.length);
        await withBench(async (bench) => {
          for (const { year, rows } of files)
            await bench.land(`${year}.xls`, rows, { fields: { year: String(year) } });
          const outcome = await bench.build(specOf("error")).catch((error: unknown) => error);
          expect(outcome).toMatchObject(isDoubled ? { code: "KEY_DUPLICATE" } : { status: "published" });
        });
      }),
      { numRuns },
    );
  });
});

test("two versions differ in what the model says", async () => {
  const rowsOf = fc.uniqueArray(rowOf, { selector: keyOf, maxLength: 10 });
  const made = (rows: readonly Row[]): DatasetSpec => {
    return defineDataset({
      name: "d",
      description: "x",
      columns,
      key: ["code", "month"],
      rules: [{ rule: "rowCount", min: 0 }],
      from: fromRows(() => rows),
    });
  };
  await fc.assert(
    fc.asyncProperty(rowsOf, rowsOf, async (before, after) => {
      const old = new Map(before.map((row) => [keyOf(row), row]));
      const now = new Map(after.map((row) => [keyOf(row), row]));
      const isEqual = (a: Row, b: Row) => a.deaths === b.deaths && a.note === b.note;
      const both = after.filter((row) => old.has(keyOf(row)));
      const changed = both.filter((row) => !isEqual(row, old.get(keyOf(row))!));
      await withBench(async (bench) => {
        await bench.build(made(before));
        const { status, changes } = await bench.build(made(after));
        const isSame = changed.length === 0 && both.length === before.length && both.length === after.length;
        expect(status).toBe(isSame ? "unchanged" : "published");
        if (isSame) return;
        expect(changes).toMatchObject({
          added: after.length - both.length,
          removed: before.filter((row) => !now.has(keyOf(row))).length,
          changed: changed.length,
          unchanged: both.length - changed.length,
        });
      });
    }),
    { numRuns },
  );
});

test("equal rows give equal bytes and one version, whatever their order, files and build", async () => {
  const rowsOf = fc.uniqueArray(rowOf, { selector: keyOf, minLength: 1, maxLength: 15 });
  const build = async (parts: readonly (readonly Row[])[]) => {
    const result: { version: string; bytes: Buffer[] } = { version: "", bytes: [] };
    await withBench(async (bench) => {
      for (const [at, rows] of parts.entries())
        await bench.land(`${at}.xls`, rows, { fields: { year: String(2000 + at) } });
      const { manifest } = await bench.build(specOf("error"));
      result.version = manifest.version;
      for (const { key } of manifest.parts) result.bytes.push(await readFile(bench.store.localPath(key)!));
    });
    return result;
  };
  await fc.assert(
    fc.asyncProperty(rowsOf, fc.nat(), async (rows, seed) => {
      const cut = seed % (rows.length + 1);
      const shuffled = [...rows.slice(cut).reverse(), ...rows.slice(0, cut)];
      const one = await build([rows]);
      const other = await build([shuffled.slice(0, cut), shuffled.slice(cut)]);
      expect(other.version).toBe(one.version);
      expect(other.bytes.map((bytes, at) => bytes.equals(one.bytes[at]!))).toEqual(one.bytes.map(() => true));
    }),
    { numRuns: 5 },
  );
});
