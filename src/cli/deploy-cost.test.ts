import { describe, expect, test } from "vitest";
import { estimateCost, sumCost, type Volumes } from "./deploy-cost.ts";

/** A hundred tenants of ten streams, every hour. */
const volumes: Volumes = {
  runs: 720_000,
  works: 0,
  looks: 0,
  commits: 0,
  schedulerJobs: 1001,
  isPlanned: false,
  runSeconds: 20,
  concurrency: 4,
  cpu: 1,
  memoryGib: 0.5,
  landedGb: 0,
  warehouseGib: 0,
  scannedTib: 0,
  secrets: 0,
  isFreeTier: false,
};
const usd = (what: string, more: Partial<Volumes> = {}): number =>
  estimateCost({ ...volumes, ...more }).find((line) => line.what === what)!.usd;

describe("estimateCost", () => {
  test("a thousand streams and tenants an hour are 91 dollars of Cloud Run, and 364 without concurrency", () => {
    expect(usd("Cloud Run")).toBeCloseTo(86.4 + 4.5 + 0.288, 2);
    expect(usd("Cloud Run", { concurrency: 1 })).toBeCloseTo(345.6 + 18 + 0.288, 1);
  });

  test("a job of Cloud Scheduler each is a hundred dollars, a planner almost nothing", () => {
    expect(usd("Cloud Scheduler")).toBeCloseTo(100.1, 2);
    expect(usd("Cloud Scheduler", { schedulerJobs: 2, isFreeTier: true })).toBe(0);
    expect(usd("Cloud Tasks")).toBe(0);
    expect(usd("Cloud Tasks", { isPlanned: true })).toBeCloseTo(0.288, 2);
  });

  test("loads and plans are counted as well", () => {
    expect(usd("Cloud Run", { runs: 0, works: 2880 })).toBeCloseTo(
      2880 * 5 * (0.000024 + 0.5 * 0.0000025),
      2,
    );
  });

  test("operations of the bucket are twelve dollars", () => {
    expect(usd("Cloud Storage")).toBeCloseTo(12.24, 2);
    expect(usd("Cloud Storage", { runs: 0, landedGb: 100 })).toBe(2);
  });

  test("loads that look at a thousand logs every quarter of an hour are three dollars, and what they commit is six", () => {
    expect(usd("Cloud Storage", { runs: 0, looks: 2880 * 1000 })).toBeCloseTo(3.46, 2);
    expect(usd("BigQuery", { commits: 7200 })).toBeCloseTo(6.44, 2);
  });

  test("what is free is taken off once, and never below nothing", () => {
    const free = { isFreeTier: true, runs: 100 };
    expect(usd("Cloud Run", free)).toBe(0);
    expect(usd("BigQuery", { ...free, scannedTib: 3, warehouseGib: 50 })).toBe(13.5);
    expect(usd("Cloud Run", { isFreeTier: true })).toBeCloseTo(91.188 - 4.32 - 0.9 - 0.288, 2);
  });

  test("the sum is the sum of what is shown", () => {
    const lines = estimateCost(volumes);
    expect(sumCost(lines)).toBeCloseTo(
      lines.reduce((sum, line) => sum + line.usd, 0),
      2,
    );
  });
});
