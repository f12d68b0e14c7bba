/** Datasets made of the warehouse: by a query, or of a stream's current rows. */
import { describe, expect, test } from "vitest";
import { defineDataset, fromSql, fromStream, z } from "../../src/index.ts";
import type { DatasetEngine, DatasetScratch } from "../../src/ports/dataset-engine.ts";
import { landPackage, reopenFrom } from "../../src/testing/landed-package.ts";
import { makeStreamSpec } from "../../src/testing/warehouse-under-test.ts";
import { type DatasetBench, withBench } from "./dataset-bench.ts";

const orders = makeStreamSpec({
  source: "shop",
  name: "orders",
  landingTable: "shop_orders",
  columns: { total: { type: "decimal", precision: 38, scale: 2 } },
});

/** Loads orders of a tenant, as a sync would. */
async function load(
  bench: DatasetBench,
  tenant: string,
  seq: number,
  records: readonly string[],
): Promise<void> {
  const pack = await landPackage({ folder: bench.folder, tenant, seq, records });
  await bench.warehouse.load(orders, [pack], reopenFrom([pack]), new AbortController().signal);
}

async function loadSome(bench: DatasetBench): Promise<void> {
  await load(bench, "414", 1, [
    '{"id":1,"modified":"2024-01-01T00:00:00Z","total":12345678901234567890.12,"tags":["a","b"],"open":true}',
    '{"id":2,"modified":"2024-01-02T00:00:00Z","total":7,"tags":null,"open":false}',
  ]);
  await load(bench, "414", 2, ['{"id":2,"modified":"2024-01-03T00:00:00Z","total":8,"tags":[],"open":null}']);
  await load(bench, "415", 1, [
    '{"id":1,"modified":"2024-01-01T00:00:00Z","total":3,"tags":null,"open":null}',
  ]);
}

const columns = {
  tenant_id: z.string(),
  id: z.int(),
  modified: z.iso.datetime(),
  total: z.string().meta({ type: "decimal(38,2)" }),
  tags: z.json().nullable(),
  open: z.boolean().nullable(),
};

describe("a dataset of a stream", () => {
  test("holds its current rows, exactly, and names the packages they came with", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const spec = defineDataset({
        name: "open_orders",
        description: "x",
        columns,
        key: ["tenant_id", "id"],
        tenantColumn: "tenant_id",
        from: fromStream("shop.orders"),
      });
      const { manifest } = await bench.build(spec);
      expect(await bench.query("select tenant_id, id, total, tags, open, modified from open_orders")).toEqual(
        [
          {
            tenant_id: "414",
            id: 1,
            total: "12345678901234567890.12",
            tags: '["a","b"]',
            open: true,
            modified: "2024-01-01T00:00:00Z",
          },
          {
            tenant_id: "414",
            id: 2,
            total: "8.00",
            tags: "[]",
            open: null,
            modified: "2024-01-03T00:00:00Z",
          },
          {
            tenant_id: "415",
            id: 1,
            total: "3.00",
            tags: null,
            open: null,
            modified: "2024-01-01T00:00:00Z",
          },
        ],
      );
      expect(manifest.lineage).toMatchObject({
        streams: [
          { stream: "shop.orders", tenant: "414", seq: 2 },
          { stream: "shop.orders", tenant: "415", seq: 1 },
        ],
        files: [],
        sql: null,
      });
      expect(manifest.schema.tenantColumn).toBe("tenant_id");
      expect(await bench.build(spec)).toMatchObject({ status: "unchanged" });
    });
  });

  test("that lacks a declared column says which there are", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const spec = defineDataset({
        name: "d",
        description: "x",
        columns: { id: z.int(), totals: z.number() },
        key: ["id"],
        from: fromStream("shop.orders"),
      });
      await expect(bench.build(spec)).rejects.toMatchObject({
        code: "COLUMN_MISMATCH",
        message: 'The stream shop.orders has no column "totals", which the dataset d declares.',
        hint: expect.stringContaining('Did you mean "total"?'),
      });
    });
  });
});

