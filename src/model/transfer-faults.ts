/**
 * What Google's Data Transfer Service would make something wrong of (`load: "dts"`). Pure, and known from the declaration
 * alone: a project is refused before anything of it is landed.
 */
import type { StreamSpec } from "./stream.ts";

const plainName = /^[\p{L}_][\p{L}\p{N}_]*$/u;
const ownPrefix = /^(_table_|_file_|_partition|_row_timestamp|__root__|_colidentifier|_change_)/i;

/**
 * Whether BigQuery takes a name of a column as it is: letters, digits and underscores, none of its own prefixes.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/schemas#column_names (read 2026-11-21): flexible names may hold more
 *   signs, but not in every statement and tool, and never a point, a quote or a bracket.
 */
export const isBigQueryName = (name: string): boolean => plainName.test(name) && !ownPrefix.test(name);

/** Why a stream cannot be loaded so, each the end of a sentence about it; none: it can. */
export function transferFaults(spec: StreamSpec): readonly string[] {
  const faults: string[] = [];
  const declared = new Set(Object.keys(spec.columns));
  const needed = [...spec.primaryKey, ...(spec.cursor === undefined ? [] : [spec.cursor.field])]
    .map((path) => path.split(".", 1)[0]!)
    .concat(spec.deletedField ?? []);
  const missing = [...new Set(needed)].filter(
    (name) => !declared.has(name) && name !== spec.partitions?.column,
  );
  if (declared.size === 0)
    faults.push("declares no `columns`, and the service needs the table's fields beforehand");
  else if (missing.length > 0)
    faults.push(
      `does not declare the type of ${missing.join(", ")}, by which rows are told apart and ordered`,
    );
  if (spec.primaryKey.length === 0)
    faults.push("has no primary key, so that records of a run that died could not be told from genuine ones");
  if (spec.writeDisposition === "replace")
    faults.push("is replaced as a whole, which the service cannot do in one step");
  if (spec.isMaterialized)
    faults.push("keeps its current rows in a table, which nobody would bring up to date");
  for (const [name, { type }] of Object.entries(spec.columns)) {
    if (!isBigQueryName(name)) faults.push(`has the column "${name}", a name that BigQuery does not take`);
    if (type === "decimal")
      faults.push(`declares ${name} as a decimal, which the service reads through 64 bits`);
    if (type === "json" && needed.includes(name))
      faults.push(`is told apart or ordered by ${name}, which is JSON`);
  }
  return faults;
}
