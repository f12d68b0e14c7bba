/** The matrix of broken syncs into gs:// and BigQuery, short. `node test/torture/google-matrix.ts` is the long one. */
import { expect, test } from "vitest";
import { runGoogleMatrix } from "./google-matrix.ts";

const minutes = 60_000;

test("I11 I18 a sync into gs:// and BigQuery that is broken anywhere leaves every row once, and so do two at once", {
  timeout: 5 * minutes,
}, async () => {
  const report = await runGoogleMatrix({
    scenarios: ["first"],
    isWhole: true,
    faultsMax: 3,
    killsMax: 1,
    races: 1,
    seed: 20_261_121,
    workers: 0,
    say: () => {},
  });
  expect(report.wrong).toEqual([]);
  expect([report.faults, report.kills, report.races]).toEqual([3, 1, 1]);
  // Fewer would mean that landing or warehouse were elsewhere.
  expect(report.exchanges.storage).toBeGreaterThan(50);
  expect(report.exchanges.warehouse).toBeGreaterThan(100);
  expect(report.passings).toBeGreaterThan(5_000);
});
