import { describe, expect, test } from "vitest";
import {
  formatParameter,
  formatTimestamp,
  parameterUnit,
  parseCursor,
  printCursor,
  roundDown,
  roundUp,
  stepDown,
  stepUp,
  zoneOffsetMs,
} from "./cursor.ts";

const us = (text: string): bigint => BigInt(Date.parse(text)) * 1000n;

describe("a cursor value is read", () => {
  test.each([
    ["2018-01-17T06:30:00Z", "2018-01-17T06:30:00.000000Z"],
    ["2018-01-17T06:30:00z", "2018-01-17T06:30:00.000000Z"],
    ["2018-01-17t06:30Z", "2018-01-17T06:30:00.000000Z"],
    ["2018-01-17 06:30:00", "2018-01-17T06:30:00.000000Z"],
    ["2018-01-17T06:30:00.1234567+00:00", "2018-01-17T06:30:00.123456Z"],
    ["2018-01-17T06:30:00,5-07", "2018-01-17T13:30:00.500000Z"],
    ["2018-01-17T06:30:00 +0530", "2018-01-17T01:00:00.000000Z"],
    ["2018-01-17", "2018-01-17T00:00:00.000000Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"],
    ["0001-01-01T00:00:00", "0001-01-01T00:00:00.000000Z"],
    ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"],
    ["1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"],
  ])("from %s", (text, printed) => {
    expect(formatTimestamp(parseCursor(text, "iso")!)).toBe(printed);
  });

  test.each([
    "",
    "yesterday",
    "2018-02-30",
    "2018-13-01",
    "2018-00-10",
    "2018-01-17T25:00:00Z",
    "2018-01-17T06:61:00Z",
    "2018-01-17T06:30:00+99:00",
    "2018-01-17T06:30:00+05:75",
    "2018-01-17T06:30:00Z ",
    "20180117",
    "18-01-17",
    "2018-01-17T",
  ])("I3 %j is no time, and so is not usable", (text) => {
    expect(parseCursor(text, "iso")).toBeUndefined();
  });

  test("numbers of seconds and milliseconds are rounded down, below zero as well", () => {
    expect(parseCursor("1516170600", "epoch-s")).toBe(us("2018-01-17T06:30:00Z"));
    expect(parseCursor("1516170600.1234567", "epoch-s")).toBe(us("2018-01-17T06:30:00Z") + 123_456n);
    expect(parseCursor("1516170600123.9", "epoch-ms")).toBe(us("2018-01-17T06:30:00.123Z") + 900n);
    expect(parseCursor("-0.0000001", "epoch-s")).toBe(-1n);
    expect(parseCursor("-1.5", "epoch-s")).toBe(-1_500_000n);
    for (const text of ["", "1e9", "0x10", "1.2.3", "NaN", " 1"])
      expect(parseCursor(text, "epoch-s")).toBeUndefined();
  });

  test("integers are read whole, whatever their size", () => {
    expect(parseCursor("123456789012345678901234567890", "integer")).toBe(123456789012345678901234567890n);
    expect(parseCursor("-7", "integer")).toBe(-7n);
    for (const text of ["1.0", "1e3", "", "-", "+1", "٣"])
      expect(parseCursor(text, "integer")).toBeUndefined();
    expect(printCursor(12n, "integer")).toBe("12");
  });

  test("I3 a wall time that came twice is the earlier one, one that never came is the earlier reading", () => {
    expect(parseCursor("2026-11-01T01:30:00", "iso", "America/New_York")).toBe(
      us("2026-11-01T01:30:00-04:00"),
    );
    expect(parseCursor("2026-03-08T02:30:00", "iso", "America/New_York")).toBe(
      us("2026-03-08T02:30:00-04:00"),
    );
    expect(parseCursor("2026-07-01", "iso", "Asia/Kolkata")).toBe(us("2026-07-01T00:00:00+05:30"));
  });
});

