/** Empty ledgers for tests, on a clock that the test moves or on the real one. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPostgresLedger } from "../../src/ledgers/postgres/open-postgres-ledger.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { LedgerUnderTest } from "../../src/testing/ledger-under-test.ts";

/** A clock that stands still until it is moved. */
function handClock(): { nowMs: () => number; advance: (ms: number) => void } {
  let nowMs = Date.UTC(2026, 0, 1);
  return {
    nowMs: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

/** Keeps what is opened, to close it. */
async function underTest(
  open: (clock: { nowMs: () => number }) => Promise<Ledger>,
  dispose: () => Promise<void>,
): Promise<LedgerUnderTest> {
  const clock = handClock();
  const opened: Ledger[] = [];
  const reopen = async (): Promise<Ledger> => {
    const ledger = await open(clock);
    opened.push(ledger);
    return ledger;
  };
  return {
    ledger: await reopen(),
    reopen,
    advance: clock.advance,
    async dispose() {
      for (const ledger of opened) await ledger.close();
      await dispose();
    },
  };
}

export async function openSqliteUnderTest(): Promise<LedgerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "leat-ledger-"));
  return underTest(
    (clock) => openSqliteLedger(join(folder, "ledger.db"), clock),
    () => rm(folder, { recursive: true, force: true }),
  );
}

export async function openPostgresUnderTest(connectionString: string): Promise<LedgerUnderTest> {
  return underTest(
    (clock) => openPostgresLedger({ connectionString, clock, isClockTrusted: true }),
    async () => {}, // The database goes with its server.
  );
}
