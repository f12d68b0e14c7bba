/**
 * `node full-disk-process.ts FOLDER [postgres]`, where FOLDER is on a small disk: fills it through a ledger, says what it
 * was told, makes room, and says what was kept and whether the ledger goes on.
 */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { systemClock } from "../../src/cli/system-world.ts";
import { openPostgresLedger } from "../../src/ledgers/postgres/open-postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";
import { startPostgres } from "../services/postgres.ts";

/** The account of a Postgres server that root starts. */
const nobody = 65_534;

const folder = process.argv[2] ?? "";
const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(1024 * 1024, 1));

const server = process.argv[3] === "postgres" ? await startPostgres() : undefined;
try {
  const ledger =
    server === undefined
      ? await openSqliteLedger(join(folder, "ledger.db"), systemClock)
      : await openOnSmallDisk(await server.newDatabase());
  console.log(JSON.stringify(await fill(ledger)));
  await ledger.close();
} finally {
  await server?.stop();
}

/** A ledger in a database whose files are on the small disk. */
async function openOnSmallDisk(address: string): Promise<Ledger> {
  const location = join(folder, "space");
  mkdirSync(location);
  chownSync(folder, nobody, nobody);
  chownSync(location, nobody, nobody);
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  await client.query(`create tablespace small location '${location}'`);
  await client.query("create database crowded tablespace small");
  await client.end();
  const url = new URL(address);
  url.pathname = "/crowded";
  return openPostgresLedger({ connectionString: url.href, clock: systemClock });
}

async function fill(ledger: Ledger): Promise<unknown> {
  let written = 0;
  let told: unknown;
  while (told === undefined && written < 10_000) {
    try {
      // Random: a database may keep text that repeats itself in less room.
      await ledger.submitRun(newRun(ledger, { params: { noise: randomBytes(10_000).toString("hex") } }));
      written += 1;
    } catch (error) {
      told = error;
    }
  }
  rmSync(ballast);
  const kept = await countRuns(ledger);
  await ledger.submitRun(newRun(ledger));
  return { told, written, kept, after: await countRuns(ledger) };
}

async function countRuns(ledger: Ledger): Promise<number> {
  return (await ledger.listRuns({ limit: 1000 })).length;
}
