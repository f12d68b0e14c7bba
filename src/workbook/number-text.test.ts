import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayBeWithComma, parseNumberText, toExactNumber } from "./number-text.ts";

describe("a number written as text", () => {
  test.each([
    ["1,234", "1234"],
    ["12 345 678", "12345678"],
    [" 12.50 ", "12.50"],
    ["-3", "-3"],
    ["\u22123", "-3"],
    ["+7", "7"],
    [".5", "0.5"],
    ["5.", "5"],
    ["(9.032)", "-9.032"],
    ["1.5E-3", "1.5e-3"],
    ["00012", "00012"],
  ])("%j is %s", (text, number) => {
    expect(parseNumberText(text)).toBe(number);
  });

  test.each([
    "",
    "-",
    "1,23",
    "1,234,5",
    "12a",
    "1 23",
    "0x10",
    "NaN",
    "Infinity",
    "(-1)",
    "1.2.3",
    "9".repeat(101),
  ])("%j is none", (text) => {
    expect(parseNumberText(text)).toBeUndefined();
  });
});

describe("a decimal text as a number", () => {
  test("is one where a double says the same", () => {
    expect(["0.10", "1e3", "00012", "-0", "9007199254740991", "4.51119775197299"].map(toExactNumber)).toEqual(
      [0.1, 1000, 12, 0, 9_007_199_254_740_991, 4.511_197_751_972_99],
    );
  });

  test("else stays the text it is", () => {
    for (const text of [
      "9007199254740993",
      "123456789012345678901.5",
      "0.1000000000000000055511151231257827",
    ]) {
      expect(toExactNumber(text)).toBe(text);
    }
  });

  test("whatever double it came from", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(toExactNumber(String(value))).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});

describe("a number whose fraction begins with a comma, where that is declared", () => {
  test.each([
    ["1,5", "1.5"],
    ["1.234,50", "1234.50"],
    ["1.234", "1234"],
    ["1 234,5", "1234.5"],
    ["-0,25", "-0.25"],
  ])("%j is %s", (text, number) => {
    expect(parseNumberText(text, ",")).toBe(number);
  });

  test.each(["1.5", "1,234.5", "1.23,4"])("%j is none", (text) => {
    expect(parseNumberText(text, ",")).toBeUndefined();
  });

  test("is suspected where nothing is declared, unless it could be a thousand", () => {
    expect(["1,5", "1.234,5", "1,234", "1.5", "a,b"].map(mayBeWithComma)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
