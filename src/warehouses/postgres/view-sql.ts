/**
 * The current rows and the history of a stream, as SQL over its landing table.
 *
 * - A record is known by tenant, the partition's column where the stream has one, and the primary key. A record without
 *   its key, or of a stream without one, is its own: it is always shown.
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
  type ViewedStream,
} from "../../model/stream-view.ts";
import { ofStream, ownTable } from "./catalog.ts";
import { pathSql, planCursorSteps } from "./cursor-sql.ts";
import { relationsOf } from "./landing-table.ts";
import type { PostgresAddress } from "./postgres-address.ts";
import { allOf, anyOf, quoteName } from "./sql-text.ts";

/** What the views of a stream are made of. */
export type ViewInputs = ViewedStream & Readonly<{ address: PostgresAddress }>;

/** Parts of a record's key as SQL on a table of that alias: of the place (never null), then of the primary key. */
export function keySql(
  inputs: ViewInputs,
  alias: string,
): { place: readonly string[]; key: readonly string[] } {
  const { place, address } = inputs;
  const key = inputs.spec.primaryKey.map((path) => {
    const [first, ...below] = path.split(".");
    const { name, type } = findColumn(inputs, first!);
    const column = `${alias}.${quoteName(name)}`;
    if (below.length > 0) return pathSql(address.schema, column, type, below, "json");
    return type.type === "json" ? `CAST(${column} AS text)` : column; // The engine compares no json.
  });
  const tenant = `${alias}.${quoteName(place.tenantColumn)}`;
  if (place.partitionColumn === undefined) return { place: [tenant], key };
  // A row that was landed before the stream had partitions has none.
  return { place: [tenant, `coalesce(${alias}.${quoteName(place.partitionColumn)}, '')`], key };
}

/** The condition that a row has no key, so that it stands for itself. */
export function keylessSql(inputs: ViewInputs, alias: string): string {
  const { key } = keySql(inputs, alias);
  return key.length === 0 ? "true" : anyOf(key.map((part) => `${part} IS NULL`));
}

const landingOf = ({ address, spec }: ViewInputs): string => relationsOf(address, spec).landing.sql;

/** Rows of `base` (the landing table, or some of its rows) in packages that readers may see, with their cursor. */
function visibleSql(inputs: ViewInputs, base: string, by: CurrentOrder): string {
  const rows = withCursorSql(inputs, base, by);
  if (!inputs.hasGenerations) return `${rows} AS l`;
  const { address, spec, place } = inputs;
  const loads = ownTable({ address }, "loads");
  return (
    `(SELECT v.* FROM ${rows} AS v WHERE (v.${quoteName(place.tenantColumn)}, v.${leatColumns.package}) IN ` +
    `(SELECT p.tenant, p.seq FROM ${loads} AS p WHERE ${ofStream(spec, "p")} AND p.generation = COALESCE((` +
    `SELECT max(g.generation) FROM ${loads} AS g WHERE ${ofStream(spec, "g")} ` +
    "AND g.tenant = p.tenant AND g.completes), 0))) AS l"
  );
}

/** `base` with the column {@link cursorColumn} where a cursor orders the rows. */
function withCursorSql(inputs: ViewInputs, base: string, by: CurrentOrder): string {
  const { cursor } = inputs.spec;
  if (cursor === undefined || !isByCursor(inputs, by)) return base;
  const { name, type } = findColumn(inputs, cursor.field.split(".", 1)[0]!);
  const steps = planCursorSteps(inputs.address.schema, cursor, `l.${quoteName(name)}`, type);
  return steps.reduce((rows, { name, sql }) => `(SELECT l.*, ${sql} AS ${name} FROM ${rows} AS l)`, base);
}

function orderSql(hasCursor: boolean, direction: "ASC" | "DESC"): string {
  const nulls = direction === "ASC" ? "FIRST" : "LAST";
  const first = hasCursor ? `l.${cursorColumn} ${direction} NULLS ${nulls}, ` : "";
  return `${first}l.${leatColumns.package} ${direction}, l.${leatColumns.row} ${direction}`;
}

/** Whether a row says that its record is deleted; never null. */
function deletedSql(inputs: ViewInputs, alias: string): string {
  const { deletedField } = inputs.spec;
  if (deletedField === undefined) return "false";
  const { name, type } = findColumn(inputs, deletedField);
  const cell = `${alias}.${quoteName(name)}`;
  if (type.type === "boolean") return `COALESCE(${cell}, false)`;
  if (["text", "unknown", "json", "bigint", "hugeint", "double", "decimal"].includes(type.type)) {
    const text = type.type === "json" ? `(${cell} #>> '{}')` : `CAST(${cell} AS text)`;
    return `COALESCE(${text} NOT IN ('', 'false', '0'), false)`;
  }
  return `${cell} IS NOT NULL`;
}

