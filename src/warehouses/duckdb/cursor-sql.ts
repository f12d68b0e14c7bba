/**
 * A row's cursor as a value that sorts, in SQL: the same number line as `model/cursor.ts`, read from the typed column.
 *
 * `iso` and `epoch-*` become µs since the epoch (BIGINT, HUGEINT), `integer` a number, or where the column is text a
 * text that sorts like the number. Missing, unparseable and values below the minimum are NULL, and sort lowest.
 */
import type { ColumnType } from "../../model/column-types.ts";
import type { CursorSpec } from "../../model/stream.ts";
import { quotePointer, quoteText } from "./sql-text.ts";

/** Whether the cursor is an instant, so that versions have a time from which they were valid. */
export function isTimeCursor(cursor: CursorSpec): boolean {
  return cursor.format !== "integer";
}

/** A value at a dotted path: its first key's column, and below it by JSON pointer. */
export function pathSql(
  column: string,
  type: ColumnType,
  below: readonly string[],
  as: "json" | "text",
): string {
  if (below.length === 0) return column;
  const json = type.type === "json" ? column : `TRY_CAST(${column} AS JSON)`;
  return as === "json"
    ? `NULLIF(CAST(json_extract(${json}, ${quotePointer(below)}) AS VARCHAR), 'null')`
    : `json_extract_string(${json}, ${quotePointer(below)})`;
}

/** The sorting value of the cursor. `type` is that of the column at the path's first key. */
export function cursorSql(cursor: CursorSpec, column: string, type: ColumnType): string {
  const below = cursor.field.split(".").slice(1);
  const cell = pathSql(column, type, below, "text");
  const cellType: ColumnType = below.length === 0 ? type : { type: "text" };
  const value = valueSql(cursor, cell, cellType);
  if (value === undefined) return "CAST(NULL AS BIGINT)";
  const least = isTextInteger(cursor, cellType)
    ? sortableInteger(quoteText(cursor.minimum.toString()))
    : `${cursor.minimum}::HUGEINT`;
  return `CASE WHEN ${value} >= ${least} THEN ${value} END`;
}

function valueSql(cursor: CursorSpec, cell: string, type: ColumnType): string | undefined {
  if (type.type === "unknown" || type.type === "boolean") return undefined;
  switch (cursor.format) {
    case "iso":
      return isoSql(cursor.zone, cell, type);
    case "epoch-s":
      return scaledSql(cell, type, 1_000_000);
    case "epoch-ms":
      return scaledSql(cell, type, 1_000);
    case "integer":
      return isTextInteger(cursor, type) ? sortableInteger(textOf(cell, type)) : wholeSql(cell, type);
  }
}

/** A JSON column's strings without their quotes, anything else as text. */
function textOf(cell: string, type: ColumnType): string {
  return type.type === "json" ? `(${cell} ->> '$')` : `CAST(${cell} AS VARCHAR)`;
}

function isTextInteger(cursor: CursorSpec, type: ColumnType): boolean {
  return cursor.format === "integer" && (type.type === "text" || type.type === "json");
}

function wholeSql(cell: string, type: ColumnType): string | undefined {
  if (type.type === "bigint" || type.type === "hugeint") return `CAST(${cell} AS HUGEINT)`;
  // A fraction or an instant is no whole number; the column of a DOUBLE or DECIMAL may hold both.
  if (type.type !== "double" && type.type !== "decimal") return undefined;
  return `CASE WHEN ${cell} = trunc(${cell}) THEN TRY_CAST(${cell} AS HUGEINT) END`;
}

/** Up to 40 digits as text that sorts like the number: sign, then digits, which are inverted below zero. */
function sortableInteger(text: string): string {
  const digits = `lpad(ltrim(${text}, '-'), 40, '0')`;
  return (
    `CASE WHEN regexp_full_match(${text}, '[0-9]{1,40}') THEN '1' || ${digits} ` +
    `WHEN regexp_full_match(${text}, '-[0-9]{1,40}') THEN '0' || translate(${digits}, '0123456789', '9876543210') END`
  );
}

