/** The part of the warehouse's contract about what people query: current rows, history, generations, kept tables. */
import assert from "node:assert/strict";
import { type CursorFormat, parseCursor } from "../model/cursor.ts";
import type { StreamSpec } from "../model/stream.ts";
import { createSeededRandom, type SeededRandom } from "./seeded-random.ts";
import { type CheckWarehouse, makeStreamSpec, plant, type WarehouseBench } from "./warehouse-under-test.ts";

const spec = makeStreamSpec();
const current = "metrc.metrc_plants";
const history = "metrc.metrc_plants_history";

export function viewContract(check: CheckWarehouse): void {
  currentContract(check);
  cursorContract(check);
  generationContract(check);
  historyContract(check);
  materializedContract(check);
}

const newest = `SELECT id, v FROM ${current} ORDER BY id`;

function currentContract(check: CheckWarehouse): void {
  check("I20 the current row has the greatest cursor, then package, then row", async (bench) => {
    await bench.loadRecords(spec, [
      plant(1, "2024-01-05", '"v":"newest by cursor"'),
      plant(2, "2024-01-01", '"v":"older package"'),
      plant(3, "2024-01-01", '"v":"older row"'),
      plant(3, "2024-01-01", '"v":"newer row"'),
    ]);
    await bench.loadRecords(spec, [
      plant(1, "2024-01-04", '"v":"late"'),
      plant(2, "2024-01-01", '"v":"newer"'),
    ]);
    assert.deepEqual(await bench.rows(newest), [
      [1, "newest by cursor"],
      [2, "newer"],
      [3, "newer row"],
    ]);
  });

  check(
    "I20 currentBy arrival takes the last to arrive, and the keys where that differs are counted",
    async (bench) => {
      const packages = [
        await bench.land([plant(1, "2024-01-05", '"v":1'), plant(2, "2024-01-05", '"v":1')]),
        await bench.land([plant(1, "2024-01-04", '"v":2'), plant(2, "2024-01-06", '"v":2')]),
      ];
      await bench.load(spec, packages);
      assert.deepEqual(await bench.rows(newest), [
        [1, 1],
        [2, 2],
      ]);
      const found = await bench.warehouse.currentDisagreements(spec, { sampleMax: 5 });
      assert.equal(found.count, 1);
      assert.equal(found.sample.length, 1);
      assert.match(found.sample[0]!, /414.*1/);
      assert.deepEqual((await bench.warehouse.currentDisagreements(spec, { sampleMax: 0 })).sample, []);
      const other = await bench.under.openAnother();
      await bench.load(makeStreamSpec({ currentBy: "arrival" }), packages, other);
      assert.deepEqual(await bench.rows(newest, other), [
        [1, 2],
        [2, 2],
      ]);
    },
  );

  check("I3 a missing, broken or too small cursor sorts below every usable one", async (bench) => {
    for (const [seq, cursor] of ['"2024-01-01"', "null", '"0001-01-01"', '"soon"', "17"].entries())
      await bench.loadRecords(spec, [`{"id":1,"modified":${cursor},"v":${seq}}`]);
    await bench.loadRecords(spec, ['{"id":1,"v":5}', '{"id":2,"modified":null,"v":5}', '{"id":2,"v":6}']);
    assert.deepEqual(await bench.rows(newest), [
      [1, 0],
      [2, 6],
    ]);
  });

  check("I13 tenants of one key each have their row", async (bench) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-05")]);
    await bench.loadRecords(spec, [plant(1, "2024-01-09")], { tenant: "41" });
    const rows = await bench.rows(`SELECT tenant_id, modified FROM ${current} ORDER BY modified`);
    assert.deepEqual(rows, [
      ["414", "2024-01-05"],
      ["41", "2024-01-09"],
    ]);
  });

  check("a partition with a column has its own keys", async (bench) => {
    for (const value of ["A", "B", "A"])
      await bench.loadRecords(spec, [plant(1, "2024-01-05")], { partition: { column: "order_id", value } });
    const rows = await bench.rows(`SELECT order_id, _leat_package FROM ${current} ORDER BY order_id`);
    assert.deepEqual(rows, [
      ["A", 3],
      ["B", 2],
    ]);
  });

  check("keys of several parts and below a top-level field are told apart exactly", async (bench) => {
    const nested = makeStreamSpec({ primaryKey: ["ref.id", "kind"] });
    const big = "9007199254740993";
    await bench.loadRecords(nested, [
      `{"ref":{"id":${big}},"kind":"a","modified":"2024-01-01","v":1}`,
      '{"ref":{"id":9007199254740992},"kind":"a","modified":"2024-01-01","v":2}',
      `{"ref":{"id":"${big}"},"kind":"a","modified":"2024-01-01","v":3}`,
      `{"ref":{"id":${big}},"kind":"b","modified":"2024-01-01","v":4}`,
      `{"ref":{"id":${big},"x":0},"kind":"a","modified":"2024-01-02","v":5}`,
    ]);
    assert.deepEqual(await bench.values(`SELECT v FROM ${current} ORDER BY v`), [2, 3, 4, 5]);
  });

  check("records without a key, or of a stream without one, are all shown", async (bench) => {
    await bench.loadRecords(spec, ['{"id":null,"v":1}', '{"v":1}', '{"id":1,"v":2}', '{"id":1,"v":3}']);
    assert.deepEqual(await bench.values(`SELECT v FROM ${current} ORDER BY v`), [1, 1, 3]);
    const other = await bench.under.openAnother();
    await bench.load(makeStreamSpec({ primaryKey: [] }), bench.landed, other);
    assert.deepEqual(await bench.rows(`SELECT count(*) FROM ${current}`, other), [[4]]);
  });

  check("a record is out of current while its newest version says that it is deleted", async (bench) => {
    const cases: readonly (readonly [string, string])[] = [
      ["true", "false"],
      ['"2024-01-02T00:00:00Z"', "null"],
      ['"2024-01-02"', '""'],
      ["1", "0"],
    ];
    for (const [at, [deleted, alive]] of cases.entries()) {
      const stream = makeStreamSpec({ name: `s${at}`, landingTable: `t${at}`, deletedField: "gone" });
      await bench.loadRecords(stream, [
        plant(1, "2024-01-01", `"gone":${alive}`),
        plant(1, "2024-01-02", `"gone":${deleted}`),
        plant(2, "2024-01-01", `"gone":${deleted}`),
        plant(2, "2024-01-02", `"gone":${alive}`),
        plant(3, "2024-01-02", `"gone":${deleted}`),
        plant(3, "2024-01-01", `"gone":${alive}`),
      ]);
      assert.deepEqual(await bench.values(`SELECT id FROM metrc.s${at}`), [2], `${deleted} ${alive}`);
      const spans = await bench.rows(
        `SELECT id, valid_to IS NULL FROM metrc.s${at}_history ORDER BY id, modified`,
      );
      assert.deepEqual(
        spans.map(([, isOpen]) => isOpen),
        [false, false, false, true, false, false],
      );
    }
  });
}

