/** Cursor values straight from a record's bytes. */
import { type CursorFormat, type CursorValue, parseCursor } from "../model/cursor.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Text of a scalar token: a string's content, or a number's literal; `undefined` for null, true, arrays, objects. */
export function tokenText(bytes: Uint8Array, start: number, end: number): string | undefined {
  const first = bytes[start] ?? 0;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  if (first === quote) {
    // The scanner has checked the token, so that parsing one string with escapes is safe and rare.
    return view.includes(backslash)
      ? (JSON.parse(view.toString("utf8")) as string)
      : view.toString("utf8", 1, end - start - 1);
  }
  const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
  return isNumber ? view.toString("latin1") : undefined;
}

/**
 * Parses a record's cursor token.
 *
 * ISO timestamps with `Z` take a path without strings: they are the most common cursor, once a record. Their value is
 * a number, a safe integer: big integers cost memory.
 */
export function parseCursorToken(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: CursorFormat,
  zone: string,
): number | CursorValue | undefined {
  if (start < 0) return undefined;
  if (format === "iso") {
    const fast = parseIsoZulu(bytes, start, end);
    if (fast !== undefined) return fast;
  }
  const text = tokenText(bytes, start, end);
  return text === undefined ? undefined : parseCursor(text, format, zone);
}

/** `"YYYY-MM-DDThh:mm:ss[.f{1,6}]Z"` of the years 1970 to 2199 → µs; anything else: `undefined`, for the careful path. */
function parseIsoZulu(bytes: Uint8Array, start: number, end: number): number | undefined {
  const length = end - start;
  if (length < 22 || length > 29 || bytes[end - 2] !== 0x5a || bytes[start + 11] !== 0x54) return undefined;
  const year = digits(bytes, start + 1, 4);
  const month = digits(bytes, start + 6, 2);
  const day = digits(bytes, start + 9, 2);
  const hour = digits(bytes, start + 12, 2);
  const minute = digits(bytes, start + 15, 2);
  const second = digits(bytes, start + 18, 2);
  const isPlain =
    year >= 1970 &&
    year < 2200 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 && // 29 to 31: checked elsewhere.
    hour >= 0 &&
    hour < 24 &&
    minute >= 0 &&
    minute < 60 &&
    second >= 0 &&
    second < 60 &&
    bytes[start + 5] === 0x2d &&
    bytes[start + 8] === 0x2d &&
    bytes[start + 14] === 0x3a &&
    bytes[start + 17] === 0x3a;
  if (!isPlain) return undefined;
  let micros = 0;
  if (length > 22) {
    const count = length - 23;
    const fraction = bytes[start + 20] === 0x2e && count > 0 ? digits(bytes, start + 21, count) : -1;
    if (fraction < 0) return undefined;
    micros = fraction * 10 ** (6 - count);
  }
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1000 + micros;
}

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
