/** Published files, opened by another reader than ours: equal row for row, whatever the type. */
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { describe, expect, test } from "vitest";
import { type DatasetRow, defineDataset, fromRows, z } from "../../src/index.ts";
import { openDuckDbDatasets } from "../../src/warehouses/duckdb/dataset-engine.ts";
import { withBench } from "./dataset-bench.ts";

const columns = {
  id: z.int(),
  text: z.string().nullable().describe("Any text"),
  bigint: z.bigint().nullable(),
  double: z.number().nullable(),
  boolean: z.boolean().nullable(),
  date: z.iso.date().nullable(),
  timestamp: z.iso.datetime({ local: true }).nullable(),
  timestamptz: z.iso.datetime().nullable(),
  decimal: z.string().nullable().meta({ type: "decimal(38,10)" }),
  money: z.string().nullable().meta({ type: "decimal(9,2)" }),
  json: z.json().nullable(),
};

const rows: readonly DatasetRow[] = [
  {
    id: 1,
    text: "Ynys Môn 😀 \u0000 \"'\\ \u2028\n",
    bigint: 9223372036854775807n,
    double: 0.1,
    boolean: true,
    date: "2020-02-29",
    timestamp: "2020-02-29T23:59:59.999999",
    timestamptz: "2020-02-29T23:59:59.999999+05:30",
    decimal: "1234567890123456789012345678.0123456789",
    money: "-1234567.89",
    json: { b: [1, null, "x"], a: { deep: true } },
  },
  { id: 2 },
  {
    id: 3,
    text: "",
    bigint: -9223372036854775808n,
    double: -1.7976931348623157e308,
    boolean: false,
    date: "0001-01-01",
    timestamp: "0001-01-01T00:00:00",
    timestamptz: "1969-12-31T23:59:59.5Z",
    decimal: "-0.0000000001",
    money: "0",
    json: [],
  },
  {
    id: 4,
    text: " 0010 ",
    bigint: 0n,
    double: 5e-324,
    boolean: true,
    date: "9999-12-31",
    timestamp: "9999-12-31T00:00:00",
    timestamptz: "2000-01-01T00:00:00Z",
    decimal: "0",
    money: "0.01",
    json: "text",
  },
];

const spec = (made: readonly DatasetRow[]) =>
  defineDataset({ name: "all_types", description: "x", columns, key: ["id"], from: fromRows(() => made) });

/** Reads a Parquet file by a reader that shares no code with the engine. */
async function readParquet(path: string): Promise<readonly Record<string, unknown>[]> {
  const file = await asyncBufferFromFile(path);
  return await parquetReadObjects({ file, compressors, utf8: false });
}

