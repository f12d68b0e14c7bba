/**
 * A landed line's values as typed cells, in GoogleSQL.
 *
 * Lines are read as text, and each key is taken out of it by the JSON functions for text, which hand out a number's
 * literal as it was written: nothing passes through a double. A value that is not what its column takes becomes a
 * reject, never a NULL or a neighbour of the value; so every conversion has its pattern, since casts are generous
 * (`0x10` is an integer to them).
 *
 * @see https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions (read 2026-11-21)
 */
import type { ColumnType } from "../../model/column-types.ts";
import { decimalDigitsMax } from "../../model/column-types.ts";
import { castType } from "./field-types.ts";
import { quotePattern } from "./sql-text.ts";

/** A number as JSON writes it, and as people write it in strings: a plus, a bare point. */
const numberPattern = "^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,4})?$";
const datePattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
/** Digits beyond the microsecond must be zeros: a cast fails on more than six. */
const timePattern = "[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?";
const zonePattern = "([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)";

/**
 * Functions that a script defines for itself. `leat_plain` writes a number without exponent and with at most `scale`
 * digits after the point, NULL where it needs more or is none: by moving digits of its text, as no type of the engine
 * is wide enough for every literal.
 */
export const cellFunctions: readonly string[] = [
  "CREATE TEMP FUNCTION leat_text(q STRING) RETURNS STRING AS (" +
    "CASE WHEN STARTS_WITH(q, '\"') THEN JSON_VALUE(q, '$') ELSE q END)",
  "CREATE TEMP FUNCTION leat_whole(t STRING) RETURNS STRING AS (" +
    `IFNULL(REGEXP_EXTRACT(t, ${quotePattern("^[+-]?([0-9]*)")}), ''))`,
  "CREATE TEMP FUNCTION leat_fraction(t STRING) RETURNS STRING AS (" +
    `IFNULL(REGEXP_EXTRACT(t, ${quotePattern("^[+-]?[0-9]*[.]([0-9]*)")}), ''))`,
  "CREATE TEMP FUNCTION leat_exponent(t STRING) RETURNS INT64 AS (" +
    `IFNULL(SAFE_CAST(REGEXP_EXTRACT(t, ${quotePattern("[eE]([+-]?[0-9]+)$")}) AS INT64), 0))`,
  // Digits without a point, of which the last `scale` are the fraction.
  "CREATE TEMP FUNCTION leat_shifted(digits STRING, shift INT64) RETURNS STRING AS (" +
    "LTRIM(CASE WHEN shift >= 0 THEN digits || REPEAT('0', shift) " +
    "WHEN LENGTH(digits) + shift <= 0 THEN '' ELSE SUBSTR(digits, 1, LENGTH(digits) + shift) END, '0'))",
  "CREATE TEMP FUNCTION leat_pointed(digits STRING, scale INT64) RETURNS STRING AS (" +
    "CASE WHEN scale = 0 THEN CASE WHEN digits = '' THEN '0' ELSE digits END " +
    "WHEN LENGTH(digits) <= scale THEN '0.' || LPAD(digits, scale, '0') " +
    "ELSE SUBSTR(digits, 1, LENGTH(digits) - scale) || '.' || SUBSTR(digits, LENGTH(digits) - scale + 1) END)",
  "CREATE TEMP FUNCTION leat_zeros(digits STRING) RETURNS INT64 AS (LENGTH(digits) - LENGTH(RTRIM(digits, '0')))",
  "CREATE TEMP FUNCTION leat_plain(t STRING, scale INT64) RETURNS STRING AS (" +
    `CASE WHEN t IS NULL THEN NULL WHEN REGEXP_CONTAINS(t, ${quotePattern("^-?[0-9]+$")}) THEN t ` +
    `WHEN NOT REGEXP_CONTAINS(t, ${quotePattern(numberPattern)}) THEN NULL ` +
    "WHEN RTRIM(leat_whole(t) || leat_fraction(t), '0') = '' THEN '0' " +
    "WHEN LENGTH(leat_fraction(t)) - leat_exponent(t) - leat_zeros(leat_whole(t) || leat_fraction(t)) > scale THEN NULL " +
    "ELSE CASE WHEN STARTS_WITH(t, '-') THEN '-' ELSE '' END || leat_pointed(leat_shifted(leat_whole(t) || " +
    "leat_fraction(t), scale - LENGTH(leat_fraction(t)) + leat_exponent(t)), scale) END)",
  "CREATE TEMP FUNCTION leat_room(n STRING, digits_max INT64) RETURNS STRING AS (" +
    "CASE WHEN LENGTH(LTRIM(leat_whole(n), '0')) <= digits_max THEN n END)",
  // Zero has one sign, since an integer that becomes a double in place has none to lose.
  "CREATE TEMP FUNCTION leat_double(t STRING) RETURNS FLOAT64 AS (" +
    `CASE WHEN REGEXP_CONTAINS(t, ${quotePattern(numberPattern)}) AND NOT IS_INF(SAFE_CAST(t AS FLOAT64)) ` +
    "THEN SAFE_CAST(t AS FLOAT64) + 0.0 END)",
  "CREATE TEMP FUNCTION leat_bool(t STRING) RETURNS BOOL AS (" +
    "CASE LOWER(t) WHEN 'true' THEN TRUE WHEN '1' THEN TRUE WHEN 'false' THEN FALSE WHEN '0' THEN FALSE END)",
  "CREATE TEMP FUNCTION leat_date(t STRING) RETURNS DATE AS (" +
    `CASE WHEN REGEXP_CONTAINS(t, ${quotePattern(`^${datePattern}$`)}) THEN SAFE_CAST(t AS DATE) END)`,
  // Seconds where there are none, at most six digits after them, offsets with a colon: what a cast reads.
  "CREATE TEMP FUNCTION leat_time(t STRING) RETURNS STRING AS (" +
    "REGEXP_REPLACE(REGEXP_REPLACE(REGEXP_REPLACE(UPPER(t), " +
    `${quotePattern("^(.{10}).([0-9]{2}:[0-9]{2})([Z+-].*)?$")}, ${quotePattern("\\1T\\2:00\\3")}), ` +
    `${quotePattern("([.][0-9]{6})0+")}, ${quotePattern("\\1")}), ` +
    `${quotePattern("([+-][0-9]{2})([0-9]{2})$")}, ${quotePattern("\\1:\\2")}))`,
  "CREATE TEMP FUNCTION leat_datetime(t STRING) RETURNS DATETIME AS (" +
    `CASE WHEN REGEXP_CONTAINS(t, ${quotePattern(`^${datePattern}(${timePattern})?$`)}) ` +
    "THEN SAFE_CAST(leat_time(t) AS DATETIME) END)",
  "CREATE TEMP FUNCTION leat_timestamp(t STRING) RETURNS TIMESTAMP AS (" +
    `CASE WHEN REGEXP_CONTAINS(t, ${quotePattern(`^${datePattern}(${timePattern}${zonePattern}?)?$`)}) ` +
    "THEN SAFE_CAST(leat_time(t) AS TIMESTAMP) END)",
];

/** A text as a type; NULL where it is none. `text` names the text of the value, `query` its JSON. */
export function convertCell(type: ColumnType, text: string, query: string): string {
  switch (type.type) {
    case "json":
      return query;
    case "text":
    case "unknown":
      return text;
    case "boolean":
      return `leat_bool(${text})`;
    case "bigint":
      return `SAFE_CAST(leat_plain(${text}, 0) AS INT64)`;
    case "hugeint":
      return `SAFE_CAST(leat_room(leat_plain(${text}, 0), ${decimalDigitsMax}) AS BIGNUMERIC)`;
    case "decimal": {
      const { precision, scale } = type;
      return `SAFE_CAST(leat_room(leat_plain(${text}, ${scale}), ${precision - scale}) AS ${castType(type)})`;
    }
    case "double":
      return `leat_double(${text})`;
    case "date":
      return `leat_date(${text})`;
    case "timestamp":
      return `leat_datetime(${text})`;
    case "timestamptz":
      return `leat_timestamp(${text})`;
  }
}

/** Whether a value of the type can fail to fit. */
export function canFail(type: ColumnType): boolean {
  return type.type !== "json" && type.type !== "text" && type.type !== "unknown";
}
