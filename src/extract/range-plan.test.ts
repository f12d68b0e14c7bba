import { describe, expect, test } from "vitest";
import { at, openRange, streamOf, timeCursor } from "../../test/properties/sync-world.ts";
import type { PartitionState } from "../model/manifest.ts";
import type { CursorSpec } from "../model/stream.ts";
import {
  completeRange,
  isUsable,
  lowerState,
  planRange,
  runningNext,
  startToSend,
  windowsUntil,
} from "./range-plan.ts";
import { freshPartition } from "./run-state.ts";

const hour = 3_600_000_000n;
const day = 24n * hour;
const windowed: CursorSpec = { ...timeCursor, range: { ...openRange, hasEnd: true, spanMax: day } };
const dates = (given: Partial<CursorSpec["range"]> = {}, zone = "UTC"): CursorSpec => ({
  ...timeCursor,
  zone,
  range: { ...openRange, hasEnd: true, startFormat: "date", endFormat: "date", spanMax: undefined, ...given },
});
const told = (t0: string) => ({ t0: at(t0), isFromSource: true });
const state = (given: Partial<PartitionState>): PartitionState => ({ ...freshPartition, ...given });

describe("I3 a value is usable", () => {
  const time = told("2026-01-10T00:00:00Z");
  test("from the declared minimum up to T0, both included", () => {
    expect(isUsable(timeCursor, at("2026-01-10T00:00:00Z"), time)).toBe(true);
    expect(isUsable(timeCursor, at("2026-01-10T00:00:00.000001Z"), time)).toBe(false);
    expect(isUsable(timeCursor, timeCursor.minimum, time)).toBe(true);
    expect(isUsable(timeCursor, at("0001-01-01"), time)).toBe(false);
    expect(isUsable(timeCursor, undefined, time)).toBe(false);
  });

  test("and integers have no future", () => {
    const integers: CursorSpec = { ...timeCursor, format: "integer", minimum: 0n };
    expect(isUsable(integers, 10n ** 30n, time)).toBe(true);
    expect(isUsable(integers, -1n, time)).toBe(false);
  });
});

describe("I8 a range begins", () => {
  test("without a parameter until there is a next", () => {
    expect(planRange(windowed, undefined, at("2026-01-10"))).toEqual({ start: undefined, end: undefined });
    expect(startToSend(undefined, at("2026-01-10"))).toBeUndefined();
  });

  test("at next rounded down, and one unit lower where the parameter is exclusive", () => {
    const next = at("2026-01-10T05:06:07.5Z");
    expect(startToSend(timeCursor, next)).toBe(at("2026-01-10T05:06:07Z"));
    const exclusive = { ...timeCursor, range: { ...openRange, isStartInclusive: false } };
    expect(startToSend(exclusive, next)).toBe(at("2026-01-10T05:06:06Z"));
    expect(startToSend(dates({ isStartInclusive: false }, "Asia/Kolkata"), at("2026-01-10T20:00:00Z"))).toBe(
      at("2026-01-10T00:00:00+05:30"),
    );
  });

  test("and ends at start + span, the first window too, but not beyond the unit of T0", () => {
    const from = at("2026-01-01T12:00:00Z");
    expect(planRange(windowed, from, at("2026-01-10"))).toEqual({ start: from, end: from + day });
    const late = at("2026-01-01T13:00:00.2Z");
    expect(planRange(windowed, from, late)).toEqual({ start: from, end: at("2026-01-01T13:00:01Z") });
  });

  test("with a span measured after rounding, an exclusive start's unit included", () => {
    const exclusive: CursorSpec = {
      ...windowed,
      range: { ...openRange, hasEnd: true, spanMax: hour, isStartInclusive: false },
    };
    const range = planRange(exclusive, at("2026-01-01T12:00:00.9Z"), at("2026-01-10"));
    expect(range).toEqual({ start: at("2026-01-01T11:59:59Z"), end: at("2026-01-01T12:59:59Z") });
  });

  test("and there is none when next has reached the end of time", () => {
    expect(planRange(windowed, at("2026-01-10"), at("2026-01-10"))).toBeUndefined();
    expect(planRange(windowed, at("2026-01-11"), at("2026-01-10"))).toBeUndefined();
  });

  test("and a day of 25 hours is one window where the span is 24 hours", () => {
    const zone = "America/New_York";
    const from = at("2026-11-01T00:00:00-04:00");
    const range = planRange(dates({ spanMax: day }, zone), from, at("2026-11-10"));
    expect(range).toEqual({ start: from, end: at("2026-11-02T00:00:00-05:00") });
    const next = planRange(dates({ spanMax: day }, zone), at("2026-03-08T00:00:00-05:00"), at("2026-11-10"));
    expect(next?.end).toBe(at("2026-03-09T00:00:00-04:00"));
  });

  test("and windows of days go on over a midnight that does not exist", () => {
    const cursor = dates({ spanMax: day }, "America/Santiago");
    const ends: (bigint | undefined)[] = [];
    let from = at("2026-09-04T00:00:00-04:00");
    for (let count = 0; count < 4; count++) {
      const end = planRange(cursor, from, at("2026-10-01"))?.end ?? from;
      expect(end).toBeGreaterThan(from);
      ends.push(end);
      from = end;
    }
    expect(ends.slice(0, 3)).toEqual([
      at("2026-09-05T00:00:00-04:00"),
      at("2026-09-06T01:00:00-03:00"),
      at("2026-09-07T00:00:00-03:00"),
    ]);
  });
});

