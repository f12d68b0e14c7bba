/** Columns of a dataset as SQL: names, lists, values for people and for the version's name. */
import type { DeclaredType } from "../../model/stream.ts";
import type { DatasetColumn, DatasetSpec } from "../../ports/dataset.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Tables of a scratch file. A dataset's own name cannot begin so. */
export const scratchTables = {
  /**
   * Rows as text: `_leat_f` input, `_leat_n` row within it, `_leat_r` row of its source, `_leat_p` place, `v0`, `v1`, …
   * values. No column of a dataset can be called `_leat_…`.
   */
  raw: "_leat_raw",
  /** The same rows as the columns' types. */
  typed: "_leat_typed",
  /** What is published, in its order. */
  sorted: "_leat_sorted",
} as const;

/** Column of a dataset by name; the caller has checked that there is one. */
export function columnOf(spec: DatasetSpec, name: string): DatasetColumn {
  const column = spec.columns.find(({ published }) => published.name === name);
  if (column === undefined) throw new Error(`the dataset ${spec.name} has no column ${name}`);
  return column;
}

/** All columns' names, quoted, in their order. */
export const columnList = (spec: DatasetSpec): string =>
  spec.columns.map(({ published }) => quoteName(published.name)).join(", ");

/** `a IS NOT DISTINCT FROM b` for every column of a key. */
export function sameKey(key: readonly string[], one: string, other: string): string {
  return key
    .map((name) => `${one}.${quoteName(name)} IS NOT DISTINCT FROM ${other}.${quoteName(name)}`)
    .join(" AND ");
}

/** Order of rows: nulls last, text by its bytes. */
export const orderBy = (names: readonly string[]): string =>
  names.map((name) => `${quoteName(name)} ASC NULLS LAST`).join(", ");

/** Some columns of a row as one JSON object, as text; decimals as text, so that nothing is rounded on the way. */
export function jsonOf(
  columns: readonly Readonly<{ name: string; sql: string; type: DeclaredType | undefined }>[],
): string {
  const members = columns.map(({ name, sql, type }) => `${quoteText(name)}, ${showSql(sql, type)}`);
  return `CAST(json_object(${members.join(", ")}) AS VARCHAR)`;
}

/** Named columns of a dataset for {@link jsonOf}; `from`: alias of the table. */
export function shown(
  spec: DatasetSpec,
  names: readonly string[],
  from?: string,
): Parameters<typeof jsonOf>[0] {
  return names.map((name) => ({
    name,
    sql: from === undefined ? quoteName(name) : `${from}.${quoteName(name)}`,
    type: columnOf(spec, name).type,
  }));
}

/** A value that JSON holds as it is. */
export function showSql(sql: string, type: DeclaredType | undefined): string {
  return type?.type === "decimal" ? `CAST(${sql} AS VARCHAR)` : sql;
}

/** A value as the text by which versions are told apart: independent of an engine's settings. */
export function canonicalSql(column: DatasetColumn): string {
  const name = quoteName(column.published.name);
  switch (column.type.type) {
    case "timestamp":
    case "timestamptz":
      return `CAST(epoch_us(${name}) AS VARCHAR)`;
    default:
      return `CAST(${name} AS VARCHAR)`;
  }
}
