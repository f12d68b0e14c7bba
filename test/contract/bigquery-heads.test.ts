/** Looks and loads go by the heads of the ledger, which are always what the ledger says. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toTenantId } from "../../src/model/ids.ts";
import { failureOf, makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { turnTable } from "../../src/warehouses/bigquery/turn-table.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";
import { anySteps, playSteps } from "./head-work.ts";

const spec = makeStreamSpec();
const turns = turnTable(spec);
const project = "shop-1";
const turnPlace = { project, dataset: "warehouse", table: turns };
const minutes = 60_000;
const day = "2024-01-01";

let place: BigQueryPlace;
let bench: WarehouseBench;
beforeEach(async () => {
  place = await openPlace();
  bench = new WarehouseBench(place);
});
afterEach(async () => {
  await place.dispose();
});

const run = async (sql: string): Promise<void> => await place.server.run(project, "warehouse", sql);
const sent = (from: number) =>
  place.server.jobs
    .list()
    .slice(from)
    .map(({ body }) => body.configuration.query?.query ?? "");

/** The table of turns as the version before has made it. */
async function makeOlder(): Promise<void> {
  const [[n] = []] = await bench.rows(`SELECT max(n) FROM ${turns}`);
  await place.server.dropTable(turnPlace);
  await place.server.addTable(turnPlace, [{ name: "n", type: "INT64", mode: "REQUIRED" }]);
  await run(`INSERT INTO \`${turns}\` (n) VALUES (${n})`);
}

test("I11 whatever is done to a stream, its heads are what the ledger says", {
  timeout: 2 * minutes,
}, async () => {
  let played = 0;
  await fc.assert(
    fc.asyncProperty(anySteps, (steps) => playSteps(place, `shop-drawn-${played++}`, steps)),
    { numRuns: Number(process.env["LEAT_RUNS"] ?? 3), endOnFailure: true },
  );
});

test("a look and a load read nothing of the ledger, however many loads there were", async () => {
  const tenants = ["a", "b", "c"];
  const land = async (id: number) => {
    const packs = tenants.map(
      async (tenant) => await bench.land([plant(id, day), plant(id + 1, day)], { tenant }),
    );
    return await Promise.all(packs);
  };
  await bench.load(spec, await land(1));
  const begun = place.server.jobs.list().length;
  expect((await place.open().readLedgerHeads(spec)).size).toBe(3);
  expect(sent(begun)).toEqual([]); // No job at all.
  const { packages } = await bench.load(spec, [...(await land(3)), ...(await land(5))], place.open());
  expect(packages.map(({ loaded, rejected }) => [loaded, rejected])).toEqual(packages.map(() => [2, 0]));
  const statements = sent(begun).flatMap((sql) => sql.split(";\n"));
  const ofLedger = statements.filter((sql) => sql.includes("_leat_loads"));
  expect(ofLedger).toEqual([
    expect.stringMatching(/^INSERT INTO \S+_leat_loads` \([^)]*\) SELECT [^`]* FROM leat_loaded$/),
  ]);
});

test("what was rejected is in the receipt, of many packages of a tenant too", async () => {
  const declared = makeStreamSpec({ columns: { w: { type: "bigint" } } });
  const lines = [plant(1, day, '"w":1'), plant(2, day, '"w":"x"'), plant(3, day, '"w":3')];
  const packs = [];
  for (const line of lines) packs.push(await bench.land([line]));
  packs.push(await bench.land([plant(4, day)], { tenant: "41" }));
  const { packages } = await bench.load(declared, packs);
  expect(packages.map(({ tenant, loaded, rejected }) => [tenant, loaded, rejected])).toEqual([
    ["414", 1, 0],
    ["414", 0, 1],
    ["414", 1, 0],
    ["41", 1, 0],
  ]);
  await place.own.checkLedger(declared);
});

test("a package that comes after a later one is loaded, and the later one stays the head", async () => {
  await bench.loadRecords(spec, [plant(1, day)], { seq: 5 });
  const early = await bench.land([plant(2, day), plant(3, day)], { seq: 3 });
  for (const loaded of [[2], []]) {
    const { packages } = await bench.load(spec, [early], place.open());
    expect(packages.map((one) => one.loaded)).toEqual(loaded);
    expect([...(await place.open().readLedgerHeads(spec)).values()]).toEqual([
      expect.objectContaining({ seq: 5, loaded: 1, manifestHash: bench.landed[0]?.manifestHash }),
    ]);
    await place.own.checkLedger(spec);
  }
});

