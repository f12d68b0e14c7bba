/** The matrix of broken loads into Postgres, short. `node test/torture/postgres-matrix.ts` is the long one. */
import { expect, test } from "vitest";
import { runPostgresMatrix } from "./postgres-matrix.ts";

const minutes = 60_000;

test("I11 a load into Postgres that is cut or killed anywhere is whole or not there, and the caller is told which", {
  timeout: 8 * minutes,
}, async () => {
  const report = await runPostgresMatrix({ cutsMax: 4, killsMax: 4, seed: 20_261_121, say: () => {} });
  expect(report.faults).toEqual([]);
  expect(report.messages).toBeGreaterThan(100);
  expect(report.cuts).toBe(12);
  expect(report.kills).toBe(4);
  expect(report.sites).toBeGreaterThan(60);
  // The answers to the commit, and what follows it, are lost after it took effect.
  expect(report.whole).toBeGreaterThan(0);
});
