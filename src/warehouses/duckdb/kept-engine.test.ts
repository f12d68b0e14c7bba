import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { KeptEngine } from "./duckdb-file.ts";

test("an engine is kept, unless the process has grown much since it was made", async () => {
  const kept = new KeptEngine();
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const engine = { instance, connection, processBytesBefore: process.memoryUsage.rss() };
  kept.put(engine);
  expect(kept.take()).toBe(engine);
  expect(kept.take()).toBeUndefined(); // It serves one operation at a time.
  kept.put({ ...engine, processBytesBefore: 0 });
  expect(kept.take()).toBeUndefined();
  await expect(connection.run("SELECT 1")).rejects.toThrow(); // It has ended.
});
