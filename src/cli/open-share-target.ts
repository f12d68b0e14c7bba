/** Where the address of a customer's warehouse meets its engine. The address is a secret's value: it is never repeated. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { parseWarehouseLocation } from "../config/warehouse-location.ts";
import { LeatError } from "../errors/leat-error.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import { type OpenProject, openPostgresOptions } from "./open-project.ts";

/**
 * Opens it; nothing is asked yet.
 *
 * @param workFolder - for private copies, on this machine.
 * @throws LeatError `CONFIG_INVALID`, `DEPENDENCY_MISSING`.
 */
export async function openShareTarget(
  opened: OpenProject,
  share: string,
  address: string,
  workFolder: string,
): Promise<Warehouse> {
  const scheme = /^([a-z]+):/i.exec(address)?.[1]?.toLowerCase() ?? "";
  if (scheme === "parquet") return await openFolder(opened, address.slice("parquet:".length), workFolder);
  if (!["duckdb", "postgres", "postgresql", "bigquery"].includes(scheme))
    throw new LeatError("CONFIG_INVALID", {
      message: `The address of the share "${share}" is of no kind of warehouse.`, // Not a word of it.
      hint: "Write it as duckdb:PATH, postgres://user:password@host/database, bigquery://project/dataset, parquet:PATH or parquet:gs://bucket/prefix.",
    });
  const location = parseWarehouseLocation(address, `share "${share}"`, opened.folder);
  const { readStagedPart } = await import("../landing/part-reader.ts");
  switch (location.engine) {
    case "duckdb":
      await mkdir(dirname(location.path), { recursive: true });
      return (await openFileOpener(opened.lockWaitMs, workFolder))(location.path);
    case "postgres": {
      const { openPostgres } = await import("../warehouses/postgres/open-postgres.ts");
      return openPostgres(location.connectionString, { ...(await openPostgresOptions(opened)), workFolder });
    }
    case "bigquery": {
      const { openBigQuery } = await import("../warehouses/bigquery/open-bigquery.ts");
      return openBigQuery(location.url, {
        openStaging: (bucket) => opened.places.openStore(bucket),
        readPart: readStagedPart,
      });
    }
  }
}

/** How files of the embedded engine are opened: a customer's, or one to work in. */
async function openFileOpener(
  lockWaitMs: number | undefined,
  workFolder: string,
): Promise<(path: string) => Warehouse> {
  const [{ openDuckDb }, { quoteExactColumns }, { readStagedPart }] = await Promise.all([
    import("../warehouses/duckdb/open-duckdb.ts"),
    import("../scan/quote-exact.ts"),
    import("../landing/part-reader.ts"),
  ]);
  const tools = { quoteExact: quoteExactColumns, readPart: readStagedPart };
  // A delivery is a dozen small operations, and closes its warehouse.
  const options = { ...tools, lockWaitMs, workFolder, keepsEngine: true };
  return (path) => openDuckDb(`duckdb:${path}`, options);
}

/** A folder of Parquet files: a path of this machine, or a bucket. */
async function openFolder(opened: OpenProject, place: string, workFolder: string): Promise<Warehouse> {
  const [{ openParquet }, { writeQuery }, openScratch] = await Promise.all([
    import("../warehouses/parquet/open-parquet.ts"),
    import("../warehouses/duckdb/write-query.ts"),
    openFileOpener(undefined, workFolder),
  ]);
  const isBucket = /^(gs|s3):/i.test(place);
  const store = await opened.places.openStore(isBucket ? place : `file:${place.replace(/^file:/i, "")}`);
  return openParquet(store, { engine: { openScratch, writeParquet: writeQuery }, workFolder });
}
