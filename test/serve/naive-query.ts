/** Filters, order, groups and facets over rows in memory, the long way round. */
import type { PublishedColumn } from "../../src/model/dataset-manifest.ts";
import { compareCells, compareForSort, isLike, jsonOf, truncate } from "./naive-values.ts";
import type { Cell, Row } from "./published-versions.ts";

export type NaiveFilter = Readonly<{ column: number; operator: string; values: readonly string[] }>;
export type NaiveSort = Readonly<{ column: number; isDescending: boolean }>;
export type NaiveGroup = Readonly<{ column: number; part: string | undefined }>;
/** `share` of a quantile. */
export type NaiveMeasure = Readonly<{ measure: string; column: number; share: number }>;

/** Rows of a version, in its order. */
export class NaiveTable {
  readonly columns: readonly PublishedColumn[];
  readonly rows: readonly Row[];

  constructor(columns: readonly PublishedColumn[], rows: readonly Row[], order: readonly NaiveSort[]) {
    this.columns = columns;
    this.rows = [...rows].sort((one, other) => this.#compare(one, other, order));
  }

  #compare(one: Row, other: Row, order: readonly NaiveSort[]): number {
    for (const { column, isDescending } of order) {
      const found = compareForSort(this.columns[column]!, one[column]!, other[column]!, isDescending);
      if (found !== 0) return found;
    }
    return 0;
  }

  select(filters: readonly NaiveFilter[], sort: readonly NaiveSort[]): readonly Row[] {
    const found = this.rows.filter((row) => filters.every((filter) => this.#passes(row, filter)));
    return found.sort((one, other) => this.#compare(one, other, sort)); // Stable: the rest is the version's order.
  }

  #passes(row: Row, { column, operator, values }: NaiveFilter): boolean {
    const cell = row[column]!;
    if (operator === "isnull") return (cell === null) === (values[0] === "true");
    if (cell === null) return false;
    if (operator === "like") return isLike(cell, values[0]!);
    const [first, second] = values.map((value) => compareCells(this.columns[column]!, cell, value));
    switch (operator) {
      case "eq":
        return first === 0;
      case "ne":
        return first !== 0;
      case "lt":
        return first! < 0;
      case "lte":
        return first! <= 0;
      case "gt":
        return first! > 0;
      case "gte":
        return first! >= 0;
      case "between":
        return first! >= 0 && second! <= 0;
      default: // What is left is `in`.
        return values.some((value) => compareCells(this.columns[column]!, cell, value) === 0);
    }
  }

  /** Rows as objects of JSON, with these columns. */
  toJson(rows: readonly Row[], columns: readonly number[]): Record<string, unknown>[] {
    return rows.map((row) =>
      Object.fromEntries(
        columns.map((at) => [this.columns[at]!.name, jsonOf(this.columns[at]!, row[at]!)] as const),
      ),
    );
  }

  /** The commonest values; of equally common ones the lesser first, null last. */
  facet(filters: readonly NaiveFilter[], column: number, limit: number): unknown {
    const about = this.columns[column]!;
    const counts = new Map<Cell, number>();
    for (const row of this.select(filters, [])) {
      const cell = row[column]!;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
    const values = [...counts]
      .sort(([one, many], [other, more]) => more - many || compareForSort(about, one, other, false))
      .slice(0, limit)
      .map(([cell, count]) => ({ value: jsonOf(about, cell), count }));
    return { distinct: counts.size, values };
  }

  /** Groups in the order of their keys, each with its keys and then its measures. */
  aggregate(
    filters: readonly NaiveFilter[],
    groups: readonly NaiveGroup[],
    measures: readonly NaiveMeasure[],
  ): Readonly<{ keys: readonly Cell[]; measures: readonly unknown[] }>[] {
    const found = new Map<string, { keys: readonly Cell[]; rows: Row[] }>();
    if (groups.length === 0) found.set("[]", { keys: [], rows: [] });
    for (const row of this.select(filters, [])) {
      const keys = groups.map(({ column, part }) =>
        part === undefined ? row[column]! : truncate(this.columns[column]!, row[column]!, part),
      );
      const name = JSON.stringify(keys);
      const group = found.get(name) ?? { keys, rows: [] };
      group.rows.push(row);
      found.set(name, group);
    }
    return [...found.values()]
      .sort((one, other) => {
        for (const [at, { column }] of groups.entries()) {
          const order = compareForSort(this.columns[column]!, one.keys[at]!, other.keys[at]!, false);
          if (order !== 0) return order;
        }
        return 0;
      })
      .map(({ keys, rows }) => ({ keys, measures: measures.map((one) => this.#measure(rows, one)) }));
  }

  #measure(rows: readonly Row[], { measure, column, share }: NaiveMeasure): unknown {
    if (column < 0) return rows.length;
    const about = this.columns[column]!;
    const cells = rows.flatMap((row) => (row[column] === null ? [] : [row[column]!]));
    if (measure === "count") return cells.length;
    if (cells.length === 0) return null;
    const sorted = cells.sort((one, other) => compareCells(about, one, other));
    if (measure === "min") return jsonOf(about, sorted[0]!);
    if (measure === "max") return jsonOf(about, sorted.at(-1)!);
    if (measure === "sum") return sumOf(about, cells);
    if (measure === "avg") return cells.reduce((sum, cell) => sum + Number(cell), 0) / cells.length;
    const at = share * (sorted.length - 1);
    const [low, high] = [Number(sorted[Math.floor(at)]), Number(sorted[Math.ceil(at)])];
    const beyond = at - Math.floor(at);
    return low === high || beyond === 0 ? low : low * (1 - beyond) + high * beyond;
  }
}

function sumOf(column: PublishedColumn, cells: readonly string[]): unknown {
  if (column.type === "double") return cells.reduce((sum, cell) => sum + Number(cell), 0);
  const sum = cells.reduce((total, cell) => total + BigInt(cell.replace(".", "")), 0n);
  if (column.type === "bigint") return jsonOf(column, String(sum));
  const scale = Number(/,([0-9]+)\)$/.exec(column.type)![1]);
  const digits = String(sum < 0n ? -sum : sum).padStart(scale + 1, "0");
  const point = scale === 0 ? "" : `.${digits.slice(-scale)}`;
  return `${sum < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${point}`;
}
