/**
 * The registry's types as BigQuery's.
 *
 * `json` is a STRING that holds JSON: the type JSON keeps numbers as 64-bit integers or doubles, and would round what a
 * partner sent; every JSON function takes text as well. Numbers of up to 38 digits are BIGNUMERIC, or NUMERIC where that
 * has room (29 digits before the point, 9 after it).
 *
 * @see https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-types (read 2026-11-21)
 */
import { type ColumnType, decimalDigitsMax } from "../../model/column-types.ts";

/** A column as the REST interface names it. */
export type TableField = Readonly<{
  name: string;
  type: string;
  mode?: "NULLABLE" | "REQUIRED";
  precision?: string;
  scale?: string;
  description?: string;
}>;

const numericScaleMax = 9;
const numericWholeDigitsMax = 29;

/** Whether a decimal fits NUMERIC, which is half as wide as BIGNUMERIC. */
const isNumeric = (precision: number, scale: number): boolean =>
  scale <= numericScaleMax && precision - scale <= numericWholeDigitsMax;

/** The type without its parameters: what a cast names. */
export function castType(type: ColumnType): string {
  switch (type.type) {
    case "unknown":
    case "text":
    case "json":
      return "STRING";
    case "boolean":
      return "BOOL";
    case "bigint":
      return "INT64";
    case "hugeint":
      return "BIGNUMERIC";
    case "double":
      return "FLOAT64";
    case "date":
      return "DATE";
    case "timestamp":
      return "DATETIME";
    case "timestamptz":
      return "TIMESTAMP";
    case "decimal":
      return isNumeric(type.precision, type.scale) ? "NUMERIC" : "BIGNUMERIC";
  }
}

/** The field of a column. */
export function tableField(name: string, type: ColumnType): TableField {
  const field = { name, type: castType(type), mode: "NULLABLE" as const };
  if (type.type === "decimal")
    return { ...field, precision: String(type.precision), scale: String(type.scale) };
  if (type.type === "hugeint") return { ...field, precision: String(decimalDigitsMax), scale: "0" };
  if (type.type === "json") return { ...field, description: "JSON, as the partner wrote it" };
  return field;
}

/** A field's type as GoogleSQL writes it: `NUMERIC(18, 3)`. */
export function printFieldType(field: Pick<TableField, "type" | "precision" | "scale">): string {
  const name = standardNames[field.type] ?? field.type;
  if (field.precision === undefined) return name;
  return `${name}(${field.precision}${field.scale === undefined || field.scale === "0" ? "" : `, ${field.scale}`})`;
}

/** The REST interface answers with the names of the older dialect. */
const standardNames: Readonly<Record<string, string>> = {
  INTEGER: "INT64",
  FLOAT: "FLOAT64",
  BOOLEAN: "BOOL",
  RECORD: "STRUCT",
};

/** Columns that a table may be clustered by at most. */
export const clusterColumnsMax = 4;

/** Whether tables can be clustered by a column of the type. */
export function isClusterable(type: ColumnType): boolean {
  return type.type !== "double";
}
