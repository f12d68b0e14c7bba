/** The kill matrix, short: a drawn dozen of its thousands. `node test/torture/kill-matrix.ts` is the long one. */
import { expect, test } from "vitest";
import { runKillMatrix, runRaces } from "./kill-matrix.ts";

const minutes = 60_000;

test("I11 a sync killed at any await is repaired by the next, nothing lost and nothing doubled", {
  timeout: 5 * minutes,
}, async () => {
  const report = await runKillMatrix({ killsMax: 8, seed: 20_261_121, say: () => {} });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBe(8);
  expect(report.sites).toBeGreaterThan(150);
});

test("I9 two processes that sync one tenant at the same moment leave what one would have left", {
  timeout: 2 * minutes,
}, async () => {
  expect(await runRaces(3, () => {})).toEqual([]);
});
