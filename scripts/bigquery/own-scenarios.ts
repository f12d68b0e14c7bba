/**
 * Work of BigQuery's warehouse that the contract of warehouses does not ask for: versions of datasets, tables of Google's
 * own transfer, shares, kept rows, and what the console and `leat` ask. For the second opinions on its SQL.
 */
import assert from "node:assert/strict";
import { toTenantId } from "../../src/model/ids.ts";
import { leatColumns, type StreamSpec } from "../../src/model/stream.ts";
import { conditionOf, orderOf, type RowTable } from "../../src/server/control/row-query.ts";
import { landPackage } from "../../src/testing/landed-package.ts";
import { failureOf, makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import type { BigQueryPlace } from "../../test/contract/bigquery-place.ts";
import { datasetColumn, makeDatasetVersion } from "../../test/contract/dataset-version.ts";
import { makeTransfer, transferFiles } from "../../test/contract/make-transfer.ts";
import { openStand } from "../../test/share/share-stand.ts";

/** A view or table that people ask, and what a row of it is told apart by. */
export type ShownTable = Readonly<{
  kind: ShownKind;
  dataset: string;
  name: string;
  order: readonly string[];
}>;
/** What leat shows: each kind has GoogleSQL of its own. */
export const shownKinds = ["current", "history", "kept table", "transfer", "dataset", "share"] as const;
export type ShownKind = (typeof shownKinds)[number];

/** One piece of work, and what it leaves to be asked. */
export type OwnScenario = Readonly<{
  name: string;
  /** @param look - called while everything is there. */
  run: (place: BigQueryPlace, look: (shown: readonly ShownTable[]) => Promise<void>) => Promise<void>;
}>;

const rowOrder = ["tenant_id", leatColumns.package, leatColumns.row];
const day = (n: number): string => `2024-01-0${n}T00:00:00Z`;
const places = { tenantColumn: "tenant_id", partitionColumn: undefined };

/** What the contract's streams show. */
export const streamTables: readonly ShownTable[] = [
  { kind: "current", dataset: "metrc", name: "metrc_plants", order: rowOrder },
  { kind: "history", dataset: "metrc", name: "metrc_plants_history", order: rowOrder },
];

const keptRows: OwnScenario = {
  name: "a kept table of current rows",
  run: async (place, look) => {
    const bench = new WarehouseBench(place);
    const spec = makeStreamSpec({ deletedField: "gone", isMaterialized: true });
    const load = async (lines: readonly string[], tenant: string) =>
      await bench.load(spec, [await bench.land(lines, { tenant, compression: "gzip" })]);
    await load([plant(1, day(1), '"v":1'), plant(2, day(1), '"v":2')], "414");
    await load([plant(1, day(1), '"v":9'), '{"v":3}'], "41");
    await load([plant(1, day(2), '"v":4,"more":"a"'), plant(2, day(3), '"gone":true')], "414");
    await load([plant(2, day(2), '"v":5'), plant(3, day(2), '"v":6')], "414");
    await place.own.checkLedger(spec);
    // Somebody's own table of such a name, so that there is one to be judged.
    const theirs = { project: "shop-1", dataset: "warehouse", table: `${spec.landingTable}__0123abcd` };
    await place.server.addTable(theirs, [{ name: "n", type: "INT64" }]);
    assert.equal(await place.own.collectTables([spec], new AbortController().signal), 0);
    await look([{ ...streamTables[0]!, kind: "kept table" }, streamTables[1]!]);
  },
};

const datasetVersions: OwnScenario = {
  name: "versions of datasets",
  run: async ({ own, folder }, look) => {
    const { signal } = new AbortController();
    const columns = [
      datasetColumn("n", "bigint"),
      datasetColumn("area", "text"),
      datasetColumn("share", "decimal(9,2)"),
    ];
    for (const [seq, schema] of [
      [1, "main"],
      [2, "main"],
      [3, "ons"],
    ] as const) {
      const sql = `SELECT ${seq} + r AS n, 'E0' || r AS area, (r / 4)::DECIMAL(9,2) AS share FROM range(5) AS t(r)`;
      const version = await makeDatasetVersion(folder, `v${seq}`, sql, { seq, schema, columns, rowCount: 5 });
      await own.publishDataset!(version, signal);
      const dataset = schema === "main" ? "warehouse" : schema;
      await look([{ kind: "dataset", dataset, name: version.dataset, order: ["n"] }]);
      assert.equal((await own.readDataset!(version.dataset))?.version, version.version);
    }
  },
};

const transfers: OwnScenario = {
  name: "files that Google's own transfer loads twice",
  run: async (place, look) => {
    const columns = {
      id: { type: "bigint" },
      modified: { type: "timestamptz" },
      at: { type: "timestamp" },
      day: { type: "date" },
      ratio: { type: "double" },
      gone: { type: "boolean" },
      more: { type: "json" },
    } as const;
    await makeTransfer(place, "dts-1", makeStreamSpec({ columns, deletedField: "gone" }));
    await makeTransfer(place, "dts-2", makeStreamSpec({ columns, currentBy: "arrival" }));
    const { id, modified } = columns;
    const plan = await makeTransfer(place, "shop-1", makeStreamSpec({ columns: { id, modified } }));
    const options = { folder: place.folder, tenant: "414", compression: "gzip" } as const;
    const first = await landPackage({ ...options, seq: 1, records: [plant(1, day(1)), plant(2, day(1))] });
    const second = await landPackage({ ...options, seq: 2, records: [plant(1, day(2))] });
    for (const packages of [[first], [second], [first, second]])
      await transferFiles(place, "shop-1", plan, packages);
    await look(streamTables.map((shown) => ({ ...shown, kind: "transfer" as const })));
  },
};

/** Columns under other names, one of them masked; the same to those who keep current rows alone. */
const shares: OwnScenario = {
  name: "shares of streams",
  run: async (place, look) => {
    const streams: readonly StreamSpec[] = [
      makeStreamSpec({ source: "farm", name: "plants", landingTable: "farm_plants", deletedField: "gone" }),
    ];
    await using stand = await openStand(async () => ({
      address: "bigquery://shop-1/warehouse",
      open: async () => place.open(),
      relations: async () => place.server.tables.allNames(),
      dispose: async () => {}, // Whoever opened the place closes it.
    }));
    const columns = {
      id: true,
      modified: "changed_at",
      gone: true,
      email: { mask: true, as: "email_hash" },
    } as const;
    await stand.land([
      plant(1, day(1), '"email":"a@example.org","note":"private"'),
      plant(2, day(1), '"email":null'),
    ]);
    const share = (name: string, keep: "history" | "current") => ({
      streams,
      share: { name, keep, salt: "env:SALT", streams: [{ stream: "farm.plants", columns }] },
    });
    const [history, newest] = [share("replica", "history"), share("newest", "current")];
    const deliver = async (one: typeof history) => {
      const { receipts } = await stand.table(one);
      for (const { query, rows } of receipts) assert.equal(Number((await stand.rows(query))[0]?.[0]), rows);
    };
    const more = [plant(1, day(2), '"email":"b@example.org"'), plant(3, day(2), '"gone":true')];
    await deliver(history);
    await stand.land(more);
    await deliver(history);
    const shown = { kind: "share", dataset: "replica", order: rowOrder } as const;
    await look(["plants", "plants_history"].map((table) => ({ ...shown, name: table })));
    // The emulator loses the inner aliases of the DELETE that leaves newest versions alone; the analyser takes it.
    await deliver(newest);
    await stand.land([plant(1, day(3))]);
    await deliver(newest);
    for (const one of [history, newest]) await stand.table({ ...one, mode: "full" });
  },
};

/** Every operator of the console's rows on columns of each type, with its facets and counts. */
const questions: OwnScenario = {
  name: "what the console and the command line ask",
  run: async (place, look) => {
    const { own } = place;
    const bench = new WarehouseBench(place);
    const columns = {
      id: { type: "bigint" },
      modified: { type: "timestamptz" },
      price: { type: "decimal", precision: 9, scale: 2 },
      day: { type: "date" },
      at: { type: "timestamp" },
      ok: { type: "boolean" },
      ratio: { type: "double" },
    } as const;
    const spec = makeStreamSpec({ columns });
    const record = '"price":1.10,"day":"2024-01-01","at":"2024-01-01 01:02:03","ok":true,"ratio":0.5';
    await bench.load(spec, [
      await bench.land([plant(1, day(1), record), plant(2, day(2), '"price":"none"')], {
        compression: "gzip",
      }),
    ]);
    const table: RowTable = {
      name: own.currentName!(spec),
      columns: (await own.query(`SELECT * FROM ${own.currentName!(spec)} LIMIT 0`)).columns,
      naming: own.naming!,
      textType: "STRING",
    };
    const scope = [
      { column: "tenant_id", value: "it's" },
      { column: leatColumns.package, value: 1 },
    ];
    const filters = [
      "id.in=1,2",
      "modified.gte=2024-01-01",
      "price.lt=2.50",

      "day.lte=2024-02-01",
    ];
    filters.push(
      "at.gt=2024-01-01 00:00:00",
      "ok=true",
      "ratio.isnull=false",
      "price.like=%1\\_'%",
      "id.eq=1",
    );
    const where = conditionOf(table, { filters, sort: [] }, scope);
    const order = orderOf(table, ["-price", "id"], rowOrder);
    await own.query(`SELECT * FROM ${table.name}${where}${order} LIMIT 10 OFFSET 0`);
    await own.query(`SELECT count(*) FROM ${table.name}${where}`);
    const facet = `CAST(${own.naming!.quoteName("price")} AS STRING)`;
    await own.query(
      `SELECT ${facet} AS facet, count(*) AS number FROM ${table.name} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20`,
    );
    for (const filter of [{}, { tenant: toTenantId("414"), seq: 1 }]) {
      assert.equal((await own.readLoads!(spec, { ...filter, limit: 10, offset: 0 })).length, 1);
      assert.equal((await own.readRejects!(spec, { ...filter, limit: 10, offset: 0 })).length, 1);
    }
    await own.readColumns!(spec);
    await own.prepare(spec, places);
    for await (const _ of own.readPages!(`SELECT * FROM ${table.name}`, new AbortController().signal)) break;
    await look(streamTables);
  },
};

/** Rows taken away by hand are looked for where the counts differ; the package is named. */
const editedTable: OwnScenario = {
  name: "a table that somebody has edited",
  run: async (place) => {
    const bench = new WarehouseBench(place);
    const spec = makeStreamSpec();
    await bench.loadRecords(spec, [plant(1, day(1)), plant(2, day(1))]);
    const table = place.server.tables
      .names("shop-1", "warehouse")
      .find((name) => name.startsWith(`${spec.landingTable}__`));
    await place.server.run(
      "shop-1",
      "warehouse",
      `DELETE FROM \`shop-1\`.\`warehouse\`.\`${table}\` WHERE id = 1`,
    );
    await failureOf(bench.loadRecords(spec, [plant(3, day(2))]), "LEDGER_MISMATCH");
  },
};

/** Marks of deletion that are objects, and a cursor in a column that orders nothing. */
const oddColumns: OwnScenario = {
  name: "a mark of deletion in JSON, and a cursor that is no cursor",
  run: async (place, look) => {
    const bench = new WarehouseBench(place);
    const columns = { gone: { type: "json" }, modified: { type: "boolean" } } as const;
    const spec = makeStreamSpec({ columns, deletedField: "gone" });
    await bench.loadRecords(spec, [
      '{"id":1,"gone":{"by":"x"},"modified":true}',
      '{"id":2,"modified":false}',
    ]);
    await look(streamTables);
  },
};

/** All of them. */
export const ownScenarios: readonly OwnScenario[] = [
  editedTable,
  oddColumns,
  keptRows,
  datasetVersions,
  transfers,
  shares,
  questions,
];
