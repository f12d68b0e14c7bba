/** Filters over a dictionary as intervals of codes: codes compare as their values do, so that a test is two numbers. */
import type { QueryFilter } from "../ports/dataset-query.ts";
import type { PackedColumn } from "./packed-column.ts";

/** Codes `from <= code < to`. Lists of them are sorted and do not touch. */
export type CodeInterval = readonly [from: number, to: number];

/** The codes that a filter lets through; `undefined`: it cannot be said here. */
export function filterIntervals(
  column: PackedColumn,
  filter: QueryFilter,
): readonly CodeInterval[] | undefined {
  if (column.codes === undefined) return undefined;
  const { operator, values } = filter;
  const { nullCode } = column;
  const codeOf = (value: string): number => column.codeOf(column.kind.toFragment(value));
  const ofCode = (code: number): readonly CodeInterval[] => (code < 0 ? [] : [[code, code + 1]]);
  switch (operator) {
    case "eq":
      return ofCode(codeOf(values[0]!));
    case "ne": {
      const code = codeOf(values[0]!);
      return code < 0 ? between(0, nullCode) : [...between(0, code), ...between(code + 1, nullCode)];
    }
    case "in":
      return joinCodes(values.map(codeOf).filter((code) => code >= 0));
    case "isnull":
      return values[0] === "true" ? between(nullCode, nullCode + 1) : between(0, nullCode);
    case "like":
      return undefined;
    default:
      return rangeIntervals(column, filter);
  }
}

function rangeIntervals(column: PackedColumn, { operator, values }: QueryFilter): readonly CodeInterval[] {
  const [first = "", second = ""] = values;
  const { nullCode } = column;
  switch (operator) {
    case "lt":
      return between(0, column.lowerCode(first, false));
    case "lte":
      return between(0, column.lowerCode(first, true));
    case "gt":
      return between(column.lowerCode(first, true), nullCode);
    case "gte":
      return between(column.lowerCode(first, false), nullCode);
    default: // The one that is left is `between`.
      return between(column.lowerCode(first, false), column.lowerCode(second, true));
  }
}

const between = (from: number, to: number): readonly CodeInterval[] => (from < to ? [[from, to]] : []);

/** Single codes as intervals, neighbours joined. */
function joinCodes(codes: readonly number[]): readonly CodeInterval[] {
  const joined: [number, number][] = [];
  for (const code of [...new Set(codes)].sort((a, b) => a - b)) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === code) last[1] = code + 1;
    else joined.push([code, code + 1]);
  }
  return joined;
}

/** Codes that are in both. */
export function intersect(
  one: readonly CodeInterval[],
  other: readonly CodeInterval[],
): readonly CodeInterval[] {
  return one.flatMap(([from, to]) =>
    other.flatMap(([otherFrom, otherTo]) => between(Math.max(from, otherFrom), Math.min(to, otherTo))),
  );
}

/** Whether a code is in one of them. */
export function isWithin(intervals: readonly CodeInterval[], code: number): boolean {
  let [low, high] = [0, intervals.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (intervals[middle]![1] <= code) low = middle + 1;
    else high = middle;
  }
  return low < intervals.length && intervals[low]![0] <= code;
}