describe("I4 parameters are rounded in the declared zone", () => {
  test("a day begins at the zone's midnight", () => {
    const value = us("2026-07-01T20:00:00Z");
    expect(formatParameter(roundDown(value, "date", "Asia/Kolkata"), "date", "Asia/Kolkata")).toBe(
      "2026-07-02",
    );
    expect(roundDown(value, "date", "Asia/Kolkata")).toBe(us("2026-07-02T00:00:00+05:30"));
    expect(roundUp(value, "date", "Asia/Kolkata")).toBe(us("2026-07-03T00:00:00+05:30"));
  });

  test("days of 23 and of 25 hours are one step", () => {
    const zone = "America/New_York";
    const short = us("2026-03-08T00:00:00-05:00");
    expect(stepUp(short, "date", zone)).toBe(us("2026-03-09T00:00:00-04:00"));
    expect(stepDown(us("2026-03-09T00:00:00-04:00"), "date", zone)).toBe(short);
    const long = us("2026-11-01T00:00:00-04:00");
    expect(stepUp(long, "date", zone)).toBe(us("2026-11-02T00:00:00-05:00"));
    expect(roundUp(us("2026-11-01T23:59:00-05:00"), "date", zone)).toBe(us("2026-11-02T00:00:00-05:00"));
  });

  test("a day whose midnight does not exist begins when its first hour does, and is printed as itself", () => {
    const zone = "America/Santiago"; // Clocks went from 23:59:59 on the 5th to 01:00:00 on the 6th.
    const value = us("2026-09-06T15:00:00-03:00");
    const down = roundDown(value, "date", zone);
    expect(down).toBe(us("2026-09-06T01:00:00-03:00"));
    expect(formatParameter(down, "date", zone)).toBe("2026-09-06");
    expect(stepDown(down, "date", zone)).toBe(us("2026-09-05T00:00:00-04:00"));
    expect(stepUp(us("2026-09-05T00:00:00-04:00"), "date", zone)).toBe(down);
  });

  test("a day that a zone left out is stepped over", () => {
    const zone = "Pacific/Apia"; // There was no 30 December 2011.
    const before = roundDown(us("2011-12-29T12:00:00-10:00"), "date", zone);
    const after = stepUp(before, "date", zone);
    expect(formatParameter(before, "date", zone)).toBe("2011-12-29");
    expect(formatParameter(after, "date", zone)).toBe("2011-12-31");
    expect(stepDown(after, "date", zone)).toBe(before);
  });

  test("rounding up goes on where a midnight came twice", () => {
    const zone = "America/St_Johns"; // At one past midnight on 29 October 2006 clocks went back to 23:01.
    const value = us("2006-10-29T03:00:00Z"); // The second 23:30 on the 28th.
    expect(roundUp(value, "date", zone)).toBeGreaterThanOrEqual(value);
  });

  test.each([
    ["iso-s", "2026-01-02T03:04:05Z"],
    ["iso-ms", "2026-01-02T03:04:05.678Z"],
    ["iso-us", "2026-01-02T03:04:05.678901Z"],
    ["epoch-s", "1767323045"],
    ["epoch-ms", "1767323045678"],
    ["date", "2026-01-02"],
  ] as const)("%s is cut at its unit", (format, printed) => {
    const value = us("2026-01-02T03:04:05.678Z") + 901n;
    expect(formatParameter(roundDown(value, format), format)).toBe(printed);
    expect(parameterUnit(format)).toBeGreaterThan(0n);
  });

  test("times before 1970 are rounded down too", () => {
    expect(roundDown(-1n, "iso-s")).toBe(-1_000_000n);
    expect(formatParameter(-1n, "epoch-ms")).toBe("-1");
    expect(formatTimestamp(-1n)).toBe("1969-12-31T23:59:59.999999Z");
  });
});

test("the offset of a zone is that of the instant", () => {
  expect(zoneOffsetMs(Date.UTC(2026, 0, 1), "America/New_York")).toBe(-5 * 3_600_000);
  expect(zoneOffsetMs(Date.UTC(2026, 6, 1), "America/New_York")).toBe(-4 * 3_600_000);
});
