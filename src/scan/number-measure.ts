/** What a JSON number's text says of the type that can hold it: digits, scale, and whether a double is enough. */
import { digitsCounted } from "../model/column-kinds.ts";

/** Result of {@link measureNumber}; one object is reused, so that the hot path allocates nothing. */
export type NumberMeasure = {
  /** No fraction and no exponent. */
  isInteger: boolean;
  intDigits: number;
  scale: number;
  /** Does not survive a double, see `ColumnKinds.hasExactNumbers`. */
  isExact: boolean;
};

/** Every decimal of so many digits comes back from a double unchanged, away from the ends of its range. */
const digitsSafe = 15;
/** Decimal exponents within which that holds, with room for the digits themselves. */
const exponentSafe = 280;
/** Below it doubles lose digits one by one; engines differ in how they read such numbers. */
const smallestNormal = 2.2250738585072014e-308;
const largestExactInteger = String(2 ** 53);
/** Beyond it an exponent's own value no longer matters. */
const exponentCounted = 1_000_000;

/**
 * Measures a valid JSON number at `[start, end)`.
 *
 * @param isExactKnown - leaves the dear test out: the column is known to hold such numbers, `isExact` is not filled in.
 */
export function measureNumber(
  bytes: Buffer,
  start: number,
  end: number,
  out: NumberMeasure,
  isExactKnown: boolean,
): void {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  let isInteger = true;
  let digits = 0; // From the first that is not zero.
  let trailing = 0; // Zeros at the end of them.
  let fraction = 0;
  let exponent = 0;
  for (; at < end; at += 1) {
    const c = bytes[at]!;
    if (c === 0x2e) {
      isInteger = false;
      continue;
    }
    if (c === 0x65 || c === 0x45) {
      isInteger = false;
      exponent = readExponent(bytes, at + 1, end);
      break;
    }
    if (!isInteger) fraction += 1;
    if (c !== 0x30) {
      digits += 1;
      trailing = 0;
    } else if (digits > 0) {
      digits += 1;
      trailing += 1;
    }
  }
  out.isInteger = isInteger;
  out.isExact = false;
  out.intDigits = 0;
  out.scale = 0;
  if (digits === 0) return; // Zero, however it is written.
  // The value is `digits` digits, the point moved left by `fraction` and right by `exponent`.
  const pointFromEnd = fraction - exponent;
  out.intDigits = Math.min(digitsCounted, Math.max(0, digits - pointFromEnd));
  out.scale = Math.min(digitsCounted, Math.max(0, pointFromEnd - trailing));
  if (isExactKnown) return;
  const magnitude = digits - pointFromEnd;
  if (digits - trailing <= digitsSafe && magnitude < exponentSafe && magnitude > -exponentSafe) {
    // An integer literal beyond 2^53 counts as exact even where a double happens to hold it.
    out.isExact = isInteger && digits > digitsSafe && !isSafeInteger(bytes, start, end);
    return;
  }
  out.isExact = isInteger ? !isSafeInteger(bytes, start, end) : !survivesDouble(bytes, start, end);
}

/** Whether a JSON number's text survives being read as a double. Same rule as {@link measureNumber}. */
export function isExactNumber(text: string): boolean {
  const measure: NumberMeasure = { isInteger: false, intDigits: 0, scale: 0, isExact: false };
  const bytes = Buffer.from(text, "latin1");
  measureNumber(bytes, 0, bytes.length, measure, false);
  return measure.isExact;
}

function isSafeInteger(bytes: Buffer, start: number, end: number): boolean {
  const from = bytes[start] === 0x2d ? start + 1 : start;
  if (end - from !== largestExactInteger.length) return end - from < largestExactInteger.length;
  for (let at = from; at < end; at += 1) {
    const difference = bytes[at]! - largestExactInteger.charCodeAt(at - from);
    if (difference !== 0) return difference < 0;
  }
  return true;
}

function survivesDouble(bytes: Buffer, start: number, end: number): boolean {
  // Nobody prints doubles so long; taken as exact, such a text is not worth reading.
  if (end - start > 1200) return false;
  const text = bytes.toString("latin1", start, end);
  const value = Number(text);
  if (!Number.isFinite(value) || Math.abs(value) < smallestNormal) return false;
  const shortest = String(value);
  // Most sources print doubles in this very form already.
  return shortest === text || plainForm(shortest) === plainForm(text);
}

/** Significant digits and the exponent of the last one: equal for decimals of equal size. Signs never differ here. */
function plainForm(text: string): string {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().replace(/^-/, "").split("e", 2);
  const [whole = "", fraction = ""] = mantissa.split(".", 2);
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  const last = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${significant}e${last}`;
}

function readExponent(bytes: Buffer, start: number, end: number): number {
  const sign = bytes[start];
  let value = 0;
  for (let at = sign === 0x2d || sign === 0x2b ? start + 1 : start; at < end; at += 1) {
    value = Math.min(exponentCounted, value * 10 + bytes[at]! - 0x30);
  }
  return sign === 0x2d ? -value : value;
}
