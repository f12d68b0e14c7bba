/**
 * Whether a decimal of many digits survives a double: the same answer as `src/scan/number-measure.ts` gives by parsing
 * and printing it, in 64-bit integers. Coordinates and computed prices have 16 or 17 digits in every record.
 */
import { byteAt } from "./byte-at";

/** Every decimal of so many digits survives; none of more than the other, zeros at its end left out, ever does. */
const digitsSafe: i32 = 15;
const digitsMost: i32 = 17;
/** Decimal places for which all differences below fit 63 bits. */
const scaleMax: i32 = 18;
const hiddenBit: i64 = 1 << 52;

/** Answers of {@link survivesDouble}. */
export const survives: i32 = 1;
export const mayNotSurvive: i32 = 0; // It does not, or it is too near a limit to tell here.

/** Of the number at `start` with `whole` digits before its point and `scale` behind it, the last of which is not zero. */
export function survivesDouble(start: i32, whole: i32, scale: i32): i32 {
  if (scale > scaleMax) return mayNotSurvive;
  const end = start + whole + 1 + scale;
  let at = start;
  while (byteAt(at) == 0x30 || byteAt(at) == 0x2e) at += 1;
  const digits = end - at - i32(at < start + whole);
  if (digits <= digitsSafe) return survives;
  if (digits > digitsMost) return mayNotSurvive;
  let value: i64 = 0;
  for (; at < end; at++) {
    const c = byteAt(at);
    if (c != 0x2e) value = value * 10 + (c - 0x30);
  }
  let unit: i64 = 1;
  for (let i = 0; i < scale; i++) unit *= 10;
  return isShortest(value, unit);
}

/** Whether the shortest decimal that reads as the double nearest to `value / unit` is that very decimal. */
function isShortest(value: i64, unit: i64): i32 {
  // Two roundings: within two steps of the nearest double.
  const bits = reinterpret<i64>(f64(value) / f64(unit));
  let mantissa = (bits & (hiddenBit - 1)) | hiddenBit;
  const shift = 1075 - i32(bits >> 52);
  if (shift < 1) return mayNotSurvive;
  // The double is mantissa / 2^shift. Multiplied by unit * 2^shift, decimals lie 2^shift apart and doubles `unit`; the
  // difference of the two is small, so that the bits lost above the 64th are equal on both sides.
  let difference: i64 = (shift < 64 ? value << i64(shift) : 0) - mantissa * unit;
  const half = unit >> 1;
  for (; difference > half; difference -= unit) mantissa += 1;
  for (; difference < -half; difference += unit) mantissa -= 1;
  // At a power of two the steps change; halfway between two doubles the even one is meant.
  if (mantissa <= hiddenBit || mantissa >= hiddenBit << 1) return mayNotSurvive;
  if (difference == half || difference == -half) return mayNotSurvive;
  if (shift > 60) return survives; // Decimals lie further apart than doubles.
  const step: i64 = 1 << i64(shift);

  // A decimal with a digit less is next below or above, if any is as near to this double as to be read as it.
  const last = value % 10;
  if (isWithin(difference, -last, step, unit) || isWithin(difference, 10 - last, step, unit)) return mayNotSurvive;
  // Of those with as many digits the nearest is printed.
  return (difference < 0 ? -difference : difference) < step >> 1 ? survives : mayNotSurvive;
}

/** Whether the decimal so many steps on is read as the same double, or may be. */
@inline
function isWithin(difference: i64, steps: i64, step: i64, unit: i64): bool {
  const count = steps < 0 ? -steps : steps;
  if (count > (unit << 1) / step) return false; // Far away, where the product might not fit.
  const there = difference + steps * step;
  return (there < 0 ? -there : there) <= unit >> 1;
}
