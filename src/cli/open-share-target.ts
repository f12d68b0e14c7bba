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
  if (!["duckdb", "postgres", "postgresql", "bigquery"].includes(scheme))
    throw new LeatError("CONFIG_INVALID", {
      message: `The address of the share "${share}" is of no kind of warehouse.`, // Not a word of it.
      hint: "Write it as duckdb:PATH, postgres://user:password@host/database or bigquery://project/dataset.",
    });
  const location = parseWarehouseLocation(address, `share "${share}"`, opened.folder);
  const { readStagedPart } = await import("../landing/part-reader.ts");
  switch (location.engine) {
    case "duckdb": {
      const [{ openDuckDb }, { quoteExactColumns }] = await Promise.all([
        import("../warehouses/duckdb/open-duckdb.ts"),
        import("../scan/quote-exact.ts"),
      ]);
      await mkdir(dirname(location.path), { recursive: true });
      return openDuckDb(location.url, {
        quoteExact: quoteExactColumns,
        readPart: readStagedPart,
        lockWaitMs: opened.lockWaitMs,
        workFolder,
      });
    }
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
