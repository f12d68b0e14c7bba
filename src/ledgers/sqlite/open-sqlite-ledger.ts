/** The ledger in a SQLite file: for one machine, and for several processes of it at once. */
import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Kysely } from "kysely";
import { LeatError } from "../../errors/leat-error.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { Clock } from "../../ports/world.ts";
import { openSqlLedger } from "../sql/open-sql-ledger.ts";
import type { Verdict } from "../sql/patience.ts";
import type { LedgerTables } from "../sql/tables.ts";
import { markOf, openDatabase, sqliteDialect } from "./sqlite-dialect.ts";

/**
 * Opens a ledger; the file and its folder are made when they are not there.
 *
 * @param path - the file; a relative one begins at the working directory.
 * @param clock - the clock of all processes at this ledger: they run on one machine.
 * @throws LeatError `LEDGER_UNREADABLE`, `LEDGER_NEWER`, `LEDGER_UNAVAILABLE`.
 */
export async function openSqliteLedger(path: string, clock: Pick<Clock, "nowMs">): Promise<Ledger> {
  const file = resolve(path);
  const url = `sqlite:${file}`;
  let database: ReturnType<typeof openDatabase>;
  try {
    mkdirSync(dirname(file), { recursive: true });
    database = openDatabase(file);
  } catch (error) {
    throw new LeatError(judgeSqlite(error) === "full" ? "LEDGER_FULL" : "LEDGER_UNREADABLE", {
      message: `The ledger ${url} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`,
      cause: error,
    });
  }
  const db = new Kysely<LedgerTables>({ dialect: sqliteDialect(database) });
  const patience = { url, judge: judgeSqlite, sleep: (ms: number) => wait(ms), fraction: Math.random };
  const world = {
    db,
    engine: { name: "sqlite" as const, hasManyWriters: false },
    nowMs: () => clock.nowMs(),
  };
  try {
    const close = async (): Promise<void> => {
      await db.destroy();
      if (database.isOpen) database.close();
    };
    return await openSqlLedger(world, patience, { mark: markOf(database), close });
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

/** SQLite's primary result codes; the extended ones have them in their low byte. */
const sqliteCodes: Readonly<Record<number, Verdict>> = {
  5: "again", // SQLITE_BUSY
  6: "again", // SQLITE_LOCKED
  8: "unreadable", // SQLITE_READONLY
  10: "unreadable", // SQLITE_IOERR
  11: "unreadable", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  14: "unreadable", // SQLITE_CANTOPEN
  26: "unreadable", // SQLITE_NOTADB
};

/** What an error of SQLite means; a full disk may also come as an error of the file system. */
function judgeSqlite(error: unknown): Verdict {
  if (!(error instanceof Error)) return "other";
  if ("code" in error && error.code === "ENOSPC") return "full";
  const code = "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
  return code === undefined ? "other" : (sqliteCodes[code] ?? "other");
}
