/** A customer's Postgres as the target of shares. */
import { afterAll, beforeAll } from "vitest";
import { readStagedPart } from "../../src/landing/part-reader.ts";
import { openPostgres } from "../../src/warehouses/postgres/open-postgres.ts";
import { runSql } from "../contract/postgres-place.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { datasetContract } from "./dataset-contract.ts";
import { type ShareContractOptions, shareContract } from "./share-contract.ts";
import type { SharePlace } from "./share-stand.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 300_000);
afterAll(() => server.stop());

async function openPlace(): Promise<SharePlace> {
  const address = await server.newDatabase();
  return {
    address,
    open: async (url, workFolder) =>
      openPostgres(url, { readPart: readStagedPart, workFolder, lockWaitMs: 2000 }),
    change: async (sql) => void (await runSql(address, sql)),
    relations: async () => {
      const rows = await runSql(
        address,
        `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND n.nspname NOT LIKE 'pg_toast%' ORDER BY 1`,
      );
      return rows.map(({ name }) => String(name));
    },
    dispose: async () => {},
  };
}

const options: ShareContractOptions = {
  name: (schema, table) => `${schema}.${table}`,
  canBeAltered: true,
  keepsDeletions: true,
};

shareContract(openPlace, options);
datasetContract(openPlace, { ...options, hasNul: false });
