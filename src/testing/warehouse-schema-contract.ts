/** The part of the warehouse's contract about types: exact values, widening, and equality after a rebuild (I14). */
import assert from "node:assert/strict";
import { toTenantId } from "../model/ids.ts";
import type { PackageToLoad } from "../ports/warehouse.ts";
import { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
import { declaredContract, nameContract } from "./warehouse-column-contract.ts";
import { type CheckWarehouse, makeStreamSpec } from "./warehouse-under-test.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;
const record = (value: string) => `{"id":1,"v":${value}}`;

/** Values of a column `v`, the type that they make, and how they are read back, in the order of rows. */
const typeCases: readonly Readonly<{ values: readonly string[]; type: string; cells: readonly unknown[] }>[] =
  [
    { values: ["null"], type: "VARCHAR", cells: [null] },
    { values: ["true", "null", "false"], type: "BOOLEAN", cells: [true, null, false] },
    { values: ["1", "-0", "-5"], type: "BIGINT", cells: [1, 0, -5] },
    { values: ["999999999999999999"], type: "BIGINT", cells: ["999999999999999999"] },
    { values: ["9223372036854775807", "7"], type: "HUGEINT", cells: ["9223372036854775807", 7] },
    {
      values: ["-99999999999999999999999999999999999999", "1"],
      type: "HUGEINT",
      cells: ["-99999999999999999999999999999999999999", 1],
    },
    {
      values: ["100000000000000000000000000000000000000", "-0"],
      type: "VARCHAR",
      cells: ["100000000000000000000000000000000000000", "-0"],
    },
    { values: ["0.10", "3", "1e5", "-2.5e-3"], type: "DOUBLE", cells: [0.1, 3, 100000, -0.0025] },
    {
      values: ["12345678901234567.89", "0.5", "7", "1e-3"],
      type: "DECIMAL(38,3)",
      cells: ["12345678901234567.890", "0.500", "7.000", "0.001"],
    },
    { values: ["1e400", "2"], type: "VARCHAR", cells: ["1e400", "2"] },
    {
      values: ["0.1234567890123456789012345678901234567890", "1.50"],
      type: "VARCHAR",
      cells: ["0.1234567890123456789012345678901234567890", "1.50"],
    },
    { values: ['"2024-02-29"'], type: "DATE", cells: ["2024-02-29"] },
    {
      values: ['"2024-02-29"', '"2024-01-01T05:06:07.123456"', '"2024-01-01 05:06"'],
      type: "TIMESTAMP",
      cells: ["2024-02-29T00:00:00", "2024-01-01T05:06:07.123456", "2024-01-01T05:06:00"],
    },
    {
      values: ['"2024-01-01T01:00:00+02:00"', '"2024-01-01T01:00:00.5Z"', '"0001-01-01T00:00:00Z"'],
      type: "TIMESTAMP WITH TIME ZONE",
      cells: ["2023-12-31T23:00:00Z", "2024-01-01T01:00:00.5Z", "0001-01-01T00:00:00Z"],
    },
    {
      values: ['"2024-01-01T01:00:00Z"', '"2024-01-01T01:00:00"'],
      type: "VARCHAR",
      cells: ["2024-01-01T01:00:00Z", "2024-01-01T01:00:00"],
    },
    {
      values: ['"001"', '"2024-13-01"', '"2024-01-01T01:00:00.1234567Z"', '"01/02/2024"'],
      type: "VARCHAR",
      cells: ["001", "2024-13-01", "2024-01-01T01:00:00.1234567Z", "01/02/2024"],
    },
    {
      values: ['"a"', "1.10", "true", "9007199254740993", "1E5"],
      type: "VARCHAR",
      cells: ["a", "1.10", "true", "9007199254740993", "1E5"],
    },
    {
      values: ['{"a":[1,2,{}]}', "[]", "null", "{}"],
      type: "JSON",
      cells: ['{"a":[1,2,{}]}', "[]", null, "{}"],
    },
    {
      values: ['{"q":123456789012345678901234567890.123}', '"{}"', "[1e400]", "true", "null", '"a\\"b"', "7"],
      type: "JSON",
      cells: ['{"q":123456789012345678901234567890.123}', '"{}"', "[1e400]", "true", null, '"a\\"b"', "7"],
    },
    {
      values: ['"line\\u2028sep"', '"\\ud83d\\ude00 \\/ \\" \\\\"'],
      type: "VARCHAR",
      cells: ["line\u2028sep", '😀 / " \\'],
    },
  ];

export function schemaContract(check: CheckWarehouse): void {
  typeContract(check);
  wideningContract(check);
  declaredContract(check);
  nameContract(check);
}

function typeContract(check: CheckWarehouse): void {
  for (const { values, type, cells } of typeCases)
    check(`values ${values.join(" ").slice(0, 70)} make a column of ${type}, each exact`, async (bench) => {
      await bench.loadRecords(spec, values.map(record), { compression: "zstd" });
      assert.equal((await bench.types(table))["v"], type);
      assert.deepEqual(await bench.values(`SELECT v FROM ${table} ORDER BY _leat_row`), cells);
      assert.deepEqual(await bench.values("SELECT count(*) FROM _leat_rejects"), [0]);
    });

  check(
    "U+0000 in a text is kept, or its record is a reject where the engine cannot keep it",
    async (bench) => {
      await bench.loadRecords(spec, [record('"nul\\u0000here"'), '{"id":2,"v":"a","w":{"x":["\\u0000"]}}']);
      const cells = await bench.values(`SELECT v FROM ${table} ORDER BY id`);
      const reasons = await bench.values('SELECT reason FROM _leat_rejects ORDER BY "row"');
      if (bench.under.hasNul !== false) assert.deepEqual([cells, reasons], [["nul\0here", "a"], []]);
      else {
        assert.deepEqual([cells, reasons.length], [[], 2]);
        for (const reason of reasons) assert.match(String(reason), /U\+0000/);
      }
    },
  );

  check("a record 500 levels deep, and one of 300 columns, are loaded", async (bench) => {
    const deep = `${"[".repeat(500)}${"]".repeat(500)}`;
    const wide = Array.from({ length: 300 }, (_, at) => `"k${at}":${at}.5`).join(",");
    await bench.loadRecords(spec, [record(deep), `{"id":2,${wide}}`]);
    assert.deepEqual(await bench.values(`SELECT v FROM ${table} WHERE id = 1`), [deep]);
    assert.deepEqual(await bench.rows(`SELECT k0, k299 FROM ${table} WHERE id = 2`), [[0.5, 299.5]]);
  });

  check("a record of 5 MiB is loaded whole, quoted or not", async (bench) => {
    const text = "x".repeat(5 * 1024 * 1024);
    await bench.loadRecords(spec, [record(JSON.stringify(text)), '{"id":2,"w":0.12345678901234567}']);
    assert.deepEqual(await bench.values(`SELECT length(v) FROM ${table} WHERE id = 1`), [text.length]);
  });
}

/** Columns of values that keep changing their minds, for the random packages below. */
const manyKinds: readonly (readonly string[])[] = [
  ["1", "22", "-0", "null"],
  ["9223372036854775807", "123456789012345678901234567890"],
  ["0.5", "1.25", "-0.0"],
  ["12345678901234567.89", "0.12345678901234567890123"],
  ["true", "false"],
  ['"2024-01-01"', '"1999-12-31"'],
  ['"2024-01-01T01:02:03"', '"2024-01-01 01:02:03.5"'],
  ['"2024-01-01T01:02:03Z"', '"2024-01-01T01:02:03+05:30"'],
  ['"text"', '""', '"1"', '"true"', '"null"'],
  ['{"a":1.10}', "[1,2]", '{"b":12345678901234567890123}'],
];

function randomRecords(random: SeededRandom, seq: number): string[] {
  const columns = Array.from({ length: 6 }, (_, column) => {
    // Each column begins with one kind and may show others later.
    const kinds = [column, random.below(manyKinds.length), random.below(manyKinds.length)];
    return () => random.pick(manyKinds[kinds[random.chance(0.2) ? random.below(3) : 0]!]!);
  });
  return Array.from({ length: random.between(1, 6) }, (_, row) => {
    const fields = columns.flatMap((value, at) => (random.chance(0.8) ? [`"v${at}":${value()}`] : []));
    if (random.chance(0.1)) fields.push(`"V${random.below(6)}":1`);
    return `{${[`"id":${seq * 100 + row}`, ...fields].join(",")}}`;
  });
}

function wideningContract(check: CheckWarehouse): void {
  check("a type that is widened changes no cell, and the loads say what changed", async (bench) => {
    const steps = ["1", "123456789012345678901", "0.5", "0.25", '"text"', '{"a":1}'];
    const types: string[] = [];
    for (const value of steps) {
      await bench.loadRecords(spec, [record(value)]);
      types.push((await bench.types(table))["v"]!);
    }
    assert.deepEqual(types, ["BIGINT", "HUGEINT", "DECIMAL(38,1)", "DECIMAL(38,2)", "VARCHAR", "JSON"]);
    assert.deepEqual(await bench.values(`SELECT v FROM ${table} ORDER BY _leat_package`), [
      "1",
      "123456789012345678901",
      "0.5",
      "0.25",
      '"text"',
      '{"a":1}',
    ]);
  });

  check("the receipt names new columns and changed types", async (bench) => {
    await bench.loadRecords(spec, [record("1")]);
    const { changes } = await bench.loadRecords(spec, [record('"a"'), '{"id":2,"w":true}']);
    assert.deepEqual(changes, [
      { column: "v", from: "bigint", to: "text" },
      { column: "w", from: undefined, to: "boolean" },
    ]);
  });

  for (let seed = 1; seed <= 4; seed += 1)
    check(`I14 packages in any order and any batches make the same table (seed ${seed})`, async (bench) => {
      const random = createSeededRandom(seed);
      const packages: PackageToLoad[] = [];
      for (const tenant of ["414", "41"])
        for (let seq = 1; seq <= 5; seq += 1) {
          const compression = random.pick(["none", "zstd"] as const);
          const records = randomRecords(random, seq);
          packages.push(await bench.land(records, { tenant, seq, compression, partRecordsMax: 3 }));
        }
      const atOnce = await bench.under.openAnother();
      await bench.load(spec, packages, atOnce);
      for (const batch of randomBatches(random, packages)) await bench.load(spec, batch);
      assert.deepEqual(sortedTypes(await bench.types(table)), sortedTypes(await bench.types(table, atOnce)));
      assert.deepEqual(await bench.warehouse.checksums(spec), await atOnce.checksums(spec));
      const names = Object.keys(sortedTypes(await bench.types(table)));
      const all = `SELECT ${names.map((name) => `"${name}"`).join(", ")} FROM ${table} ORDER BY tenant_id, id`;
      assert.deepEqual(await bench.rows(all), await bench.rows(all, atOnce));
      const current = "SELECT * FROM metrc.metrc_plants ORDER BY tenant_id, id";
      assert.deepEqual(await bench.rows(current), await bench.rows(current, atOnce));
    });

  check("a checksum changes with any cell, and not with the order of rows or columns", async (bench) => {
    const other = await bench.under.openAnother();
    await bench.loadRecords(spec, ['{"id":1,"a":1,"b":2}']);
    await bench.loadRecords(spec, ['{"id":2,"c":null,"b":4,"a":3}']);
    await bench.load(spec, [...bench.landed].reverse(), other);
    const checksums = await bench.warehouse.checksums(spec);
    assert.deepEqual(await other.checksums(spec), checksums);
    const swapped = await bench.under.openAnother();
    const pack = await bench.land(['{"id":1,"a":2,"b":1}'], { seq: 1, tenant: "9" });
    await bench.load(spec, [{ ...pack, tenant: toTenantId("414") }], swapped);
    assert.notEqual((await swapped.checksums(spec))[0]?.checksum, checksums[0]?.checksum);
  });
}

const sortedTypes = (types: Record<string, string>) =>
  Object.fromEntries(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)));

/** All packages, each once, those of a tenant in the order of seq, in batches of random sizes. */
function randomBatches(random: SeededRandom, packages: readonly PackageToLoad[]): PackageToLoad[][] {
  const queues = [...Map.groupBy(packages, ({ tenant }) => tenant).values()].map((queue) => [...queue]);
  const batches: PackageToLoad[][] = [];
  for (let waiting = queues; waiting.length > 0; waiting = queues.filter((queue) => queue.length > 0)) {
    const next = random.pick(waiting).shift()!;
    if (batches.length === 0 || random.chance(0.5)) batches.push([]);
    batches.at(-1)!.push(next);
  }
  return batches.filter((batch) => batch.length > 0);
}
