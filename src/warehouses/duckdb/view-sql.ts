/**
 * The current rows and the history of a stream, as SQL over its landing table.
 *
 * - A record is known by tenant, the partition's column where the stream has one (items are numbered anew in each order,
 *   and showing two rows of one thing is better than hiding one of two), and the primary key. A record without its key,
 *   or of a stream without one, is its own: it is always shown.
 * - Of the versions of a record the one with the greatest (cursor, package, row) is current (I20), or with the greatest
 *   (package, row) under `currentBy: "arrival"`. A cursor that is missing, no cursor, or below the minimum sorts lowest.
 * - Only packages of a tenant's visible generation count (I12): the newest that a package has completed.
 * - A version marked by `deletedField` takes its record out of current; in the history it ends the record's last span.
 * - Columns: tenant, partition, primary key, the others by name, then leat's own; in the history also `valid_from`,
 *   `valid_to` (null exactly for current rows) and `_leat_is_current`. `valid_from` is the cursor where that is a time
 *   and decides the order, null where it is missing, else the time of the extract.
 */

import { earliestUs, latestUs } from "../../model/cursor.ts";
import { leatColumns } from "../../model/stream.ts";
import {
  type CurrentOrder,
  currentColumns,
  cursorColumn,
  findColumn,
  freeName,
  isByCursor,
  isTimeCursor,
  placeColumns,
  type ViewedStream,
} from "../../model/stream-view.ts";
import { pathSql, planCursorSteps } from "./cursor-sql.ts";
import { landingOf } from "./landing-table.ts";
import { allOf, anyOf, quoteName, quoteText } from "./sql-text.ts";

/** Parts of a record's key as SQL on a table of that alias: of the place (never null), then of the primary key. */
export function keySql(
  inputs: ViewedStream,
  alias: string,
): { place: readonly string[]; key: readonly string[] } {
  const of = placeColumns(inputs.place);
  const key = inputs.spec.primaryKey.map((path) => {
    const [first, ...below] = path.split(".");
    const { name, type } = findColumn(inputs, first!);
    return pathSql(`${alias}.${quoteName(name)}`, type, below, "json");
  });
  return { place: of.map((name) => `${alias}.${quoteName(name)}`), key };
}

/** The condition that a row has no key, so that it stands for itself. */
export function keylessSql(inputs: ViewedStream, alias: string): string {
  const { key } = keySql(inputs, alias);
  return key.length === 0 ? "true" : anyOf(key.map((part) => `${part} IS NULL`));
}

/** Rows of `base` (the landing table, or some of its rows) in packages that readers may see, with their cursor. */
function visibleSql(inputs: ViewedStream, base: string, by: CurrentOrder): string {
  const rows = withCursorSql(inputs, base, by);
  if (!inputs.hasGenerations) return `${rows} l`;
  const { spec, place } = inputs;
  const mine = `source = ${quoteText(spec.source)} AND stream = ${quoteText(spec.name)}`;
  return (
    `${rows} l SEMI JOIN (SELECT tenant, seq FROM main._leat_loads AS p WHERE ${mine} ` +
    "AND generation = COALESCE((SELECT max(g.generation) FROM main._leat_loads AS g " +
    `WHERE g.source = ${quoteText(spec.source)} AND g.stream = ${quoteText(spec.name)} ` +
    "AND g.tenant = p.tenant AND g.completes), 0)) AS visible " +
    `ON visible.tenant = l.${quoteName(place.tenantColumn)} AND visible.seq = l.${leatColumns.package}`
  );
}

/** `base` with the column {@link cursorColumn} where a cursor orders the rows. */
function withCursorSql(inputs: ViewedStream, base: string, by: CurrentOrder): string {
  const { cursor } = inputs.spec;
  if (cursor === undefined || !isByCursor(inputs, by)) return base;
  const { name, type } = findColumn(inputs, cursor.field.split(".", 1)[0]!);
  const steps = planCursorSteps(cursor, `l.${quoteName(name)}`, type);
  return steps.reduce((rows, { name, sql }) => `(SELECT l.*, ${sql} AS ${name} FROM ${rows} l)`, base);
}

function orderSql(hasCursor: boolean, direction: "ASC" | "DESC"): string {
  const nulls = direction === "ASC" ? "FIRST" : "LAST";
  const first = hasCursor ? `l.${cursorColumn} ${direction} NULLS ${nulls}, ` : "";
  return `${first}l.${leatColumns.package} ${direction}, l.${leatColumns.row} ${direction}`;
}

/** Whether a row says that its record is deleted; never null. */
function deletedSql(inputs: ViewedStream, alias: string): string {
  const { deletedField } = inputs.spec;
  if (deletedField === undefined) return "false";
  const { name, type } = findColumn(inputs, deletedField);
  const cell = `${alias}.${quoteName(name)}`;
  if (type.type === "boolean") return `COALESCE(${cell}, false)`;
  if (["text", "json", "bigint", "hugeint", "double", "decimal"].includes(type.type)) {
    const text = type.type === "json" ? `(${cell} ->> '$')` : `CAST(${cell} AS VARCHAR)`;
    return `COALESCE(${text} NOT IN ('', 'false', '0'), false)`;
  }
  return `${cell} IS NOT NULL`;
}

