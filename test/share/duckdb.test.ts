/** A DuckDB file of a customer's as the target of shares. */

import { datasetContract } from "./dataset-contract.ts";
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { type ShareContractOptions, shareContract } from "./share-contract.ts";

const options: ShareContractOptions = {
  name: (schema, table) => `${schema}.${table}`,
  canBeAltered: true,
  keepsDeletions: true,
};

shareContract(openDuckDbPlace, options);
datasetContract(openDuckDbPlace, options);
