import { expect, test } from "vitest";
import { parseWarehouseLocation } from "./warehouse-location.ts";

test("a Postgres address is told without user, password and parameters", () => {
  const url = "postgres://me:s3cret@db.internal:5433/shop?schema=reports&sslmode=require";
  expect(parseWarehouseLocation(url, "LEAT_WAREHOUSE", "/project")).toEqual({
    engine: "postgres",
    connectionString: url,
    url: "postgres://db.internal:5433/shop",
    stateFolder: "/project/.leat",
  });
});

test("a file of DuckDB is kept beside leat's other state", () => {
  expect(parseWarehouseLocation("duckdb:data/shop.duckdb", "LEAT_WAREHOUSE", "/project")).toEqual({
    engine: "duckdb",
    path: "/project/data/shop.duckdb",
    url: "duckdb:/project/data/shop.duckdb",
    stateFolder: "/project/data",
  });
});

test("a dataset of BigQuery has its state beside the project", () => {
  const url = "bigquery://shop/warehouse?location=EU";
  expect(parseWarehouseLocation(url, "LEAT_WAREHOUSE", "/p")).toEqual({
    engine: "bigquery",
    url,
    stateFolder: "/p/.leat",
  });
});

test.each([
  "postgres://",
  "postgres://u:hunter2@/x",
  "postgres://u:hunter2@host",
  "postgresql://u:hunter2@h:port/x",
])("%s is refused without a word of its password", (url) => {
  const parse = () => parseWarehouseLocation(url, "LEAT_WAREHOUSE", "/project");
  expect(parse).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(parse).not.toThrow(/hunter2/);
});
