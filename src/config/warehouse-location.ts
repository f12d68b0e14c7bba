/** Where loaded tables live: a file of the embedded engine, a schema of a Postgres database, or a dataset of BigQuery. */
import { dirname, join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import { parseLocation } from "./location.ts";

/**
 * A checked location of the warehouse. `url` is what may be told: without user and password. `stateFolder` is the folder
 * of this machine where leat keeps what belongs to the project beside the warehouse.
 */
export type WarehouseLocation = Readonly<
  | { engine: "duckdb"; path: string; url: string; stateFolder: string }
  | { engine: "postgres"; connectionString: string; url: string; stateFolder: string }
  | { engine: "bigquery"; url: string; stateFolder: string }
>;

const example =
  "Write it as postgres://user:password@host/database, special characters of the password as %XX.";

/**
 * Reads the URL of the warehouse.
 *
 * @param from - who said so, for the message: `LEAT_WAREHOUSE` or `warehouse` of the configuration.
 * @throws LeatError as `parseLocation`; no part of a server's address is told, since it may hold a password.
 */
export function parseWarehouseLocation(url: string, from: string, folder: string): WarehouseLocation {
  if (/^bigquery:/i.test(url)) return { engine: "bigquery", url, stateFolder: join(folder, ".leat") }; // Read when opened.
  if (!/^postgres(ql)?:/i.test(url)) {
    const { path, url: told } = parseLocation(url, "warehouse", from, folder);
    return { engine: "duckdb", path, url: told, stateFolder: dirname(path) };
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.hostname === "" || parsed.pathname.length <= 1) {
    throw new LeatError("CONFIG_INVALID", {
      message: `${from}: the address of the Postgres warehouse cannot be read.`,
      hint: example,
    });
  }
  return {
    engine: "postgres",
    connectionString: url,
    url: `postgres://${parsed.host}${parsed.pathname}`,
    stateFolder: join(folder, ".leat"),
  };
}
