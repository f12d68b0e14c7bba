/**
 * Values of a column's type: how a parameter is read, how it stands in an answer, how two of them are ordered, and the
 * JSON schema of both. The same object checks requests and describes them in OpenAPI.
 *
 * Fragments (the JSON text of a value) are strings of one character a byte of UTF-8; see `serving-pack.ts`.
 */
import assert from "node:assert/strict";
import { type ColumnType, printColumnType } from "../model/column-types.ts";
import { formatTimestamp } from "../model/cursor.ts";
import type { JsonObject } from "../model/json-value.ts";

/** Something that `<` orders among its own kind. */
export type Comparable = string | number | bigint;

/** What is known of values of one type. */
export type ValueKind = Readonly<{
  type: string;
  /** Schema of a parameter, and of a value in an answer: one that a parameter can name, and whatever there may be. */
  parameter: JsonObject;
  answer: JsonObject;
  anyAnswer: JsonObject;
  /** What a value looks like, for people: `a date such as 2018-01-31`. */
  expects: string;
  /** Canonical text of a value, which the engine reads as well; `undefined`: it is none. */
  parse: (text: string) => string | undefined;
  /** The fragment of a canonical text, as packs have it. */
  toFragment: (canonical: string) => string;
  /** Orders as the engine does; `undefined`: a value beyond what is usual, such as `infinity` or a year before 1. */
  toComparable: (fragment: string) => Comparable | undefined;
}>;

/** UTF-8 as one character a byte. */
export const toBytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
/** And back. */
export const fromBytes = (bytes: string): string => Buffer.from(bytes, "latin1").toString("utf8");

/** The text of a fragment that is a JSON string, still in bytes; other fragments as they are. */
export function unquote(fragment: string): string {
  if (!fragment.startsWith('"')) return fragment;
  return fragment.includes("\\") ? String(JSON.parse(fragment)) : fragment.slice(1, -1);
}

const plain = (canonical: string): string => canonical;
const quoted = (canonical: string): string => `"${canonical}"`;

/** Longest text of a parameter that is compared with, in UTF-16 units; longer ones are nobody's code or name. */
export const parameterLengthMax = 2000;

/** Text that JSON has as it stands, between quotes. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

const text: ValueKind = {
  type: "text",
  parameter: { type: "string", maxLength: parameterLengthMax },
  answer: { type: "string" },
  anyAnswer: { type: "string" },
  expects: `a text of at most ${parameterLengthMax} characters`,
  parse: (value) => (value.isWellFormed() ? value : undefined),
  toFragment: (canonical) =>
    plainText.test(canonical) ? quoted(canonical) : toBytes(JSON.stringify(canonical)),
  toComparable: unquote,
};

/** A whole number that is its own canonical text. */
const plainInteger = /^(?:0|-?[1-9][0-9]{0,14})$/;
const integerPattern = "^-?[0-9]{1,38}$";

const bigint: ValueKind = {
  type: "bigint",
  parameter: { type: "integer" },
  answer: { type: "integer" },
  // Beyond 2^53 programs round numbers without a word; such values are their digits as text.
  anyAnswer: { type: ["integer", "string"], pattern: integerPattern },
  expects: "a whole number such as 2018",
  parse: (value) => {
    if (plainInteger.test(value)) return value;
    return /^-?[0-9]{1,38}$/.test(value) ? String(BigInt(value)) : undefined;
  },
  toFragment: (canonical) => (Number.isSafeInteger(Number(canonical)) ? canonical : quoted(canonical)),
  toComparable: (fragment) => (fragment.startsWith('"') ? BigInt(unquote(fragment)) : Number(fragment)),
};

const double: ValueKind = {
  type: "double",
  parameter: { type: "number" },
  answer: { type: "number" },
  // JSON has no word for infinities and for what is no number; they are text.
  anyAnswer: { type: ["number", "string"] },
  expects: "a number such as 2.5",
  parse: (value) => {
    if (!/^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(value)) return undefined;
    const number = Number(value) + 0; // No minus zero: it equals zero and prints differently.
    return Number.isFinite(number) ? String(number) : undefined;
  },
  toFragment: plain,
  toComparable: (fragment) => (fragment.startsWith('"') ? undefined : Number(fragment)),
};

const boolean: ValueKind = {
  type: "boolean",
  parameter: { type: "boolean" },
  answer: { type: "boolean" },
  anyAnswer: { type: "boolean" },
  expects: "true or false",
  parse: (value) => (value === "true" || value === "false" ? value : undefined),
  toFragment: plain,
  toComparable: (fragment) => (fragment === "true" ? 1 : 0),
};

/** A day that the calendar has, of the years 0001 to 9999. */
function parseDate(value: string): string | undefined {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(value);
  if (match === null || match[1] === "0000") return undefined;
  const day = new Date(`${value}T00:00:00Z`);
  return Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== value ? undefined : value;
}

const date: ValueKind = {
  type: "date",
  parameter: { type: "string", format: "date" },
  answer: { type: "string", format: "date" },
  anyAnswer: { type: "string" },
  expects: "a date such as 2018-01-31",
  parse: parseDate,
  toFragment: quoted,
  toComparable: (fragment) => (/^"[0-9]{4}-[0-9]{2}-[0-9]{2}"$/.test(fragment) ? fragment : undefined),
};

