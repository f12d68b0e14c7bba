/** The part of the warehouse's contract about declared types, rejects, schema contracts and names of columns. */
import assert from "node:assert/strict";
import { toTenantId } from "../model/ids.ts";
import { measureColumns } from "./landed-package.ts";
import { type CheckWarehouse, failureOf, makeStreamSpec, plant } from "./warehouse-under-test.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;
const record = (value: string) => `{"id":1,"v":${value}}`;

/** Declared types, rejects, and contracts `freeze` and `discard`. */
export function declaredContract(check: CheckWarehouse): void {
  const declared = makeStreamSpec({
    columns: {
      count: { type: "bigint" },
      price: { type: "decimal", precision: 10, scale: 2 },
      ratio: { type: "double" },
      day: { type: "date" },
      at: { type: "timestamp" },
      when: { type: "timestamptz" },
      isOpen: { type: "boolean" },
      note: { type: "text" },
    },
  });
  const fitting: readonly (readonly [string, string, unknown])[] = [
    ["count", '"17"', 17],
    ["count", "1.0", 1],
    ["count", "12e2", 1200],
    ["count", "9223372036854775807", "9223372036854775807"],
    ["price", '"1.5"', "1.50"],
    ["price", "12345678.90", "12345678.90"],
    ["price", "1.2300e1", "12.30"],
    ["price", "-5e-2", "-0.05"],
    ["ratio", '"0.5"', 0.5],
    ["ratio", "12345678901234567.89", 12345678901234568],
    ["day", '"2024-02-29"', "2024-02-29"],
    ["at", '"2024-02-29"', "2024-02-29T00:00:00"],
    ["at", '"2024-02-29T05:06:07.1234560"', "2024-02-29T05:06:07.123456"],
    ["when", '"2024-02-29T05:00:00"', "2024-02-29T05:00:00Z"],
    ["when", '"2024-02-29t05:00:00z"', "2024-02-29T05:00:00Z"],
    ["when", '"2024-02-29 05:00+0530"', "2024-02-28T23:30:00Z"],
    ["when", '"2024-02-29T05:00Z"', "2024-02-29T05:00:00Z"],
    ["isOpen", '"TRUE"', true],
    ["isOpen", "0", false],
    ["note", "12345678901234567.890", "12345678901234567.890"],
  ];
  const unfitting: readonly (readonly [string, string])[] = [
    ["count", "1.5"],
    ["count", '"0x10"'],
    ["count", "9223372036854775808"],
    ["count", "true"],
    ["count", '""'],
    ["price", "1.005"],
    ["price", "123456789"],
    ["price", '"12,5"'],
    ["ratio", "1e400"],
    ["ratio", '"NaN"'],
    ["day", '"2024-02-30"'],
    ["day", '"2024-02-29T05:00:00"'],
    ["day", "20240229"],
    ["at", '"2024-02-29T05:00:00+02:00"'],
    ["at", '"2024-02-29T05:00:00.1234567"'],
    ["when", '"yesterday"'],
    ["when", '"99999-01-01T00:00:00Z"'],
    ["isOpen", '"perhaps"'],
    ["isOpen", "{}"],
  ];

  check("what fits a declared type is loaded exactly", async (bench) => {
    await bench.loadRecords(
      declared,
      fitting.map(([column, value], id) => `{"id":${id},"${column}":${value}}`),
    );
    assert.deepEqual(await bench.rows("SELECT * FROM _leat_rejects"), []);
    for (const [id, [column, value, cell]] of fitting.entries())
      assert.deepEqual(
        await bench.values(`SELECT "${column}" FROM ${table} WHERE id = ${id}`),
        [cell],
        value,
      );
  });

  check("an object in a column of text is the text as it was landed", async (bench) => {
    await bench.loadRecords(declared, ['{"id":1,"note":{"a": [1.10]}}']);
    assert.deepEqual(await bench.values(`SELECT note FROM ${table}`), ['{"a": [1.10]}']);
  });

  check(
    "what does not fit is a reject with its record, column and reason, and good rows are loaded",
    async (bench) => {
      const records = unfitting.map(([column, value], id) => `{"id":${id},"${column}":${value}}`);
      const receipt = await bench.loadRecords(declared, [...records, '{"id":100,"count":5,"day":null}']);
      assert.deepEqual(receipt.packages, [{ tenant: "414", seq: 1, loaded: 1, rejected: unfitting.length }]);
      assert.deepEqual(await bench.rows(`SELECT id, "count", day FROM ${table}`), [[100, 5, null]]);
      const rejects = await bench.rows(
        'SELECT "row", "column", reason, record, tenant, seq FROM _leat_rejects ORDER BY "row"',
      );
      assert.deepEqual(
        rejects.map(([row, column]) => [row, column]),
        unfitting.map(([column], id) => [id, column]),
      );
      for (const [row, column, reason, text, tenant, seq] of rejects) {
        const [, value] = unfitting[Number(row)]!;
        assert.match(String(reason), new RegExp(`^column ${column} is no `));
        assert.ok(String(text).endsWith(`"id":${row},"${column}":${value}}`), String(text));
        assert.deepEqual([tenant, seq], ["414", 1]);
      }
    },
  );

  check("people are told of loads, columns and rejects, where the warehouse tells of them", async (bench) => {
    const { warehouse } = bench;
    if (warehouse.readLoads === undefined) return; // Then it can be asked in SQL.
    assert.ok(warehouse.readRejects !== undefined && warehouse.readColumns !== undefined);
    const page = { limit: 10, offset: 0 };
    assert.deepEqual(await warehouse.readLoads(declared, page), []);
    await bench.loadRecords(declared, ['{"id":1,"count":7}', `{"id":2,"count":"${"x".repeat(20_000)}"}`]);
    await bench.loadRecords(declared, ['{"id":3,"count":"many"}']);
    const loads = await warehouse.readLoads(declared, page);
    assert.deepEqual(
      loads.map(({ tenant, seq, loaded, rejected }) => [tenant, seq, loaded, rejected]),
      [
        ["414", 2, 0, 1],
        ["414", 1, 1, 1],
      ],
    );
    assert.ok(loads.every(({ loadedAt }) => Math.abs(Date.parse(loadedAt) - Date.now()) < 600_000));
    assert.deepEqual(
      (await warehouse.readLoads(declared, { limit: 1, offset: 1 })).map(({ seq }) => seq),
      [1],
    );
    assert.deepEqual(await warehouse.readLoads(declared, { ...page, tenant: toTenantId("415") }), []);
    const rejects = await warehouse.readRejects(declared, page);
    assert.deepEqual(
      rejects.map(({ seq, row, column, isCut }) => [seq, row, column, isCut]),
      [
        [2, 0, "count", false],
        [1, 1, "count", true],
      ],
    );
    assert.ok(rejects[0]?.record.endsWith('"id":3,"count":"many"}'));
    assert.equal((await warehouse.readRejects(declared, { ...page, seq: 1 })).length, 1);
    const columns = await warehouse.readColumns(declared);
    assert.deepEqual(
      columns.filter(({ name }) => ["count", "id", "price"].includes(name)).map(({ name }) => name),
      ["count", "id", "price"],
    );
  });

  check(
    "one value that does not fit leaves the rest of its package as it would be without it",
    async (bench) => {
      const good = ['{"id":1,"count":7,"x":1.10}', '{"id":2,"count":"8","x":0.12345678901234567}'];
      await bench.loadRecords(declared, [...good, '{"id":3,"count":"nine","x":1}']);
      const other = await bench.under.openAnother();
      const pack = await bench.land(good, { seq: 1, tenant: "9" });
      await bench.load(declared, [{ ...pack, tenant: toTenantId("414") }], other);
      assert.deepEqual(await bench.warehouse.checksums(declared), await other.checksums(declared));
    },
  );

  check("a reject is loaded when its column's type changes so that it fits", async (bench) => {
    await bench.loadRecords(declared, ['{"id":1,"count":"many"}', '{"id":2,"count":3}']);
    const asText = makeStreamSpec({ columns: { ...declared.columns, count: { type: "text" } } });
    await bench.loadRecords(asText, ['{"id":3,"count":null}']);
    assert.deepEqual(await bench.values(`SELECT "count" FROM ${table} ORDER BY id`), ["many", "3", null]);
    assert.deepEqual(await bench.rows("SELECT * FROM _leat_rejects"), []);
    const [first] = await bench.warehouse.readLedger(asText, toTenantId("414"));
    assert.deepEqual([first?.loaded, first?.rejected], [2, 0]);
  });

  check(
    "a declared type that changes loses no cell when the stream is prepared, and counts at the next load",
    async (bench) => {
      await bench.loadRecords(spec, ['{"id":1,"v":1.10}', '{"id":2,"v":12345678901234567.89}']);
      const asText = makeStreamSpec({ columns: { v: { type: "text" } } });
      await bench.warehouse.prepare(asText, { tenantColumn: "tenant_id", partitionColumn: undefined });
      const sql = `SELECT v FROM ${table} ORDER BY id`;
      assert.deepEqual(await bench.values(sql), ["1.10", "12345678901234567.89"]);
      await bench.loadRecords(asText, ['{"id":3,"v":null}']);
      assert.deepEqual(await bench.values(sql), ["1.10", "12345678901234567.89", null]);
      assert.equal((await bench.types(table))["v"], "VARCHAR");
    },
  );

  check("a manifest that is wrong about its records costs time, not values", async (bench) => {
    const records = ['{"id":1,"v":"text"}', '{"id":2,"v":12345678901234567890}', '{"id":3,"v":5}'];
    const columns = measureColumns(['{"id":1,"v":5}']);
    const batch = [await bench.land(['{"id":9,"v":7}'])];
    batch.push(await bench.land(records, { columns }), await bench.land(['{"id":8,"v":8}']));
    const receipt = await bench.load(spec, batch);
    assert.deepEqual(
      receipt.packages.map(({ loaded, rejected }) => [loaded, rejected]),
      [
        [1, 0],
        [1, 2],
        [1, 0],
      ],
    );
    assert.deepEqual(await bench.values(`SELECT id FROM ${table} ORDER BY id`), [3, 8, 9]);
  });

  check("a record that the engine cannot read is a reject, and its neighbours are loaded", async (bench) => {
    const broken = ['{"id":2,"v":"\\ud800"}', '{"id":3,"v":"a","v":"b"}'];
    const receipt = await bench.loadRecords(spec, [record('"a"'), ...broken, '{"id":4,"v":"c"}']);
    assert.deepEqual(receipt.packages, [{ tenant: "414", seq: 1, loaded: 2, rejected: 2 }]);
    assert.deepEqual(await bench.values(`SELECT v FROM ${table} ORDER BY id`), ["a", "c"]);
    assert.deepEqual(await bench.values('SELECT "row" FROM _leat_rejects ORDER BY "row"'), [1, 2]);
  });

  check("contract freeze refuses new columns and kinds by name and writes nothing", async (bench) => {
    await bench.loadRecords(spec, [record("1")]);
    const frozen = makeStreamSpec({ contract: "freeze" });
    await bench.loadRecords(frozen, [record("2")]);
    const column = await failureOf(
      bench.loadRecords(frozen, ['{"id":1,"extra":1}'], { seq: 3 }),
      "SCHEMA_FROZEN",
    );
    assert.match(column.message, /new column "extra"/);
    const kind = await failureOf(bench.loadRecords(frozen, [record('"a"')], { seq: 3 }), "SCHEMA_FROZEN");
    assert.match(kind.message, /column "v" from bigint to text/);
    assert.deepEqual(await bench.values(`SELECT v FROM ${table} ORDER BY v`), [1, 2]);
    assert.equal((await bench.types(table))["extra"], undefined);
  });

  check("contract discard loads the declared columns only and tells what it left out", async (bench) => {
    const discard = makeStreamSpec({ contract: "discard", columns: { v: { type: "bigint" } } });
    const { changes } = await bench.loadRecords(discard, ['{"id":1,"v":1,"extra":1e400}']);
    assert.deepEqual(
      changes.filter(({ to }) => to === "discarded"),
      [{ column: "extra", from: undefined, to: "discarded" }],
    );
    assert.deepEqual(Object.keys(await bench.types(table)).includes("extra"), false);
    assert.deepEqual(await bench.rows(`SELECT id, v FROM ${table}`), [[1, 1]]);
  });
}

