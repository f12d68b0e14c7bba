/** What BigQuery refuses, and what somebody has changed by hand, is told with what to do next. */
import { describe, expect, test } from "vitest";
import { toTenantId } from "../../src/model/ids.ts";
import { failureOf, makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { openBigQuery } from "../../src/warehouses/bigquery/open-bigquery.ts";
import { type BigQueryPlace, openPlace } from "./bigquery-place.ts";

const spec = makeStreamSpec();
const table = spec.landingTable;
const project = "shop-1";

async function withPlace(run: (bench: WarehouseBench, place: BigQueryPlace) => Promise<void>): Promise<void> {
  const place = await openPlace();
  try {
    await run(new WarehouseBench(place), place);
  } finally {
    await place.dispose();
  }
}

const physicalOf = ({ server }: BigQueryPlace): string =>
  server.tables.names(project, "warehouse").find((name) => name.startsWith(`${table}__`))!;

describe("addresses", () => {
  const options = { openStaging: () => Promise.reject(new Error("unused")), readPart: async function* () {} };

  test("an address without its parts is refused, and the part is named", () => {
    for (const [url, words] of [
      ["bigquery://", "project and dataset"],
      ["bigquery://shop", "project and dataset"],
      ["bigquery://Shop/warehouse?location=EU", "project and dataset"],
      ["bigquery://shop/ware-house?location=EU", "project and dataset"],
      ["bigquery://shop/warehouse", "location"],
      ["bigquery://shop/warehouse?location=", "location"],
      ["bigquery://shop/warehouse?location=EU&stagingBucket=copies", "stagingBucket"],
      ["bigquery://shop/warehouse?location=EU&maximumBytesBilled=1", "maximumBytesBilled"],
      ["bigquery://shop/warehouse?location=EU&locaton=US", "locaton"],
      ["bigquery://shop/warehouse?location=EU&endpoint=ftp://x", "endpoint"],
    ] as const)
      expect(() => openBigQuery(url, options), url).toThrow(
        expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(words) }),
      );
  });
});

describe("what the service refuses", () => {
  test("a missing dataset is told with the command that makes it", async () => {
    await withPlace(async (_bench, { open }) => {
      const error = await failureOf(open("", "shop-9").identity(), "WAREHOUSE_UNREADABLE");
      expect(error.message).toContain("shop-9.warehouse");
      expect(error.hint).toContain("bq --location=EU mk --dataset shop-9:warehouse");
    });
  });

  test("a dataset in another location is told with both", async () => {
    await withPlace(async (_bench, { open, server }) => {
      await server.addDataset("shop-2", "warehouse", "US");
      const error = await failureOf(open("", "shop-2").identity(), "CONFIG_INVALID");
      expect(error.message).toMatch(/in US.*location=EU/);
      expect(error.hint).toContain("location=US");
    });
  });

  test("a right that is missing is told with the role that has it", async () => {
    await withPlace(async (bench, { server }) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      server.tables.denied.set("warehouse", "bigquery.tables.create");
      const error = await failureOf(bench.load(spec, [pack]), "WAREHOUSE_DENIED");
      expect(error.message).toContain("bigquery.tables.create");
      expect(error.hint).toContain("roles/bigquery.dataEditor");
      server.tables.denied.clear();
      server.setFaults(undefined, ({ kind }) =>
        kind === "load"
          ? {
              reason: "accessDenied",
              message: "Access Denied: File gs://copies/x: loader does not have storage.objects.get access",
            }
          : undefined,
      );
      const denied = await failureOf(bench.load(spec, [pack]), "WAREHOUSE_DENIED");
      expect(denied.hint).toContain("roles/storage.objectViewer");
      server.setFaults(undefined);
      await bench.load(spec, [pack]); // Nothing was spoiled by the failed attempts.
      expect(await bench.values(`SELECT id FROM ${table}`)).toEqual([1]);
    });
  });

  test("a quota that is used up is told as such, and may be tried again", async () => {
    await withPlace(async (bench, { server }) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      const message = "Quota exceeded: Your table exceeded quota for imports or query appends per table";
      server.setFaults(undefined, ({ kind }) =>
        kind === "load" ? { reason: "quotaExceeded", message } : undefined,
      );
      const error = await failureOf(bench.load(spec, [pack]), "WAREHOUSE_QUOTA");
      expect([error.retryable, error.message.includes("imports")]).toEqual([true, true]);
      expect(error.hint).toContain("`leat quota`");
    });
  });

  test("a load that would cost more than the address allows is not run", async () => {
    await withPlace(async (bench, { server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      server.jobs.scannedBytes = 1024 ** 4;
      await failureOf(bench.loadRecords(spec, [plant(2, "2024-01-01")]), "QUERY_TOO_COSTLY");
      server.jobs.scannedBytes = 0;
      expect(await bench.values(`SELECT id FROM ${table}`)).toEqual([1]);
    });
  });

  test("an object that was deleted behind our back is named", async () => {
    await withPlace(async (bench, { own, objects }) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      const path =
        "gs://landing/p/landing/metrc/metrc_plants/tenant=414/seq=000000000001/run=x/part-00001.ndjson";
      const part = { ...pack.parts[0]!, path };
      const load = own.load(
        spec,
        [{ ...pack, parts: [part] }],
        async () => pack,
        new AbortController().signal,
      );
      const error = await failureOf(load, "PART_MISSING");
      expect(error.message).toContain(path);
      expect(objects.size).toBe(0);
    });
  });

  test("parts that BigQuery cannot read need a bucket for copies, and the address says so", async () => {
    await withPlace(async (bench, { server }) => {
      const bare = openBigQuery(`bigquery://${project}/warehouse?location=EU&endpoint=${server.url}`, {
        openStaging: () => Promise.reject(new Error("no bucket is named")),
        readPart: async function* () {},
        waitFactor: 0.01,
      });
      const pack = await bench.land([plant(1, "2024-01-01")], { compression: "zstd" });
      const error = await failureOf(bench.load(spec, [pack], bare), "CONFIG_INVALID");
      expect(error.hint).toContain("stagingBucket=gs://");
      expect([
        bare.readsInPlace!("gs://landing/p", "gzip"),
        bare.readsInPlace!("gs://landing/p", "zstd"),
      ]).toEqual([true, false]);
      expect(bare.readsInPlace!("file:landing", "gzip")).toBe(false);
    });
  });

  test("I13 a part of another tenant's place is refused where it would be read in place", async () => {
    await withPlace(async (bench, { own }) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      const path =
        "gs://landing/p/landing/metrc/metrc_plants/tenant=41/seq=000000000001/run=x/part-00001.ndjson";
      const load = own.load(
        spec,
        [{ ...pack, parts: [{ ...pack.parts[0]!, path }] }],
        async () => pack,
        new AbortController().signal,
      );
      await failureOf(load, "PART_CORRUPT");
    });
  });
});

