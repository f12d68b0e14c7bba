/** Dates and times in bytes: whether the server would read them as they are, without losing or guessing anything. */

const colon = 0x3a;
const dot = 0x2e;

const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The server's bound of an offset is 15:59:59. */
export const offsetHoursMax = 15;

/** What stands in the bytes. `far`: an offset that the server does not read. */
export type TimeForm = "date" | "naive" | "zoned" | "far" | undefined;

/** The form of `YYYY-MM-DD[(T| )HH:MM[:SS[.f]][zone]]` at `[start, end)`; years 0001 to 9999, at most 6 digits `f`. */
export function timeForm(bytes: Uint8Array, start: number, end: number): TimeForm {
  const length = end - start;
  if (length < 10 || !isDate(bytes, start)) return undefined;
  if (length === 10) return "date";
  const separator = bytes[start + 10];
  if (length < 16 || (separator !== 0x54 && separator !== 0x74 && separator !== 0x20)) return undefined;
  if (bytes[start + 13] !== 0x3a || !isBelow(bytes, start + 11, 24) || !isBelow(bytes, start + 14, 60))
    return undefined;
  let at = start + 16;
  if (at < end && bytes[at] === 0x3a) {
    if (length < 19 || !isBelow(bytes, start + 17, 60)) return undefined;
    at = start + 19;
    if (at < end && bytes[at] === 0x2e) {
      const from = at + 1;
      for (at = from; at < end && isDigit(bytes[at]!); at += 1)
        if (at - from >= 6 && bytes[at] !== 0x30) return undefined; // Finer than a microsecond.
      if (at === from) return undefined;
    }
  }
  if (at === end) return "naive";
  return zoneForm(bytes, at, end);
}

function zoneForm(bytes: Uint8Array, start: number, end: number): TimeForm {
  const length = end - start;
  const sign = bytes[start];
  if ((sign === 0x5a || sign === 0x7a) && length === 1) return "zoned";
  if (sign !== 0x2b && sign !== 0x2d) return undefined;
  if (!isBelow(bytes, start + 1, 24) || length < 3) return undefined;
  if (length === 5 && !isBelow(bytes, start + 3, 60)) return undefined;
  if (length === 6 && (bytes[start + 3] !== 0x3a || !isBelow(bytes, start + 4, 60))) return undefined;
  if (length === 4 || length > 6) return undefined;
  return isBelow(bytes, start + 1, offsetHoursMax + 1) ? "zoned" : "far";
}

function isDate(bytes: Uint8Array, start: number): boolean {
  const high = twoDigits(bytes, start);
  const low = twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  if (high < 0 || low < 0 || high + low === 0 || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d)
    return false;
  if (month < 1 || month > 12 || day < 1 || day > monthDays[month - 1]!) return false;
  const year = high * 100 + low;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** Days from 2000-01-01 to the date at `start`, which {@link timeForm} has found right. */
export function daysAt(bytes: Uint8Array, start: number): number {
  const month = twoDigits(bytes, start + 5);
  // Years from March on, so that a leap day is the last of its year.
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2) - (month > 2 ? 0 : 1);
  const monthFromMarch = (month + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + twoDigits(bytes, start + 8) - 1;
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  return year * 365 + leapDays + dayOfYear - daysTo2000;
}

/** Days from 0000-03-01 to 2000-01-01. */
const daysTo2000 = 730_425;

/** Seconds from 2000-01-01 UTC to the time at `[start, end)`, of a form other than `far`; without a zone it is UTC. */
export function secondsAt(bytes: Uint8Array, start: number, end: number, form: TimeForm): number {
  const days = daysAt(bytes, start) * 86_400;
  if (form === "date") return days;
  const minutes = twoDigits(bytes, start + 11) * 60 + twoDigits(bytes, start + 14);
  const seconds = bytes[start + 16] === colon && end > start + 16 ? twoDigits(bytes, start + 17) : 0;
  return days + minutes * 60 + seconds - (form === "zoned" ? offsetSeconds(bytes, end) : 0);
}

/** `Z`, `±HH`, `±HHMM` or `±HH:MM` before `end`. */
function offsetSeconds(bytes: Uint8Array, end: number): number {
  if (bytes[end - 1] === 0x5a || bytes[end - 1] === 0x7a) return 0;
  let signAt = end - 3;
  while (bytes[signAt] !== 0x2b && bytes[signAt] !== 0x2d) signAt -= 1;
  const minutes = end - signAt > 3 ? twoDigits(bytes, end - 2) : 0;
  const seconds = twoDigits(bytes, signAt + 1) * 3600 + minutes * 60;
  return bytes[signAt] === 0x2d ? -seconds : seconds;
}

/** Microseconds of the second of such a time. */
export function microsAt(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start + 19] !== dot || start + 19 >= end) return 0;
  let micros = 0;
  let isInside = true;
  for (let at = start + 20; at < start + 26; at += 1) {
    isInside = isInside && at < end && isDigit(bytes[at]!);
    micros = micros * 10 + (isInside ? bytes[at]! - 0x30 : 0);
  }
  return micros;
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** Two digits' value, or -1. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

function isBelow(bytes: Uint8Array, at: number, bound: number): boolean {
  const value = twoDigits(bytes, at);
  return value >= 0 && value < bound;
}
