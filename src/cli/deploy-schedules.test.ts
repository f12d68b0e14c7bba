import { describe, expect, test } from "vitest";
import { readTicks } from "../flow/ticks.ts";
import type { ScheduleTicks } from "../model/run-schedule.ts";
import { countMonthly, toCloudCron } from "./deploy-schedules.ts";

const minute = 60_000;
const every = (minutes: number, anchorMinutes = 0): ScheduleTicks => ({
  kind: "interval",
  everyMs: minutes * minute,
  anchorMs: anchorMinutes * minute,
});
const cron = (text: string, timezone = "UTC"): ScheduleTicks => ({ kind: "cron", cron: text, timezone });

describe("toCloudCron", () => {
  test.each([
    ["0 5 * * *", "0 5 * * *"],
    ["*/15 8-17 * * MON-FRI", "*/15 8-17 * * MON-FRI"],
    ["0 0 1,15 JUL,AUG *", "0 0 1,15 JUL,AUG *"],
    ["@daily", "0 0 * * *"],
  ])("%s is %s", (text, wanted) => {
    expect(toCloudCron(cron(text, "America/Denver"))).toEqual({ cron: wanted, timezone: "America/Denver" });
  });

  test.each(["0 0 5 * * *", "0 0 L * *", "0 0 * * 5#2", "@reboot"])("%s has no words there", (text) => {
    expect(toCloudCron(cron(text))).toBeUndefined();
  });

  test.each([
    [every(1), "* * * * *"],
    [every(15), "*/15 * * * *"],
    [every(15, 5), "5-59/15 * * * *"],
    [every(60), "0 * * * *"],
    [every(360), "0 */6 * * *"],
    [every(360, 90), "30 1-23/6 * * *"],
    [every(1440, 330), "30 5 * * *"],
  ])("an interval is the cron of the same ticks (%o)", (ticks, wanted) => {
    const written = toCloudCron(ticks);
    expect(written?.cron).toBe(wanted);
    const start = Date.UTC(2026, 2, 28, 23, 59);
    const list = (of: ScheduleTicks): number[] => {
      const found: number[] = [];
      let at = readTicks(of).next(start);
      while (at !== undefined && found.length < 30) {
        found.push(at);
        at = readTicks(of).next(at);
      }
      return found;
    };
    expect(list(cron(wanted))).toEqual(list(ticks));
  });

  test.each([
    every(7),
    every(300),
    every(2880),
    every(0.5),
  ])("one that does not divide the day is left to a planner", (ticks) => {
    expect(toCloudCron(ticks)).toBeUndefined();
  });

  test("dates are left to a planner", () => {
    expect(toCloudCron({ kind: "dates", instantsMs: [0] })).toBeUndefined();
  });
});

test("a month has thirty days of ticks", () => {
  expect(countMonthly(cron("0 * * * *"), Date.UTC(2026, 0, 1))).toBe(720);
  expect(countMonthly(cron("* * * * *"), Date.UTC(2026, 0, 1))).toBe(43_200);
});
