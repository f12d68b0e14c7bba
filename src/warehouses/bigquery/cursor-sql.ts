/**
 * A row's cursor as a value that sorts, in GoogleSQL: the same number line as `model/cursor.ts`, read from the typed
 * column.
 *
 * `iso` and `epoch-*` become µs since the epoch (INT64), `integer` a number, or where the column is text a text that
 * sorts like the number. Missing, unparseable and values below the minimum are NULL, and sort lowest. It is worked out
 * in steps, each a column that later ones name, since an expression that repeats its parts outgrows the statement.
 */
import type { ColumnType } from "../../model/column-types.ts";
import type { CursorSpec } from "../../model/stream.ts";
import { type CursorStep, cursorColumn } from "../../model/stream-view.ts";
import { quoteJsonPath, quotePattern, quoteText } from "./sql-text.ts";

/** A value at a dotted path: its first key's column, and below it by JSONPath. */
export function pathSql(column: string, below: readonly string[], as: "json" | "text"): string {
  if (below.length === 0) return column;
  const path = quoteJsonPath(below);
  return as === "json" ? `NULLIF(JSON_QUERY(${column}, ${path}), 'null')` : `JSON_VALUE(${column}, ${path})`;
}

/** The steps to the sorting value. `type` is that of `column`, at the path's first key. */
export function planCursorSteps(cursor: CursorSpec, column: string, type: ColumnType): readonly CursorStep[] {
  const below = cursor.field.split(".").slice(1);
  const cellType: ColumnType = below.length === 0 ? type : { type: "text" };
  const cell = pathSql(column, below, "text");
  const isText = ["text", "unknown", "json"].includes(cellType.type);
  const text = cellType.type === "json" ? `JSON_VALUE(${cell}, '$')` : cell;
  const value = isText ? [step("_leat_text", text), ...planText(cursor)] : planTyped(cursor, cell, cellType);
  if (value === undefined) return [step(cursorColumn, "CAST(NULL AS INT64)")];
  const least =
    isText && cursor.format === "integer"
      ? sortableInteger(quoteText(cursor.minimum.toString()))
      : cursor.minimum.toString();
  return [...value, step(cursorColumn, `CASE WHEN _leat_value >= ${least} THEN _leat_value END`)];
}

const step = (name: string, sql: string): CursorStep => ({ name, sql });

function planText(cursor: CursorSpec): readonly CursorStep[] {
  switch (cursor.format) {
    case "iso":
      return planIsoText(cursor.zone);
    case "epoch-s":
      return planScaledText(6);
    case "epoch-ms":
      return planScaledText(3);
    case "integer":
      return [step("_leat_value", sortableInteger("_leat_text"))];
  }
}

function planTyped(cursor: CursorSpec, cell: string, type: ColumnType): readonly CursorStep[] | undefined {
  if (cursor.format === "iso") return planIsoTyped(cursor.zone, cell, type);
  if (!["bigint", "hugeint", "double", "decimal"].includes(type.type)) return undefined;
  if (cursor.format === "integer") {
    if (type.type === "bigint" || type.type === "hugeint") return [step("_leat_value", cell)];
    return [
      step("_leat_value", `CASE WHEN ${cell} = TRUNC(${cell}) THEN SAFE_CAST(${cell} AS BIGNUMERIC) END`),
    ];
  }
  const fractionDigits = cursor.format === "epoch-s" ? 6 : 3;
  if (type.type === "bigint") return [step("_leat_value", `${cell} * ${10 ** fractionDigits}`)];
  return [step("_leat_text", `CAST(${cell} AS STRING)`), ...planScaledText(fractionDigits)];
}

function planIsoTyped(zone: string, cell: string, type: ColumnType): readonly CursorStep[] | undefined {
  if (type.type === "timestamptz") return [step("_leat_value", `UNIX_MICROS(${cell})`)];
  if (type.type !== "timestamp" && type.type !== "date") return undefined; // Numbers are no ISO timestamps.
  const wall = type.type === "date" ? `CAST(${cell} AS DATETIME)` : cell;
  return [
    step("_leat_wall", `UNIX_MICROS(TIMESTAMP(${wall}, 'UTC'))`),
    ...planOffset(zone),
    step("_leat_value", "_leat_wall - _leat_offset"),
  ];
}

/** Up to 40 digits as text that sorts like the number: sign, then digits, which are inverted below zero. */
function sortableInteger(text: string): string {
  const digits = `LPAD(LTRIM(${text}, '-'), 40, '0')`;
  return (
    `CASE WHEN REGEXP_CONTAINS(${text}, ${quotePattern("^[0-9]{1,40}$")}) THEN '1' || ${digits} ` +
    `WHEN REGEXP_CONTAINS(${text}, ${quotePattern("^-[0-9]{1,40}$")}) ` +
    `THEN '0' || TRANSLATE(${digits}, '0123456789', '9876543210') END`
  );
}

