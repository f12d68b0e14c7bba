/**
 * What every warehouse must keep that commits rows, ledger and schema together, as tests. Knows no test runner: hand it
 * the `test` of vitest, `node:test` or any other that takes a name and a function.
 */
import assert from "node:assert/strict";
import { toTenantId } from "../model/ids.ts";
import type { DefineTest } from "./object-store-contract.ts";
import { schemaContract } from "./warehouse-schema-contract.ts";
import {
  type CheckWarehouse,
  checkWarehouses,
  failureOf,
  makeStreamSpec,
  plant,
  type WarehouseUnderTest,
} from "./warehouse-under-test.ts";
import { viewContract } from "./warehouse-view-contract.ts";

/**
 * Defines the contract's tests for one warehouse.
 *
 * @param test - the runner's `test`.
 * @param open - opens a new, empty place for each test.
 */
export function warehouseContract(test: DefineTest, open: () => Promise<WarehouseUnderTest>): void {
  const check = checkWarehouses(test, open);
  loadContract(check);
  ledgerContract(check);
  queryContract(check);
  schemaContract(check);
  viewContract(check);
}

const spec = makeStreamSpec();
const table = spec.landingTable;

function loadContract(check: CheckWarehouse): void {
  check("I18 the warehouse's id is the same for everybody, and another's differs", async (bench) => {
    const other = await bench.under.reopen();
    const ids = await Promise.all([bench.warehouse.identity(), other.identity(), bench.warehouse.identity()]);
    assert.equal(new Set(ids).size, 1);
    assert.match(ids[0], /^[0-9a-f]{20}$/);
    assert.notEqual(await (await bench.under.openAnother()).identity(), ids[0]);
  });

  check("rows carry tenant, package, row and time of the extract", async (bench) => {
    const receipt = await bench.loadRecords(spec, [plant(1, "2024-01-01"), plant(2, "2024-01-02")]);
    assert.deepEqual(receipt.packages, [{ tenant: "414", seq: 1, loaded: 2, rejected: 0 }]);
    const own = `SELECT tenant_id, _leat_package, _leat_row, _leat_extracted_at, id FROM ${table} ORDER BY id`;
    assert.deepEqual(await bench.rows(own), [
      ["414", 1, 0, "2026-01-01T00:00:00Z", 1],
      ["414", 1, 1, "2026-01-01T00:00:00Z", 2],
    ]);
  });

  for (const compression of ["none", "zstd", "gzip"] as const)
    check(`every frame of every part is loaded (${compression})`, async (bench) => {
      const records = Array.from({ length: 25 }, (_, id) =>
        plant(id, "2024-01-01", `"exact":${id}.10000000000000001`),
      );
      await bench.loadRecords(spec, records, { compression, partRecordsMax: 10 });
      await bench.loadRecords(
        spec,
        records.map((_, id) => plant(id + 25, "2024-01-01")),
        { compression },
      );
      assert.deepEqual(await bench.values(`SELECT id FROM ${table} ORDER BY id`), [...Array(50).keys()]);
      assert.deepEqual(await bench.values(`SELECT exact FROM ${table} WHERE id = 7`), [
        "7.10000000000000001",
      ]);
    });

  check("I13 a package belongs to the tenant of its place, whatever its records say", async (bench) => {
    const stranger = await bench.land([plant(1, "2024-01-01")], { tenant: "41" });
    const mine = { ...(await bench.land([plant(1, "2024-01-01")])), parts: stranger.parts };
    await bench.load(spec, [mine]);
    assert.deepEqual(await bench.values(`SELECT tenant_id FROM ${table}`), ["414"]);
  });

  check(
    "I10 a package with fewer records than its manifest says is not loaded, nor is its batch",
    async (bench) => {
      const good = await bench.land([plant(1, "2024-01-01")]);
      const short = { ...(await bench.land([plant(2, "2024-01-01")])), landed: 2 };
      const error = await failureOf(bench.load(spec, [good, short]), "ACCOUNTING_MISMATCH");
      assert.equal(error.details["seq"], 2);
      assert.deepEqual(await bench.warehouse.readLedger(spec, toTenantId("414")), []);
      await bench.load(spec, [good]);
      assert.deepEqual(await bench.values(`SELECT id FROM ${table}`), [1]);
    },
  );

  check("a package without records is loaded as such", async (bench) => {
    const receipt = await bench.loadRecords(spec, []);
    assert.deepEqual(receipt.packages, [{ tenant: "414", seq: 1, loaded: 0, rejected: 0 }]);
    assert.deepEqual(await bench.warehouse.checksums(spec), [
      { tenant: "414", seq: 1, rows: 0, checksum: "0" },
    ]);
  });

  check("an aborted load writes nothing", async (bench) => {
    const pack = await bench.land([plant(1, "2024-01-01")]);
    const reopen = async () => pack;
    await failureOf(bench.warehouse.load(spec, [pack], reopen, AbortSignal.abort()), "INTERRUPTED");
    assert.deepEqual(await bench.warehouse.readLedger(spec, toTenantId("414")), []);
  });

  check("a stream that is prepared answers with its known columns and no rows", async (bench) => {
    const declared = makeStreamSpec({ columns: { weight: { type: "decimal", precision: 18, scale: 3 } } });
    await bench.warehouse.prepare(declared, { tenantColumn: "tenant_id", partitionColumn: undefined });
    const sql = "SELECT tenant_id, id, modified, weight FROM metrc.metrc_plants";
    const { rows, columns } = await bench.warehouse.query(sql);
    assert.deepEqual(rows, []);
    assert.equal(bench.typeName(columns[3]!.type), "DECIMAL(18,3)");
    assert.deepEqual(await bench.rows("SELECT * FROM metrc.metrc_plants_history"), []);
    await bench.warehouse.prepare(declared, { tenantColumn: "tenant_id", partitionColumn: undefined });
    await bench.loadRecords(declared, [plant(1, "2024-01-01", '"weight":1.5')]);
    assert.deepEqual(await bench.rows(sql), [["414", 1, "2024-01-01", "1.500"]]);
  });
}

