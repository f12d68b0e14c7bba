import * as library from "@e965/xlsx";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtInCode, parseNumberFormat, showNumber } from "./number-format.ts";

const partsOf = (code: string): string | undefined => parseNumberFormat(code).dateParts;
const show = (code: string, value: number): string | undefined => showNumber(value, parseNumberFormat(code));

describe("which formats are dates", () => {
  test.each([
    ["yyyy-mm-dd", "date"],
    ["d/m/yy h:mm", "datetime"],
    ["h:mm AM/PM", "time"],
    ["mm:ss.0", "time"],
    ["mmm-yy", "date"],
    ["mmmm", "date"],
    ["[$-409]d-mmm-yyyy;@", "date"],
    ["[Red]yyyy", "date"],
    ['"Week ending" d mmmm', "date"],
    ["yyyy/m/d;@", "date"],
    ["[$-411]ggge", "date"],
  ])("%s is one", (code, parts) => {
    expect(partsOf(code)).toBe(parts);
  });

  test.each([
    "General",
    "0",
    "#,##0",
    '0" d"',
    "0\\d",
    "[h]:mm",
    "[mm]:ss",
    "0.00E+00",
    "[Red]0",
    '"y"0;"d"0',
    "@",
    ";;;",
    "_d0",
    "0;yyyy",
  ])("%s is none", (code) => {
    expect(partsOf(code)).toBeUndefined();
  });

  test("built-in formats are known by their numbers", () => {
    expect([14, 22, 45, 57].map((id) => partsOf(builtInCode(id)))).toEqual([
      "date",
      "datetime",
      "time",
      "date",
    ]);
    expect([0, 1, 37, 46, 49, 163].map((id) => partsOf(builtInCode(id)))).toEqual(Array(6).fill(undefined));
  });
});

describe("showNumber", () => {
  test.each([
    ["00000", 7, "00007"],
    ["000", 12345, "12345"],
    ['"E"00000000', 6000053, "E06000053"],
    ["000\\-00\\-000", 12345678, "123-45-678"],
    ["0", 2018, "2018"],
    ["0%", 0.285, "29%"],
    ["#,##0;(#,##0)", -1234, "(1,234)"],
    ["0.0#", 1.5, "1.5"],
    ["0.00", 1.005, "1.01"],
    ["0.00", -0.001, "0.00"],
    ["#", 0, ""],
    ['0;-0;"none"', 0, "none"],
    ["[$£-809]#,##0.00", 1234.5, "£1,234.50"],
  ])("%s shows %d as %s", (code, value, shown) => {
    expect(show(code, value)).toBe(shown);
  });

  test.each([
    "General",
    "@",
    "0.00E+00",
    "# ?/?",
    "[>100]0;0.0",
    "yyyy",
  ])("%s shows nothing of its own", (code) => {
    expect(show(code, 12.5)).toBeUndefined();
  });

  test("shows whole numbers as the library does", () => {
    const codes = fc.constantFrom(
      "0",
      "00000",
      "#,##0",
      "0.00",
      '"A"000',
      "0%",
      "#,##0;(#,##0)",
      '0;-0;"zero"',
    );
    fc.assert(
      fc.property(codes, fc.integer({ min: -9_999_999, max: 9_999_999 }), (code, value) => {
        expect(show(code, value)).toBe(library.SSF.format(code, value));
      }),
    );
  });
});

test("no code makes the reader fail", () => {
  const pieces = fc.constantFrom(
    "0",
    "#",
    "?",
    ".",
    ",",
    "%",
    ";",
    '"',
    "\\",
    "[",
    "]",
    "_",
    "*",
    "y",
    "d",
    "E",
    "@",
    "-",
    " ",
    "General",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), fc.double({ noNaN: true }), (parts, value) => {
      const shown = showNumber(value, parseNumberFormat(parts.join("")));
      expect(["string", "undefined"]).toContain(typeof shown);
    }),
  );
});
