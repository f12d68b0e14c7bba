/**
 * Rows found without an engine: in the version's own order by binary search over the codes of the columns that it is
 * sorted by, and within what is left by testing row after row.
 */
import type { QueryFilter } from "../ports/dataset-query.ts";
import { type CodeInterval, filterIntervals, intersect, isWithin } from "./code-intervals.ts";
import { comparableOf, isBefore } from "./column-value.ts";
import type { Pack } from "./pack.ts";
import type { Codes, PackedColumn } from "./packed-column.ts";

/** Rows tested one by one for a request at most: some 0.2 ms of the event loop. More are the engine's. */
export const testedRowsMax = 65_536;

/** A column's condition: by codes, or that its fragment is this one. */
type RowTest = Readonly<
  { codes: Codes; intervals: readonly CodeInterval[] } | { column: PackedColumn; fragment: string }
>;

/** Places `from <= place < to` in an order, of which those count that pass every test. */
export type RowRange = Readonly<{
  /** Row at each place; `undefined`: the version's own order, where place and row are the same. */
  order: Uint32Array | undefined;
  from: number;
  to: number;
  tests: readonly RowTest[];
}>;

/** An order of rows: by these columns, ascending. */
export type SearchOrder = Readonly<{ columns: readonly string[]; rows: Uint32Array | undefined }>;

/**
 * Finds the rows that filters let through.
 *
 * @param testedMax - rows that may be tested one by one.
 * @returns `undefined` when that takes an engine.
 */
export function searchRows(
  pack: Pack,
  order: SearchOrder,
  filters: readonly QueryFilter[],
  testedMax: number = testedRowsMax,
): RowRange | undefined {
  const wanted = planConditions(pack, filters);
  if (wanted === undefined) return undefined;
  const { coded, uncoded } = wanted;
  let span: Span = { from: 0, to: pack.rowCount };
  for (const name of order.columns) {
    const column = pack.column(name)!; // An order is made of columns that are there.
    const intervals = coded.get(name);
    const filter = uncoded.get(name);
    if (intervals !== undefined && intervals.length <= 1) {
      const [least, end] = intervals[0] ?? [0, 0];
      span = narrowByCode(column.codes!, order.rows, span, least, end); // Only a dictionary has intervals.
      coded.delete(name);
      if (end - least !== 1) break; // Rows of several values: the next column begins anew for each of them.
    } else if (filter !== undefined) {
      span = narrowByValue(column, order.rows, span, filter);
      uncoded.delete(name);
      if (filter.operator !== "eq") break;
    } else break;
  }
  const { from, to } = span;
  if ([...coded.values()].some((intervals) => intervals.length === 0))
    return { order: order.rows, from, to: from, tests: [] };
  const tests: RowTest[] = [...coded].map(([name, intervals]) => ({
    codes: pack.column(name)!.codes!, // Likewise.
    intervals,
  }));
  for (const [name, { operator, values }] of uncoded) {
    if (operator !== "eq") return undefined;
    const column = pack.column(name)!; // As above.
    tests.push({ column, fragment: column.kind.toFragment(values[0]!) });
  }
  if (tests.length > 0 && to - from > testedMax) return undefined;
  return { order: order.rows, from, to, tests };
}

type Span = Readonly<{ from: number; to: number }>;

type Conditions = Readonly<{
  /** Of dictionaries: the codes of all of a column's filters. */
  coded: Map<string, readonly CodeInterval[]>;
  /** Of other columns: the one filter that there may be. */
  uncoded: Map<string, QueryFilter>;
}>;

const searchable: ReadonlySet<string> = new Set(["eq", "lt", "lte", "gt", "gte", "between"]);

function planConditions(pack: Pack, filters: readonly QueryFilter[]): Conditions | undefined {
  const coded = new Map<string, readonly CodeInterval[]>();
  const uncoded = new Map<string, QueryFilter>();
  for (const filter of filters) {
    const column = pack.column(filter.column)!; // Parameters name columns that are there.
    if (column.codes === undefined) {
      if (uncoded.has(filter.column) || !searchable.has(filter.operator)) return undefined;
      uncoded.set(filter.column, filter);
      continue;
    }
    const intervals = filterIntervals(column, filter);
    if (intervals === undefined) return undefined;
    const before = coded.get(filter.column);
    coded.set(filter.column, before === undefined ? intervals : intersect(before, intervals));
  }
  return { coded, uncoded };
}

function narrowByCode(
  codes: Codes,
  order: Uint32Array | undefined,
  { from, to }: Span,
  least: number,
  end: number,
): Span {
  const lower = (code: number): number =>
    firstPlace(from, to, (place) => codes[order === undefined ? place : order[place]!]! >= code);
  return { from: lower(least), to: lower(end) };
}

/** The same by the values themselves, for a column without codes: some 20 of them are read and compared. */
function narrowByValue(
  column: PackedColumn,
  order: Uint32Array | undefined,
  { from, to }: Span,
  { operator, values }: QueryFilter,
): Span {
  const { kind } = column;
  const fragmentAt = (place: number): string => column.fragment(order === undefined ? place : order[place]!);
  const lower = (canonical: string, isAfter: boolean): number => {
    const wanted = comparableOf(kind, canonical);
    return firstPlace(from, to, (place) => !isBefore(kind, fragmentAt(place), wanted, isAfter));
  };
  const [first = "", second = first] = values;
  const hasLeast = operator !== "lt" && operator !== "lte";
  const hasMost = operator !== "gt" && operator !== "gte";
  const least = hasLeast ? lower(first, operator === "gt") : from;
  const most = hasMost
    ? lower(second, operator !== "lt")
    : firstPlace(from, to, (place) => fragmentAt(place) === "null"); // Comparisons are never true of null.
  return { from: least, to: Math.max(least, most) };
}

/** First place from which on `isReached` holds: it never does before, and always after. */
function firstPlace(from: number, to: number, isReached: (place: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Rows of a range from a place on. @param skip - rows that are left out before. */
export function readRows(range: RowRange, fromPlace: number, limit: number, skip = 0): number[] {
  const { order, to, tests } = range;
  const rows: number[] = [];
  const isAll = tests.length === 0; // Then rows that are left out need not be looked at.
  let left = isAll ? 0 : skip;
  let place = Math.max(range.from, fromPlace) + (isAll ? skip : 0);
  for (; place < to && rows.length < limit; place++) {
    const row = order === undefined ? place : order[place]!;
    if (!passes(tests, row)) continue;
    if (left > 0) left--;
    else rows.push(row);
  }
  return rows;
}

/** How many rows a range has. */
export function countRows({ order, from, to, tests }: RowRange): number {
  if (tests.length === 0) return to - from;
  let count = 0;
  for (let place = from; place < to; place++)
    if (passes(tests, order === undefined ? place : order[place]!)) count++;
  return count;
}

function passes(tests: readonly RowTest[], row: number): boolean {
  for (const test of tests) {
    if ("column" in test) {
      if (test.column.fragment(row) !== test.fragment) return false;
      continue;
    }
    const { codes, intervals } = test;
    const code = codes[row]!;
    const [only] = intervals;
    if (intervals.length === 1 ? code < only![0] || code >= only![1] : !isWithin(intervals, code))
      return false;
  }
  return true;
}
