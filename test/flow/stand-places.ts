/** Both ledgers with both dispatchers: every place that flows are tried at. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { newSqlitePath, type StandPlace } from "./flow-stand.ts";

/** What makes new, empty places of one kind. */
export type MakePlace = () => Promise<StandPlace>;

/** Defines a test where a part of the place is a server. */
export type DefineServerTest = (name: string, run: () => Promise<void>) => void;

/** Pairs of a ledger and a dispatcher. */
export type PlaceName =
  | "SQLite and the local dispatcher"
  | "Postgres and the local dispatcher"
  | "Postgres and pg-boss"
  | "SQLite and pg-boss";

/**
 * Defines the same tests for each pair of a ledger and a dispatcher, with one Postgres server for all.
 *
 * @param only - these pairs; default all.
 */
export function describePlaces(
  define: (newPlace: MakePlace, server: () => PostgresServer, testWithServer: DefineServerTest) => void,
  only?: readonly PlaceName[],
): void {
  let server: PostgresServer;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "leat-places-"));
    server = await startPostgres();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const sqlite = () => ({ kind: "sqlite", path: newSqlitePath(folder) }) as const;
  const places: Readonly<Record<PlaceName, MakePlace>> = {
    "SQLite and the local dispatcher": async () => ({ ledger: sqlite(), dispatcher: { kind: "local" } }),
    "Postgres and the local dispatcher": async () => ({
      ledger: { kind: "postgres", url: await server.newDatabase() },
      dispatcher: { kind: "local" },
    }),
    "Postgres and pg-boss": async () => {
      const url = await server.newDatabase();
      return { ledger: { kind: "postgres", url }, dispatcher: { kind: "pg-boss", url } };
    },
    "SQLite and pg-boss": async () => ({
      ledger: sqlite(),
      dispatcher: { kind: "pg-boss", url: await server.newDatabase() },
    }),
  };
  for (const [name, newPlace] of Object.entries(places)) {
    if (only !== undefined && !only.includes(name as PlaceName)) continue; // Its keys are the names.
    const hasServer = /Postgres|pg-boss/.test(name);
    const testWithServer: DefineServerTest = (name, run) => hasServer && test(name, run);
    describe(name, () => define(newPlace, () => server, testWithServer));
  }
}
