/** What Postgres would do otherwise than leat promises: names, values, queries. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toTenantId } from "../../src/model/ids.ts";
import {
  failureOf,
  makeStreamSpec,
  plant,
  type WarehouseBench,
} from "../../src/testing/warehouse-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openAt, withBench as withBenchOn } from "./postgres-place.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const withBench = (run: (bench: WarehouseBench, url: string) => Promise<void>) => withBenchOn(server, run);
const spec = makeStreamSpec();
const table = spec.landingTable;

/** An address with another user, password or parameter. */
function changed(url: string, change: (address: URL) => void): string {
  const address = new URL(url);
  change(address);
  return address.href;
}

describe("names in Postgres", () => {
  test("names of more than 63 bytes are shortened with digits, and stay apart", async () => {
    await withBench(async (bench) => {
      const long = "é".repeat(40);
      const keys = [`${long}a`, `${long}b`, "x".repeat(64)];
      const fields = keys.map((key, at) => `${JSON.stringify(key)}:${at}`).join(",");
      const streams = [`${"s".repeat(60)}1`, `${"s".repeat(60)}2`].map((name) =>
        makeStreamSpec({ name, source: "o".repeat(70), landingTable: `${"o".repeat(70)}_${name}` }),
      );
      for (const stream of streams) await bench.loadRecords(stream, [`{"id":1,${fields}}`]);
      const columns = await bench.rows("SELECT key, column_name FROM _leat_columns WHERE key <> 'modified'");
      expect(new Set(columns.map(([key]) => key))).toEqual(new Set([...keys, "id"]));
      expect(new Set(columns.map(([, name]) => name)).size).toBe(4);
      for (const [, name] of columns) expect(Buffer.byteLength(String(name))).toBeLessThanOrEqual(63);
      for (const stream of streams)
        expect(await bench.values(`SELECT id FROM ${bench.warehouse.currentName?.(stream)}`)).toEqual([1]);
      const views = await bench.values(
        "SELECT table_name FROM information_schema.views WHERE table_schema LIKE 'ooo%' ORDER BY 1",
      );
      expect(views).toHaveLength(4);
      expect(views.filter((name) => String(name).endsWith("_history"))).toHaveLength(2);
    });
  });

  test("keys that imitate names with digits stay apart within 63 bytes", async () => {
    await withBench(async (bench) => {
      const stream = makeStreamSpec({ primaryKey: [], cursor: undefined });
      await bench.loadRecords(stream, ['{"A":1,"a":2}']);
      const names = await bench.values("SELECT column_name FROM _leat_columns");
      const imitations = names.map((name, at) => `${JSON.stringify(name)}:${at}`).join(",");
      await bench.loadRecords(stream, [`{"A":1,"a":2,${imitations}}`]);
      const all = await bench.values("SELECT column_name FROM _leat_columns");
      expect(new Set(all).size).toBe(4);
      for (const name of all) expect(Buffer.byteLength(String(name))).toBeLessThanOrEqual(63);
    });
  });

  test("a tenant whose name Postgres cannot keep is refused by name", async () => {
    await withBench(async (bench) => {
      const error = await failureOf(
        bench.loadRecords(spec, [plant(1, "2024-01-01")], { tenant: "a\0b" }),
        "NAME_INVALID",
      );
      expect(error.message).toContain("a\\u0000b");
    });
  });

  test("names of tenants, sources and columns are never SQL", async () => {
    await withBench(async (bench) => {
      const evil = `'; DROP SCHEMA leat_warehouse CASCADE; --"`;
      const stream = makeStreamSpec({ source: evil, name: `${evil}s`, landingTable: `${evil}t` });
      await bench.loadRecords(stream, [`{"id":1,${JSON.stringify(`${evil}k`)}:1}`], { tenant: evil });
      const quoted = `"${evil.replaceAll('"', '""')}"."${`${evil}s`.replaceAll('"', '""')}"`;
      expect(await bench.rows(`SELECT tenant_id, id FROM ${quoted}`)).toEqual([[evil, 1]]);
      expect((await bench.warehouse.readLedger(stream, toTenantId(evil))).length).toBe(1);
    });
  });

  test("two projects in one database have schemas of their own, views included", async () => {
    await withBench(async (bench, url) => {
      const shop = openAt(changed(url, (address) => address.searchParams.set("schema", "shop")));
      const pack = await bench.land([plant(1, "2024-01-01")]);
      await bench.load(spec, [pack]);
      await bench.load(spec, [pack], shop);
      expect(shop.currentName?.(spec)).toBe('"shop_metrc"."metrc_plants"');
      expect(await shop.identity()).not.toBe(await bench.warehouse.identity());
      expect(await bench.rows("SELECT id FROM shop_metrc.metrc_plants", shop)).toEqual([[1]]);
      expect(await bench.rows("SELECT id FROM metrc_plants", shop)).toEqual([[1]]);
      await shop.forget?.(spec);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants")).toEqual([1]);
    });
  });

  test.each(["Shop", "1x", "pg_shop", "a-b", "x".repeat(40)])("the schema %s is refused", (schema) => {
    const url = `postgres://u:hunter2@localhost/db?schema=${schema}`;
    expect(() => openAt(url)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(() => openAt(url)).not.toThrow(/hunter2/);
  });

  test("streams whose tables, views or schemas would be one are refused with both names", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const clashes = [
        makeStreamSpec({ name: "other" }),
        makeStreamSpec({ name: "metrc_plants_history", landingTable: "t" }),
        makeStreamSpec({ source: "METRC", name: "other", landingTable: "t" }),
      ];
      for (const clash of clashes) {
        const error = await failureOf(bench.loadRecords(clash, [plant(1, "2024-01-01")]), "CONFIG_INVALID");
        expect(error.message).toContain("metrc.metrc_plants");
      }
      for (const clash of ["leat_warehouse", "pg_x", "information_schema"].map((source) =>
        makeStreamSpec({ source }),
      ))
        await failureOf(bench.loadRecords({ ...clash, landingTable: "t" }, []), "CONFIG_INVALID");
    });
  });

  test("the short name of a view works while nothing else has it", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      expect(await bench.values("SELECT id FROM metrc_plants")).toEqual([1]);
      const twin = makeStreamSpec({ source: "other", landingTable: "other_plants" });
      await bench.loadRecords(twin, [plant(2, "2024-01-01")]);
      await failureOf(bench.warehouse.query("SELECT id FROM metrc_plants"), "QUERY_FAILED");
      await bench.warehouse.forget?.(twin);
      expect(await bench.values("SELECT id FROM metrc_plants_history")).toEqual([1]);
      const taker = makeStreamSpec({ source: "x", name: "y", landingTable: "metrc_plants" });
      await bench.loadRecords(taker, [plant(2, "2024-01-01")], { tenant: "9" });
      expect(await bench.values("SELECT id FROM leat_warehouse.metrc_plants")).toEqual([2]);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants")).toEqual([1]);
    });
  });
});

