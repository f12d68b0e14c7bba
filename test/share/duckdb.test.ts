/** A DuckDB file of a customer's as the target of shares. */
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { shareContract } from "./share-contract.ts";

shareContract(openDuckDbPlace, {
  name: (schema, table) => `${schema}.${table}`,
  canBeAltered: true,
  keepsDeletions: true,
});