test("a warehouse of the version before is read by its ledger, and the next commit makes the heads", async () => {
  await bench.loadRecords(spec, [plant(1, day)]);
  await bench.loadRecords(spec, [plant(2, day)], { tenant: "41" });
  await makeOlder();
  const heads = await place.open().readLedgerHeads(spec);
  expect([...heads].map(([tenant, { seq }]) => [tenant, seq])).toEqual([
    ["41", 1],
    ["414", 1],
  ]);
  await place.open().checkLedger(spec); // Nothing is kept beside the ledger yet.
  await bench.load(spec, bench.landed, place.open()); // All of it is there already.
  await bench.loadRecords(spec, [plant(3, day)]);
  expect(await bench.values("SELECT count(*) FROM gcs_metrc_plants")).toEqual([3]);
  const begun = place.server.jobs.list().length;
  expect((await place.open().readLedgerHeads(spec)).get(toTenantId("414"))?.seq).toBe(2);
  expect(sent(begun)).toEqual([]);
  await place.open().checkLedger(spec);
});

test("what the version before loads beside this one is seen, and not loaded again", async () => {
  await bench.loadRecords(spec, [plant(1, day)]);
  const theirs = await bench.land([]);
  await run(
    `UPDATE ${turns} SET n = n + 1 WHERE TRUE;
     INSERT INTO _leat_loads (source, stream, tenant, seq, manifest_hash, loaded, rejected, generation, completes, loaded_at)
     VALUES ('metrc', 'metrc_plants', '414', 2, '${theirs.manifestHash}', 0, 0, 0, FALSE, CURRENT_TIMESTAMP())`,
  );
  expect((await place.open().readLedgerHeads(spec)).get(toTenantId("414"))?.seq).toBe(2);
  expect(await bench.load(spec, [theirs])).toEqual({ packages: [], changes: [] });
  const next = await bench.land([plant(3, day)]);
  expect((await bench.load(spec, [theirs, next])).packages.map(({ seq }) => seq)).toEqual([3]);
  await place.own.checkLedger(spec);
  expect(await bench.rows(`SELECT seq, packages, loaded_total FROM ${turns} WHERE tenant = '414'`)).toEqual([
    [3, 3, 2],
  ]);
});

test("heads or a ledger that somebody has edited are told, nothing is loaded twice, and a rebuild mends it", async () => {
  for (const [change, words] of [
    [`DELETE FROM ${turns} WHERE tenant = '414'`, "the ledger has 2 up to 2 with 3 rows, its sum in"],
    [`UPDATE ${turns} SET seq = 1, loaded_total = 1 WHERE tenant = '414'`, "2 up to 1 with 1 rows"],
    ["DELETE FROM _leat_loads WHERE seq = 2", "the ledger has 1 up to 1 with 1 rows"],
  ] as const) {
    const [first, second] = [
      await bench.land([plant(1, day)], { seq: 1 }),
      await bench.land([plant(2, day), plant(3, day)], { seq: 2 }),
    ];
    await bench.load(spec, [first, second]);
    await place.own.checkLedger(spec);
    await run(change);
    const error = await failureOf(place.own.checkLedger(spec), "LEDGER_MISMATCH");
    expect(error.message).toContain(words);
    expect(error.hint).toContain("leat rebuild metrc.metrc_plants");
    // Where a look would believe that less was loaded than is there, the load looks again.
    if (change.includes(turns)) await failureOf(bench.load(spec, [first, second]), "LEDGER_MISMATCH");
    else await bench.load(spec, [first]);
    expect(await bench.values("SELECT id FROM gcs_metrc_plants ORDER BY id")).toEqual([1, 2, 3]);
    await place.own.forget(spec);
    expect((await place.own.readLedgerHeads(spec)).size).toBe(0);
    await bench.load(spec, [first, second]);
    expect(await bench.values("SELECT id FROM gcs_metrc_plants ORDER BY id")).toEqual([1, 2, 3]);
    await place.own.checkLedger(spec);
    await place.own.forget(spec);
  }
});

test("a table of turns that somebody has dropped is made again from the ledger", async () => {
  await bench.loadRecords(spec, [plant(1, day)]);
  await place.server.dropTable(turnPlace);
  expect((await place.open().readLedgerHeads(spec)).get(toTenantId("414"))?.seq).toBe(1);
  await bench.load(spec, [...bench.landed, await bench.land([plant(2, day)])]);
  expect(await bench.values("SELECT id FROM gcs_metrc_plants ORDER BY id")).toEqual([1, 2]);
  await place.own.checkLedger(spec);
});

test("a stream that was never loaded, beside one that was, has nothing to tell", async () => {
  await bench.loadRecords(spec, [plant(1, day)]);
  const other = makeStreamSpec({ name: "other", landingTable: "other" });
  expect((await place.own.readLedgerHeads(other)).size).toBe(0);
  expect(await place.own.checksums(other)).toEqual([]);
  expect(await place.own.readColumns?.(other)).toEqual([]);
  expect(await place.own.currentDisagreements(other, { sampleMax: 1 })).toEqual({ count: 0, sample: [] });
  await place.own.checkLedger(other);
});
