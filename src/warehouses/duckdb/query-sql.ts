/**
 * Queries over a version as SQL. Columns have names of our own in the engine's table (`c0`, `c1`, …), so that no name of
 * a dataset can mean something to the engine; values are quoted literals, cast to the column's type.
 */
import assert from "node:assert/strict";
import { type ColumnType, parseColumnType } from "../../model/column-types.ts";
import type { PublishedColumn } from "../../model/dataset-manifest.ts";
import type {
  AggregateQuery,
  FacetQuery,
  QueryFilter,
  QueryGroup,
  QueryMeasure,
  QuerySort,
  RowSelection,
  RowsPage,
  RowsQuery,
} from "../../ports/dataset-query.ts";
import { engineType } from "./cell-reading.ts";
import { quotePaths } from "./package-source.ts";
import { allOf, anyOf, quoteName, quoteText } from "./sql-text.ts";

/** A column of the engine's table. */
export type TableColumn = Readonly<{ cell: string; type: ColumnType }>;

/** What a version's table is called in its file. */
export const tableName = "rows";

/** A version's table: how SQL names it, and its columns by their published names. */
export type QueryTableFacts = Readonly<{ table: string; columns: ReadonlyMap<string, TableColumn> }>;

/** The columns of a manifest as columns of a table. */
export function tableColumns(columns: readonly PublishedColumn[]): ReadonlyMap<string, TableColumn> {
  return new Map(
    columns.map(({ name, type: text }, at) => {
      const type = parseColumnType(text);
      assert(type !== undefined, `a published column has the type ${text}`);
      return [name, { cell: `c${at}`, type }];
    }),
  );
}

/** The rows of a version's Parquet files, in order, as its table has them. */
export function partsSql(columns: ReadonlyMap<string, TableColumn>, paths: readonly string[]): string {
  const cells = [...columns].map(([name, { cell, type }]) => {
    const cast = `CAST(${quoteName(name)} AS ${engineType(type)})`;
    // Zero and minus zero are equal and print differently; a dictionary must have one of them.
    return `${type.type === "double" ? `${cast} + 0.0::DOUBLE` : cast} AS ${cell}`;
  });
  return `SELECT ${cells.join(", ")} FROM read_parquet(${quotePaths(paths)}, hive_partitioning = false)`;
}

function columnOf(facts: QueryTableFacts, name: string): TableColumn {
  const column = facts.columns.get(name);
  assert(column !== undefined, "the caller has checked the columns of its query");
  return column;
}

const int64Digits = 18;

/** A canonical text as a literal of a column's type. */
function literal(type: ColumnType, text: string): string {
  if (type.type === "text" || type.type === "unknown" || type.type === "json") return quoteText(text);
  // An integer beyond 64 bits is still comparable with those that are not.
  const isWide = type.type === "bigint" && text.replace("-", "").length > int64Digits;
  return `CAST(${quoteText(text)} AS ${isWide ? "HUGEINT" : engineType(type)})`;
}

function filterSql(facts: QueryTableFacts, { column, operator, values }: QueryFilter): string {
  const { cell, type } = columnOf(facts, column);
  const compare = (sign: string): string => `${cell} ${sign} ${literal(type, values[0]!)}`;
  switch (operator) {
    case "eq":
      return compare("=");
    case "ne":
      return compare("<>");
    case "lt":
      return compare("<");
    case "lte":
      return compare("<=");
    case "gt":
      return compare(">");
    case "gte":
      return compare(">=");
    case "in":
      return `${cell} IN (${values.map((value) => literal(type, value)).join(", ")})`;
    case "like":
      return `regexp_full_match(${cell}, ${quoteText(likePattern(values[0]!))}, 's')`;
    case "isnull":
      return `${cell} IS ${values[0] === "true" ? "" : "NOT "}NULL`;
    case "between":
      return `${cell} BETWEEN ${literal(type, values[0]!)} AND ${literal(type, values[1]!)}`;
  }
}

/**
 * A pattern of `like` as a regular expression, which the engine tests in a time that grows with the text alone. Its own
 * LIKE tries every way to divide a text among several `%`: three of them over a hundred texts of 80 letters took half a
 * second, and each further one takes twenty times as long.
 */
