/** Days of runs, where a clock is set in the middle of them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { type RunDay, readRunDays } from "../../src/server/control/run-days.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";

/** The days as somebody in a zone sees them at `now`, when runs were made at these instants. */
async function daysOf(timeZone: string, now: string, madeAt: readonly string[]): Promise<readonly RunDay[]> {
  const folder = mkdtempSync(join(tmpdir(), "leat-days-"));
  let nowMs = 0;
  const ledger = await openSqliteLedger(join(folder, "ledger.db"), { nowMs: () => nowMs });
  try {
    for (const at of madeAt) {
      nowMs = Date.parse(at);
      await ledger.submitRun(newRun(ledger));
    }
    return await readRunDays(ledger, Date.parse(now), timeZone);
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const hourMs = 3_600_000;
const hours = ({ fromMs, toMs }: RunDay): number => (toMs - fromMs) / hourMs;

/** Days of which a person reads the name, and what was made in them. */
function told(days: readonly RunDay[], timeZone: string): Record<string, number> {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
  return Object.fromEntries(days.map(({ fromMs, states }) => [format.format(fromMs), states["queued"] ?? 0]));
}

test("days before the clock is set begin at their own midnight", async () => {
  const zone = "Europe/London";
  const madeAt = [
    "2026-03-28T23:59:59.999Z", // The 28th, in winter.
    "2026-03-29T00:00:00.000Z", // Midnight of the day that has 23 hours.
    "2026-03-29T22:59:59.999Z",
    "2026-03-29T23:00:00.000Z", // Midnight, in summer.
  ];
  const days = await daysOf(zone, "2026-04-01T12:00:00Z", madeAt);
  expect(told(days, zone)).toEqual({
    "2026-03-19": 0,
    "2026-03-20": 0,
    "2026-03-21": 0,
    "2026-03-22": 0,
    "2026-03-23": 0,
    "2026-03-24": 0,
    "2026-03-25": 0,
    "2026-03-26": 0,
    "2026-03-27": 0,
    "2026-03-28": 1,
    "2026-03-29": 2,
    "2026-03-30": 1,
    "2026-03-31": 0,
    "2026-04-01": 0,
  });
  expect(days.filter((day) => hours(day) !== 24).map(hours)).toEqual([23]);
});

test.each([
  ["America/Denver", "2026-11-01T12:00:00Z", 25], // Today has the hour twice.
  ["America/Denver", "2026-11-02T06:59:59Z", 25],
  ["Europe/London", "2026-03-29T00:59:57Z", 23],
  ["Australia/Lord_Howe", "2026-04-10T00:00:00Z", 24.5],
  ["Africa/Cairo", "2026-04-30T00:00:00Z", 23], // Its clock is set at midnight, which that day does not have.
  ["America/Havana", "2026-11-05T00:00:00Z", 25],
])("in %s at %s fourteen days follow each other, one of them of %d hours", async (zone, now, odd) => {
  const days = await daysOf(zone, now, []);
  expect(Object.keys(told(days, zone))).toHaveLength(14);
  expect(days.slice(1).map(({ fromMs }) => fromMs)).toEqual(days.slice(0, -1).map(({ toMs }) => toMs));
  expect(days.filter((day) => hours(day) !== 24).map(hours)).toEqual([odd]);
  expect(days.at(-1)?.fromMs).toBeLessThanOrEqual(Date.parse(now));
  expect(days.at(-1)?.toMs).toBeGreaterThan(Date.parse(now));
});

test.each([
  ["UTC", "2026-12-31T23:59:59.999Z", "2026-12-31"],
  ["UTC", "2027-01-01T00:00:00.000Z", "2027-01-01"],
  ["UTC", "2028-02-29T23:59:59.999Z", "2028-02-29"],
  ["Asia/Kathmandu", "2028-02-29T18:15:00.000Z", "2028-03-01"],
])("in %s today at %s is %s", async (zone, now, today) => {
  const days = await daysOf(zone, now, [now]);
  const named = Object.entries(told(days, zone));
  expect(named).toHaveLength(14);
  expect(named.at(-1)).toEqual([today, 1]);
});
