/** The example with a Postgres as one customer's warehouse. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openExample } from "../../examples/stashstock/open-example.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 300_000);
afterAll(() => server.stop());

test("each of three kinds of warehouses is equal to the partner's truth for its customer", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "stashstock-postgres-"));
  const postgres = await server.newDatabase();
  const example = await openExample({ seed: 7, dataFolder, historyDays: 3, plantsPerLicense: 45, postgres });
  try {
    await example.sync("stashstock.metrc_plants", "stashstock.plants_flowering");
    const shared = await example.share();
    const kinds = shared.map(({ target }) => target.slice(0, target.indexOf(":")));
    expect(kinds).toEqual(["duckdb", "parquet", "postgres"]);
    expect(JSON.stringify(shared)).not.toContain(new URL(postgres).password || postgres);
    for (const [tenant, { isEqual, equal, otherTenants }] of await example.compareReplicas()) {
      const plants = example.partner.truth(tenant).size;
      expect({ tenant, isEqual, equal, otherTenants }).toEqual({
        tenant,
        isEqual: true,
        equal: plants,
        otherTenants: 0,
      });
    }
  } finally {
    await example.close();
    rmSync(dataFolder, { recursive: true, force: true });
  }
});
