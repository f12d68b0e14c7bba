/** The BigQuery warehouse keeps the contract of warehouses, on a BigQuery of our own. */
import assert from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { warehouseContract } from "../../src/testing/warehouse-contract.ts";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;

/** What is another way in BigQuery; each has a test of its own below. */
const differs: ReadonlySet<string> = new Set([
  "an object in a column of text is the text as it was landed",
  "a record that the engine cannot read is a reject, and its neighbours are loaded",
  "every key has its own column, and the registry says which",
]);

/** Loads at once take six seconds beside ten busy programs; beside thirty a minute is soon over. */
const timeout = 180_000;

describe("the contract of warehouses", { timeout }, () => {
  const left = new Set(differs);
  warehouseContract((name, run) => {
    if (!left.delete(name)) test(name, run);
  }, openPlace);

  test("every test that is left out is one of the contract's", () => {
    expect([...left]).toEqual([]);
  });
});

async function withPlace(run: (bench: WarehouseBench, place: BigQueryPlace) => Promise<void>): Promise<void> {
  const place = await openPlace();
  try {
    await run(new WarehouseBench(place), place);
  } finally {
    await place.dispose();
  }
}

describe("what is another way in BigQuery", () => {
  test("an object in a column of text loses the white space between its tokens", async () => {
    await withPlace(async (bench) => {
      const declared = makeStreamSpec({ columns: { note: { type: "text" } } });
      await bench.loadRecords(declared, ['{"id":1,"note":{"a": [1.10, "b c"]}}']);
      assert.deepEqual(await bench.values(`SELECT note FROM ${table}`), ['{"a":[1.10,"b c"]}']);
    });
  });

  test("a line that is no JSON is a reject; of a key that comes twice the first counts", async () => {
    await withPlace(async (bench) => {
      const lines = ['{"id":1,"v":"a"}', '{"id":2,"v":"broken\\ud800" x}', '{"id":3,"v":"a","v":"b"}'];
      const pack = await bench.land(['{"id":1,"v":"a"}']);
      const { writeFile } = await import("node:fs/promises");
      const own = (row: number) =>
        `"tenant_id":"414","_leat_package":1,"_leat_row":${row},"_leat_extracted_at":"2026-01-01T00:00:00.000Z"`;
      await writeFile(
        pack.parts[0]!.path,
        lines.map((line, row) => `{${own(row)},${line.slice(1)}\n`).join(""),
      );
      const receipt = await bench.load(spec, [{ ...pack, landed: 3 }]);
      assert.deepEqual(receipt.packages, [{ tenant: "414", seq: 1, loaded: 2, rejected: 1 }]);
      assert.deepEqual(await bench.rows(`SELECT id, v FROM ${table} ORDER BY id`), [
        [1, "a"],
        [3, "a"],
      ]);
      const [reject] = await bench.rows('SELECT "row", "column", reason FROM _leat_rejects');
      assert.deepEqual(reject, [1, null, "is no record that can be read"]);
    });
  });

  test("names that BigQuery does not take get digits, and the registry says which", async () => {
    await withPlace(async (bench) => {
      const keys = [
        "",
        "x.y",
        "select",
        "😀",
        " blank ",
        "quote\"'`",
        "größe",
        "9lives",
        "_partition_x",
        "k".repeat(10_000),
      ];
      await bench.loadRecords(spec, [
        `{"id":1,${keys.map((key, at) => `${JSON.stringify(key)}:${at}`).join(",")}}`,
      ]);
      const mapped = await bench.rows("SELECT key, column_name FROM _leat_columns");
      const names = new Map(mapped.map(([key, name]) => [String(key), String(name)]));
      for (const [at, key] of keys.entries()) {
        const name = names.get(key)!;
        expect(name).toMatch(/^[\p{L}_][\p{L}\p{N}_]{0,299}$/u);
        assert.deepEqual(await bench.values(`SELECT "${name}" FROM ${table}`), [at], name);
      }
      expect([names.get("select"), names.get("größe")]).toEqual(["select", "größe"]);
      expect(names.get("x.y")).toMatch(/^x_y_[0-9a-f]{8}$/);
    });
  });

  test("rows are partitioned by day of extract and clustered by tenant and key, and every job has bound, labels and place", async () => {
    await withPlace(async (bench, { server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const names = server.tables.names("shop-1", "warehouse");
      const physical = names.find((name) => name.startsWith(`${table}__`))!;
      expect(server.tables.table("shop-1", "warehouse", physical).said).toMatchObject({
        timePartitioning: { type: "DAY", field: "_leat_extracted_at" },
        clustering: { fields: ["tenant_id", "id"] },
      });
      expect(names.filter((name) => name.startsWith("_leat_lines_"))).toEqual([]);
      const jobs = server.jobs.list();
      expect(jobs.length).toBeGreaterThan(3);
      for (const { body } of jobs) {
        expect(body.jobReference?.location).toBe("EU");
        expect(body.configuration.labels).toHaveProperty("leat");
        if (body.configuration.query !== undefined)
          expect(Number(body.configuration.query.maximumBytesBilled)).toBeGreaterThan(0);
        if (body.configuration.load !== undefined)
          expect(body.configuration.load.createDisposition).toBe("CREATE_NEVER");
      }
    });
  });

  test("one hundred tenants of a stream are one load job, one commit and a few dozen requests", async () => {
    await withPlace(async (bench, { own, server }) => {
      const packs = [];
      for (let at = 0; at < 100; at += 1)
        packs.push(await bench.land([plant(at, "2024-01-01")], { tenant: `t${at}` }));
      await own.prepare(spec, { tenantColumn: "tenant_id", partitionColumn: undefined });
      const before = { ...own.usage(), sent: server.exchanges.length };
      const { packages } = await bench.load(spec, packs, own);
      const { loads, commits, queries, requests, bytesBilled } = own.usage();
      expect(packages).toHaveLength(100);
      expect([loads - before.loads, commits - before.commits]).toEqual([1, 1]);
      expect(queries - before.queries).toBeLessThanOrEqual(4);
      expect(requests - before.requests).toBe(server.exchanges.length - before.sent);
      expect(requests - before.requests).toBeLessThan(60); // How often a job is looked at depends on the machine.
      expect(bytesBilled).toBeGreaterThan(before.bytesBilled);
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([100]);
    });
  });

  test("what a query would cost is told before, and nothing but a query is asked", async () => {
    await withPlace(async (bench, { own, server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      server.jobs.scannedBytes = 1024 ** 4;
      expect(await own.estimate(`SELECT * FROM ${table}`)).toEqual({ bytes: 1024 ** 4, dollars: 6.25 });
      await expect(own.estimate(`DELETE FROM ${table} WHERE TRUE`)).rejects.toMatchObject({
        code: "QUERY_FAILED",
      });
      await expect(own.query(`SELECT * FROM ${table}`)).rejects.toMatchObject({ code: "QUERY_TOO_COSTLY" });
    });
  });

  test("statements about any warehouse name things in its own words", async () => {
    await withPlace(async (bench, { own }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")], { tenant: "o'neil\\" });
      const { quoteName, quoteText } = own.naming!;
      const condition = `${quoteName("tenant_id")} = ${quoteText("o'neil\\")}`;
      const { rows } = await own.query(`SELECT COUNT(*) FROM ${own.currentName!(spec)} WHERE ${condition}`);
      assert.deepEqual(rows, [[1]]);
    });
  });

  test("a type that changes moves the rows to another table, and the old one is gone", async () => {
    await withPlace(async (bench, { server }) => {
      const physical = () =>
        server.tables.names("shop-1", "warehouse").filter((name) => name.startsWith(`${table}__`));
      await bench.loadRecords(spec, ['{"id":1,"v":1}']);
      const before = physical();
      await bench.loadRecords(spec, ['{"id":2,"v":2,"w":null}']);
      expect(physical()).toEqual(before); // Nulls alone are no column yet.
      await bench.loadRecords(spec, ['{"id":3,"v":"text","w":true}']);
      expect(physical()).toHaveLength(1);
      expect(physical()).not.toEqual(before);
      assert.deepEqual(await bench.rows(`SELECT id, v, w FROM ${table} ORDER BY id`), [
        [1, "1", null],
        [2, "2", null],
        [3, "text", true],
      ]);
    });
  });
});