/** The current rows. @param base - landing table or part of it; every version of the records concerned. */
export function currentSql(
  inputs: ViewInputs,
  base: string = landingOf(inputs),
  by: CurrentOrder = inputs.spec.currentBy,
): string {
  const names = currentColumns(inputs).map((name) => `n.${quoteName(name)}`);
  const alive = `NOT ${deletedSql(inputs, "n")}`;
  const ranked = rankedSql(inputs, base, by);
  if (ranked === undefined)
    return `SELECT ${names.join(", ")} FROM (SELECT l.* FROM ${visibleSql(inputs, base, by)}) AS n WHERE ${alive}`;
  return `SELECT ${names.join(", ")} FROM (${ranked}) AS n WHERE (${isNewestSql(inputs, "n")}) AND ${alive}`;
}

/** Tenant, package and row of the newest version of each record, be it a deletion. */
export function newestSql(inputs: ViewInputs): string {
  const { spec, place } = inputs;
  const row = [quoteName(place.tenantColumn), leatColumns.package, leatColumns.row].map(
    (name) => `n.${name}`,
  );
  const ranked = rankedSql(inputs, landingOf(inputs), spec.currentBy);
  const select = `SELECT ${row.join(", ")} FROM`;
  if (ranked === undefined)
    return `${select} (SELECT l.* FROM ${visibleSql(inputs, landingOf(inputs), spec.currentBy)}) AS n`;
  return `${select} (${ranked}) AS n WHERE ${isNewestSql(inputs, "n")}`;
}

/** Rows with their rank among the versions of their record, newest first; `undefined`: records have no key. */
function rankedSql(inputs: ViewInputs, base: string, by: CurrentOrder): string | undefined {
  const { place, key } = keySql(inputs, "l");
  if (key.length === 0) return undefined;
  const rank =
    `row_number() OVER (PARTITION BY ${[...place, ...key].join(", ")} ` +
    `ORDER BY ${orderSql(isByCursor(inputs, by), "DESC")})`;
  return `SELECT l.*, ${rank} AS _leat_rank FROM ${visibleSql(inputs, base, by)}`;
}

const isNewestSql = (inputs: ViewInputs, alias: string): string =>
  `${alias}._leat_rank = 1 OR ${keylessSql(inputs, alias)}`;

/** Every version with the span in which it was the newest. */
export function historySql(inputs: ViewInputs): string {
  const by = inputs.spec.currentBy;
  const cursor = `l.${cursorColumn}`;
  const extractedAt = `l.${leatColumns.extractedAt}`;
  const from =
    isByCursor(inputs, by) && isTimeCursor(inputs.spec.cursor!)
      ? `CASE WHEN ${cursor} BETWEEN ${earliestUs} AND ${latestUs} ` +
        `THEN ${quoteName(inputs.address.schema)}._leat_time(CAST(${cursor} AS bigint)) END`
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
    `${isNewest} AND NOT ${deleted} AS _leat_newest FROM ${visibleSql(inputs, landingOf(inputs), by)} ` +
    `WINDOW versions AS (${window})`;
  const names = currentColumns(inputs);
  const free = (name: string) => freeName(inputs, name);
  return (
    `SELECT ${names.map((name) => `n.${quoteName(name)}`).join(", ")}, n._leat_from AS ${free("valid_from")}, ` +
    `n._leat_to AS ${free("valid_to")}, n._leat_newest AS _leat_is_current FROM (${versions}) AS n`
  );
}

/** Keys whose current row differs between the two orders (I20), as JSON text of the key's parts. */
export function disagreementsSql(inputs: ViewInputs): string {
  const { place, key } = keySql(inputs, "l");
  if (!isByCursor(inputs, "cursor") || key.length === 0) return "SELECT NULL::text AS record WHERE false";
  const rank = (order: string) =>
    `row_number() OVER (PARTITION BY ${[...place, ...key].join(", ")} ORDER BY ${order})`;
  const parts = [...place, ...key].map((part) => `CAST(${part} AS text)`);
  return (
    `SELECT record FROM (SELECT CAST(to_json(ARRAY[${parts.join(", ")}]) AS text) AS record, ` +
    `${rank(orderSql(true, "DESC"))} AS by_cursor, ${rank(orderSql(false, "DESC"))} AS by_arrival FROM ` +
    `${visibleSql(inputs, landingOf(inputs), "cursor")} WHERE NOT (${keylessSql(inputs, "l")})) AS ranked ` +
    "WHERE by_cursor = 1 AND by_arrival <> 1"
  );
}

/** The condition that two rows with a key are of one record. */
export function sameRecordSql(inputs: ViewInputs, left: string, parts: readonly string[]): string {
  const { place, key } = keySql(inputs, left);
  return allOf([...place, ...key].map((part, at) => `${part} = ${parts[at]}`));
}