/** A number of seconds or milliseconds, rounded down to µs. By way of its shortest decimal text, never by a double's. */
function scaledSql(cell: string, type: ColumnType, factor: number): string {
  const text = textOf(cell, type);
  return (
    `CASE WHEN regexp_full_match(${text}, '-?[0-9]{1,20}(.[0-9]*)?') ` +
    `THEN CAST(floor(TRY_CAST(${text} AS DECIMAL(38,12)) * ${factor}) AS HUGEINT) END`
  );
}

function isoSql(zone: string, cell: string, type: ColumnType): string | undefined {
  switch (type.type) {
    case "timestamptz":
      return `epoch_us(${cell})`;
    case "timestamp":
    case "date":
      return instantSql(`epoch_us(CAST(${cell} AS TIMESTAMP))`, zone);
    case "text":
    case "json":
      return isoTextSql(zone, textOf(cell, type));
    default:
      return undefined; // Numbers are no ISO timestamps.
  }
}

const isoPattern =
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})" +
  "(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?\\s?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$";

/** Text as {@link parseCursor} reads it. */
function isoTextSql(zone: string, text: string): string {
  const group = (at: number) => `regexp_extract(${text}, ${quoteText(isoPattern)}, ${at})`;
  const number = (at: number) => `CAST(COALESCE(NULLIF(${group(at)}, ''), '0') AS BIGINT)`;
  const date = `TRY_CAST(concat(${group(1)}, '-', ${group(2)}, '-', ${group(3)}) AS DATE)`;
  const seconds = `((${number(4)} * 60 + ${number(5)}) * 60 + ${number(6)})`;
  const fraction = `CAST(rpad(left(${group(7)}, 6), 6, '0') AS BIGINT)`;
  const wall = `(epoch_us(CAST(${date} AS TIMESTAMP)) + ${seconds} * 1000000 + ${fraction})`;
  const offset = group(8);
  const digits = `rpad(replace(substr(${offset}, 2), ':', ''), 4, '0')`;
  const minutes = `(CAST(left(${digits}, 2) AS BIGINT) * 60 + CAST(right(${digits}, 2) AS BIGINT))`;
  return (
    `CASE WHEN NOT regexp_matches(${text}, ${quoteText(isoPattern)}) THEN NULL ` +
    `WHEN ${number(4)} > 24 OR ${number(5)} > 59 OR ${number(6)} > 60 THEN NULL ` +
    `WHEN ${offset} = '' THEN ${instantSql(wall, zone)} ` +
    `WHEN upper(${offset}) = 'Z' THEN ${wall} ` +
    `ELSE ${wall} - (CASE left(${offset}, 1) WHEN '-' THEN -1 ELSE 1 END) * ${minutes} * 60000000 END`
  );
}

const dayUs = 86_400_000_000;

/**
 * The instant of a wall time, both in µs: of two possible offsets the larger, as `model/cursor.ts` does it, since the
 * engine's own choice in the hour that a clock repeats is the other one.
 */
function instantSql(wallUs: string, zone: string): string {
  if (zone === "UTC") return wallUs;
  const offsetAt = (us: string) =>
    `(epoch_us(timezone(${quoteText(zone)}, make_timestamptz(${us}))) - ${us})`;
  const before = offsetAt(`(${wallUs} - ${dayUs})`);
  const after = offsetAt(`(${wallUs} + ${dayUs})`);
  const fits = (offset: string) => `${offsetAt(`(${wallUs} - ${offset})`)} = ${offset}`;
  return (
    `(${wallUs} - CASE WHEN ${before} = ${after} THEN ${before} ` +
    `WHEN ${fits(before)} AND NOT ${fits(after)} THEN ${before} ` +
    `WHEN ${fits(after)} AND NOT ${fits(before)} THEN ${after} ` +
    `ELSE greatest(${before}, ${after}) END)`
  );
}
