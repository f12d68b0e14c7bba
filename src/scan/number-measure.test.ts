import fc from "fast-check";
import { expect, test } from "vitest";
import { scanAll } from "../../test/golden/scan-all.ts";
import { isExactNumber, measureNumber } from "./number-measure.ts";

function measure(text: string) {
  const out = { isInteger: false, intDigits: 0, scale: 0, isExact: false };
  measureNumber(Buffer.from(text), 0, text.length, out, false);
  return out;
}

test.each([
  ["0", 0, 0],
  ["-0", 0, 0],
  ["0.000", 0, 0],
  ["0e5", 0, 0],
  ["7", 1, 0],
  ["100", 3, 0],
  ["0.5", 0, 1],
  ["12.50", 2, 1],
  ["1e5", 6, 0],
  ["1.25e1", 2, 1],
  ["125e-2", 1, 2],
  ["0.001e3", 1, 0],
  ["100e-2", 1, 0],
  ["0.00012", 0, 5],
  ["1e-400", 0, 400],
  ["1e-999999999999", 0, 400],
  ["1e999999999999", 400, 0],
])("%s has %i digits before the point and %i behind", (text, intDigits, scale) => {
  expect(measure(text)).toMatchObject({ intDigits, scale });
  expect(measure(`-${text.replace(/^-/, "")}`)).toMatchObject({ intDigits, scale });
});

test.each([
  ["9007199254740992", false],
  ["9007199254740993", true],
  ["9007199254740994", true], // A double holds it, but integers beyond 2^53 count as exact.
  ["-9007199254740992", false],
  ["10000000000000000000000", true],
  ["1e22", false],
  ["0.1", false],
  ["1.10", false],
  ["0.30000000000000004", false],
  ["0.3000000000000000444", true],
  ["12345678901234567.89", true],
  ["1e308", false],
  ["1e309", true],
  ["1e400", true],
  ["1e-400", true],
  ["5e-324", true],
  ["2.2250738585072014e-308", false],
  ["0e999", false],
  ["-0", false],
  ["1.0000000000000000000000000000000", false],
  [`0.${"0".repeat(300)}1`, false],
  [`1${"0".repeat(30)}`, true],
  [`${"1".repeat(2000)}.5`, true],
])("whether %s needs more than a double: %s", (text, isExact) => {
  expect(isExactNumber(text)).toBe(isExact);
});

/** A decimal as an integer over a power of ten, by big integers alone. */
function asFraction(text: string): { digits: bigint; exponent: number } {
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(
    text,
  )!;
  return { digits: BigInt(`${sign}${whole}${fraction}`), exponent: Number(exponent) - fraction.length };
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [asFraction(a), asFraction(b)];
  const lowest = Math.min(left.exponent, right.exponent);
  return (
    left.digits * 10n ** BigInt(left.exponent - lowest) ===
    right.digits * 10n ** BigInt(right.exponent - lowest)
  );
}

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((value) => value.toFixed(12)),
  fc.stringMatching(/^-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?$/),
);

test("a number survives a double exactly when its shortest form is the same decimal", () => {
  fc.assert(
    fc.property(numberText, (text) => {
      const value = Number(text);
      const isInteger = /^-?\d+$/.test(text);
      const survives = isInteger
        ? Math.abs(value) <= 2 ** 53 && BigInt(text) === BigInt(value)
        : isEqual(text, String(value)) &&
          (asFraction(text).digits === 0n || Math.abs(value) >= 2.2250738585072014e-308);
      expect(isExactNumber(text), text).toBe(!survives);
    }),
    { numRuns: 3000 },
  );
});

test("a column has the digits of its number, whichever way they are counted", () => {
  fc.assert(
    fc.property(numberText, (text) => {
      const { columns } = scanAll(`[{"n":${text}}]`, "");
      const { digits, exponent } = asFraction(text);
      let [value, scale] = [digits < 0n ? -digits : digits, -exponent];
      while (value !== 0n && value % 10n === 0n) {
        value /= 10n;
        scale -= 1;
      }
      const length = value === 0n ? 0 : String(value).length;
      expect(columns["n"], text).toMatchObject({
        intDigitsMax: value === 0n ? 0 : Math.min(400, Math.max(0, length - scale)),
        scaleMax: value === 0n ? 0 : Math.min(400, Math.max(0, scale)),
        hasExactNumbers: isExactNumber(text),
      });
    }),
    { numRuns: 2000 },
  );
});