function cursorContract(check: CheckWarehouse): void {
  type CursorCase = Readonly<{ format: CursorFormat; zone: string; values: readonly string[] }>;
  const cases: readonly CursorCase[] = [
    {
      format: "iso",
      zone: "America/New_York",
      // The hour that comes twice, the hour that never comes, and days beside them.
      values: [
        '"2024-11-03T01:30:00"',
        '"2024-11-03T00:59:59.999999"',
        '"2024-11-03T02:00:00"',
        '"2024-03-10T02:30:00"',
        '"2024-03-10T03:10:00"',
        '"2024-03-10T01:59:00"',
        '"2024-03-10"',
      ],
    },
    {
      format: "iso",
      zone: "America/New_York",
      values: [
        '"2024-11-03T01:30:00"',
        '"2024-11-03T01:30:00-05:00"',
        '"2024-11-03T05:45:00Z"',
        '"2024-11-03t05:45:00,0000019z"',
        '"2024-11-03T05:45:00.000001Z"',
        '"2024-11-03 01:45:00 -0400"',
        '"2024-11-31"',
        '"2024-11-03T01:44-04"',
      ],
    },
    {
      format: "epoch-s",
      zone: "UTC",
      values: ["1700000000", "1700000000.123", '"1700000000.1234"', '"x"', "-1.5"],
    },
    { format: "epoch-ms", zone: "UTC", values: ["1700000000000", "1700000000000.5", "1699999999999.9999"] },
    { format: "integer", zone: "UTC", values: ["9007199254740993", "9007199254740992", "-7", "-12", "0"] },
    {
      format: "integer",
      zone: "UTC",
      values: ['"1234567890123456789012345678901234567890"', "99", '"-5"', '"-40"', '"007"', '"1.5"', '"10"'],
    },
  ];
  for (const { format, zone, values } of cases)
    check(`rows sort by cursor as extract compares them (${format}, ${values[0]})`, async (bench) => {
      const cursor = { ...spec.cursor!, format, zone, minimum: -1_000_000_000_000_000_000n };
      const stream = makeStreamSpec({ primaryKey: ["pair"], cursor });
      // Every two values make a record of two versions; who wins is known from the model.
      const parse = (value: string) => parseCursor(String(value).replaceAll('"', ""), format, zone);
      const records: string[] = [];
      const winners: number[] = [];
      for (const [i, a] of values.entries())
        for (const [j, b] of values.entries()) {
          const pair = i * values.length + j;
          records.push(`{"pair":${pair},"modified":${a},"v":1}`, `{"pair":${pair},"modified":${b},"v":2}`);
          const [first, second] = [parse(a), parse(b)];
          winners[pair] = first !== undefined && (second === undefined || first > second) ? 1 : 2;
        }
      await bench.loadRecords(stream, records);
      const found = await bench.rows(`SELECT pair, v FROM ${current} ORDER BY pair`);
      assert.deepEqual(
        found,
        winners.map((winner, pair) => [pair, winner]),
      );
    });

  check("a cursor below a top-level field, and one in a column of mixed kinds, sort alike", async (bench) => {
    const nested = makeStreamSpec({ cursor: { ...spec.cursor!, field: "meta.at" } });
    await bench.loadRecords(nested, [
      '{"id":1,"meta":{"at":"2024-01-02T00:00:00Z"},"v":1}',
      '{"id":1,"meta":{"at":"2024-01-01"},"v":2}',
      '{"id":1,"meta":[12345678901234567890123],"v":3}',
    ]);
    assert.deepEqual(await bench.rows(newest), [[1, 1]]);
  });
}

