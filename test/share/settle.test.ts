/** What a delivery that ended after its commit has left undone in a customer's warehouse is ended by the next one. */
import { expect, test } from "vitest";
import { failureOf, plant } from "../../src/testing/warehouse-under-test.ts";
import { openPlace } from "../contract/bigquery-place.ts";
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { openStand } from "./share-stand.ts";

const day = "2026-01-01T00:00:00Z";

test("a load whose packages another delivery has brought meanwhile ends what is undone of the customer's table", async () => {
  await using stand = await openStand(openDuckDbPlace);
  const settled: string[] = [];
  const open: typeof stand.place.open = async (...asked) => {
    const warehouse = await stand.place.open(...asked);
    const load = warehouse.load.bind(warehouse);
    warehouse.load = async (...batch) => {
      await load(...batch);
      return { packages: [], changes: [] };
    };
    warehouse.settle = async ({ source, name }) => void settled.push(`${source}.${name}`);
    return warehouse;
  };
  await stand.land([plant(1, day)]);
  await stand.table({ open });
  settled.length = 0;
  await stand.land([plant(2, day)]);
  expect((await stand.table({ open })).status).toBe("unchanged");
  expect(settled).toEqual(["replica.plants"]); // Not farm.plants: that is what the landing calls it.
});

test("an outage between commit and views is mended by a delivery without news, which tells the rows that are there", async () => {
  const place = await openPlace();
  await using stand = await openStand(async () => ({
    address: "bigquery://shop-1/warehouse",
    open: async () => place.open(),
    relations: async () => place.server.tables.allNames(),
    dispose: () => place.dispose(),
  }));
  const rows = async () => await stand.rows("SELECT id, v FROM replica.plants ORDER BY id");
  await stand.land([plant(1, day, '"v":1')]);
  await stand.table();
  // The second package changes a type: its rows move to another table, to which the view is yet to be pointed.
  await stand.land([plant(2, day, '"v":"x"')]);
  place.server.setFaults(({ method, body }) =>
    method === "PATCH" && (body as { view?: unknown }).view !== undefined ? 503 : undefined,
  );
  await failureOf(stand.table(), "WAREHOUSE_UNREADABLE");
  place.server.setFaults(undefined);
  expect(await rows()).toEqual([[1, 1]]);
  const { status, receipts } = await stand.table();
  expect(await rows()).toEqual([
    [1, "1"],
    [2, "x"],
  ]);
  expect([status, receipts.map((receipt) => receipt.rows)]).toEqual(["unchanged", [2, 2]]);
});