describe("a published Parquet file", () => {
  test("holds every type's values and nulls as they were given", async () => {
    await withBench(async (bench) => {
      const { manifest } = await bench.build(spec(rows.toReversed()));
      const [part] = manifest.parts;
      const path = bench.store.localPath(part!.key)!;
      const read = await readParquet(path);
      expect(read.map(({ id }) => id)).toEqual([1n, 2n, 3n, 4n]);
      const us = (iso: string): bigint => BigInt(Date.parse(`${iso.slice(0, 19)}Z`)) * 1000n;
      const day = (iso: string): Date => new Date(`${iso}T00:00:00Z`);
      expect(read[0]).toMatchObject({
        text: rows[0]!["text"],
        bigint: 9223372036854775807n,
        double: 0.1,
        boolean: true,
        date: day("2020-02-29"),
        json: rows[0]!["json"],
      });
      expect(Object.values(read[1]!).slice(1)).toEqual(Array(10).fill(null));
      expect(read[2]).toMatchObject({
        text: "",
        bigint: -9223372036854775808n,
        double: -1.7976931348623157e308,
        boolean: false,
        date: day("0001-01-01"),
        json: [],
      });
      expect(read[3]).toMatchObject({
        text: " 0010 ",
        double: 5e-324,
        date: day("9999-12-31"),
        json: "text",
      });
      // The reader hands out times as Dates, which have milliseconds; what is stored has microseconds.
      const raw = await rawColumns(path, ["timestamp", "timestamptz", "decimal", "money"]);
      expect(raw["timestamp"]).toEqual([
        us("2020-02-29T23:59:59") + 999_999n,
        null,
        us("0001-01-01T00:00:00"),
        us("9999-12-31T00:00:00"),
      ]);
      expect(raw["timestamptz"]).toEqual([
        us("2020-02-29T18:29:59") + 999_999n,
        null,
        -500_000n,
        us("2000-01-01T00:00:00"),
      ]);
      expect(raw["money"]).toEqual([-123456789, null, 0, 1]);
      expect(raw["decimal"]?.map(toInteger)).toEqual([
        12345678901234567890123456780123456789n,
        null,
        -1n,
        0n,
      ]);
    });
  });

  test("says in its own schema what its columns are", async () => {
    await withBench(async (bench) => {
      const { manifest } = await bench.build(spec(rows));
      const file = await asyncBufferFromFile(bench.store.localPath(manifest.parts[0]!.key)!);
      const metadata = await parquetMetadataAsync(file);
      const types = parquetSchema(metadata).children.map(({ element }) => [
        element.name,
        element.logical_type?.type ?? element.converted_type ?? element.type,
      ]);
      expect(Object.fromEntries(types)).toMatchObject({
        text: "UTF8",
        bigint: "INT_64",
        double: "DOUBLE",
        boolean: "BOOLEAN",
        date: "DATE",
        timestamp: "TIMESTAMP",
        timestamptz: "TIMESTAMP",
        decimal: "DECIMAL",
        json: "JSON",
      });
      expect(metadata.row_groups[0]!.columns.map(({ meta_data }) => meta_data?.codec)).toContain("ZSTD");
      expect(Number(metadata.num_rows)).toBe(manifest.rowCount);
    });
  });

  test("equals the table in the warehouse, over several parts", async () => {
    await withBench(async (bench) => {
      const rowCount = 124_000;
      const many = Array.from({ length: rowCount }, (_, id) => ({
        id,
        text: `row ${(id * 7919) % rowCount}`,
      }));
      const big = defineDataset({
        name: "big",
        description: "x",
        columns: { id: z.int(), text: z.string() },
        key: ["id"],
        sort: ["text"],
        from: fromRows(() => many),
      });
      const engine = openDuckDbDatasets({
        warehouse: { file: join(bench.folder, "warehouse.duckdb") },
        lockWaitMs: 1000,
        partTextBytesMax: 1,
      });
      const { manifest } = await bench.build(big, { engine });
      expect(manifest.parts.map(({ rows: held }) => held)).toEqual([122_880, 1120]);
      const read: Record<string, unknown>[] = [];
      for (const { key } of manifest.parts) {
        const file = await asyncBufferFromFile(bench.store.localPath(key)!);
        read.push(...(await parquetReadObjects({ file, compressors, columns: ["id", "text"] })));
      }
      const expected = many.toSorted((a, b) => (a.text < b.text ? -1 : 1));
      expect(read.length).toBe(many.length);
      expect(
        read.every((row, at) => row["text"] === expected[at]!.text && Number(row["id"]) === expected[at]!.id),
      ).toBe(true);
      const table = await bench.query(
        "select count(*) as n, sum(id)::bigint as ids, count(distinct text) as texts from big",
      );
      expect(table).toEqual([{ n: rowCount, ids: (rowCount * (rowCount - 1)) / 2, texts: rowCount }]);
    });
  });
});

/** Columns as they are stored, before a reader makes dates and numbers of them. */
async function rawColumns(path: string, names: readonly string[]): Promise<Record<string, unknown[]>> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  for (const element of metadata.schema) {
    delete element.converted_type;
    delete element.logical_type;
  }
  const read = await parquetReadObjects({ file, metadata, compressors, columns: [...names], utf8: false });
  return Object.fromEntries(names.map((name) => [name, read.map((row) => row[name])]));
}

/** A decimal as Parquet stores it: a whole number, bytes of two's complement, the highest first. */
function toInteger(value: unknown): bigint | null {
  if (value === null || value === undefined) return null;
  const bytes = value as Uint8Array; // Of a fixed length, 16.
  return BigInt.asIntN(128, BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
}