describe("a dataset of a query", () => {
  const specOf = (sql: string, columns: Record<string, z.core.$ZodType>, key: string) =>
    defineDataset({
      name: "totals",
      description: "x",
      columns,
      key: [key],
      from: fromSql(sql, { streams: ["shop.orders"] }),
    });

  test("is typed and checked as any other", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const sql =
        "select tenant_id, sum(total) as total, count(*) as orders from shop.orders group by all -- all";
      const money = z.string().meta({ type: "decimal(38,2)" });
      const { manifest } = await bench.build(
        specOf(
          sql,
          { tenant_id: z.string().regex(/^\d+$/), total: money, orders: z.int().max(2) },
          "tenant_id",
        ),
      );
      expect(await bench.query("select * from totals")).toEqual([
        { tenant_id: "414", total: "12345678901234567898.12", orders: 2 },
        { tenant_id: "415", total: "3.00", orders: 1 },
      ]);
      expect(manifest.lineage.sql).toBe(sql);
      await expect(
        bench.build(
          specOf(
            sql,
            { tenant_id: z.string().regex(/^x/), total: money, orders: z.int().max(1) },
            "tenant_id",
          ),
        ),
      ).rejects.toMatchObject({
        code: "ROW_INVALID",
        message: expect.stringMatching(
          /tenant_id does not match \/\^x\/, in 2 rows:\n {4}"41[45]" \(the query, tidy row \d\)[\s\S]*orders is more than 1, in 1 row:\n {4}"2"/,
        ),
      });
    });
  });

  test("with columns that are not declared, or a statement that is no query, is refused", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const id = { id: z.int() };
      await expect(bench.build(specOf("select id, total from shop.orders", id, "id"))).rejects.toMatchObject({
        code: "COLUMN_MISMATCH",
        message: expect.stringContaining("total"),
      });
      for (const sql of [
        "delete from shop_orders",
        "select 1 as id; select 2 as id",
        "select",
        "copy shop_orders to 'x'",
      ]) {
        await expect(bench.build(specOf(sql, id, "id"))).rejects.toMatchObject({ code: "QUERY_FAILED" });
      }
      await expect(bench.build(specOf("select id from shop.nothing", id, "id"))).rejects.toMatchObject({
        code: "QUERY_FAILED",
        message: expect.stringContaining("nothing"),
      });
    });
  });

  test("before anything was loaded says what to do", async () => {
    await withBench(async (bench) => {
      await expect(bench.build(specOf("select 1 as id", { id: z.int() }, "id"))).rejects.toMatchObject({
        code: "INPUT_EMPTY",
        hint: expect.stringContaining("leat sync"),
      });
    });
  });

  test("has the rows of one moment, and leaves the warehouse to others while it works on", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const ports = bench.ports();
      const late = '{"id":9,"modified":"2024-01-01T00:00:00Z","total":1,"tags":null,"open":null}';
      // Between the query and everything else another sync loads: it would wait for ever for a file that is held.
      const engine: DatasetEngine = {
        ...ports.engine,
        withScratch: (spec, folder, signal, work) =>
          ports.engine.withScratch(spec, folder, signal, (scratch) => {
            const addQuery = async (input: number) => {
              const facts = await scratch.addQuery(input);
              await load(bench, "416", 1, [late]);
              return facts;
            };
            return work(
              new Proxy(scratch, { get: (of, name) => (name === "addQuery" ? addQuery : bound(of, name)) }),
            );
          }),
      };
      const ids = defineDataset({
        ...declarationOf(),
        from: fromSql("select distinct id from shop.orders", {}),
      });
      expect((await bench.build(ids, { engine })).manifest.rowCount).toBe(2);
      expect((await bench.build(ids)).manifest.rowCount).toBe(3);
    });
  });

  test("reads other datasets, which the lineage names with their version", async () => {
    await withBench(async (bench) => {
      await loadSome(bench);
      const ids = defineDataset({
        ...declarationOf(),
        from: fromSql("select distinct id from shop.orders", {}),
      });
      const { manifest } = await bench.build(ids);
      const spec = defineDataset({
        name: "count_of_ids",
        description: "x",
        columns: { n: z.int() },
        key: ["n"],
        from: fromSql("select count(*) as n from ids", { datasets: ["ids"] }),
      });
      const outcome = await bench.build(spec);
      expect(await bench.query("select n from count_of_ids")).toEqual([{ n: 2 }]);
      expect(outcome.manifest.lineage.datasets).toEqual([{ dataset: "ids", version: manifest.version }]);
    });
  });
});

/** A method of an object with private parts. */
function bound(of: DatasetScratch, name: string | symbol): unknown {
  const member: unknown = Reflect.get(of, name);
  return typeof member === "function" ? member.bind(of) : member;
}

const declarationOf = () => ({
  name: "ids",
  description: "x",
  columns: { id: z.int() },
  key: ["id" as const],
});
