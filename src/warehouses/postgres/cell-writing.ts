/**
 * How one column's values go from landed JSON to the binary form of COPY: a pure function of type and bytes (I14).
 *
 * Every value is looked at before the server sees it, so that what does not fit becomes a reject and not the end of the
 * whole COPY. Exact numbers are made of the digits that were landed, never of a double.
 */
import type { ColumnType } from "../../model/column-types.ts";
import { formatTimestamp, parseCursor } from "../../model/cursor.ts";
import type { CopyBuffer } from "./copy-buffer.ts";
import { hasRoom, parseNumber, printNumber } from "./number-text.ts";
import { tokens } from "./record-reader.ts";
import { daysAt, microsAt, secondsAt, type TimeForm, timeForm } from "./time-text.ts";

/** Why a value cannot be kept; `misfit`: it is none of its column's type. */
export type CellFault = "misfit" | "U+0000" | "half a surrogate pair";

/** Writes one value that is there and not null. What it wrote counts only when it gives no fault. */
export type WriteCell = (
  out: CopyBuffer,
  bytes: Uint8Array,
  token: number,
  start: number,
  end: number,
  hasEscape: boolean,
) => CellFault | undefined;

/** Digits that surely fit 64 bits, and a double without a look at its exponent. */
const shortDigits = { bigint: 18, double: 15 } as const;

/** Digits of 64 bits, and of the engine's widest numbers that leat makes. */
const digitsMax = { bigint: 19, hugeint: 38 } as const;

/** How values of a type are written. */
export function planCellWriter(type: ColumnType): WriteCell {
  switch (type.type) {
    case "text":
    case "unknown":
      return writeTextCell;
    case "json":
      return writeJsonCell;
    case "boolean":
      return writeBoolean;
    case "bigint":
      return writeWhole;
    case "hugeint":
      return decimalWriter(digitsMax.hugeint, 0);
    case "decimal":
      return decimalWriter(type.precision - type.scale, type.scale);
    case "double":
      return writeDouble;
    case "date":
    case "timestamp":
    case "timestamptz":
      return timeWriter(type.type);
  }
}

const writeTextCell: WriteCell = (out, bytes, token, start, end, hasEscape) => {
  if (token !== tokens.string) out.writeBytes(bytes, start, end);
  else if (!hasEscape) out.writeBytes(bytes, start + 1, end - 1);
  else {
    const fault = escapeFault(bytes, start, end);
    if (fault !== undefined) return fault;
    out.writeText(decodeString(bytes, start, end));
  }
  return undefined;
};

/** Of the landed text itself, so that numbers, order and spelling stay; U+0000 would fail whoever reads inside of it. */
const writeJsonCell: WriteCell = (out, bytes, _token, start, end, hasEscape) => {
  const fault = hasEscape ? escapeFault(bytes, start, end) : undefined;
  if (fault === undefined) out.writeBytes(bytes, start, end);
  return fault;
};

const writeBoolean: WriteCell = (out, bytes, token, start, end, hasEscape) => {
  if (token === tokens.true || token === tokens.false) {
    out.writeBoolean(token === tokens.true);
    return undefined;
  }
  const text = textOf(bytes, token, start, end, hasEscape)?.toLowerCase();
  if (text !== "true" && text !== "1" && text !== "false" && text !== "0") return "misfit";
  out.writeBoolean(text === "true" || text === "1");
  return undefined;
};

const bigintRange = { least: -(2n ** 63n), greatest: 2n ** 63n - 1n } as const;

const writeWhole: WriteCell = (out, bytes, token, start, end, hasEscape) => {
  if (token === tokens.number && countDigits(bytes, start, end) <= shortDigits.bigint) {
    out.writeDigits(bytes, start, end);
    return undefined;
  }
  const parts = parseNumber(numberTextOf(bytes, token, start, end, hasEscape));
  if (parts === undefined || !hasRoom(parts, digitsMax.bigint, 0)) return "misfit";
  const value = BigInt(printNumber(parts));
  if (value < bigintRange.least || value > bigintRange.greatest) return "misfit";
  out.writeBigint(value);
  return undefined;
};

/** Digits of a plain integer; more than any bound for every other number. */
function countDigits(bytes: Uint8Array, start: number, end: number): number {
  const from = bytes[start] === 0x2d ? start + 1 : start;
  for (let at = from; at < end; at += 1) if (!isDigit(bytes[at]!)) return Number.POSITIVE_INFINITY;
  return end > from ? end - from : Number.POSITIVE_INFINITY;
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

function decimalWriter(wholeMax: number, scaleMax: number): WriteCell {
  return (out, bytes, token, start, end, hasEscape) => {
    if (token === tokens.number && isPlainDecimal(bytes, start, end, wholeMax, scaleMax)) {
      out.writeNumeric(bytes, start, end);
      return undefined;
    }
    const parts = parseNumber(numberTextOf(bytes, token, start, end, hasEscape));
    if (parts === undefined || !hasRoom(parts, wholeMax, scaleMax)) return "misfit";
    const text = Buffer.from(printNumber(parts), "latin1");
    out.writeNumeric(text, 0, text.length);
    return undefined;
  };
}

/** Whether a JSON number without exponent has at most so many digits; then it needs no closer look. */
function isPlainDecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  wholeMax: number,
  scaleMax: number,
): boolean {
  const from = bytes[start] === 0x2d ? start + 1 : start;
  let at = from;
  while (at < end && isDigit(bytes[at]!)) at += 1;
  const whole = at - from;
  if (whole === 0 || (whole > wholeMax && !(whole === 1 && bytes[from] === 0x30))) return false;
  if (at === end) return true;
  if (bytes[at] !== 0x2e) return false;
  const point = at;
  for (at += 1; at < end; at += 1) if (!isDigit(bytes[at]!)) return false;
  return at - point - 1 <= scaleMax && at - point > 1;
}

