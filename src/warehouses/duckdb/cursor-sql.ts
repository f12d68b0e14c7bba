/**
 * A row's cursor as a value that sorts, in SQL: the same number line as `model/cursor.ts`, read from the typed column.
 *
 * `iso` and `epoch-*` become µs since the epoch (BIGINT, HUGEINT), `integer` a number, or where the column is text a
 * text that sorts like the number. Missing, unparseable and values below the minimum are NULL, and sort lowest.
 *
 * It is worked out in steps, each a column that later ones name, since an expression that repeats its parts grows
 * beyond what an engine plans in reasonable time (5 s for 98 rows of text in a zone with summer time, when inlined).
 */
import type { ColumnType } from "../../model/column-types.ts";
import type { CursorSpec } from "../../model/stream.ts";
import { type CursorStep, cursorColumn } from "../../model/stream-view.ts";
import { quotePointer, quoteText } from "./sql-text.ts";

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

/** The steps to the sorting value. `type` is that of `column`, at the path's first key. */
export function planCursorSteps(cursor: CursorSpec, column: string, type: ColumnType): readonly CursorStep[] {
  const below = cursor.field.split(".").slice(1);
  const cellType: ColumnType = below.length === 0 ? type : { type: "text" };
  const cell = pathSql(column, type, below, "text");
  const text = cellType.type === "json" ? `(${cell} ->> '$')` : `CAST(${cell} AS VARCHAR)`;
  const isText = cellType.type === "text" || cellType.type === "json";
  const steps = isText ? [step("_leat_text", text)] : [];
  const value = isText ? planText(cursor) : planTyped(cursor, cell, cellType);
  if (value === undefined) return [step(cursorColumn, "CAST(NULL AS BIGINT)")];
  const least =
    isText && cursor.format === "integer"
      ? sortableInteger(quoteText(cursor.minimum.toString()))
      : `${cursor.minimum}::HUGEINT`;
  return [...steps, ...value, step(cursorColumn, `CASE WHEN _leat_value >= ${least} THEN _leat_value END`)];
}

const step = (name: string, sql: string): CursorStep => ({ name, sql });

function planText(cursor: CursorSpec): readonly CursorStep[] {
  switch (cursor.format) {
    case "iso":
      return planIsoText(cursor.zone);
    case "epoch-s":
      return planScaledText("_leat_text", 6);
    case "epoch-ms":
      return planScaledText("_leat_text", 3);
    case "integer":
      return [step("_leat_value", sortableInteger("_leat_text"))];
  }
}

function planTyped(cursor: CursorSpec, cell: string, type: ColumnType): readonly CursorStep[] | undefined {
  if (cursor.format === "iso") return planIsoTyped(cursor.zone, cell, type);
  if (!["bigint", "hugeint", "double", "decimal"].includes(type.type)) return undefined;
  if (cursor.format !== "integer") {
    const fractionDigits = cursor.format === "epoch-s" ? 6 : 3;
    if (type.type === "bigint") return [step("_leat_value", `${cell}::HUGEINT * ${10 ** fractionDigits}`)];
    return [step("_leat_text", `CAST(${cell} AS VARCHAR)`), ...planScaledText("_leat_text", fractionDigits)];
  }
  if (type.type === "bigint" || type.type === "hugeint")
    return [step("_leat_value", `CAST(${cell} AS HUGEINT)`)];
  return [step("_leat_value", `CASE WHEN ${cell} = trunc(${cell}) THEN TRY_CAST(${cell} AS HUGEINT) END`)];
}

function planIsoTyped(zone: string, cell: string, type: ColumnType): readonly CursorStep[] | undefined {
  if (type.type === "timestamptz") return [step("_leat_value", `epoch_us(${cell})`)];
  if (type.type !== "timestamp" && type.type !== "date") return undefined; // Numbers are no ISO timestamps.
  return [
    step("_leat_wall", `epoch_us(CAST(${cell} AS TIMESTAMP))`),
    ...planOffset(zone),
    step("_leat_value", "_leat_wall - _leat_offset"),
  ];
}

/** Up to 40 digits as text that sorts like the number: sign, then digits, which are inverted below zero. */
function sortableInteger(text: string): string {
  const digits = `lpad(ltrim(${text}, '-'), 40, '0')`;
  return (
    `CASE WHEN regexp_full_match(${text}, '[0-9]{1,40}') THEN '1' || ${digits} ` +
    `WHEN regexp_full_match(${text}, '-[0-9]{1,40}') THEN '0' || translate(${digits}, '0123456789', '9876543210') END`
  );
}

