/**
 * A row's cursor as a number that sorts, in SQL: the same number line as `model/cursor.ts`, read from the typed column.
 *
 * `iso` and `epoch-*` become µs since the epoch, `integer` the number itself. Missing, unparseable and values below the
 * minimum are NULL, and sort lowest. The steps are columns of nested selects, so that the text is written once.
 */
import type { ColumnType } from "../../model/column-types.ts";
import type { CursorSpec } from "../../model/stream.ts";
import { type CursorStep, cursorColumn } from "../../model/stream-view.ts";
import { quoteName, quoteText, quoteTexts } from "./sql-text.ts";

/** A value at a dotted path: its first key's column, and below it inside of JSON. */
export function pathSql(
  schema: string,
  column: string,
  type: ColumnType,
  below: readonly string[],
  as: "json" | "text",
): string {
  if (below.length === 0) return column;
  const path = quoteTexts(below);
  const found =
    type.type === "json"
      ? `(${column} #> ${path})`
      : `${quoteName(schema)}._leat_path(CAST(${column} AS text), ${path})`;
  return as === "json" ? `NULLIF(CAST(${found} AS text), 'null')` : `(${found} #>> '{}')`;
}

/** The steps to the sorting value. `type` is that of `column`, at the path's first key. */
export function planCursorSteps(
  schema: string,
  cursor: CursorSpec,
  column: string,
  type: ColumnType,
): readonly CursorStep[] {
  const below = cursor.field.split(".").slice(1);
  const cellType: ColumnType = below.length === 0 ? type : { type: "text" };
  const cell = pathSql(schema, column, type, below, "text");
  const value = valueSql(schema, cursor, cell, cellType);
  if (value === undefined) return [{ name: cursorColumn, sql: "CAST(NULL AS numeric)" }];
  return [
    { name: "_leat_value", sql: value },
    { name: cursorColumn, sql: `CASE WHEN _leat_value >= ${cursor.minimum} THEN _leat_value END` },
  ];
}

function valueSql(schema: string, cursor: CursorSpec, cell: string, type: ColumnType): string | undefined {
  const of = (name: string) => `${quoteName(schema)}.${name}`;
  switch (type.type) {
    case "json":
      return textSql(of, cursor, `(${cell} #>> '{}')`);
    case "text":
    case "unknown":
      return textSql(of, cursor, cell);
    case "timestamptz":
      return cursor.format === "iso" ? epochSql(cell) : undefined;
    case "timestamp":
    case "date": {
      if (cursor.format !== "iso") return undefined;
      const wall = epochSql(`CAST(${cell} AS timestamp)`);
      return cursor.zone === "UTC" ? wall : `${of("_leat_instant_us")}(${wall}, ${quoteText(cursor.zone)})`;
    }
    case "bigint":
    case "hugeint":
    case "decimal":
      return numberSql(cursor, `CAST(${cell} AS numeric)`);
    case "double":
      return numberSql(cursor, `${of("_leat_exact")}(${cell})`);
    default:
      return undefined;
  }
}

const epochSql = (cell: string) => `CAST(extract(epoch FROM ${cell}) * 1000000 AS bigint)`;

function numberSql(cursor: CursorSpec, number: string): string | undefined {
  switch (cursor.format) {
    case "iso":
      return undefined; // Numbers are no ISO timestamps.
    case "integer":
      return `CASE WHEN ${number} = trunc(${number}) THEN ${number} END`;
    case "epoch-s":
      return `floor(${number} * 1000000)`;
    case "epoch-ms":
      return `floor(${number} * 1000)`;
  }
}

function textSql(of: (name: string) => string, cursor: CursorSpec, text: string): string {
  if (cursor.format === "iso") return `${of("_leat_iso_us")}(${text}, ${quoteText(cursor.zone)})`;
  const pattern = cursor.format === "integer" ? "^-?[0-9]{1,40}$" : "^-?[0-9]{1,20}([.][0-9]*)?$";
  const number = `CAST(${text} AS numeric)`;
  const factor = cursor.format === "epoch-s" ? 1_000_000 : 1000;
  const value = cursor.format === "integer" ? number : `floor(${number} * ${factor})`;
  return `CASE WHEN ${text} ~ ${quoteText(pattern)} THEN ${value} END`;
}