const writeDouble: WriteCell = (out, bytes, token, start, end, hasEscape) => {
  const isShort = token === tokens.number && end - start <= shortDigits.double;
  if (isShort && isPlainDecimal(bytes, start, end, shortDigits.double, shortDigits.double)) {
    out.writeDouble(shortDouble(bytes, start, end));
    return undefined;
  }
  const text = numberTextOf(bytes, token, start, end, hasEscape);
  const parts = parseNumber(text);
  const value = parts === undefined ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || (value === 0 && parts?.digits !== "")) return "misfit"; // Beyond a double's range.
  out.writeDouble(value);
  return undefined;
};

/**
 * The nearest double of at most 15 digits with or without a point: the digits and the power of ten are exact doubles, so
 * that their quotient is rounded once (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
 */
function shortDouble(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d;
  let digits = 0;
  let scale = 0;
  for (let at = isNegative ? start + 1 : start; at < end; at += 1) {
    if (bytes[at] === 0x2e) scale = end - at - 1;
    else digits = digits * 10 + bytes[at]! - 0x30;
  }
  const value = scale === 0 ? digits : digits / powersOfTen[scale]!;
  return isNegative ? -value : value;
}

const powersOfTen = Float64Array.from({ length: shortDigits.double + 1 }, (_, power) => 10 ** power);

function timeWriter(type: "date" | "timestamp" | "timestamptz"): WriteCell {
  return (out, source, token, sourceStart, sourceEnd, hasEscape) => {
    if (token !== tokens.string) return "misfit";
    let bytes = source;
    let start = sourceStart + 1;
    let end = sourceEnd - 1;
    if (hasEscape) {
      if (escapeFault(source, sourceStart, sourceEnd) !== undefined) return "misfit";
      bytes = Buffer.from(decodeString(source, sourceStart, sourceEnd));
      start = 0;
      end = bytes.length;
    }
    const form = timeForm(bytes, start, end);
    if (form === undefined) return "misfit";
    if (type === "date" && form !== "date") return "misfit";
    if (type === "timestamp" && form !== "date" && form !== "naive") return "misfit";
    if (type === "date") out.writeDate(daysAt(bytes, start));
    else if (form !== "far") writeInstant(out, bytes, start, end, form);
    else {
      const us = parseCursor(Buffer.from(bytes.subarray(start, end)).toString("latin1"), "iso");
      const text = us === undefined ? "" : formatTimestamp(us);
      if (us === undefined || !/^(?!0000)\d{4}-/.test(text)) return "misfit"; // Another era, or beyond four digits.
      out.writeBigint(us - epochTo2000Us);
    }
    return undefined;
  };
}

/** Microseconds from 1970-01-01 to 2000-01-01, from where the server counts. */
const epochTo2000Us = 946_684_800_000_000n;

/** Seconds whose microseconds a double keeps exactly: 285 years. */
const safeSeconds = Math.floor(Number.MAX_SAFE_INTEGER / 1e6) - 1;

function writeInstant(out: CopyBuffer, bytes: Uint8Array, start: number, end: number, form: TimeForm): void {
  const seconds = secondsAt(bytes, start, end, form);
  const micros = form === "date" ? 0 : microsAt(bytes, start, end);
  if (Math.abs(seconds) <= safeSeconds) out.writeWhole(seconds * 1e6 + micros);
  else out.writeBigint(BigInt(seconds) * 1_000_000n + BigInt(micros));
}

/** The text of a value that may hold a number. */
function numberTextOf(
  bytes: Uint8Array,
  token: number,
  start: number,
  end: number,
  hasEscape: boolean,
): string {
  const isNumeric = token === tokens.number || token === tokens.string;
  return (isNumeric ? textOf(bytes, token, start, end, hasEscape) : undefined) ?? "";
}

/** A value as people would read it: of a string its content, else what was landed; `undefined`: no text. */
export function textOf(
  bytes: Uint8Array,
  token: number,
  start: number,
  end: number,
  hasEscape: boolean,
): string | undefined {
  if (token === tokens.string) {
    if (hasEscape) return isDecodable(bytes, start, end) ? decodeString(bytes, start, end) : undefined;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, end - start - 2).toString("utf8");
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

const isDecodable = (bytes: Uint8Array, start: number, end: number) =>
  escapeFault(bytes, start, end) === undefined;

/** The content of a string whose escapes have been looked at. */
function decodeString(bytes: Uint8Array, start: number, end: number): string {
  // A string in quotes, of known escapes.
  return JSON.parse(
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8"),
  ) as string;
}

const simpleEscapes: ReadonlySet<number> = new Set(Buffer.from('"\\/bfnrt'));

/** What is wrong with the escapes of a string, or of the strings inside of a nested value. */
export function escapeFault(bytes: Uint8Array, start: number, end: number): CellFault | undefined {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== 0x5c) continue;
    at += 1;
    if (bytes[at] !== 0x75) {
      if (!simpleEscapes.has(bytes[at]!)) return "misfit";
      continue;
    }
    const unit = readHex(bytes, at + 1);
    if (Number.isNaN(unit)) return "misfit";
    if (unit === 0) return "U+0000";
    at += 4;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const isPair = unit < 0xdc00 && bytes[at + 1] === 0x5c && bytes[at + 2] === 0x75;
    const low = isPair ? readHex(bytes, at + 3) : Number.NaN;
    if (!(low >= 0xdc00 && low <= 0xdfff)) return "half a surrogate pair";
    at += 6;
  }
  return undefined;
}

/** Four hexadecimal digits, or NaN. */
function readHex(bytes: Uint8Array, at: number): number {
  const text = String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  return /^[0-9a-fA-F]{4}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}