/** Keys and the columns they become. */
export function nameContract(check: CheckWarehouse): void {
  const keys = [
    "Id",
    "ID",
    "",
    "x.y",
    "select",
    "😀",
    " blank ",
    "a\0b",
    "quote\"'`",
    "ns:a/b~c",
    "k".repeat(10_000),
  ];
  const awkward = `{"id":1,${keys.map((key, at) => `${JSON.stringify(key)}:${at}`).join(",")}}`;

  check("every key has its own column, and the registry says which", async (bench) => {
    await bench.loadRecords(spec, [awkward]);
    const mapped = await bench.rows("SELECT key, column_name FROM _leat_columns");
    const names = new Map(mapped.map(([key, name]) => [String(key), String(name)]));
    assert.deepEqual(await bench.values(`SELECT id FROM ${table}`), [1]);
    for (const [at, key] of keys.entries()) {
      // An engine without U+0000 shows another sign in its place.
      const name = names.get(bench.under.hasNul === false ? key.replaceAll("\0", "\ufffd") : key);
      assert.ok(name !== undefined, `no column for ${JSON.stringify(key.slice(0, 20))}`);
      const quoted = `"${name.replaceAll('"', '""')}"`;
      assert.deepEqual(await bench.values(`SELECT ${quoted} FROM ${table}`), [at], name);
    }
    for (const key of ["x.y", "select", "😀", " blank ", "quote\"'`"]) assert.equal(names.get(key), key);
  });

  check("keys that differ only in case get the same names in whatever order they come", async (bench) => {
    const other = await bench.under.openAnother();
    const first = await bench.land(['{"Name":"a"}'], { seq: 1 });
    const second = await bench.land(['{"name":"b"}'], { seq: 2 });
    const keyless = makeStreamSpec({ primaryKey: [], cursor: undefined });
    await bench.load(keyless, [first]);
    assert.deepEqual(await bench.values(`SELECT "Name" FROM ${table}`), ["a"]);
    await bench.load(keyless, [second]);
    await bench.load(keyless, [second], other);
    await bench.load(keyless, [first], other);
    const sql = "SELECT key, column_name FROM _leat_columns ORDER BY key";
    const names = await bench.rows(sql);
    assert.deepEqual(await bench.rows(sql, other), names);
    assert.equal(new Set(names.map(([, name]) => String(name).toLowerCase())).size, 2);
    // The plain name is nobody's now: a query that used it fails instead of reading the other field.
    await failureOf(bench.warehouse.query(`SELECT name FROM ${table}`), "QUERY_FAILED");
    const [upper, lower] = names.map(([, name]) => `"${name}"`);
    const values = `SELECT ${upper}, ${lower} FROM metrc.metrc_plants ORDER BY _leat_package`;
    assert.deepEqual(await bench.rows(values), [
      ["a", null],
      [null, "b"],
    ]);
    assert.deepEqual(await bench.warehouse.checksums(keyless), await other.checksums(keyless));
  });

  check("a key that the stream names keeps its name when its twin arrives", async (bench) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
    await bench.loadRecords(spec, ['{"ID":"twin","id":2,"modified":"2024-01-01"}']);
    assert.deepEqual(await bench.values("SELECT id FROM metrc.metrc_plants ORDER BY id"), [1, 2]);
  });

  check("the tenant's and the partition's columns are called as the project says", async (bench) => {
    const changes = { tenantColumn: "account", partition: { column: "licence", value: "L-1" } };
    await bench.loadRecords(spec, ['{"id":1,"tenant_id":"the partner\'s own"}'], changes);
    assert.deepEqual(await bench.rows(`SELECT account, licence, id, tenant_id FROM ${table}`), [
      ["414", "L-1", 1, "the partner's own"],
    ]);
    await bench.loadRecords(spec, ['{"id":2}'], {
      tenantColumn: "customer",
      partition: { column: "licence", value: "L-2" },
    });
    assert.deepEqual(await bench.rows(`SELECT customer, licence, id FROM ${table} ORDER BY id`), [
      ["414", "L-1", 1],
      ["414", "L-2", 2],
    ]);
  });
}
