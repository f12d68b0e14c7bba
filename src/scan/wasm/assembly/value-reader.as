/** Strings and numbers as values, and what they tell of their column. A fault gives 0 for the position behind it. */
import { byteAt, isDigit } from "./byte-at";
import {
  bytesAt,
  dateBit,
  decimalBit,
  exactAt,
  integerBit,
  intDigitsAt,
  kindsAt,
  scalesAt,
  textBit,
  timestampBit,
  timestampTzBit,
} from "./constants";
import { dateKind } from "./date-kind";
import { survives, survivesDouble } from "./long-decimal";
import { finishString, hasEscape, skipPlain } from "./string-reader";

// Positions given to the host count from the first byte of the buffer; here they are addresses.
/** Keeps a sighting in mind until the record is known to be a row. */
@external("host", "note")
declare function note(column: i32, kinds: i32, intDigits: i32, scale: i32): void;
@external("host", "noteNumber")
declare function noteNumber(start: i32, end: i32, column: i32, isOwn: bool): void;
/** The kind of a string with escapes. */
@external("host", "escapedKind")
declare function escapedKind(start: i32, end: i32): i32;

/** Numbers of so few digits and no exponent survive a double, whatever they are. */
const digitsSafe: i32 = 15;
/** Far below the number of digits up to which a column counts them. */
const placesMax: i32 = 100;
const largestSafe: u64 = 9007199254740992;
const stringBits: i32 = textBit | dateBit | timestampBit | timestampTzBit;

/** Whether the record noted something. */
export let hasNotes: bool = false;
/** Where the byte stood that showed the last fault. */
export let failedAt: i32 = 0;

@inline
export function clearNotes(): void {
  hasNotes = false;
}

@inline
export function fail(at: i32): i32 {
  failedAt = at;
  return 0;
}

/** Behind the string whose first byte is at `start`, or 0. */
@inline
export function readString(start: i32, depth: i32, column: i32): i32 {
  let q = skipPlain(start);
  let isEscaped = false;
  if (byteAt(q) != 0x22) {
    q = finishString(q);
    if (q < 0) return fail(-1 - q);
    isEscaped = hasEscape;
  }
  if (depth == 1) {
    const kinds = load<i32>(column << 2, kindsAt);
    if ((kinds & stringBits) != stringBits) {
      const first = byteAt(start);
      let bit = textBit;
      if (isEscaped) {
        if (isDigit(first) || first == 0x5c) bit = escapedKind(start - bytesAt, q - bytesAt);
      } else if (isDigit(first)) bit = dateKind(start, q);
      if ((kinds & bit) == 0) {
        hasNotes = true;
        note(column, bit, 0, 0);
      }
    }
  }
  return q + 1;
}

/** Behind the number at `start`, whose first byte is `first`, or 0. */
@inline
export function readNumber(start: i32, first: i32, depth: i32, column: i32): i32 {
  let p = start;
  let c = first;
  if (c == 0x2d) c = byteAt(++p);
  const digitsStart = p;
  const isZero = c == 0x30;
  if (isZero) c = byteAt(++p);
  else {
    if (!isDigit(c)) return fail(p);
    do c = byteAt(++p);
    while (isDigit(c));
  }
  const whole = p - digitsStart;
  let fraction = 0;
  if (c == 0x2e) {
    const fractionStart = p + 1;
    p = skipDigits(fractionStart);
    if (p == fractionStart) return fail(p);
    fraction = p - fractionStart;
    c = byteAt(p);
  }
  if ((c | 0x20) == 0x65) {
    c = byteAt(++p);
    if (c == 0x2b || c == 0x2d) p += 1;
    const exponentStart = p;
    p = skipDigits(p);
    if (p == exponentStart) return fail(p);
  } else if (whole + fraction <= digitsSafe) {
    if (depth == 1) {
      let scale = fraction;
      while (scale > 0 && byteAt(p - 1 - fraction + scale) == 0x30) scale -= 1;
      seeNumber(column, fraction == 0 ? integerBit : decimalBit, isZero ? 0 : whole, scale);
    }
    return p;
  } else if (fraction == 0 && whole == 16 && isSafe(digitsStart)) {
    if (depth == 1) seeNumber(column, integerBit, whole, 0);
    return p;
  } else if (fraction != 0) {
    let scale = fraction;
    while (scale > 0 && byteAt(p - 1 - fraction + scale) == 0x30) scale -= 1;
    // The places counted are bounded; a whole number with a point is rare.
    const isUsual = scale > 0 && whole + scale <= placesMax;
    if (isUsual && (load<u8>(column, exactAt) != 0 || survivesDouble(digitsStart, whole, scale) == survives)) {
      if (depth == 1) seeNumber(column, decimalBit, isZero ? 0 : whole, scale);
      return p;
    }
  } else if (fraction == 0 && load<u8>(column, exactAt) != 0 && whole <= load<i32>(column << 2, intDigitsAt)) {
    // Too long for a double, in a column where such have been seen.
    if (depth == 1) see(column, integerBit);
    return p;
  }
  if (depth == 1 || load<u8>(column, exactAt) == 0) {
    hasNotes = true;
    noteNumber(start - bytesAt, p - bytesAt, column, depth == 1);
  }
  return p;
}

@inline
function skipDigits(from: i32): i32 {
  let p = from;
  while (isDigit(byteAt(p))) p += 1;
  return p;
}

/** Whether 16 digits are no more than the largest integer up to which a double holds all. */
function isSafe(start: i32): bool {
  let value: u64 = 0;
  for (let i = 0; i < 16; i++) value = value * 10 + (byteAt(start + i) - 0x30);
  return value <= largestSafe;
}

@inline
export function see(column: i32, bit: i32): void {
  if ((load<i32>(column << 2, kindsAt) & bit) != 0) return;
  hasNotes = true;
  note(column, bit, 0, 0);
}

@inline
function seeNumber(column: i32, bit: i32, intDigits: i32, scale: i32): void {
  const place = column << 2;
  const isKnown = (load<i32>(place, kindsAt) & bit) != 0;
  if (isKnown && intDigits <= load<i32>(place, intDigitsAt) && scale <= load<i32>(place, scalesAt)) return;
  hasNotes = true;
  note(column, bit, intDigits, scale);
}
