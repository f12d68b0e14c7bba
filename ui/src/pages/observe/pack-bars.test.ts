import fc from "fast-check";
import { expect, test } from "vitest";
import { axisPx, type Bar, packBars } from "./pack-bars.ts";

const axis = { fromMs: 1000, toMs: 1000 + axisPx * 1000 };
const widthPx = ({ fromMs, toMs }: Bar): number => (toMs - fromMs) / 1000;
const bar = (fromPx: number, px: number) => ({
  fromMs: axis.fromMs + fromPx * 1000,
  toMs: axis.fromMs + (fromPx + px) * 1000,
});

test("bars that overlap lie in rows of their own, and rows are used again", () => {
  const rows = packBars([bar(0, 100), bar(50, 638), bar(100, 200), bar(150, 150)], axis);
  expect(rows).toEqual([[bar(0, 100), bar(100, 200)], [bar(50, 638)], [bar(150, 150)]]);
});

test("bars that have just begun lie in rows of their own, each whole before the end of the axis", () => {
  const rows = packBars([bar(680, 1), bar(684, 1), bar(687, 1)], axis);
  expect(rows.map((row) => row.length)).toEqual([1, 1, 1]);
  expect(rows.flat()).toEqual(Array.from({ length: 3 }, () => bar(axisPx - 24, 24)));
});

test("where many short bars follow each other they are narrower, and their rows stay few", () => {
  const rows = packBars(
    Array.from({ length: axisPx / 2 }, (_, at) => bar(at * 2, 0)),
    axis,
  );
  expect(rows.length).toBeLessThanOrEqual(12);
  expect(widthPx(rows[0]![0]!)).toBeCloseTo(12);
});

test("bars that all lie at one time keep their width, since narrower ones would need as many rows", () => {
  const rows = packBars(
    Array.from({ length: 20 }, () => bar(300, 1)),
    axis,
  );
  expect(rows).toHaveLength(20);
  expect(widthPx(rows[0]![0]!)).toBe(24);
});

test("no bar covers another, is narrower than can be hit, or leaves the axis, and none is lost", () => {
  const bars = fc.array(
    fc
      .record({ fromPx: fc.integer({ min: 0, max: axisPx }), px: fc.integer({ min: 0, max: axisPx }) })
      .map(({ fromPx, px }) => bar(fromPx, Math.min(px, axisPx - fromPx))),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(bars, (given) => {
      const named = given.map((one, id) => ({ ...one, id }));
      const rows = packBars(named, axis);
      for (const row of rows) {
        for (const [at, one] of row.entries()) {
          expect(widthPx(one)).toBeGreaterThanOrEqual(6 - 1e-6);
          expect(one.fromMs).toBeGreaterThanOrEqual(axis.fromMs);
          expect(one.toMs).toBeLessThanOrEqual(axis.toMs);
          expect(one.fromMs).toBeGreaterThanOrEqual(row[at - 1]?.toMs ?? 0);
        }
      }
      const ids = rows.flat().map(({ id }) => id);
      expect(ids.toSorted((one, other) => one - other)).toEqual(named.map(({ id }) => id));
    }),
  );
});
