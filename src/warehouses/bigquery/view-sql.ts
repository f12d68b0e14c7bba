/**
 * The current rows and the history of a stream, as GoogleSQL over its landing table. The rules are those of every
 * warehouse (docs/concepts/views.md); what is BigQuery's own:
 *
 * - Windows are not partitioned by doubles, so such a key is compared as text; `-0.0` is made `0.0` first.
 * - `SELECT * EXCEPT (row_num, …)` leaves out what the view works with.
 */
import { earliestUs, latestUs } from "../../model/cursor.ts";
import { leatColumns } from "../../model/stream.ts";
import {
  type CurrentOrder,
  type CursorStep,
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
import { allOf, anyOf, quoteName, quoteText } from "./sql-text.ts";

/** What the views of a stream are made of. */
export type ViewInputs = ViewedStream &
  Readonly<{
    /** The tables' paths, quoted. */
    landing: string;
    ledger: string;
  }>;

/** Parts of a record's key as SQL on a table of that alias: of the place (never null), then of the primary key. */
export function keySql(
  inputs: ViewInputs,
  alias: string,
): { place: readonly string[]; key: readonly string[] } {
  const of = placeColumns(inputs.place);
  const key = inputs.spec.primaryKey.map((path) => {
    const [first, ...below] = path.split(".");
    const { name, type } = findColumn(inputs, first!);
    const cell = `${alias}.${quoteName(name)}`;
    if (below.length === 0 && type.type === "double") return `CAST(${cell} + 0.0 AS STRING)`;
    return pathSql(cell, below, "json");
  });
  return { place: of.map((name) => `${alias}.${quoteName(name)}`), key };
}

/** The condition that a row has no key, so that it stands for itself. */
export function keylessSql(inputs: ViewInputs, alias: string): string {
  const { key } = keySql(inputs, alias);
  return key.length === 0 ? "TRUE" : anyOf(key.map((part) => `${part} IS NULL`));
}

const named = (names: readonly string[], alias: string): string =>
  names.map((name) => `${alias}.${quoteName(name)}`).join(", ");

/** Rows of `base` in packages that readers may see, aliased `l`, with their cursor; and the columns added to them. */
function visibleSql(inputs: ViewInputs, base: string, by: CurrentOrder) {
  const steps = cursorSteps(inputs, by);
  const rows = steps.reduce(
    (from, { name, sql }) => `(SELECT l.*, ${sql} AS ${name} FROM ${from} AS l)`,
    `(SELECT ${named(currentColumns(inputs), "l")} FROM ${base} AS l)`,
  );
  const added = steps.map(({ name }) => name);
  if (!inputs.hasGenerations) return { from: `${rows} AS l`, added };
  const { spec, place, ledger } = inputs;
  const isMine = (alias: string) =>
    `${alias}.source = ${quoteText(spec.source)} AND ${alias}.stream = ${quoteText(spec.name)}`;
  const visible =
    `SELECT p.tenant, p.seq FROM ${ledger} AS p LEFT JOIN (SELECT g.tenant, MAX(g.generation) AS generation ` +
    `FROM ${ledger} AS g WHERE ${isMine("g")} AND g.completes GROUP BY g.tenant) AS newest ` +
    `ON newest.tenant = p.tenant WHERE ${isMine("p")} AND p.generation = IFNULL(newest.generation, 0)`;
  return {
    from:
      `${rows} AS l JOIN (${visible}) AS visible ON visible.tenant = l.${quoteName(place.tenantColumn)} ` +
      `AND visible.seq = l.${leatColumns.package}`,
    added,
  };
}

function cursorSteps(inputs: ViewInputs, by: CurrentOrder): readonly CursorStep[] {
  const { cursor } = inputs.spec;
  if (cursor === undefined || !isByCursor(inputs, by)) return [];
  const { name, type } = findColumn(inputs, cursor.field.split(".", 1)[0]!);
  return planCursorSteps(cursor, `l.${quoteName(name)}`, type);
}

/** GoogleSQL sorts NULL lowest in both directions. */
function orderSql(hasCursor: boolean, direction: "ASC" | "DESC"): string {
  const first = hasCursor ? `l.${cursorColumn} ${direction}, ` : "";
  return `${first}l.${leatColumns.package} ${direction}, l.${leatColumns.row} ${direction}`;
}

/** Whether a row says that its record is deleted; never null. */
export function deletedSql(inputs: ViewInputs, alias: string): string {
  const { deletedField } = inputs.spec;
  if (deletedField === undefined) return "FALSE";
  const { name, type } = findColumn(inputs, deletedField);
  const cell = `${alias}.${quoteName(name)}`;
  switch (type.type) {
    case "boolean":
      return `IFNULL(${cell}, FALSE)`;
    case "json": // An object or array is something, and says so.
      return `IFNULL(IFNULL(JSON_VALUE(${cell}, '$'), 'x') NOT IN ('', 'false', '0') AND ${cell} IS NOT NULL, FALSE)`;
    case "text":
    case "unknown":
      return `IFNULL(${cell} NOT IN ('', 'false', '0'), FALSE)`;
    case "bigint":
    case "hugeint":
    case "double":
    case "decimal":
      return `IFNULL(${cell} <> 0, FALSE)`;
    default:
      return `${cell} IS NOT NULL`;
  }
}

/** The current rows, deleted ones among them, numbered per record, with the columns of the cursor. */
function rankedSql(inputs: ViewInputs, base: string, by: CurrentOrder) {
  const { from, added } = visibleSql(inputs, base, by);
  const { place, key } = keySql(inputs, "l");
  const rank =
    key.length === 0
      ? "1"
      : `ROW_NUMBER() OVER (PARTITION BY ${[...place, ...key].join(", ")} ` +
        `ORDER BY ${orderSql(isByCursor(inputs, by), "DESC")})`;
  const own = [named(currentColumns(inputs), "l"), ...added.map((name) => `l.${name}`)].join(", ");
  const rowNumber = freeName(inputs, "row_num");
  return {
    sql: `SELECT ${own}, ${rank} AS ${rowNumber} FROM ${from}`,
    added: [rowNumber, ...added],
    rowNumber,
  };
}

/** The current rows. @param base - landing table or part of it; every version of the records concerned. */
export function currentSql(inputs: ViewInputs, base: string = inputs.landing): string {
  const isShown = inputs.spec.deletedField === undefined ? "" : ` AND NOT ${deletedSql(inputs, "n")}`;
  return `${newestSql(inputs, base)}${isShown}`;
}

/** The newest version of each record, also of those that it says are deleted. */
export function newestSql(inputs: ViewInputs, base: string): string {
  const { sql, added, rowNumber } = rankedSql(inputs, base, inputs.spec.currentBy);
  const isOwn = inputs.spec.primaryKey.length === 0 ? "" : ` OR ${keylessSql(inputs, "n")}`;
  return `SELECT * EXCEPT (${added.join(", ")}) FROM (${sql}) AS n WHERE (n.${rowNumber} = 1${isOwn})`;
}

/** Every version with the span in which it was the newest. */
export function historySql(inputs: ViewInputs): string {
  const by = inputs.spec.currentBy;
  const { from } = visibleSql(inputs, inputs.landing, by);
  const isTimed = isByCursor(inputs, by) && isTimeCursor(inputs.spec.cursor!);
  const start = isTimed
    ? `CASE WHEN l.${cursorColumn} BETWEEN ${earliestUs} AND ${latestUs} THEN TIMESTAMP_MICROS(l.${cursorColumn}) END`
    : `l.${leatColumns.extractedAt}`;
  const { place, key } = keySql(inputs, "l");
  const window = `PARTITION BY ${[...place, ...key].join(", ")} ORDER BY ${orderSql(isByCursor(inputs, by), "ASC")}`;
  const names = currentColumns(inputs);
  const free = (name: string) => freeName(inputs, name);
  // In three steps, so that each is written once: where it begins, what comes after, whether it is the newest.
  const begun = `SELECT l.*, ${start} AS _leat_from, ${deletedSql(inputs, "l")} AS _leat_deleted FROM ${from}`;
  const followed =
    `SELECT l.*, ${keylessSql(inputs, "l")} OR LEAD(l.${leatColumns.row}) OVER versions IS NULL AS _leat_last, ` +
    `LEAD(IFNULL(l._leat_from, l.${leatColumns.extractedAt})) OVER versions AS _leat_next ` +
    `FROM (${begun}) AS l WINDOW versions AS (${window})`;
  return (
    `SELECT ${named(names, "n")}, n._leat_from AS ${free("valid_from")}, ` +
    `CASE WHEN n._leat_last AND NOT n._leat_deleted THEN NULL ` +
    `WHEN n._leat_last THEN IFNULL(n._leat_from, n.${leatColumns.extractedAt}) ` +
    `ELSE n._leat_next END AS ${free("valid_to")}, ` +
    `n._leat_last AND NOT n._leat_deleted AS _leat_is_current FROM (${followed}) AS n`
  );
}

/** Keys whose current row differs between the two orders (I20), as JSON text of the key's parts. */
export function disagreementsSql(inputs: ViewInputs): string | undefined {
  const { place, key } = keySql(inputs, "l");
  if (!isByCursor(inputs, "cursor") || key.length === 0) return undefined;
  const { from } = visibleSql(inputs, inputs.landing, "cursor");
  const rank = (order: string) =>
    `ROW_NUMBER() OVER (PARTITION BY ${[...place, ...key].join(", ")} ORDER BY ${order})`;
  const parts = [...place, ...key].map((part) => `CAST(${part} AS STRING)`);
  return (
    `SELECT n.record FROM (SELECT TO_JSON_STRING([${parts.join(", ")}]) AS record, ` +
    `${rank(orderSql(true, "DESC"))} AS by_cursor, ${rank(orderSql(false, "DESC"))} AS by_arrival ` +
    `FROM ${from} WHERE NOT (${keylessSql(inputs, "l")})) AS n WHERE n.by_cursor = 1 AND n.by_arrival <> 1`
  );
}

/** The condition that two rows are of one record; neither side of a key is null. */
export function sameRecordSql(inputs: ViewInputs, left: string, parts: readonly string[]): string {
  const { place, key } = keySql(inputs, left);
  const of = place.map(
    (part, at) => `(${part} = ${parts[at]} OR (${part} IS NULL AND ${parts[at]} IS NULL))`,
  );
  return allOf([...of, ...key.map((part, at) => `${part} = ${parts[place.length + at]}`)]);
}
