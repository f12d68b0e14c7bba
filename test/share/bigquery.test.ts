/** A dataset of BigQuery (the tests' own) as the target of shares. */
import { Dialect, transpile } from "@polyglot-sql/sdk";
import { openPlace } from "../contract/bigquery-place.ts";
import { datasetContract } from "./dataset-contract.ts";
import { type ShareContractOptions, shareContract } from "./share-contract.ts";
import type { SharePlace } from "./share-stand.ts";

async function openDataset(): Promise<SharePlace> {
  const place = await openPlace();
  return {
    address: "bigquery://shop-1/warehouse",
    open: async () => {
      const warehouse = place.open();
      const query = warehouse.query.bind(warehouse);
      // The contract asks in SQL that all engines but this one read as it is; its own statements are let through.
      warehouse.query = async (sql, options) => {
        if (sql.includes("FARM_FINGERPRINT")) return await query(sql, options);
        const { sql: statements = [] } = transpile(sql, Dialect.DuckDB, Dialect.BigQuery);
        return await query(statements.join(";\n").replaceAll(" NULLS LAST", ""), options);
      };
      return warehouse;
    },
    // leat's own tables stay: a late job must find its count there.
    relations: async () =>
      place.server.tables
        .allNames()
        .filter((name) => !name.includes("._leat_"))
        .sort(),
    dispose: () => place.dispose(),
  };
}

const options: ShareContractOptions = {
  name: (schema, table) => `${schema}.${table}`,
  canBeAltered: false,
  keepsDeletions: true,
};

shareContract(openDataset, options);
datasetContract(openDataset, options);