export function likePattern(pattern: string): string {
  let source = "";
  let isEscaped = false;
  for (const character of pattern) {
    const isSign: boolean = !isEscaped && (character === "%" || character === "_" || character === "\\");
    isEscaped = isSign && character === "\\";
    if (!isSign) source += `\\x{${character.codePointAt(0)!.toString(16)}}`;
    else if (character === "_") source += ".";
    else if (character === "%" && !source.endsWith("*")) source += ".*";
  }
  return source;
}

const whereSql = (facts: QueryTableFacts, filters: readonly QueryFilter[]): string =>
  allOf(filters.map((filter) => filterSql(facts, filter)));

const direction = (isDescending: boolean): string => `${isDescending ? "DESC" : "ASC"} NULLS LAST`;

/**
 * What rows are ordered by; what is left undecided, by the version's own order, which is that of row numbers. With the
 * table's name before each: a published column may be called `rowid` or `c0`, and files have it under that name.
 */
export const orderSql = (facts: QueryTableFacts, sort: readonly QuerySort[]): string =>
  [
    ...sort.map(({ column, isDescending }) => {
      const { cell } = columnOf(facts, column);
      return `${tableName}.${cell} ${direction(isDescending)}`;
    }),
    `${tableName}.rowid`,
  ].join(", ");

/** Rows that come after one row in an order: by the first column that differs. */
function afterSql(facts: QueryTableFacts, sort: readonly QuerySort[]): string {
  const steps = sort.map(({ column, isDescending }, at) => {
    const { cell } = columnOf(facts, column);
    const is = `_leat_at.k${at}`;
    const later = `(${is} IS NOT NULL AND (${cell} IS NULL OR ${cell} ${isDescending ? "<" : ">"} ${is}))`;
    return { later, same: `${cell} IS NOT DISTINCT FROM ${is}` };
  });
  const alternatives = steps.map(({ later }, at) =>
    allOf([...steps.slice(0, at).map(({ same }) => same), later]),
  );
  const isEqual = allOf([...steps.map(({ same }) => same), "rowid > _leat_at.row"]);
  return anyOf([...alternatives, isEqual]);
}

/** Row numbers of one page. */
export function rowsSql(facts: QueryTableFacts, query: RowsQuery): string {
  const { filters, sort, afterRow } = query;
  return `SELECT CAST(rowid AS UINTEGER) AS row FROM ${pageSql(facts, { filters, sort }, afterRow)} ORDER BY ${orderSql(facts, sort)}${limitSql(query)}`;
}

const limitSql = ({ skip, limit }: Pick<RowsPage, "skip" | "limit">): string =>
  ` LIMIT ${limit}${skip === 0 ? "" : ` OFFSET ${skip}`}`;

/** Rows of a selection, behind a row; to be ordered by {@link orderSql}. */
function pageSql(
  facts: QueryTableFacts,
  { filters, sort }: RowSelection,
  afterRow: number | undefined,
): string {
  const where = whereSql(facts, filters);
  if (afterRow === undefined) return `${facts.table} WHERE ${where}`;
  if (sort.length === 0) return `${facts.table} WHERE ${where} AND rowid > ${afterRow}`;
  const keys = sort.map(({ column }, at) => `${columnOf(facts, column).cell} AS k${at}`).join(", ");
  const at = `(SELECT rowid AS row, ${keys} FROM ${facts.table} WHERE rowid = ${afterRow}) AS _leat_at`;
  return `${facts.table}, ${at} WHERE ${where} AND (${afterSql(facts, sort)})`;
}

export function countSql(facts: QueryTableFacts, filters: readonly QueryFilter[]): string {
  return `SELECT count(*) AS total FROM ${facts.table} WHERE ${whereSql(facts, filters)}`;
}

/** All row numbers of a selection, in its order. */
export function rowNumbersSql(facts: QueryTableFacts, { filters, sort }: RowSelection): string {
  return `SELECT CAST(rowid AS UINTEGER) AS row FROM ${facts.table} WHERE ${whereSql(facts, filters)} ORDER BY ${orderSql(facts, sort)}`;
}

/** Whole rows of a selection, for files. */
export function selectSql(
  facts: QueryTableFacts,
  selection: RowSelection,
  columns: readonly string[],
  page: RowsPage | undefined,
): string {
  const names = columns.map((name) => `${columnOf(facts, name).cell} AS ${quoteName(name)}`).join(", ");
  const from = pageSql(facts, selection, page?.afterRow);
  const limit = page === undefined ? "" : limitSql(page);
  return `SELECT ${names} FROM ${from} ORDER BY ${orderSql(facts, selection.sort)}${limit}`;
}

