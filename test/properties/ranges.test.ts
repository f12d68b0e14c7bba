import fc from "fast-check";
import { expect, test } from "vitest";
import {
  completeRange,
  planRange,
  type SentRange,
  startToSend,
  windowsUntil,
} from "../../src/extract/range-plan.ts";
import { freshPartition } from "../../src/extract/run-state.ts";
import { type CursorValue, parameterUnit, roundDown, roundUp, stepUp } from "../../src/model/cursor.ts";
import type { PartitionState } from "../../src/model/manifest.ts";
import type { CursorSpec, Stability } from "../../src/model/stream.ts";
import { at, openRange, streamOf, timeCursor } from "./sync-world.ts";

const second = 1_000_000n;
const hour = 3600n * second;
const day = 24n * hour;

type Plan = Readonly<{
  cursor: CursorSpec;
  stability: Stability;
  initial: CursorValue;
  /** For each run: how far the source's clock has moved on, how late records are shown, where the run dies. */
  runs: readonly Readonly<{ laterBy: CursorValue; windowsMax: number; localSkew: CursorValue }>[];
  hasClock: boolean;
  /** When records change, as spans after the initial value, and how late they are shown. */
  records: readonly Readonly<{ after: CursorValue; delay: CursorValue }>[];
}>;

const span = (min: CursorValue, max: CursorValue) => fc.bigInt({ min, max });

const anyPlan: fc.Arbitrary<Plan> = fc
  .record({
    startFormat: fc.constantFrom("iso-s", "iso-ms", "epoch-s", "date"),
    endFormat: fc.constantFrom("iso-s", "iso-ms", "epoch-s", "date"),
    zone: fc.constantFrom(
      "UTC",
      "America/New_York",
      "America/Santiago",
      "Asia/Kolkata",
      "Australia/Lord_Howe",
    ),
    isStartInclusive: fc.boolean(),
    spanDays: fc.option(fc.integer({ min: 3, max: 5 }), { nil: undefined }),
    lag: fc.oneof(fc.constant(0n), span(0n, hour), span(0n, 3n * day)),
    // Around the days on which the zones above change their clocks.
    initial: fc.constantFrom(
      "2026-03-06T05:00:00Z",
      "2026-04-03T12:34:56.789Z",
      "2026-09-04T04:00:00Z",
      "2026-10-30T00:00:00.5Z",
    ),
    stability: fc.constantFrom<Stability>("trusted", "settled"),
    hasClock: fc.boolean(),
    runs: fc.array(
      fc.record({
        laterBy: fc.oneof(span(0n, hour), span(0n, 4n * day)),
        windowsMax: fc.integer({ min: 1, max: 8 }),
        localSkew: span(-300n * second, 300n * second),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    records: fc.array(fc.record({ after: span(0n, 20n * day), delay: span(0n, 1000n) }), {
      maxLength: 20,
    }),
  })
  .map(({ startFormat, endFormat, zone, isStartInclusive, spanDays, lag, initial, records, ...given }) => ({
    ...given,
    cursor: {
      ...timeCursor,
      zone,
      lag,
      range: {
        ...openRange,
        startFormat,
        endFormat,
        isStartInclusive,
        hasEnd: true,
        spanMax: spanDays === undefined ? undefined : BigInt(spanDays) * day,
      },
    },
    initial: at(initial),
    records: records.map(({ after, delay }) => ({
      after,
      delay: (lag * delay) / 1000n,
    })),
  }));

/** What an answer to a range holds: from the start, or above the exclusive one, up to below the end. */
const isAsked = (value: CursorValue, { start, end }: SentRange, isStartInclusive: boolean) =>
  (start === undefined || (isStartInclusive ? value >= start : value > start)) &&
  (end === undefined || value < end);

const clockTolerance = 300n * second;

/** Runs a plan; `onRange` sees each range with the state before and after it. */
function run(
  plan: Plan,
  onRange: (facts: { range: SentRange; from: CursorValue; t0: CursorValue; after: PartitionState }) => void,
) {
  const { cursor, initial, stability } = plan;
  const spec = streamOf({ cursor, stability });
  let state: PartitionState = { ...freshPartition, next: initial };
  const landed = new Set<number>();
  let now = initial;
  const readAt = (until: CursorValue) => {
    const trueT0 = now;
    const time = plan.hasClock
      ? { t0: trueT0, isFromSource: true }
      : { t0: trueT0 - clockTolerance, isFromSource: false };
    let from = state.next!;
    let isFirst = true;
    return (windowsMax: number) => {
      for (let windows = 0; windows < windowsMax; windows++) {
        let range = planRange(cursor, from, isFirst ? until : windowsUntil(spec, time.t0));
        if (
          isFirst &&
          stability === "settled" &&
          range?.end !== undefined &&
          range.end > windowsUntil(spec, time.t0)
        ) {
          range = planRange(cursor, from, windowsUntil(spec, time.t0)); // The first answer told T0.
        }
        isFirst = false;
        if (range === undefined) return;
        for (const [index, { after, delay }] of plan.records.entries()) {
          const value = initial + after;
          const isShown = value + delay <= trueT0;
          if (!isShown || !isAsked(value, range, cursor.range!.isStartInclusive)) continue;
          landed.add(index);
          if (value <= time.t0 && (state.cursor === undefined || value > state.cursor)) {
            state = { ...state, cursor: value };
          }
        }
        const before = state;
        state = completeRange(cursor, state, range, time);
        expect(state.next! >= before.next!, "next never goes back").toBe(true);
        if (before.scannedTo !== undefined) {
          expect(state.scannedTo! >= before.scannedTo, "nor does scannedTo").toBe(true);
        }
        onRange({ range, from, t0: time.t0, after: state });
        from = range.end!;
      }
    };
  };
  for (const { laterBy, windowsMax, localSkew } of plan.runs) {
    now += laterBy;
    readAt(windowsUntil(spec, now + localSkew))(windowsMax);
  }
  // In the end the source rests, and runs go on as long as they must.
  now += 30n * day;
  readAt(windowsUntil(spec, now))(10_000);
  return landed;
}

test("I4 I8 the ranges of any runs cover everything from the first start on, without a gap", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const { cursor, initial } = plan;
      const range = cursor.range!;
      let covered = initial; // Everything from `initial` to here has been asked for.
      run(plan, ({ range: sent, from, after }) => {
        const asked = range.isStartInclusive ? sent.start! : sent.start! + 1n;
        expect(asked <= covered, "a range begins where the ones before it end, or earlier").toBe(true);
        expect(asked <= from, "a range holds the value that it is planned from").toBe(true);
        if (sent.end! > covered) covered = sent.end!;
        expect(after.next! <= covered, "next is never above what was asked for").toBe(true);
      });
    }),
    { numRuns: 400 },
  );
});

