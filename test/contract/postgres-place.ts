/** Places of the Postgres warehouse for tests: a database of each test's own, on one server of the tests' own. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { decodePart } from "../../src/landing/part-reader.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { WarehouseBench, type WarehouseUnderTest } from "../../src/testing/warehouse-under-test.ts";
import { openPostgres, type PostgresOptions } from "../../src/warehouses/postgres/open-postgres.ts";
import type { PostgresServer } from "../services/postgres.ts";

/** Opens a warehouse as the command line does, but for what `changes` says. */
export function openAt(url: string, changes: Partial<PostgresOptions> = {}): Warehouse {
  return openPostgres(url, {
    readPart: (part) => decodePart(createReadStream(part.path), part.entry.key),
    ...changes,
  });
}

/** A place of the contract; `url` is the database's. */
export type PostgresPlace = WarehouseUnderTest & Readonly<{ url: string }>;

/** Makes a place in a database of its own. */
export async function openPlace(server: PostgresServer): Promise<PostgresPlace> {
  const folder = await mkdtemp(join(tmpdir(), "leat-postgres-parts-"));
  const urls = [await server.newDatabase()];
  const [url = ""] = urls;
  return {
    url,
    folder,
    warehouse: openAt(url, { workFolder: folder }),
    reopen: async () => openAt(url, { workFolder: folder }),
    openAnother: async () => {
      const another = await server.newDatabase();
      urls.push(another);
      return openAt(another, { workFolder: folder });
    },
    typeNameOf,
    hasNul: false,
    dispose: async () => {
      await rm(folder, { recursive: true, force: true });
      for (const each of urls) await dropDatabase(each);
    },
  };
}

/** Runs `run` with a bench on a new place. */
export async function withBench(
  server: PostgresServer,
  run: (bench: WarehouseBench, url: string) => Promise<void>,
): Promise<void> {
  const place = await openPlace(server);
  try {
    await run(new WarehouseBench(place), place.url);
  } finally {
    await place.dispose();
  }
}

const typeNames: Readonly<Record<string, string>> = {
  text: "VARCHAR",
  bigint: "BIGINT",
  boolean: "BOOLEAN",
  "numeric(39,0)": "HUGEINT",
  "double precision": "DOUBLE",
  date: "DATE",
  json: "JSON",
  "timestamp without time zone": "TIMESTAMP",
  "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
};

const typeNameOf = (type: string): string => typeNames[type] ?? type.replace("numeric", "DECIMAL");

async function dropDatabase(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = new URL(url);
  admin.pathname = "/postgres";
  await runSql(admin.href, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** Runs statements by hand, as somebody who is not leat. */
export async function runSql(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows ?? [];
  } finally {
    await client.end();
  }
}
