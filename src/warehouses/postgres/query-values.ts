/**
 * Values of a result as JSON can hold them, by the same rules as of the embedded warehouse: integers are numbers while a
 * double holds them exactly, else text; decimals are text; dates and times are ISO 8601, with a zone in UTC with `Z`;
 * doubles that are not finite are text; JSON columns are their text.
 */

/** Oids of built-in types; they never change. */
const oids = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
} as const;

/** Digits by which a column of wide integers is known: decimals have 38 at most. */
const hugeintDigits = 39;

/** A value from the server's text. @param modifier - the column's type modifier, -1: none. */
export function toPlainValue(text: string, oid: number, modifier: number): string | number | boolean {
  switch (oid) {
    case oids.bool:
      return text === "t";
    case oids.int2:
    case oids.int4:
    case oids.oid:
    case oids.int8:
      return toInteger(text);
    case oids.float4:
    case oids.float8: {
      const value = Number(text);
      return Number.isFinite(value) ? value : text;
    }
    case oids.numeric:
      return isInteger(modifier) && /^-?\d+$/.test(text) ? toInteger(text) : text;
    case oids.date:
    case oids.timestamp:
    case oids.timestamptz:
      return toIsoTime(text, oid === oids.timestamptz);
    default:
      return text;
  }
}

/** Sums and counts of the server have no modifier; leat's own integers have 39 digits and none after the point. */
function isInteger(modifier: number): boolean {
  return modifier < 0 || modifier - 4 === hugeintDigits << 16;
}

function toInteger(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** `2024-01-01 05:06:07.5+00`, and years of other lengths and eras as ISO 8601 writes them. */
const timePattern = /^(\d{4,})(-\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?(?:\+00)?( BC)?$/;

function toIsoTime(text: string, isZoned: boolean): string {
  const match = timePattern.exec(text);
  if (match === null) return text; // `infinity`.
  const [, digits = "", day = "", time, era] = match;
  const year = era === undefined ? Number(digits) : 1 - Number(digits); // 1 BC is the year 0.
  const isPlain = year >= 0 && year <= 9999;
  const printed = isPlain
    ? String(year).padStart(4, "0")
    : `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
  if (time === undefined) return `${printed}${day}`;
  return `${printed}${day}T${time}${isZoned ? "Z" : ""}`;
}