/** A number in text of seconds (`fractionDigits` 6) or milliseconds (3) as µs, rounded down, by its digits. */
function planScaledText(fractionDigits: 3 | 6): readonly CursorStep[] {
  const found = `IFNULL(REGEXP_EXTRACT(_leat_text, ${quotePattern("[.]([0-9]*)$")}), '')`;
  const whole = `SAFE_CAST(REGEXP_EXTRACT(_leat_text, ${quotePattern("^-?([0-9]{1,20})(?:[.]|$)")}) AS INT64)`;
  const head = `SAFE_CAST(SUBSTR(_leat_fraction, 1, ${fractionDigits}) AS INT64)`;
  const above = `CASE WHEN RTRIM(SUBSTR(_leat_fraction, ${fractionDigits + 1}), '0') = '' THEN 0 ELSE 1 END`;
  return [
    step(
      "_leat_fraction",
      `CASE WHEN LENGTH(${found}) < ${fractionDigits} THEN RPAD(${found}, ${fractionDigits}, '0') ELSE ${found} END`,
    ),
    // Beyond 18 digits nothing is an instant that a calendar has, and the product would overflow.
    step(
      "_leat_us",
      `CASE WHEN ABS(${whole}) < 1000000000000 * ${fractionDigits === 3 ? 1000 : 1} THEN ${whole} * ${10 ** fractionDigits} + ${head} END`,
    ),
    step(
      "_leat_value",
      `CASE WHEN NOT REGEXP_CONTAINS(_leat_text, ${quotePattern("^-?[0-9]{1,20}([.][0-9]*)?$")}) THEN NULL ` +
        `WHEN STARTS_WITH(_leat_text, '-') THEN -_leat_us - ${above} ELSE _leat_us END`,
    ),
  ];
}

const dayPattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}";
const clockPattern = "[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?";
const offsetPattern = "\\s?(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?";

/** Text as `parseCursor` reads it. */
function planIsoText(zone: string): readonly CursorStep[] {
  const extract = (pattern: string) => `REGEXP_EXTRACT(_leat_iso, ${quotePattern(pattern)})`;
  const number = (pattern: string) => `SAFE_CAST(IFNULL(${extract(pattern)}, '0') AS INT64)`;
  const clock = "^.{10}[Tt ]";
  const [hour, minute, second] = [
    number(`${clock}([0-9]{2})`),
    number(`${clock}[0-9]{2}:([0-9]{2})`),
    number(`${clock}[0-9]{2}:[0-9]{2}:([0-9]{2})`),
  ];
  const fraction = `SUBSTR(RPAD(IFNULL(${extract("[.,]([0-9]+)")}, ''), 6, '0'), 1, 6)`;
  const digits = "RPAD(REPLACE(SUBSTR(_leat_zone, 2), ':', ''), 4, '0')";
  const minutes = `SAFE_CAST(SUBSTR(${digits}, 1, 2) AS INT64) * 60 + SAFE_CAST(SUBSTR(${digits}, 3, 2) AS INT64)`;
  return [
    step(
      "_leat_iso",
      `CASE WHEN REGEXP_CONTAINS(_leat_text, ${quotePattern(`${dayPattern}(?:${clockPattern}${offsetPattern})?$`)}) ` +
        "THEN _leat_text END",
    ),
    step(
      "_leat_day",
      "UNIX_MICROS(TIMESTAMP(SAFE_CAST(SAFE_CAST(SUBSTR(_leat_iso, 1, 10) AS DATE) AS DATETIME), 'UTC'))",
    ),
    step("_leat_seconds", `(${hour} * 60 + ${minute}) * 60 + ${second}`),
    step("_leat_micros", `SAFE_CAST(${fraction} AS INT64)`),
    step("_leat_zone", `IFNULL(${extract("^.{16}.*?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)$")}, '')`),
    step(
      "_leat_wall",
      `CASE WHEN ${hour} <= 24 AND ${minute} <= 59 AND ${second} <= 60 ` +
        "THEN _leat_day + _leat_seconds * 1000000 + _leat_micros END",
    ),
    ...planOffset(zone),
    step(
      "_leat_value",
      "_leat_wall - CASE WHEN _leat_zone = '' THEN _leat_offset WHEN UPPER(_leat_zone) = 'Z' THEN 0 " +
        `ELSE (CASE WHEN STARTS_WITH(_leat_zone, '-') THEN -1 ELSE 1 END) * (${minutes}) * 60000000 END`,
    ),
  ];
}

const dayUs = 86_400_000_000;

/**
 * The zone's offset at a wall time, µs: of two possible ones the larger, as `model/cursor.ts` does it, since the
 * engine's own choice in the hour that a clock repeats may be the other one.
 */
function planOffset(zone: string): readonly CursorStep[] {
  if (zone === "UTC") return [step("_leat_offset", "0")];
  const offsetAt = (us: string) =>
    `UNIX_MICROS(TIMESTAMP(DATETIME(TIMESTAMP_MICROS(${us}), ${quoteText(zone)}), 'UTC')) - (${us})`;
  const fits = (name: string) => `(${offsetAt(`_leat_wall - ${name}`)}) = ${name}`;
  return [
    step("_leat_before", offsetAt(`_leat_wall - ${dayUs}`)),
    step("_leat_after", offsetAt(`_leat_wall + ${dayUs}`)),
    step(
      "_leat_offset",
      "CASE WHEN _leat_before = _leat_after THEN _leat_before " +
        `WHEN ${fits("_leat_before")} AND NOT ${fits("_leat_after")} THEN _leat_before ` +
        `WHEN ${fits("_leat_after")} AND NOT ${fits("_leat_before")} THEN _leat_after ` +
        "WHEN _leat_before > _leat_after THEN _leat_before ELSE _leat_after END",
    ),
  ];
}
