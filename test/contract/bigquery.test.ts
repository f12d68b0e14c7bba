/** The BigQuery warehouse keeps the contract of warehouses, on a BigQuery of our own. */
import { describe, test } from "vitest";
import { warehouseContract } from "../../src/testing/warehouse-contract.ts";
import { openPlace } from "./bigquery-place.ts";

describe("the contract of warehouses", () => {
  warehouseContract((name, run) => void test(name, run), openPlace);
});
