/** Customers' warehouses by their address, as the command line opens them. */
import { dirname } from "node:path";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";
import { writeQuery } from "../../src/warehouses/duckdb/write-query.ts";
import { openParquet } from "../../src/warehouses/parquet/open-parquet.ts";
import { openPostgres } from "../../src/warehouses/postgres/open-postgres.ts";

/** Opens one. */
export async function openTarget(address: string, workFolder: string): Promise<Warehouse> {
  const openFile = (path: string, folder: string) =>
    openDuckDb(`duckdb:${path}`, {
      quoteExact: quoteExactColumns,
      readPart: readStagedPart,
      threads: 1,
      keepsEngine: true,
      workFolder: folder,
    });
  if (address.startsWith("duckdb:")) return openFile(address.slice("duckdb:".length), workFolder);
  if (address.startsWith("parquet:")) {
    const store = openFsStore(address.slice("parquet:".length));
    const openScratch = (file: string) => openFile(file, dirname(file));
    return openParquet(store, { engine: { openScratch, writeParquet: writeQuery }, workFolder });
  }
  return openPostgres(address, { readPart: readStagedPart, workFolder });
}