function ledgerContract(check: CheckWarehouse): void {
  const tenant = toTenantId("414");

  check("I11 a package that was loaded is left out of a later batch", async (bench) => {
    const first = await bench.land([plant(1, "2024-01-01")]);
    await bench.load(spec, [first]);
    const second = await bench.land([plant(2, "2024-01-01")]);
    const { packages } = await bench.load(spec, [first, second]);
    assert.deepEqual(
      packages.map(({ seq }) => seq),
      [2],
    );
    assert.deepEqual(await bench.load(spec, [first, second]), { packages: [], changes: [] });
    assert.deepEqual(await bench.values(`SELECT id FROM ${table} ORDER BY id`), [1, 2]);
  });

  check("I11 a package of another manifest under a loaded seq is refused", async (bench) => {
    const pack = await bench.land([plant(1, "2024-01-01")]);
    await bench.load(spec, [pack]);
    const other = { ...pack, manifestHash: "f".repeat(64) };
    const next = await bench.land([plant(2, "2024-01-01")]);
    await failureOf(bench.load(spec, [next, other]), "LEDGER_MISMATCH");
    await failureOf(bench.load(spec, [{ ...pack, landed: 7 }]), "LEDGER_MISMATCH");
    assert.deepEqual(await bench.values(`SELECT id FROM ${table}`), [1]);
  });

  check("I11 two that load one package at the same time load it once", async (bench) => {
    const other = await bench.under.reopen();
    const pack = await bench.land(Array.from({ length: 500 }, (_, id) => plant(id, "2024-01-01")));
    const receipts = await Promise.all([
      bench.load(spec, [pack]),
      bench.load(spec, [pack], other),
      bench.load(spec, [pack]),
    ]);
    assert.equal(receipts.flatMap(({ packages }) => packages).length, 1);
    assert.deepEqual(await bench.values(`SELECT count(*) FROM ${table}`), [500]);
  });

  check("the ledger tells what is there, per tenant and in the order of seq", async (bench) => {
    for (const seq of [1, 2, 5]) await bench.loadRecords(spec, [plant(seq, "2024-01-01")], { seq });
    await bench.loadRecords(spec, [plant(9, "2024-01-01")], { tenant: "41", seq: 3, generation: 3 });
    const all = await bench.warehouse.readLedger(spec, tenant);
    assert.deepEqual(
      all.map(({ seq, loaded, rejected, generation }) => [seq, loaded, rejected, generation]),
      [1, 2, 5].map((seq) => [seq, 1, 0, 0]),
    );
    assert.equal(all[2]?.manifestHash, bench.landed[2]?.manifestHash);
    const later = await bench.warehouse.readLedger(spec, tenant, { afterSeq: 2 });
    assert.deepEqual(
      later.map(({ seq }) => seq),
      [5],
    );
    const heads = await bench.warehouse.readLedgerHeads(spec);
    assert.deepEqual([...heads.keys()].sort(), ["41", "414"]);
    assert.equal(heads.get(tenant)?.seq, 5);
    assert.equal(heads.get(toTenantId("41"))?.generation, 3);
  });

  check("asking an empty warehouse gives nothing and makes nothing", async (bench) => {
    assert.deepEqual(await bench.warehouse.readLedger(spec, tenant), []);
    assert.equal((await bench.warehouse.readLedgerHeads(spec)).size, 0);
    assert.deepEqual(await bench.warehouse.checksums(spec), []);
    const none = { count: 0, sample: [] };
    assert.deepEqual(await bench.warehouse.currentDisagreements(spec, { sampleMax: 5 }), none);
  });
}