describe("values in Postgres", () => {
  test("words that the server takes for times, and numbers that it would round, are rejects", async () => {
    await withBench(async (bench) => {
      const declared = makeStreamSpec({
        columns: {
          day: { type: "date" },
          at: { type: "timestamp" },
          when: { type: "timestamptz" },
          price: { type: "decimal", precision: 6, scale: 2 },
        },
      });
      const values = [
        '"day":"infinity"',
        '"day":"today"',
        '"day":"0000-01-01"',
        '"day":"2023-02-29"',
        '"at":"epoch"',
        '"at":"now"',
        '"at":"2024-01-01T24:00:00"',
        '"at":"2024-01-01T23:59:60"',
        '"when":"2024-01-01T00:00:00 Europe/Paris"',
        '"when":"0001-01-01T00:00:00+18:00"',
        '"price":0.005',
        '"price":10000',
        '"price":"NaN"',
      ];
      const good = [
        '"when":"2024-01-01T00:00:00+17:30"',
        '"when":"0001-01-01T00:00:00+02:00"',
        '"price":99.990',
      ];
      const records = [...values, ...good].map((value, id) => `{"id":${id},${value}}`);
      const { packages } = await bench.loadRecords(declared, records);
      expect(packages).toMatchObject([{ loaded: good.length, rejected: values.length }]);
      expect(await bench.rows(`SELECT "when", price FROM ${table} ORDER BY id`)).toEqual([
        ["2023-12-31T06:30:00Z", null],
        ["0000-12-31T22:00:00Z", null],
        [null, "99.99"],
      ]);
    });
  });

  test("text that COPY would read as something else arrives as it was", async () => {
    await withBench(async (bench) => {
      const texts = ["\\N", "\\.", "", "a\tb\nc\r\\d", "\\x41", "\b\f\v", "null", "ö😀\u2028", '{"a":"\\"}'];
      const records = texts.map((text, id) => `{"id":${id},"v":${JSON.stringify(text)},"\\u0077":"${id}"}`);
      await bench.loadRecords(spec, records);
      expect(await bench.values(`SELECT v FROM ${table} ORDER BY id`)).toEqual(texts);
      expect(await bench.values(`SELECT w FROM ${table} ORDER BY id`)).toEqual(
        texts.map((_, id) => String(id)),
      );
    });
  });

  test("blanks between the tokens of a record are no part of its values", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, ['{ "id" :\t1 , "v" : "a" ,\t"w":[ 1 ,\t2 ] , "x": -1.50 }']);
      const sql = `SELECT id, v, w, x FROM ${table}`;
      expect(await bench.rows(sql)).toEqual([[1, "a", "[ 1 ,\t2 ]", -1.5]]);
    });
  });

  test("what the server alone refuses becomes a reject with the server's words, and its neighbours are loaded", async () => {
    await withBench(async (bench) => {
      // leat takes a record's nested values as they are; the server reads them and finds them broken.
      const records = [
        '{"id":1,"v":{"a":1}}',
        '{"id":2,"v":{"a":}}',
        '{"id":3,"v":[1,]}',
        '{"id":4,"v":[2]}',
      ];
      const columns = (await bench.land(['{"id":1,"v":{"a":1}}'], { tenant: "x" })).columns;
      const pack = await bench.land(['{"id":1,"v":{}}'], { columns });
      const broken = await bench.land(records.map(repaired), { columns });
      await breakParts(broken, records);
      const { packages } = await bench.load(spec, [pack, broken]);
      expect(packages.map(({ loaded, rejected }) => [loaded, rejected])).toEqual([
        [1, 0],
        [2, 2],
      ]);
      expect(await bench.values(`SELECT id FROM ${table} ORDER BY _leat_package, id`)).toEqual([1, 1, 4]);
      const reasons = await bench.values('SELECT reason FROM _leat_rejects ORDER BY "row"');
      for (const reason of reasons) expect(reason).toMatch(/^Postgres refuses it: .*json/);
    });
  });

  test("a table takes 1,592 columns and refuses the next by name, and nothing is lost", async () => {
    await withBench(async (bench) => {
      const wide = (count: number) =>
        `{"id":1,"modified":"2024-01-01",${Array.from({ length: count - 2 }, (_, at) => `"k${at}":true`).join(",")}}`;
      await bench.loadRecords(spec, [wide(1592)]);
      const error = await failureOf(bench.loadRecords(spec, [wide(1593)]), "LOAD_FAILED");
      expect(error.message).toContain("1593 columns");
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([1]);
    });
  });

  test("a row that is wider than a page is a reject, and its neighbours are loaded", async () => {
    await withBench(async (bench) => {
      const text = JSON.stringify("x".repeat(40));
      const row = (id: number, count: number) =>
        `{"id":${id},${Array.from({ length: count }, (_, at) => `"k${at}":${text}`).join(",")}}`;
      const { packages } = await bench.loadRecords(spec, [row(1, 200), row(2, 900), row(3, 300)]);
      expect(packages).toMatchObject([{ loaded: 2, rejected: 1 }]);
      expect(await bench.values(`SELECT id FROM ${table} ORDER BY id`)).toEqual([1, 3]);
      expect(await bench.values("SELECT reason FROM _leat_rejects")).toEqual([
        "the row is wider than a page of Postgres",
      ]);
    });
  });

  test("rejects beyond what memory should hold are all kept", async () => {
    await withBench(async (bench) => {
      const declared = makeStreamSpec({ columns: { v: { type: "bigint" } } });
      const text = JSON.stringify("y".repeat(4000));
      const records = Array.from({ length: 3000 }, (_, id) => `{"id":${id},"v":${id % 2 === 0 ? text : id}}`);
      const { packages } = await bench.loadRecords(declared, records);
      expect(packages).toMatchObject([{ loaded: 1500, rejected: 1500 }]);
      expect(await bench.rows('SELECT count(*), count(DISTINCT "row") FROM _leat_rejects')).toEqual([
        [1500, 1500],
      ]);
    });
  });

  test("cursors in text at the edges of the calendar sort as extract compares them", async () => {
    await withBench(async (bench) => {
      const texts = [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:60",
        "2000-02-29",
        "soon",
      ];
      const records = texts.map((text, id) => `{"id":${id},"modified":${JSON.stringify(text)}}`);
      await bench.loadRecords(spec, records);
      const history = "SELECT id, valid_from FROM metrc.metrc_plants_history ORDER BY id";
      expect(await bench.rows(history)).toEqual([
        [0, null], // Below the minimum of the stream.
        [1, "1969-12-31T23:59:59.999999Z"],
        [2, null], // Beyond the last instant of the year 9999.
        [3, "2000-02-29T00:00:00Z"],
        [4, null],
      ]);
    });
  });
});

