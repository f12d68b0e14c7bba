/** Queries drawn at random over a dataset, as addresses and as what they mean. */
import fc from "fast-check";
import type { PublishedColumn } from "../../src/model/dataset-manifest.ts";
import type { NaiveFilter, NaiveGroup, NaiveMeasure, NaiveSort } from "./naive-query.ts";
import { askable, type RandomDataset } from "./random-datasets.ts";

/** Parameters, names and values not yet encoded; lists as lists. */
export type Parameter = Readonly<{ name: string; value: string | readonly string[] }>;

const operatorsOf = (type: string): readonly string[] => {
  if (type === "json") return ["isnull"];
  if (type === "boolean") return ["eq", "ne", "in", "isnull"];
  const all = ["eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull", "between"];
  return type === "text" ? [...all, "like"] : all;
};

/** Names that a bare equality cannot have: the addresses' own parameters. */
const ownNames = ["limit", "offset", "sort", "cursor", "columns", "values", "by"];

const patterns = ["%", "a%", "%a", "_", "__", "%\\%", "a\\_b", "%,%", "é", "%\\", "%😀%", "x%y", ""];

function valueLike(type: string): fc.Arbitrary<string> {
  const known = fc.constantFrom(...askable(type));
  if (type === "text")
    return fc.oneof({ weight: 3, arbitrary: known }, { weight: 1, arbitrary: fc.string({ maxLength: 5 }) });
  if (type === "bigint")
    return fc.oneof(known, fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String));
  if (type === "double") return fc.oneof(known, fc.integer({ min: -5, max: 5 }).map(String));
  return known;
}

export type RandomFilter = Readonly<{ filter: NaiveFilter; parameter: Parameter }>;

function filterOn(columns: readonly PublishedColumn[], at: number): fc.Arbitrary<RandomFilter> {
  const { name, type } = columns[at]!;
  return (
    fc
      .record({
        operator: fc.constantFrom(...operatorsOf(type)),
        isBare: fc.boolean(),
        values: fc.array(valueLike(type === "json" ? "boolean" : type), { minLength: 2, maxLength: 4 }),
        isNull: fc.boolean(),
        pattern: fc.constantFrom(...patterns),
      })
      .map(({ operator, isBare, values, isNull, pattern }) => {
        const written =
          operator === "eq" && isBare && !ownNames.includes(name) ? name : `${name}.${operator}`;
        const [first = "", second = ""] = values;
        const said: Readonly<Record<string, readonly string[]>> = {
          isnull: [String(isNull)],
          like: [pattern],
          in: values,
          between: [first, second],
        };
        const wanted = said[operator] ?? [first];
        const isList = operator === "in" || operator === "between";
        const value = isList ? wanted : wanted[0]!;
        // A backslash at the end of a pattern stands for itself.
        const values_ =
          operator === "like" ? wanted.map((text) => text.replace(/(?<!\\)\\$/, "\\\\")) : wanted;
        return { filter: { column: at, operator, values: values_ }, parameter: { name: written, value } };
      })
      // `a.eq` may be a column of its own.
      .filter(
        ({ parameter }) => parameter.name === name || !columns.some((other) => other.name === parameter.name),
      )
  );
}

export const filtersOn = ({ schema: { columns } }: RandomDataset): fc.Arbitrary<readonly RandomFilter[]> =>
  fc.array(
    fc.nat(columns.length - 1).chain((at) => filterOn(columns, at)),
    { maxLength: 3 },
  );

export type RandomRows = Readonly<{
  filters: readonly RandomFilter[];
  sort: readonly NaiveSort[];
  columns: readonly number[];
  limit: number;
  /** Rows left out before the first page. */
  offset: number;
}>;

export function rowsOn(dataset: RandomDataset): fc.Arbitrary<RandomRows> {
  const { columns } = dataset.schema;
  const sortable = columns.flatMap(({ type }, at) => (type === "json" ? [] : [at]));
  return fc.record({
    filters: filtersOn(dataset),
    sort: fc
      .uniqueArray(fc.constantFrom(...sortable), { maxLength: 3 })
      .chain((chosen) =>
        fc.tuple(
          ...chosen.map((column) => fc.record({ column: fc.constant(column), isDescending: fc.boolean() })),
        ),
      ),
    columns: fc.oneof(fc.constant([]), fc.uniqueArray(fc.nat(columns.length - 1), { minLength: 1 })),
    limit: fc.oneof(fc.integer({ min: 1, max: 7 }), fc.constant(10_000)),
    offset: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
  });
}

export type RandomGroups = Readonly<{
  filters: readonly RandomFilter[];
  groups: readonly NaiveGroup[];
  measures: readonly NaiveMeasure[];
  limit: number;
}>;

const dateParts = ["year", "quarter", "month", "week", "day"];
const quantiles: Readonly<Record<string, number>> = { median: 0.5, p10: 0.1, p99: 0.99 };

export function groupsOn(dataset: RandomDataset): fc.Arbitrary<RandomGroups> {
  const { columns } = dataset.schema;
  const groups = columns.flatMap(({ name, type }, column): NaiveGroup[] => {
    if (type === "json") return [];
    const parts =
      type === "date" ? dateParts : type.startsWith("timestamp") ? [...dateParts, "hour", "minute"] : [];
    const free = parts.filter((part) => !columns.some((other) => other.name === `${name}.${part}`));
    return [{ column, part: undefined }, ...free.map((part) => ({ column, part }))];
  });
  const measures = columns.flatMap(({ type }, column): NaiveMeasure[] => {
    const isNumber = /^(bigint|double|decimal)/.test(type);
    const ordered = type === "json" ? [] : ["min", "max"];
    const numeric = isNumber ? ["sum", "avg", ...Object.keys(quantiles)] : [];
    return ["count", ...ordered, ...numeric].map((measure) => ({
      measure,
      column,
      share: quantiles[measure] ?? 0,
    }));
  });
  const rows: NaiveMeasure = { measure: "count", column: -1, share: 0 };
  return fc.record({
    filters: filtersOn(dataset),
    groups: fc.uniqueArray(fc.constantFrom(...groups), { maxLength: 3 }),
    measures: fc.uniqueArray(fc.constantFrom(rows, ...measures), { minLength: 1, maxLength: 5 }),
    limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(10_000)),
  });
}

/** The address of a path with parameters; how lists are encoded depends on who encodes them. */
export function address(path: string, parameters: readonly Parameter[], encodesCommas: boolean): string {
  if (parameters.length === 0) return path;
  return `${path}?${parameters.map((parameter) => encode(parameter, encodesCommas)).join("&")}`;
}

function encode({ name, value }: Parameter, encodesCommas: boolean): string {
  const text = typeof value === "string" ? encodeURIComponent(value) : encodeList(value, encodesCommas);
  return `${encodeURIComponent(name)}=${text}`;
}

const encodeList = (items: readonly string[], encodesCommas: boolean): string => {
  const quoted = items.map((item) => (/[",]/.test(item) ? `"${item.replaceAll('"', '""')}"` : item));
  return encodesCommas ? encodeURIComponent(quoted.join(",")) : quoted.map(encodeURIComponent).join(",");
};