function queryContract(check: CheckWarehouse): void {
  check("values of a query are exact, and JSON can hold them", async (bench) => {
    const { rows } = await bench.warehouse.query(
      `SELECT 9007199254740993::BIGINT, 42::BIGINT, 1.10::DECIMAL(38,2), '2024-01-01'::DATE,
       '2024-01-01 01:02:03.5'::TIMESTAMP, '2024-01-01 01:02:03+02'::TIMESTAMPTZ, true, NULL, CAST(0.5 AS DOUBLE PRECISION)`,
    );
    const expected = [
      "9007199254740993",
      42,
      "1.10",
      "2024-01-01",
      "2024-01-01T01:02:03.5",
      "2023-12-31T23:02:03Z",
      true,
      null,
      0.5,
    ];
    assert.deepEqual(rows, [expected]);
    assert.deepEqual(JSON.parse(JSON.stringify(rows)), rows);
  });

  check("a query only reads, and a refusal carries the engine's words", async (bench) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
    for (const sql of [`DROP TABLE ${table}`, `DELETE FROM ${table}`, "CREATE TABLE mine (id INTEGER)"])
      await failureOf(bench.warehouse.query(sql), "QUERY_FAILED");
    assert.deepEqual(await bench.values(`SELECT count(*) FROM ${table}`), [1]);
    const error = await failureOf(
      bench.warehouse.query("SELECT nowhere FROM nothing_at_all"),
      "QUERY_FAILED",
    );
    assert.match(error.message, /nothing_at_all/);
  });

  check("a query gives no more rows than asked for", async (bench) => {
    await bench.loadRecords(
      spec,
      Array.from({ length: 30 }, (_, id) => plant(id, "2024-01-01")),
    );
    const sql = `SELECT id FROM ${table} ORDER BY id`;
    assert.equal((await bench.warehouse.query(sql, { rowsMax: 7 })).rows.length, 7);
    assert.equal((await bench.warehouse.query(sql, { rowsMax: 100 })).rows.length, 30);
    const { rows, columns } = await bench.warehouse.query(sql, { rowsMax: 0 });
    assert.deepEqual([rows.length, columns[0]?.name], [0, "id"]);
  });

  check("a query that is stopped ends soon", async (bench) => {
    await bench.loadRecords(
      spec,
      Array.from({ length: 3000 }, (_, id) => plant(id, "2024-01-01")),
    );
    const sql = `SELECT sum(a.id * b.id * c.id) FROM ${table} a, ${table} b, ${table} c`;
    const startMs = performance.now();
    const query = bench.warehouse.query(sql, { signal: AbortSignal.timeout(100) });
    await failureOf(query, "INTERRUPTED");
    assert.ok(performance.now() - startMs < 10_000);
    assert.deepEqual(await bench.values(`SELECT count(*) FROM ${table}`), [3000]);
  });
}
