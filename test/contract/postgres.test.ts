/** The Postgres warehouse keeps the contract of warehouses on a real server. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { warehouseContract } from "../../src/testing/warehouse-contract.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openPlace } from "./postgres-place.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describe("Postgres", () => {
  warehouseContract(test, () => openPlace(server));
});
