/** The matrix of broken deliveries, short. `node test/torture/share-matrix.ts` is the long one. */
import { expect, test } from "vitest";
import { runShareMatrix } from "./share-matrix.ts";

const minutes = 60_000;

/** What differs most: news of a stream's versions in a file, of a dataset in a folder, a full delivery on a server. */
const asked = ["duckdb history deliver", "parquet dataset deliver", "postgres current full"];

test("I11 a delivery that is killed or cut anywhere is made good by the next, in every kind of warehouse", {
  timeout: 8 * minutes,
}, async () => {
  const report = await runShareMatrix({
    killsMax: 2,
    cutsMax: 2,
    isAsked: (name) => asked.includes(name),
    isEachPassing: false,
    nextEvery: 1,
    workers: 1,
    seed: 20_261_121,
    say: () => {},
  });
  expect(report.faults).toEqual([]);
  expect(report.kills).toBe(6);
  expect(report.unreached).toBe(0);
  expect(report.cuts).toBe(2);
  expect(report.sites).toBeGreaterThan(200);
});