describe("I8 a completed range", () => {
  const lag = hour;
  const lagging: CursorSpec = { ...windowed, lag };
  const range = { start: at("2026-01-01"), end: at("2026-01-02") };

  test("moves scannedTo to its end, but not above T0 - lag", () => {
    const early = completeRange(lagging, state({ next: range.start }), range, told("2026-01-10T00:00:00Z"));
    expect(early).toMatchObject({ scannedTo: range.end, next: range.end });
    const late = completeRange(lagging, state({ next: range.start }), range, told("2026-01-01T20:00:00Z"));
    expect(late).toMatchObject({ scannedTo: at("2026-01-01T19:00:00Z"), next: at("2026-01-01T19:00:00Z") });
  });

  test("counts the cursor at most to its end", () => {
    const before = state({ next: range.start, cursor: at("2026-01-05") });
    const local = { t0: at("2026-01-10"), isFromSource: false };
    expect(completeRange(lagging, before, range, local)).toMatchObject({
      scannedTo: undefined,
      next: range.end - lag,
    });
  });

  test("without an end moves only by the cursor, and not at all without one", () => {
    const open: CursorSpec = { ...timeCursor, lag };
    const range = { start: undefined, end: undefined };
    const time = told("2026-01-10T00:00:00Z");
    expect(completeRange(open, freshPartition, range, time)).toEqual(freshPartition);
    expect(completeRange(open, state({ cursor: at("2026-01-05") }), range, time)).toMatchObject({
      next: at("2026-01-05") - lag,
      scannedTo: undefined,
    });
  });

  test("never takes next or scannedTo back", () => {
    const ahead = state({ cursor: at("2025-12-01"), scannedTo: at("2026-03-01"), next: at("2026-03-01") });
    expect(completeRange(lagging, ahead, range, told("2026-01-10T00:00:00Z"))).toEqual(ahead);
    expect(runningNext(lagging, ahead, range)).toBe(ahead.next);
  });
});

test("I16 a settled range ends where the parameter can express T0 - lag, never above", () => {
  const cursor = dates();
  const settled = streamOf({ stability: "settled", cursor: { ...cursor, lag: hour } });
  expect(windowsUntil(settled, at("2026-01-10T05:00:00Z"))).toBe(at("2026-01-10"));
  expect(windowsUntil(settled, at("2026-01-10T00:30:00Z"))).toBe(at("2026-01-09"));
  const trusted = streamOf({ cursor });
  expect(windowsUntil(trusted, at("2026-01-10T05:00:00Z"))).toBe(at("2026-01-10T05:00:00Z"));
});

test("I7 the lower of two states is unset where one is", () => {
  const a = state({ cursor: 5n, scannedTo: 7n, next: 3n, since: 3n });
  const b = state({ cursor: 4n, scannedTo: 9n, next: undefined, since: 1n });
  expect(lowerState(a, b)).toEqual({ cursor: 4n, scannedTo: 7n, next: undefined, since: 1n });
  expect(lowerState(a, freshPartition)).toEqual(freshPartition);
});
