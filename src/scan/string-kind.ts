/** Which kind a string value is: date, timestamp with or without a zone, or text. */
import { kindBits } from "../model/column-kinds.ts";
import { readHex4 } from "./json-bytes.ts";

/** Bytes of the longest text that is tried: a timestamp with 40 fraction digits and an offset. */
const datedBytesMax = 66;

/** Greatest offset from UTC that engines read alike; no place on Earth is beyond it. */
const offsetMinutesMax = 18 * 60;
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * The kind of a string from its decoded ASCII content at `[start, end)`.
 *
 * Only forms that DuckDB reads as a timestamp without losing anything are more than text. Measured with 1.5.5: `T` or
 * a space between date and time, seconds present wherever a zone is, `Z` in capitals, offsets `+hh`, `+hhmm`, `+hh:mm`.
 */
export function stringKind(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 10 || length > datedBytesMax || !isDate(bytes, start)) return kindBits.text;
  if (length === 10) return kindBits.date;
  const separator = bytes[start + 10];
  if (separator !== 0x54 && separator !== 0x20) return kindBits.text;
  const hour = twoDigits(bytes, start + 11, end);
  const minute = twoDigits(bytes, start + 14, end);
  if (hour < 0 || hour > 23 || bytes[start + 13] !== 0x3a || minute < 0 || minute > 59) return kindBits.text;
  if (length === 16) return kindBits.timestamp;
  const second = twoDigits(bytes, start + 17, end);
  if (bytes[start + 16] !== 0x3a || second < 0 || second > 59) return kindBits.text;
  let at = start + 19;
  if (at < end && bytes[at] === 0x2e) {
    const from = at + 1;
    for (at = from; at < end && isDigit(bytes[at]!); at += 1) {
      if (at - from >= 6 && bytes[at] !== 0x30) return kindBits.text; // Finer than a microsecond.
    }
    if (at === from) return kindBits.text;
  }
  if (at === end) return kindBits.timestamp;
  const offset = readOffset(bytes, at, end);
  if (Number.isNaN(offset)) return kindBits.text;
  return isInRange(bytes, start, hour * 60 + minute - offset) ? kindBits.timestampTz : kindBits.text;
}

/** The same of a string with escapes: only one that decodes to plain ASCII and begins with a digit may be a date. */
export function escapedStringKind(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  const mayBeDigit = isDigit(first) || first === 0x5c;
  if (!mayBeDigit || end - start > datedBytesMax * 6) return kindBits.text;
  const decoded = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const c = bytes[at]!;
    if (c !== 0x5c) decoded[length++] = c;
    else if (bytes[at + 1] === 0x75) {
      const unit = readHex4(bytes, at + 2);
      if (unit > 0x7f) return kindBits.text;
      decoded[length++] = unit;
      at += 5;
    } else return kindBits.text; // None of the short escapes stands in a date.
  }
  return stringKind(decoded, 0, length);
}

/** Minutes east of UTC, or NaN when the rest is no zone. */
function readOffset(bytes: Uint8Array, start: number, end: number): number {
  const sign = bytes[start];
  const length = end - start;
  if (sign === 0x5a && length === 1) return 0;
  if (sign !== 0x2b && sign !== 0x2d) return Number.NaN;
  const hours = twoDigits(bytes, start + 1, end);
  let minutes = 0;
  if (length === 5) minutes = twoDigits(bytes, start + 3, end);
  else if (length === 6 && bytes[start + 3] === 0x3a) minutes = twoDigits(bytes, start + 4, end);
  else if (length !== 3) return Number.NaN;
  if (hours < 0 || minutes < 0 || minutes > 59) return Number.NaN;
  const offset = hours * 60 + minutes;
  if (offset > offsetMinutesMax) return Number.NaN;
  return sign === 0x2d ? -offset : offset;
}

/** Whether the instant is still within the years 0001 to 9999 once the offset is taken away. */
function isInRange(bytes: Uint8Array, start: number, minutesOfDay: number): boolean {
  if (minutesOfDay >= 0 && minutesOfDay < 24 * 60) return true;
  const monthDay = twoDigits(bytes, start + 5, start + 7) * 100 + twoDigits(bytes, start + 8, start + 10);
  const year = twoDigits(bytes, start, start + 2) * 100 + twoDigits(bytes, start + 2, start + 4);
  return minutesOfDay < 0 ? year > 1 || monthDay > 101 : year < 9999 || monthDay < 1231;
}

function isDate(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return false;
  const century = twoDigits(bytes, start, start + 4);
  const ofCentury = twoDigits(bytes, start + 2, start + 4);
  const month = twoDigits(bytes, start + 5, start + 7);
  const day = twoDigits(bytes, start + 8, start + 10);
  if (century < 0 || ofCentury < 0 || month < 1 || month > 12 || day < 1) return false;
  const year = century * 100 + ofCentury;
  if (year === 0 || day > monthDays[month - 1]!) return false;
  return month !== 2 || day !== 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** Two digits at `at`, or -1. */
function twoDigits(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