describe("queries in Postgres", () => {
  test("one statement that reads is taken, whatever stands behind it", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const good = [
        "TABLE gcs_metrc_plants",
        "VALUES (1)",
        "SHOW server_version",
        "select 1;",
        "/* a */ EXPLAIN SELECT 1 -- b",
      ];
      for (const sql of good) expect((await bench.rows(sql)).length).toBeGreaterThan(0);
      const bad = [
        "SELECT 1; DROP TABLE gcs_metrc_plants",
        "COMMIT",
        "ROLLBACK; DELETE FROM gcs_metrc_plants",
        "",
        "WITH gone AS (DELETE FROM gcs_metrc_plants RETURNING 1) SELECT * FROM gone",
        "SELECT set_config('transaction_read_only', 'off', false), pg_notify('a', 'b')",
        "EXPLAIN ANALYZE DELETE FROM gcs_metrc_plants",
        "COPY gcs_metrc_plants TO PROGRAM 'true'",
      ];
      for (const sql of bad) await failureOf(bench.warehouse.query(sql), "QUERY_FAILED");
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([1]);
    });
  });

  test("values of types that leat does not make are text, and far times are ISO 8601", async () => {
    await withBench(async (bench) => {
      const { rows } = await bench.warehouse.query(
        `SELECT 'infinity'::timestamptz, '0044-03-15 BC'::date, '12024-01-01'::timestamp, 'NaN'::float8, 'NaN'::numeric,
         sum(x::bigint), sum(x::numeric(5,1)), ARRAY[1,2], '1 day'::interval, '\\x00'::bytea, '{"a":1}'::jsonb
         FROM generate_series(1, 3) x`,
      );
      expect(rows).toEqual([
        [
          "infinity",
          "-000043-03-15",
          "+012024-01-01T00:00:00",
          "NaN",
          "NaN",
          6,
          "6.0",
          "{1,2}",
          "1 day",
          "\\x00",
          '{"a": 1}',
        ],
      ]);
    });
  });

  test("a query that takes longer than it may is ended by the server", async () => {
    await withBench(async (bench, url) => {
      const hasty = openAt(url, { queryMsMax: 200 });
      const error = await failureOf(hasty.query("SELECT pg_sleep(20)"), "QUERY_FAILED");
      expect(error.hint).toContain("longer than it may");
      expect(await bench.values("SELECT 1")).toEqual([1]);
    });
  });

  test("many rows come in bounded fetches, and none is lost", async () => {
    await withBench(async (bench) => {
      const sql = "SELECT x FROM generate_series(1, 25000) x";
      expect((await bench.values(sql)).length).toBe(25_000);
      expect((await bench.warehouse.query(sql, { rowsMax: 20_001 })).rows.length).toBe(20_001);
    });
  });
});

/** The record with its nested value mended, so that it can be landed. */
const repaired = (record: string) => record.replace('{"a":}', "{}").replace("[1,]", "[]");

/** Writes the records into the landed part as they are. */
async function breakParts(pack: Awaited<ReturnType<WarehouseBench["land"]>>, records: readonly string[]) {
  const { readFile, writeFile } = await import("node:fs/promises");
  const { path } = pack.parts[0]!;
  const lines = (await readFile(path, "utf8")).split("\n");
  const broken = lines.map((line, at) => {
    const record = records[at];
    return record === undefined ? line : line.replace(repaired(record).slice(1), record.slice(1));
  });
  await writeFile(path, broken.join("\n"));
}
