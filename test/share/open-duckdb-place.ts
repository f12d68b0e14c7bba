/** A DuckDB file of a customer's, new for each test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";
import type { SharePlace } from "./share-stand.ts";

export async function openDuckDbPlace(): Promise<SharePlace & Readonly<{ file: string }>> {
  const folder = await mkdtemp(join(tmpdir(), "leat-share-duckdb-"));
  const file = join(folder, "customer.duckdb");
  const byHand = async <Result>(
    work: (run: (sql: string) => Promise<readonly (readonly unknown[])[]>) => Promise<Result>,
  ): Promise<Result> => {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    try {
      return await work(async (sql) => (await connection.runAndReadAll(sql)).getRows());
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  };
  return {
    file,
    address: `duckdb:${file}`,
    open: async (address, workFolder) =>
      openDuckDb(address, {
        quoteExact: quoteExactColumns,
        readPart: readStagedPart,
        threads: 1,
        keepsEngine: true,
        workFolder,
        lockWaitMs: 2000,
      }),
    change: async (sql) => void (await byHand((run) => run(sql))),
    relations: () =>
      byHand(async (run) => {
        const rows = await run(
          "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_catalog = current_database()",
        );
        return rows.map(([name]) => String(name)).sort();
      }),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
