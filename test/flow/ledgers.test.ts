/** Both ledgers keep the same contract. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { ledgerContract } from "../../src/testing/ledger-contract.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openPostgresUnderTest, openSqliteUnderTest } from "./open-ledgers.ts";

describe("a ledger in SQLite", () => {
  ledgerContract(test, openSqliteUnderTest);
});

describe("a ledger in Postgres", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  ledgerContract(test, async () => openPostgresUnderTest(await server.newDatabase()));
});
