/** What people do to leat's tables and views in Postgres, and what leat does about it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  failureOf,
  makeStreamSpec,
  plant,
  type WarehouseBench,
} from "../../src/testing/warehouse-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { runSql, withBench as withBenchOn } from "./postgres-place.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const withBench = (run: (bench: WarehouseBench, url: string) => Promise<void>) => withBenchOn(server, run);
const spec = makeStreamSpec();
const table = spec.landingTable;
const place = { tenantColumn: "tenant_id", partitionColumn: undefined };

describe("tables that somebody changed", () => {
  test("a table that is gone or altered is noticed before anything is written", async () => {
    await withBench(async (bench, url) => {
      const pack = await bench.land([plant(1, "2024-01-01", '"v":1')]);
      const next = await bench.land([plant(2, "2024-01-01", '"v":2')]);
      await bench.load(spec, [pack]);
      await bench.warehouse.prepare(spec, place);
      const dropped =
        "DROP VIEW leat_warehouse.metrc_plants, leat_warehouse.metrc_plants_history, metrc.metrc_plants, metrc.metrc_plants_history;";
      const changes = [
        ["ALTER TABLE leat_warehouse.gcs_metrc_plants RENAME COLUMN v TO w", /lost its column "v"/],
        [
          `${dropped} ALTER TABLE leat_warehouse.gcs_metrc_plants ALTER COLUMN v TYPE text`,
          /"v" of text in place of bigint/,
        ],
        [`${dropped} DROP TABLE leat_warehouse.gcs_metrc_plants`, /gcs_metrc_plants is gone/],
      ] as const;
      for (const [sql, message] of changes) {
        await runSql(url, sql);
        expect((await failureOf(bench.load(spec, [next]), "LEDGER_MISMATCH")).message).toMatch(message);
        await bench.warehouse.forget?.(spec);
        await bench.load(spec, [pack]);
      }
      await bench.load(spec, [next]);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants ORDER BY id")).toEqual([1, 2]);
    });
  });

  test("columns and rows of somebody's own stay, and views that somebody dropped are made again", async () => {
    await withBench(async (bench, url) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await runSql(
        url,
        `DROP VIEW leat_warehouse.metrc_plants, metrc.metrc_plants; ALTER TABLE leat_warehouse.gcs_metrc_plants ADD COLUMN mine integer;
         INSERT INTO leat_warehouse.gcs_metrc_plants (tenant_id, _leat_package, _leat_row, id, mine) VALUES ('theirs', 0, 0, 7, 8)`,
      );
      await bench.loadRecords(spec, [plant(2, "2024-01-01", '"w":1')]);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants ORDER BY id")).toEqual([1, 2, 7]);
      expect(await bench.rows(`SELECT id, mine FROM ${table} ORDER BY id`)).toEqual([
        [1, null],
        [2, null],
        [7, 8],
      ]);
    });
  });

  test("rows or a ledger row that somebody took away are noticed when the package comes again", async () => {
    await withBench(async (bench, url) => {
      const pack = await bench.land([plant(1, "2024-01-01"), plant(2, "2024-01-01")]);
      await bench.load(spec, [pack]);
      await runSql(url, "DELETE FROM leat_warehouse.gcs_metrc_plants WHERE id = 2");
      await failureOf(bench.load(spec, [pack]), "LEDGER_MISMATCH");
      await runSql(url, "DELETE FROM leat_warehouse._leat_loads");
      await failureOf(bench.load(spec, [pack]), "LEDGER_MISMATCH");
    });
  });

  test("a table or view of somebody's own is neither replaced nor dropped", async () => {
    await withBench(async (bench, url) => {
      await runSql(url, "CREATE SCHEMA metrc; CREATE TABLE metrc.metrc_plants AS SELECT 42 AS mine");
      const error = await failureOf(bench.loadRecords(spec, [plant(1, "2024-01-01")]), "CONFIG_INVALID");
      expect(error.message).toContain("metrc.metrc_plants");
      expect(await runSql(url, "SELECT mine FROM metrc.metrc_plants")).toEqual([{ mine: 42 }]);
    });
  });

  test("a view that somebody built on leat's stops a change of columns with its name, and nothing else", async () => {
    await withBench(async (bench, url) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await runSql(url, "CREATE VIEW public.mine AS SELECT id FROM metrc.metrc_plants");
      await bench.loadRecords(spec, [plant(2, "2024-01-01")]);
      const pack = await bench.land([plant(3, "2024-01-01", '"w":1')]);
      const error = await failureOf(bench.load(spec, [pack]), "LOAD_FAILED");
      expect(error.message).toContain("mine");
      expect(await runSql(url, "SELECT count(*)::int AS held FROM public.mine")).toEqual([{ held: 2 }]);
      await runSql(url, "DROP VIEW public.mine");
      await bench.load(spec, [pack]);
      expect(await bench.values("SELECT w FROM metrc.metrc_plants WHERE id = 3")).toEqual([1]);
    });
  });

  test("tables of a newer form are refused", async () => {
    await withBench(async (bench, url) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await runSql(url, "UPDATE leat_warehouse._leat_warehouse SET format_version = 99");
      await failureOf(bench.warehouse.identity(), "WAREHOUSE_UNREADABLE");
      await failureOf(bench.warehouse.readLedgerHeads(spec), "WAREHOUSE_UNREADABLE");
      await failureOf(bench.loadRecords(spec, [plant(2, "2024-01-01")]), "WAREHOUSE_UNREADABLE");
    });
  });
});
