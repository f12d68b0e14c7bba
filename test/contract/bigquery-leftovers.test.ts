/** Tables that defeated and dead loads leave, and what `leat gc` does with them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;
const day = "2024-01-01";
const hourMs = 3_600_000;

let place: BigQueryPlace;
let bench: WarehouseBench;
beforeEach(async () => {
  place = await openPlace();
  bench = new WarehouseBench(place);
});
afterEach(async () => {
  await place.dispose();
});

const shown = () => place.server.tables.dataset("shop-1", "warehouse").tables;
const tablesOfRows = () =>
  [...shown().keys()].filter((name) => name.startsWith(`${table}__`) && shown().get(name)?.kind === "TABLE");
const collect = () => place.open().collectTables([spec], new AbortController().signal);

/** All tables were made two hours before now. */
function age(): void {
  for (const one of shown().values()) one.createdAtMs -= 2 * hourMs;
}

/** Loads at once, each of which brings another column, so that each plans a table of its own. */
async function loadAtOnce() {
  const landing = ["a", "b", "c"].map((tenant, at) =>
    bench.land([plant(at, day, `"v${at}":${at}`)], { tenant }),
  );
  const packs = await Promise.all(landing);
  await Promise.all(packs.map((pack) => bench.load(spec, [pack], place.open())));
  return packs;
}

test("tables that defeated loads have planned are dropped, and only once a later load has made them useless", async () => {
  await loadAtOnce();
  expect(tablesOfRows().length).toBeGreaterThan(1);
  expect(await collect()).toBe(0); // The last commit may be as old as they are.
  age();
  const left = tablesOfRows().length;
  expect(await collect()).toBe(left - 1);
  expect(tablesOfRows()).toHaveLength(1);
  expect(await bench.rows(`SELECT tenant_id, id FROM ${table} ORDER BY id`)).toEqual([
    ["a", 0],
    ["b", 1],
    ["c", 2],
  ]);
  await bench.loadRecords(spec, [plant(3, day)]);
  expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([4]);
  expect(await collect()).toBe(0);
});

test("a table whose load is under way is left alone", async () => {
  const packs = [
    await bench.land([plant(1, day, '"v":1')]),
    await bench.land([plant(2, day, '"v":"x"')]),
  ] as const;
  await bench.load(spec, [packs[0]]);
  age();
  let dropped: number | undefined;
  place.server.setFaults(({ method, path }) => {
    const isPlanned = tablesOfRows().length === 2;
    if (!isPlanned || dropped !== undefined || method !== "POST" || !path.endsWith("/jobs")) return undefined;
    dropped = -1;
    const until = collect().then((count) => {
      dropped = count;
    });
    return { until };
  });
  await place.open().load(spec, [packs[1]], async () => packs[0], new AbortController().signal);
  expect(dropped).toBe(0);
  expect(await bench.rows(`SELECT id, v FROM ${table} ORDER BY id`)).toEqual([
    [1, "1"],
    [2, "x"],
  ]);
});

test("the table that a dead load's rows have left is dropped after the views show the new one", async () => {
  const [first, second] = [
    await bench.land([plant(1, day, '"v":1')]),
    await bench.land([plant(2, day, '"v":"x"')]),
  ];
  await bench.load(spec, [first]);
  const death = new AbortController();
  place.server.setFaults(({ method, path }) => {
    if (death.signal.aborted) return "before";
    if (method !== "PATCH" || !path.endsWith(`/tables/${table}`)) return undefined;
    death.abort();
    return "before";
  });
  await expect(place.open().load(spec, [second], async () => first, death.signal)).rejects.toThrow();
  place.server.setFaults(undefined);
  age();
  expect(await collect()).toBe(0);
  expect(await bench.rows(`SELECT id FROM ${table}`)).toEqual([[1]]); // It is still what people see.
  await place.open().settle?.(spec);
  expect(await collect()).toBe(1);
  expect(await bench.rows(`SELECT id, v FROM ${table} ORDER BY id`)).toEqual([
    [1, "1"],
    [2, "x"],
  ]);
});

test("the table that views still show is left alone, also where its rows leave it while gc looks", async () => {
  const first = await loadAtOnce();
  age();
  const second = await bench.land([plant(9, day, '"v0":"x"')], { tenant: "a" });
  const death = new AbortController();
  let dying: Promise<unknown> | undefined;
  place.server.setFaults(({ method, path }) => {
    if (dying === undefined && method === "POST") {
      const reopen = async (tenant: string) => first.find((pack) => pack.tenant === tenant)!;
      dying = place
        .open()
        .load(spec, [second], reopen, death.signal)
        .catch((error: unknown) => error);
      return { until: dying };
    }
    if (dying === undefined || method !== "PATCH" || !path.endsWith(`/tables/${table}`)) return undefined;
    death.abort();
    return "before";
  });
  expect(await collect()).toBe(0);
  place.server.setFaults(undefined);
  expect(await dying).toHaveProperty("code"); // It died.
  expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([3]);
  await place.open().settle?.(spec);
  expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([4]);
});

test("somebody's own table with a name like that, and another stream's view, are left alone", async () => {
  await bench.loadRecords(spec, [plant(1, day)]);
  const theirs = { project: "shop-1", dataset: "warehouse", table: `${table}__0123abcd` };
  await place.server.addTable(theirs, [{ name: "n", type: "INT64" }]);
  const other = makeStreamSpec({ name: "other", landingTable: `${table}__deadbeef` });
  await bench.loadRecords(other, [plant(5, day)]);
  age();
  expect(await place.open().collectTables([spec, other], new AbortController().signal)).toBe(0);
  expect(await bench.values(`SELECT count(*) FROM ${table}__0123abcd`)).toEqual([0]);
  expect(await bench.values(`SELECT id FROM ${table}__deadbeef`)).toEqual([5]);
});

test("a warehouse that was never loaded has nothing to drop, and stays as it is", async () => {
  expect(await collect()).toBe(0);
  expect([...shown().keys()]).toEqual([]);
});
