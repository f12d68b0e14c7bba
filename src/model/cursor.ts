/**
 * Cursor values on one number line. Timestamps are microseconds since 1970-01-01T00:00:00Z, rounded down; integers are
 * themselves. Everything that compares, adds or subtracts cursors uses these, never a Date (which cuts microseconds).
 */

/** **cursor** how far a stream has been landed, as a point: µs since the epoch, UTC (`timestamp`), or the integer itself (`integer`). */
export type CursorValue = bigint;

/**
 * How a record's cursor field is written.
 * `iso`: `2018-01-17T06:30:00[.fraction][Z|±hh:mm]`, also with a blank for the `T`, and plain `YYYY-MM-DD`; without a
 * zone it is read in the stream's declared zone. `epoch-s`, `epoch-ms`: a number or a string holding one, a fraction
 * allowed. `integer`: a whole number of any size, or a string holding one.
 */
export type CursorFormat = "iso" | "epoch-s" | "epoch-ms" | "integer";

/** How a parameter is written. `date` is `YYYY-MM-DD` in the declared zone. `iso-s` has no fraction. */
export type ParameterFormat = "iso-s" | "iso-ms" | "iso-us" | "date" | "epoch-s" | "epoch-ms" | "integer";

export const secondUs = 1_000_000n;
export const dayUs: bigint = 86_400n * secondUs;
/** `0001-01-01T00:00:00Z`. */
export const earliestUs = -62_135_596_800_000_000n;
/** `9999-12-31T23:59:59.999999Z`. */
export const latestUs = 253_402_300_799_999_999n;

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Parses a cursor value out of a record.
 *
 * @param text - the string's content or the number's literal.
 * @param zone - IANA zone for timestamps written without one; default UTC.
 * @returns `undefined` when the text is not a value of the format; the caller counts the record as unusable (I3).
 */
export function parseCursor(text: string, format: CursorFormat, zone = "UTC"): CursorValue | undefined {
  switch (format) {
    case "integer":
      return /^-?\d{1,40}$/.test(text) ? BigInt(text) : undefined;
    case "epoch-s":
      return parseScaled(text, 6);
    case "epoch-ms":
      return parseScaled(text, 3);
    case "iso":
      return parseIso(text, zone);
  }
}

