/** Some hours of a day on Google Cloud; all of it is a command of its own (`google-day.ts`). */
import { expect, test } from "vitest";
import { printDay } from "./google-day/measure-day.ts";
import { playDay } from "./google-day/play-day.ts";

test("hours of ten tenants and three streams end with every row once, within every quota, and a bill", {
  timeout: 300_000,
}, async () => {
  const day = await playDay({ tenants: 10, streams: 3, hours: 3, seed: 7 }, () => {});
  console.log(printDay(day));
  expect(day.quotas.filter(({ used, limit }) => used > limit)).toEqual([]);
  expect(day.counts["tasks"]).toBe(90);
  expect(day.counts["rows"]).toBeGreaterThan(150);
  expect(day.counts["loadJobs"]).toBeLessThan(3 * 3 * 3);
  // A load says what it took.
  expect(day.counts["usedLoadJobs"]).toBeGreaterThan(0);
  // Requests of a sync, with its share of five loads an hour: one that begins to ask more is seen here.
  const requests = Object.values(day.storage).reduce((sum, count) => sum + count, 0);
  expect(requests / 90).toBeLessThan(24);
  expect(day.total).toBeGreaterThan(0);
});