/** Groups with their measures under their own names, each row with the number of all groups in `_leat_total`. */
export function aggregateSql(facts: QueryTableFacts, query: AggregateQuery): string {
  const { groups, measures, filters, sort, offset, limit } = query;
  const cells = [
    ...groups.map((group) => ({ name: group.name, sql: groupSql(facts, group) })),
    ...measures.map((measure) => ({ name: measure.name, sql: measureSql(facts, measure) })),
  ];
  const aliasOf = new Map(cells.map(({ name }, at) => [name, `v${at}`]));
  const by = groups.length === 0 ? "" : ` GROUP BY ${groups.map((_, at) => at + 1).join(", ")}`;
  const inner = cells.map(({ sql }, at) => `${sql} AS v${at}`).join(", ");
  const grouped = `SELECT ${inner} FROM ${facts.table} WHERE ${whereSql(facts, filters)}${by}`;
  const rest = groups.filter(({ name }) => !sort.some((key) => key.name === name));
  const order = [
    ...sort.map(({ name, isDescending }) => `${aliasOf.get(name)} ${direction(isDescending)}`),
    ...rest.map(({ name }) => `${aliasOf.get(name)} ${direction(false)}`),
  ];
  const ordered = order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
  return `SELECT *, count(*) OVER () AS _leat_total FROM (${grouped})${ordered} LIMIT ${limit} OFFSET ${offset}`;
}

/** The same without the number, each column under its published name, for files. */
export function groupsSql(facts: QueryTableFacts, query: AggregateQuery): string {
  const names = [...query.groups, ...query.measures].map(({ name }, at) => `v${at} AS ${quoteName(name)}`);
  return `SELECT ${names.join(", ")} FROM (${aggregateSql(facts, query)})`;
}

function groupSql(facts: QueryTableFacts, group: QueryGroup): string {
  const { cell, type } = columnOf(facts, group.column);
  if (group.part === undefined) return cell;
  // The engine makes a timestamp of a date. Nothing is added, so that it does not plan with the column's least and
  // greatest values: it cuts these off as well, and fails where one is infinite.
  return `CAST(date_trunc(${quoteText(group.part)}, ${cell} + INTERVAL 0 DAYS) AS ${engineType(type)})`;
}

/**
 * Measures that come out alike however the engine divides the work. A plain sum of doubles does not: it depends on the
 * order. Compensated sums differ in the last digits at most, and those are left out when they are printed.
 */
function measureSql(facts: QueryTableFacts, measure: QueryMeasure): string {
  if (measure.column === undefined) return "count(*)";
  const { cell, type } = columnOf(facts, measure.column);
  // A compensated sum makes NaN of an infinity; a plain one with it does not depend on the order.
  const ofDoubles = (name: "sum" | "avg"): string =>
    `CASE WHEN bool_and(isfinite(${cell})) THEN f${name}(${cell}) ELSE ${name}(${cell}) END`;
  const isDouble = type.type === "double";
  switch (measure.measure) {
    case "count":
      return `count(${cell})`;
    case "sum":
      return isDouble ? ofDoubles("sum") : `sum(${cell})`;
    case "avg":
      if (isDouble) return ofDoubles("avg");
      // The engine adds up before it divides, and decimals of many digits have no room for that.
      return type.type === "decimal" ? `favg(CAST(${cell} AS DOUBLE))` : `avg(${cell})`;
    case "min":
      return `min(${cell})`;
    case "max":
      return `max(${cell})`;
    case "quantile":
      return `quantile_cont(CAST(${cell} AS DOUBLE), ${measure.share})`;
  }
}

/** The commonest values, each with the number of different ones in `_leat_total`. */
export function facetSql(facts: QueryTableFacts, { column, filters, limit }: FacetQuery): string {
  const { cell } = columnOf(facts, column);
  const grouped = `SELECT ${cell} AS value, count(*) AS held FROM ${facts.table} WHERE ${whereSql(facts, filters)} GROUP BY 1`;
  return `SELECT value, held, count(*) OVER () AS _leat_total FROM (${grouped}) ORDER BY held DESC, value ASC NULLS LAST LIMIT ${limit}`;
}
