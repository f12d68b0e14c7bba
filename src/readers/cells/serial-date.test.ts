import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isoToSerial, serialToIso } from "./serial-date.ts";

describe("serialToIso", () => {
  test.each([
    [1, "1900-01-01"],
    [59, "1900-02-28"],
    [61, "1900-03-01"],
    [36_526, "2000-01-01"],
    [43_131, "2018-01-31"],
    [2_958_465, "9999-12-31"],
  ])("day %d of the 1900 system is %s", (serial, iso) => {
    expect(serialToIso(serial, "date", false)).toBe(iso);
  });

  test.each([
    [0, "1904-01-01"],
    [35_064, "2000-01-01"],
    [2_957_003, "9999-12-31"],
  ])("day %d of the 1904 system is %s", (serial, iso) => {
    expect(serialToIso(serial, "date", true)).toBe(iso);
  });

  test.each([
    ["29 February 1900", 60, "date"],
    ["day 0", 0, "date"],
    ["the year 10000", 2_958_466, "datetime"],
    ["a day before all days", -1, "date"],
    ["no number", Number.NaN, "date"],
  ] as const)("%s is in no calendar", (_name, serial, parts) => {
    expect(serialToIso(serial, parts, false)).toBeUndefined();
  });

  test("times are rounded to the millisecond, and not cut", () => {
    const serial = 43_101 + (12 * 3600 + 34 * 60 + 56.843) / 86_400;
    expect(serialToIso(serial, "datetime", false)).toBe("2018-01-01T12:34:56.843");
    expect(serialToIso(43_101.52426900463, "datetime", false)).toBe("2018-01-01T12:34:56.842");
    expect(serialToIso(43_101.999_999_999_9, "datetime", false)).toBe("2018-01-02T00:00:00");
  });

  test("a time of no day is a time, and a time of a day has its day", () => {
    expect(serialToIso(0.4375, "time", false)).toBe("10:30:00");
    expect(serialToIso(0.4375, "time", true)).toBe("10:30:00");
    expect(serialToIso(43_131.4375, "time", false)).toBe("2018-01-31T10:30:00");
  });

  test("a date format hides a time of day, and loses none", () => {
    expect(serialToIso(43_131.5, "date", false)).toBe("2018-01-31T12:00:00");
    expect(serialToIso(43_131, "datetime", false)).toBe("2018-01-31T00:00:00");
  });

  test("every day is the day after the one before it, as the calendar of JavaScript has it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 61, max: 2_958_465 }), (serial) => {
        const ms = Date.UTC(1899, 11, 30) + serial * 86_400_000;
        expect(serialToIso(serial, "date", false)).toBe(new Date(ms).toISOString().slice(0, 10));
        expect(isoToSerial(serialToIso(serial, "date", false)!, false)).toBe(serial);
      }),
    );
  });

  test("a millisecond of a day survives its serial number", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30_000, max: 60_000 }),
        fc.integer({ min: 0, max: 86_399_999 }),
        (day, ms) => {
          const iso = serialToIso(day + ms / 86_400_000, "datetime", false)!;
          expect(Date.parse(`${iso}Z`) - (Date.UTC(1899, 11, 30) + day * 86_400_000)).toBe(ms);
        },
      ),
    );
  });
});
