import { expect, test } from "vitest";
import { plural, printBytes, printDuration } from "./duration.ts";
import { chooseZone, printAge, printInstant } from "./instant.ts";
import { lookOf, worstOf } from "./state-look.ts";

test("durations have their two greatest units", () => {
  const told = [0, 340, 1200, 9999, 59_700, 72_000, 7_800_000, 86_400_000, 200_000_000].map(printDuration);
  expect(told).toEqual([
    "0 ms",
    "340 ms",
    "1.2 s",
    "10.0 s",
    "1 m",
    "1 m 12 s",
    "2 h 10 m",
    "1 d",
    "2 d 7 h",
  ]);
  expect(printDuration(-5)).toBe("0 ms");
});

test("counts and bytes are read at a glance", () => {
  expect([plural(1, "run"), plural(12_345, "run"), plural(0, "match", "matches")]).toEqual([
    "1 run",
    "12,345 runs",
    "0 matches",
  ]);
  expect([printBytes(999), printBytes(1500), printBytes(123_456_789)]).toEqual(["999 B", "1.5 KB", "123 MB"]);
});

test("instants name their zone, which people choose", () => {
  chooseZone("Asia/Kathmandu");
  expect(printInstant(Date.UTC(2026, 0, 31, 20, 15, 3))).toBe("2026-02-01 02:00:03 GMT+5:45");
  chooseZone("UTC");
  expect(printInstant(0)).toBe("1970-01-01 00:00:00 UTC");
  expect([printAge(0, 500), printAge(0, 61_000), printAge(7_200_000, 0), printAge(0, 200_000_000)]).toEqual([
    "now",
    "1 m ago",
    "in 2 h",
    "2 d ago",
  ]);
});

test("of several states the worst is shown, and one of a newer server by its name", () => {
  expect(worstOf(["succeeded", "running", "failed"])).toBe("failed");
  expect(worstOf(["succeeded", "retrying", "running"])).toBe("retrying");
  expect(lookOf("on_time").word).toBe("On time");
  expect(lookOf("levitating")).toEqual({ word: "levitating", glyph: "?", look: "neutral" });
});
