/**
 * Cells as the REST interface writes them, as values that JSON can hold: the forms of every warehouse (integers beyond
 * ±2^53 and decimals as text, times as ISO 8601, in UTC with `Z`).
 *
 * @see https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults (read 2026-11-21): rows are
 *   `f`, cells `v`; with `useInt64Timestamp` a TIMESTAMP is its µs since the epoch.
 */
import { decimalDigitsMax } from "../../model/column-types.ts";
import { formatTimestamp } from "../../model/cursor.ts";
import type { TableField } from "./field-types.ts";

type NestedField = TableField & Readonly<{ fields?: readonly NestedField[] }>;
type Cell = Readonly<{ v: unknown }>;

/** The value of a cell. */
export function readCell(value: unknown, field: NestedField): unknown {
  if (value === null || value === undefined) return null;
  if ((field.mode as string | undefined) === "REPEATED")
    return (value as readonly Cell[]).map(({ v }) => readCell(v, { ...field, mode: "NULLABLE" }));
  const text = String(value);
  switch (field.type) {
    case "INTEGER":
    case "INT64":
      return Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case "FLOAT":
    case "FLOAT64":
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case "BOOLEAN":
    case "BOOL":
      return text === "true";
    case "NUMERIC":
    case "BIGNUMERIC":
      // A wide whole number of a stream has this type alone; decimals are text.
      if (field.precision === String(decimalDigitsMax) && Number(field.scale ?? 0) === 0)
        return Number.isSafeInteger(Number(text)) ? Number(text) : text;
      return padScale(text, Number(field.scale ?? 0));
    case "TIMESTAMP":
      return `${trimZeros(formatTimestamp(BigInt(text)).slice(0, -1))}Z`;
    case "DATETIME":
      return trimZeros(text.replace(" ", "T"));
    case "RECORD":
    case "STRUCT": {
      const cells = (value as { f: readonly Cell[] }).f;
      return Object.fromEntries(
        (field.fields ?? []).map((inner, at) => [inner.name, readCell(cells[at]?.v, inner)]),
      );
    }
    default:
      return text;
  }
}

const trimZeros = (time: string): string => (time.includes(".") ? time.replace(/\.?0+$/, "") : time);

/** The service leaves out zeros at the end, which a column of a declared scale has. */
function padScale(text: string, scale: number): string {
  if (scale === 0 || /e/i.test(text)) return text;
  const [whole = "0", fraction = ""] = text.split(".");
  return `${whole}.${fraction.padEnd(scale, "0")}`;
}