describe("what somebody has changed by hand", () => {
  test("rows that were added or taken away are found before anything is loaded", async () => {
    for (const change of ["DELETE FROM %t WHERE id = 1", "INSERT INTO %t SELECT * FROM %t"])
      await withPlace(async (bench, place) => {
        await bench.loadRecords(spec, [plant(1, "2024-01-01"), plant(2, "2024-01-01")]);
        const physical = physicalOf(place);
        await place.server.run(
          project,
          "warehouse",
          change.replaceAll("%t", `\`${project}\`.\`warehouse\`.\`${physical}\``),
        );
        const error = await failureOf(bench.loadRecords(spec, [plant(3, "2024-01-01")]), "LEDGER_MISMATCH");
        expect(error.message).toMatch(/package 1 has \d rows in the table, but 2 in the ledger/);
        expect(await bench.warehouse.readLedger(spec, toTenantId("414"))).toHaveLength(1);
      });
  });

  test("a table that was dropped is not made anew in silence", async () => {
    await withPlace(async (bench, place) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const drop = async (name: string) =>
        await place.server.dropTable({ project, dataset: "warehouse", table: name });
      await drop(physicalOf(place));
      await failureOf(bench.loadRecords(spec, [plant(2, "2024-01-01")]), "LEDGER_MISMATCH");
      await drop("_leat_loads");
      await failureOf(place.open().readLedger(spec, toTenantId("414")), "LEDGER_MISMATCH");
    });
  });

  test("a view that was edited says again what it should at the next load", async () => {
    await withPlace(async (bench, { server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      server.tables.table(project, "metrc", spec.name).query = "SELECT 1 AS nothing";
      await bench.loadRecords(spec, [plant(2, "2024-01-01")]);
      expect(await bench.values(`SELECT id FROM metrc.${spec.name} ORDER BY id`)).toEqual([1, 2]);
    });
  });

  test("somebody's own table under the landing table's name is left alone", async () => {
    await withPlace(async (bench, { server }) => {
      await server.addTable({ project, dataset: "warehouse", table }, [{ name: "mine", type: "STRING" }]);
      const error = await failureOf(bench.loadRecords(spec, [plant(1, "2024-01-01")]), "CONFIG_INVALID");
      expect(error.message).toContain(`warehouse.${table}`);
      expect(server.tables.table(project, "warehouse", table).kind).toBe("TABLE");
    });
  });

  test("I18 a dataset that is dropped and made anew is another warehouse, and is loaded from the beginning", async () => {
    await withPlace(async (bench, { open, server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const before = await open().identity();
      await server.tables.dropDataset(project, "warehouse");
      await server.tables.dropDataset(project, "metrc");
      await server.addDataset(project, "warehouse");
      const again = open();
      expect(await again.identity()).not.toBe(before);
      expect((await again.readLedgerHeads(spec)).size).toBe(0);
      await bench.load(spec, bench.landed, again);
      expect((await again.query(`SELECT id FROM ${table}`)).rows).toEqual([[1]]);
      // Whoever still knows the old one is refused inside the transaction.
      await failureOf(bench.loadRecords(spec, [plant(2, "2024-01-01")]), "WAREHOUSE_UNREADABLE");
      expect((await again.query(`SELECT id FROM ${table}`)).rows).toEqual([[1]]);
    });
  });

  test("two warehouses of one project do not share the views of a source", async () => {
    await withPlace(async (bench, { server }) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await server.addDataset(project, "second");
      const second = openBigQuery(`bigquery://${project}/second?location=EU&endpoint=${server.url}`, {
        openStaging: () => Promise.reject(new Error("unused")),
        readPart: async function* () {},
        waitFactor: 0.01,
      });
      const place = { tenantColumn: "tenant_id", partitionColumn: undefined };
      const error = await failureOf(second.prepare(spec, place), "CONFIG_INVALID");
      expect(error.hint).toContain("viewsPrefix");
    });
  });
});