const timePattern =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6})0*)?$/;

/** Microseconds of a date and time without a zone. */
function parseMicros(value: string): bigint | undefined {
  const match = timePattern.exec(value);
  if (match === null) return undefined;
  const [, day = "", hours = "", minutes = "", seconds = "", fraction = ""] = match;
  if (parseDate(day) === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59)
    return undefined;
  return (
    BigInt(Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0"))
  );
}

/** As answers have it: as many digits of a second as it needs. */
function printMicros(micros: bigint): string {
  return formatTimestamp(micros)
    .slice(0, -1)
    .replace(/\.?0*$/, "");
}

const comparableTime = (fragment: string): Comparable | undefined => {
  const value = unquote(fragment).replace(/Z$/, "");
  return timePattern.test(value) ? value : undefined;
};

const timestamp: ValueKind = {
  type: "timestamp",
  parameter: {
    type: "string",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?$",
  },
  answer: { type: "string" },
  anyAnswer: { type: "string" },
  expects: "a date and time without a zone such as 2018-01-31T06:30:00",
  parse: (value) => {
    const micros = parseMicros(value);
    return micros === undefined ? undefined : printMicros(micros);
  },
  toFragment: quoted,
  toComparable: comparableTime,
};

const zonePattern = /(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))$/;

const timestamptz: ValueKind = {
  type: "timestamptz",
  parameter: { type: "string", format: "date-time" },
  answer: { type: "string", format: "date-time" },
  anyAnswer: { type: "string" },
  expects: "a date and time such as 2018-01-31T06:30:00Z (in an address, + is written %2B)",
  parse: (value) => {
    const zone = zonePattern.exec(value);
    const micros = zone === null ? undefined : parseMicros(value.slice(0, zone.index));
    if (zone === null || micros === undefined) return undefined;
    const [, sign, hours = "0", minutes = "0"] = zone;
    if (Number(hours) > 23 || Number(minutes) > 59) return undefined;
    const offset = BigInt(Number(hours) * 60 + Number(minutes)) * 60_000_000n;
    return `${printMicros(sign === "-" ? micros + offset : micros - offset)}Z`;
  },
  toFragment: quoted,
  toComparable: comparableTime,
};

/** JSON has no order and no canonical text: only whether it is there can be asked. */
const json: ValueKind = {
  type: "json",
  parameter: { type: "string" },
  answer: {},
  anyAnswer: {},
  expects: "nothing: JSON cannot be compared",
  parse: () => undefined,
  toFragment: plain,
  toComparable: () => undefined,
};

function decimal(precision: number, scale: number): ValueKind {
  const whole = precision - scale;
  const fraction = scale === 0 ? "" : `(\\.[0-9]{1,${scale}})?`;
  const pattern = `^-?[0-9]{1,${Math.max(whole, 1)}}${fraction}$`;
  return {
    type: printColumnType({ type: "decimal", precision, scale }),
    parameter: { type: "string", pattern },
    // As text: a program that reads a number rounds it.
    answer: { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?$" },
    anyAnswer: { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?$" },
    expects: `a number of at most ${whole} digits before and ${scale} after the point`,
    parse: (value) => {
      const match = /^(-?)([0-9]{1,38})(?:\.([0-9]{1,38}))?$/.exec(value);
      if (match === null) return undefined;
      const [, sign = "", before = "", after = ""] = match;
      const digits = before.replace(/^0+(?=.)/, "");
      const kept = after.replace(/0+$/, "");
      if (kept.length > scale || digits.replace(/^0$/, "").length > whole) return undefined;
      const isZero = /^0*$/.test(digits + kept);
      return `${isZero ? "" : sign}${digits}${scale === 0 ? "" : `.${kept.padEnd(scale, "0")}`}`;
    },
    toFragment: quoted,
    toComparable: (fragment) => BigInt(unquote(fragment).replace(".", "")),
  };
}

const kinds = {
  text,
  unknown: text,
  bigint,
  hugeint: bigint,
  double,
  boolean,
  date,
  timestamp,
  timestamptz,
  json,
};

/** The kind of a column's values. */
export function valueKind(type: ColumnType): ValueKind {
  return type.type === "decimal" ? decimal(type.precision, type.scale) : kinds[type.type];
}

/**
 * Whether a value stands before a usual one, as the engine orders them (`orEqual`: or equals it). Unusual values stand
 * before or behind all usual ones; nulls behind everything.
 */
export function isBefore(kind: ValueKind, fragment: string, wanted: Comparable, orEqual: boolean): boolean {
  if (fragment === "null") return false;
  const value = kind.toComparable(fragment);
  if (value === undefined) return /^"-|\(BC\)/.test(fragment); // `-infinity` and years before 1.
  return orEqual ? value <= wanted : value < wanted;
}

/** Whether a parameter can name a value, and every program read it as what it is. */
export const isUsual = (kind: ValueKind, fragment: string): boolean =>
  kind.type === "bigint"
    ? !fragment.startsWith('"')
    : kind.type === "json" || kind.toComparable(fragment) !== undefined;

/** A canonical text as what `isBefore` compares with: parameters are usual values. */
export function comparableOf(kind: ValueKind, canonical: string): Comparable {
  const wanted = kind.toComparable(kind.toFragment(canonical));
  assert(wanted !== undefined, "a parameter is a usual value");
  return wanted;
}