/**
 * A number in text of seconds (`fractionDigits` 6) or milliseconds (3) as µs, rounded down: its digits are taken as they
 * are, since a double times a million is another number, and the engine's decimals of 38 digits are slow to read.
 */
function planScaledText(text: string, fractionDigits: 3 | 6): readonly CursorStep[] {
  const fraction = `rpad(regexp_extract(${text}, '\\.([0-9]*)$', 1), ${fractionDigits}, '0')`;
  const whole = `TRY_CAST(regexp_extract(${text}, '^-?([0-9]{1,20})(?:[.]|$)', 1) AS HUGEINT)`;
  const above = `CASE WHEN rtrim(substr(_leat_fraction, ${fractionDigits + 1}), '0') = '' THEN 0 ELSE 1 END`;
  return [
    step("_leat_fraction", fraction),
    step(
      "_leat_us",
      `${whole} * ${10 ** fractionDigits} + TRY_CAST(left(_leat_fraction, ${fractionDigits}) AS BIGINT)`,
    ),
    step(
      "_leat_value",
      `CASE WHEN NOT regexp_full_match(${text}, '-?[0-9]{1,20}(\\.[0-9]*)?') THEN NULL ` +
        `WHEN starts_with(${text}, '-') THEN -_leat_us - ${above} ELSE _leat_us END`,
    ),
  ];
}

const isoPattern =
  "^([0-9]{4})-([0-9]{2})-([0-9]{2})" +
  "(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?\\s?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$";
const isoGroups = "['y', 'mo', 'd', 'h', 'mi', 's', 'f', 'z']";

/** Text as `parseCursor` reads it. */
function planIsoText(zone: string): readonly CursorStep[] {
  const part = (name: string) => `_leat_iso.${name}`;
  const number = (name: string) => `TRY_CAST('0' || ${part(name)} AS BIGINT)`;
  const date = `TRY_CAST(concat(${part("y")}, '-', ${part("mo")}, '-', ${part("d")}) AS DATE)`;
  const seconds = `((${number("h")} * 60 + ${number("mi")}) * 60 + ${number("s")})`;
  const fraction = `CAST(rpad(left(${part("f")}, 6), 6, '0') AS BIGINT)`;
  const isTime = `${number("h")} <= 24 AND ${number("mi")} <= 59 AND ${number("s")} <= 60`;
  const digits = `rpad(replace(substr(${part("z")}, 2), ':', ''), 4, '0')`;
  const minutes = `TRY_CAST(left(${digits}, 2) AS BIGINT) * 60 + TRY_CAST(right(${digits}, 2) AS BIGINT)`;
  const sign = `CASE left(${part("z")}, 1) WHEN '-' THEN -1 ELSE 1 END`;
  return [
    step("_leat_iso", `regexp_extract(_leat_text, ${quoteText(isoPattern)}, ${isoGroups})`),
    step(
      "_leat_wall",
      `CASE WHEN ${isTime} THEN epoch_us(CAST(${date} AS TIMESTAMP)) + ${seconds} * 1000000 + ${fraction} END`,
    ),
    ...planOffset(zone),
    step(
      "_leat_value",
      `_leat_wall - CASE WHEN ${part("z")} = '' THEN _leat_offset WHEN upper(${part("z")}) = 'Z' THEN 0 ` +
        `ELSE (${sign}) * (${minutes}) * 60000000 END`,
    ),
  ];
}

const dayUs = 86_400_000_000;

/**
 * The zone's offset at a wall time, µs: of two possible ones the larger, as `model/cursor.ts` does it, since the
 * engine's own choice in the hour that a clock repeats is the other one.
 */
function planOffset(zone: string): readonly CursorStep[] {
  if (zone === "UTC") return [step("_leat_offset", "0")];
  const offsetAt = (us: string) =>
    `epoch_us(timezone(${quoteText(zone)}, make_timestamptz(${us}))) - (${us})`;
  const fits = (name: string) => `(${offsetAt(`_leat_wall - ${name}`)}) = ${name}`;
  return [
    step("_leat_before", offsetAt(`_leat_wall - ${dayUs}`)),
    step("_leat_after", offsetAt(`_leat_wall + ${dayUs}`)),
    step(
      "_leat_offset",
      `CASE WHEN _leat_before = _leat_after THEN _leat_before ` +
        `WHEN ${fits("_leat_before")} AND NOT ${fits("_leat_after")} THEN _leat_before ` +
        `WHEN ${fits("_leat_after")} AND NOT ${fits("_leat_before")} THEN _leat_after ` +
        `ELSE greatest(_leat_before, _leat_after) END`,
    ),
  ];
}