/** The current rows. @param base - landing table or part of it; every version of the records concerned. */
export function currentSql(
  inputs: ViewedStream,
  base: string = landingOf(inputs.spec),
  by: CurrentOrder = inputs.spec.currentBy,
): string {
  const names = currentColumns(inputs).map((name) => `n.${quoteName(name)}`);
  return (
    `SELECT ${names.join(", ")} FROM (${newestSql(inputs, base, by)}) AS n ` +
    `WHERE NOT ${deletedSql(inputs, "n")}`
  );
}

/** The newest version of each record, be it a deletion, as it is in the landing table. */
export function newestSql(
  inputs: ViewedStream,
  base: string = landingOf(inputs.spec),
  by: CurrentOrder = inputs.spec.currentBy,
): string {
  const { place, key } = keySql(inputs, "l");
  const rank =
    key.length === 0
      ? ""
      : ` QUALIFY row_number() OVER (PARTITION BY ${[...place, ...key].join(", ")} ` +
        `ORDER BY ${orderSql(isByCursor(inputs, by), "DESC")}) = 1 OR ${keylessSql(inputs, "l")}`;
  return `SELECT l.* FROM ${visibleSql(inputs, base, by)}${rank}`;
}

/** Every version with the span in which it was the newest. */
export function historySql(inputs: ViewedStream): string {
  const by = inputs.spec.currentBy;
  const cursor = `l.${cursorColumn}`;
  const extractedAt = `l.${leatColumns.extractedAt}`;
  const from =
    isByCursor(inputs, by) && isTimeCursor(inputs.spec.cursor!)
      ? `CASE WHEN ${cursor} BETWEEN ${earliestUs} AND ${latestUs} THEN make_timestamptz(CAST(${cursor} AS BIGINT)) END`
      : extractedAt;
  const { place, key } = keySql(inputs, "l");
  const keyless = keylessSql(inputs, "l");
  const window = `PARTITION BY ${[...place, ...key].join(", ")} ORDER BY ${orderSql(isByCursor(inputs, by), "ASC")}`;
  const isNewest = `(${keyless} OR lead(l.${leatColumns.row}) OVER versions IS NULL)`;
  const next = `CASE WHEN NOT ${isNewest} THEN lead(COALESCE(${from}, ${extractedAt})) OVER versions END`;
  const deleted = deletedSql(inputs, "l");
  const versions =
    `SELECT l.*, ${from} AS _leat_from, COALESCE(${next}, ` +
    `CASE WHEN ${deleted} OR NOT ${isNewest} THEN COALESCE(${from}, ${extractedAt}) END) AS _leat_to, ` +
    `${isNewest} AND NOT ${deleted} AS _leat_newest FROM ${visibleSql(inputs, landingOf(inputs.spec), by)} ` +
    `WINDOW versions AS (${window})`;
  const names = currentColumns(inputs);
  const free = (name: string) => freeName(inputs, name);
  return (
    `SELECT ${names.map((name) => `n.${quoteName(name)}`).join(", ")}, n._leat_from AS ${free("valid_from")}, ` +
    `n._leat_to AS ${free("valid_to")}, n._leat_newest AS _leat_is_current FROM (${versions}) AS n`
  );
}

/** Keys whose current row differs between the two orders (I20), as JSON text of the key's parts. */
export function disagreementsSql(inputs: ViewedStream): string {
  const { place, key } = keySql(inputs, "l");
  if (!isByCursor(inputs, "cursor") || key.length === 0) return "SELECT NULL::VARCHAR AS record WHERE false";
  const rank = (order: string) =>
    `row_number() OVER (PARTITION BY ${[...place, ...key].join(", ")} ORDER BY ${order})`;
  const parts = [...place, ...key].map((part) => `CAST(${part} AS VARCHAR)`);
  return (
    `SELECT CAST(to_json([${parts.join(", ")}]) AS VARCHAR) AS record FROM ` +
    `${visibleSql(inputs, landingOf(inputs.spec), "cursor")} WHERE NOT (${keylessSql(inputs, "l")}) ` +
    `QUALIFY ${rank(orderSql(true, "DESC"))} = 1 AND ${rank(orderSql(false, "DESC"))} <> 1`
  );
}

/** The condition that two rows are of one record. */
export function sameRecordSql(inputs: ViewedStream, left: string, parts: readonly string[]): string {
  const { place, key } = keySql(inputs, left);
  return allOf([...place, ...key].map((part, at) => `${part} IS NOT DISTINCT FROM ${parts[at]}`));
}