function generationContract(check: CheckWarehouse): void {
  check("I12 a generation is invisible until it is complete, then only it is visible", async (bench) => {
    const ids = async () => await bench.rows(`SELECT tenant_id, id FROM ${current} ORDER BY tenant_id, id`);
    await bench.loadRecords(spec, [plant(1, "2024-01-01"), plant(2, "2024-01-01")]);
    await bench.loadRecords(spec, [plant(1, "2024-01-01")], { tenant: "41" });
    await bench.loadRecords(spec, [plant(3, "2024-01-01")], { generation: 2 });
    assert.deepEqual(await ids(), [
      ["41", 1],
      ["414", 1],
      ["414", 2],
    ]);
    await bench.loadRecords(spec, [plant(4, "2024-01-01")], { generation: 2, completesGeneration: true });
    const swapped = [
      ["41", 1],
      ["414", 3],
      ["414", 4],
    ];
    assert.deepEqual(await ids(), swapped);
    // A refresh that died, and an ordinary package after it.
    await bench.loadRecords(spec, [plant(9, "2024-01-01")], { generation: 4 });
    await bench.loadRecords(spec, [plant(5, "2024-01-01")], { generation: 2 });
    assert.deepEqual(await ids(), [...swapped, ["414", 5]]);
    assert.deepEqual(await bench.values(`SELECT DISTINCT id FROM ${history} ORDER BY id`), [1, 3, 4, 5]);
    assert.deepEqual(await bench.values(`SELECT count(*) FROM ${spec.landingTable}`), [7]);
  });
}