test("I8 both ends are what the parameters can express, within the span, and none is beyond T0's own unit", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const { cursor, stability } = plan;
      const { startFormat, endFormat, spanMax } = cursor.range!;
      run(plan, ({ range, from, t0 }) => {
        const { start, end } = range as { start: CursorValue; end: CursorValue }; // Windows have both.
        expect(roundDown(start, startFormat, cursor.zone)).toBe(start);
        expect(roundDown(end, endFormat, cursor.zone)).toBe(end);
        expect(end > from, "a window leads on").toBe(true);
        expect(start).toBe(startToSend(cursor, from));
        if (spanMax !== undefined) expect(end - start <= spanMax, "longer than the span").toBe(true);
        const skew = 300n * second + (plan.hasClock ? 0n : clockTolerance);
        expect(end <= roundUp(t0 + skew, endFormat, cursor.zone), "beyond T0").toBe(true);
        if (stability === "settled") expect(end <= t0 - cursor.lag, "not settled").toBe(true);
      });
    }),
    { numRuns: 400 },
  );
});

test("I4 every record that is shown no later than the lag allows is in some range, whatever the runs", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const landed = run(plan, () => {});
      expect([...landed].sort((a, b) => a - b)).toEqual(plan.records.map((_, index) => index));
    }),
    { numRuns: 400 },
  );
});

test("I8 a range without an end begins at the newest record less the lag, and moves nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(span(0n, 100n * day), { minLength: 1, maxLength: 20 }),
      span(0n, 2n * day),
      fc.boolean(),
      (values, lag, isStartInclusive) => {
        const cursor: CursorSpec = { ...timeCursor, lag, range: { ...openRange, isStartInclusive } };
        let state: PartitionState = freshPartition;
        let greatest = 0n;
        for (const after of values) {
          const value = at("2026-01-01") + after;
          if (value > greatest) greatest = value;
          state = completeRange(
            cursor,
            { ...state, cursor: greatest },
            { start: startToSend(cursor, state.next), end: undefined },
            { t0: at("2027-01-01"), isFromSource: true },
          );
          expect(state).toMatchObject({ next: greatest - lag, scannedTo: undefined });
          const start = startToSend(cursor, state.next)!;
          const first = isStartInclusive ? start : stepUp(start, "iso-s");
          expect(first <= greatest - lag && greatest - lag < first + parameterUnit("iso-s")).toBe(true);
        }
      },
    ),
  );
});