function parseScaled(text: string, digits: number): CursorValue | undefined {
  const match = /^(-?)(\d{1,20})(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = (match[3] ?? "").padEnd(digits, "0");
  const magnitude = BigInt(match[2] + fraction.slice(0, digits));
  if (match[1] === "") return magnitude;
  return -magnitude - (/[1-9]/.test(fraction.slice(digits)) ? 1n : 0n); // Down, not towards zero.
}

function parseIso(text: string, zone: string): CursorValue | undefined {
  const match = isoPattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", offset] = match;
  const wallMs = utcMs(+year!, +month!, +day!, +hour, +minute, +second);
  if (wallMs === undefined) return undefined;
  const us = BigInt(wallMs) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  if (offset === undefined) return us - BigInt(wallOffsetMs(wallMs, zone)) * 1000n;
  if (offset === "Z" || offset === "z") return us;
  const [hours, rest] = [+offset.slice(1, 3), +(offset.slice(3).replace(":", "") || 0)];
  if (hours > 23 || rest > 59) return undefined;
  const minutes = hours * 60 + rest;
  return us - BigInt(offset.startsWith("-") ? -minutes : minutes) * 60n * secondUs;
}

function utcMs(year: number, month: number, day: number, hour: number, minute: number, second: number) {
  if (month < 1 || month > 12 || day < 1 || hour > 24 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return undefined;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

const zoneFormats = new Map<string, Intl.DateTimeFormat>();

/** Offset of a zone at an instant, ms east of UTC. */
export function zoneOffsetMs(instantMs: number, zone: string): number {
  if (zone === "UTC") return 0;
  let format = zoneFormats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    zoneFormats.set(zone, format);
  }
  const parts: Record<string, string> = {};
  for (const part of format.formatToParts(instantMs)) parts[part.type] = part.value;
  const wall = utcMs(
    +parts["year"]! * (parts["era"] === "BC" ? -1 : 1) + (parts["era"] === "BC" ? 1 : 0),
    +parts["month"]!,
    +parts["day"]!,
    +parts["hour"]!,
    +parts["minute"]!,
    +parts["second"]!,
  );
  return (wall ?? instantMs) - Math.floor(instantMs / 1000) * 1000;
}

/** Offset for a wall time; of two possible ones the larger, which gives the earlier instant and so rounds down. */
function wallOffsetMs(wallMs: number, zone: string): number {
  if (zone === "UTC") return 0;
  const before = zoneOffsetMs(wallMs - 86_400_000, zone);
  const after = zoneOffsetMs(wallMs + 86_400_000, zone);
  const fits = [before, after].filter((offset) => zoneOffsetMs(wallMs - offset, zone) === offset);
  return fits.length === 0 ? Math.max(before, after) : Math.max(...fits);
}

/** The unit of a parameter: what one step of it spans, in cursor units (µs, or 1 for integers). */
export function parameterUnit(format: ParameterFormat): bigint {
  switch (format) {
    case "iso-s":
    case "epoch-s":
      return secondUs;
    case "iso-ms":
    case "epoch-ms":
      return 1000n;
    case "iso-us":
    case "integer":
      return 1n;
    case "date":
      return dayUs;
  }
}

/** Greatest value the parameter can express that is not above `value`; days begin at midnight of the zone. */
export function roundDown(value: CursorValue, format: ParameterFormat, zone = "UTC"): CursorValue {
  if (format !== "date") return floorTo(value, parameterUnit(format));
  const offsetUs = BigInt(zoneOffsetMs(Number(floorDiv(value, 1000n)), zone)) * 1000n;
  const wallDayUs = floorTo(value + offsetUs, dayUs);
  return BigInt(dayStartMs(Number(wallDayUs / 1000n), zone)) * 1000n;
}

/**
 * The first instant of a day, whose midnight may not exist: in Santiago and Cairo clocks go forward at midnight. An
 * earlier instant would be printed as the day before.
 */
function dayStartMs(wallDayMs: number, zone: string): number {
  if (zone === "UTC") return wallDayMs;
  let early = wallDayMs - wallOffsetMs(wallDayMs, zone);
  const isReached = (instantMs: number) => instantMs + zoneOffsetMs(instantMs, zone) >= wallDayMs;
  if (isReached(early)) return early;
  // Whoever goes forward at midnight keeps the day before at `early`: the change is between, to the second.
  let late = early + 86_400_000;
  while (late - early > 1000) {
    const middle = Math.floor((early + late) / 2000) * 1000;
    if (isReached(middle)) late = middle;
    else early = middle;
  }
  return late;
}

/** Least value the parameter can express that is not below `value`. */
export function roundUp(value: CursorValue, format: ParameterFormat, zone = "UTC"): CursorValue {
  let rounded = roundDown(value, format, zone);
  // More than one step where a midnight came twice: in St. John's clocks went back at one past midnight until 2011.
  while (rounded < value) rounded = stepUp(rounded, format, zone);
  return rounded;
}

/** The parameter's next value above a rounded one; a day of 23 or 25 hours counts as one. */
export function stepUp(rounded: CursorValue, format: ParameterFormat, zone = "UTC"): CursorValue {
  if (format !== "date") return rounded + parameterUnit(format);
  return roundDown(rounded + (dayUs * 3n) / 2n, format, zone);
}

/** The parameter's next value below a rounded one. */
export function stepDown(rounded: CursorValue, format: ParameterFormat, zone = "UTC"): CursorValue {
  if (format !== "date") return rounded - parameterUnit(format);
  return roundDown(rounded - 1n, format, zone);
}

/** Prints a rounded value as the parameter wants it. */
export function formatParameter(value: CursorValue, format: ParameterFormat, zone = "UTC"): string {
  switch (format) {
    case "integer":
      return value.toString();
    case "epoch-s":
      return floorDiv(value, secondUs).toString();
    case "epoch-ms":
      return floorDiv(value, 1000n).toString();
    case "iso-s":
      return `${formatTimestamp(value).slice(0, 19)}Z`;
    case "iso-ms":
      return `${formatTimestamp(value).slice(0, 23)}Z`;
    case "iso-us":
      return formatTimestamp(value);
    case "date": {
      const offsetUs = BigInt(zoneOffsetMs(Number(floorDiv(value, 1000n)), zone)) * 1000n;
      return formatTimestamp(value + offsetUs).slice(0, 10);
    }
  }
}

/** `2018-01-17T06:30:00.000000Z`; sorts as text in the order of time. */
export function formatTimestamp(us: CursorValue): string {
  const ms = floorDiv(us, 1000n);
  const micros = us - ms * 1000n;
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${micros.toString().padStart(3, "0")}Z`;
}

/** A cursor as manifests and people write it. */
export const printCursor = (value: CursorValue, format: CursorFormat): string =>
  format === "integer" ? value.toString() : formatTimestamp(value);

const floorDiv = (value: bigint, unit: bigint) => (value - (((value % unit) + unit) % unit)) / unit;
const floorTo = (value: bigint, unit: bigint) => floorDiv(value, unit) * unit;

/** The smaller and the larger of two cursor values. */
export const minCursor = (a: CursorValue, b: CursorValue): CursorValue => (a < b ? a : b);
export const maxCursor = (a: CursorValue, b: CursorValue): CursorValue => (a > b ? a : b);