function historyContract(check: CheckWarehouse): void {
  const spans = `SELECT id, valid_from, valid_to, _leat_is_current FROM ${history} ORDER BY id, valid_from`;

  check("the history has every version with the span in which it was the newest", async (bench) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-05T00:00:00Z"), plant(1, "2024-01-01T00:00:00Z")]);
    await bench.loadRecords(spec, [plant(1, "2024-01-03T00:00:00Z"), plant(2, "2024-01-03T00:00:00Z")]);
    assert.deepEqual(await bench.rows(spans), [
      [1, "2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z", false],
      [1, "2024-01-03T00:00:00Z", "2024-01-05T00:00:00Z", false],
      [1, "2024-01-05T00:00:00Z", null, true],
      [2, "2024-01-03T00:00:00Z", null, true],
    ]);
  });

  check("without a time in the cursor, spans begin with the extract", async (bench) => {
    const counted = makeStreamSpec({
      cursor: { ...spec.cursor!, field: "n", format: "integer", minimum: 0n },
    });
    await bench.loadRecords(counted, ['{"id":1,"n":1}'], { extractedAt: "2026-01-01T00:00:00.000Z" });
    await bench.loadRecords(counted, ['{"id":1,"n":2}'], { extractedAt: "2026-01-02T00:00:00.000Z" });
    assert.deepEqual(await bench.rows(spans), [
      [1, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", false],
      [1, "2026-01-02T00:00:00Z", null, true],
    ]);
  });

  check("a record's own valid_from stays beside leat's", async (bench) => {
    await bench.loadRecords(spec, [plant(1, "2024-01-05T00:00:00Z", '"valid_from":"mine"')]);
    assert.deepEqual(await bench.rows(`SELECT valid_from, _leat_valid_from, valid_to FROM ${history}`), [
      ["mine", "2024-01-05T00:00:00Z", null],
    ]);
  });

  check("valid_to is null exactly for the rows of the current view", async (bench) => {
    const stream = makeStreamSpec({ deletedField: "gone" });
    const random = createSeededRandom(7);
    for (let seq = 1; seq <= 6; seq += 1) await bench.loadRecords(stream, randomPlants(random));
    const open = `SELECT _leat_package, _leat_row FROM ${history} WHERE valid_to IS NULL ORDER BY 1, 2`;
    const shown = `SELECT _leat_package, _leat_row FROM ${current} ORDER BY 1, 2`;
    const flagged = `SELECT _leat_package, _leat_row FROM ${history} WHERE _leat_is_current ORDER BY 1, 2`;
    assert.ok((await bench.rows(shown)).length > 0);
    assert.deepEqual(await bench.rows(open), await bench.rows(shown));
    assert.deepEqual(await bench.rows(flagged), await bench.rows(shown));
  });
}

/** Records of few keys and times, so that versions meet: some deleted, some without key or time. */
function randomPlants(random: SeededRandom): string[] {
  return Array.from({ length: random.between(0, 8) }, () => {
    const fields = [`"v":${random.below(1000)}`];
    if (random.chance(0.9)) fields.push(`"id":${random.below(6)}`);
    if (random.chance(0.9)) fields.push(`"modified":"2024-01-0${random.between(1, 5)}"`);
    if (random.chance(0.4)) fields.push(`"gone":${random.chance(0.5)}`);
    if (random.chance(0.05)) fields.push(`"new${random.below(3)}":${random.pick(["1", "0.5", '"a"', "{}"])}`);
    return `{${fields.join(",")}}`;
  });
}

function materializedContract(check: CheckWarehouse): void {
  for (let seed = 1; seed <= 3; seed += 1)
    check(
      `a kept table has the rows that the view would have, after every load (seed ${seed})`,
      async (bench) => {
        const random = createSeededRandom(seed * 101);
        const changes: Partial<StreamSpec> = {
          deletedField: "gone",
          primaryKey: seed === 4 ? [] : ["id"],
          currentBy: seed === 5 ? "arrival" : "cursor",
        };
        const view = await bench.under.openAnother();
        for (let round = 0; round < 6; round += 1) await loadRound(bench, random, changes, view);
        // Kept and not kept are one declaration away from each other.
        await bench.warehouse.prepare(makeStreamSpec(changes), place);
        await view.prepare(makeStreamSpec({ ...changes, isMaterialized: true }), place);
        const all = `SELECT * FROM ${current} ORDER BY tenant_id, _leat_package, _leat_row`;
        assert.deepEqual(await bench.warehouse.query(all), await view.query(all));
      },
    );
}

const place = { tenantColumn: "tenant_id", partitionColumn: undefined };

async function loadRound(
  bench: WarehouseBench,
  random: SeededRandom,
  changes: Partial<StreamSpec>,
  view: WarehouseBench["warehouse"],
): Promise<void> {
  const batch = [];
  for (const tenant of ["414", "41"]) {
    const before = bench.landed.filter((pack) => pack.tenant === tenant);
    const visible = before.findLast((pack) => pack.completesGeneration)?.generation ?? 0;
    for (let count = random.below(3); count > 0; count -= 1) {
      const isRefresh = random.chance(0.15);
      const seq = bench.landed.filter((pack) => pack.tenant === tenant).length + 1;
      const generation = isRefresh ? seq : visible;
      const options = { tenant, seq, generation, completesGeneration: isRefresh };
      batch.push(await bench.land(randomPlants(random), options));
      if (isRefresh) break;
    }
  }
  await bench.load(makeStreamSpec({ ...changes, isMaterialized: true }), batch);
  await bench.load(makeStreamSpec(changes), batch, view);
  if (bench.landed.length === 0) return;
  const all = `SELECT * FROM ${current} ORDER BY tenant_id, _leat_package, _leat_row`;
  assert.deepEqual(await bench.warehouse.query(all), await view.query(all));
}
