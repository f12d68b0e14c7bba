/** Which columns of labels each declared label column reads, and where it is unclear which of them is meant. */
import { printColumns } from "./cell-place.ts";
import { isBlank } from "./cell-text.ts";
import type { ColumnContent } from "./column-counts.ts";
import { holds } from "./column-match.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { type LabelSpec, type Layout, specsOf, toRegExp } from "./layout.ts";

/** Data rows in which it is seen how many labels a row has. */
const sampleRowsMax = 300;

/** Columns of labels, from left to right, by name of the declared column. */
export function assignLabels(
  grid: HeaderGrid,
  dataFrom: number,
  columns: readonly number[],
  layout: Layout,
): ReadonlyMap<string, readonly number[]> {
  const entries = specsOf(layout, "label").map(({ name, values }): [string, readonly number[]] => {
    if (values === null) return [name, columns];
    const pattern = toRegExp(values);
    return [name, columns.filter((column) => holds(grid, dataFrom, column, pattern))];
  });
  return new Map(entries);
}

/**
 * Says which label column could be several columns of the sheet.
 *
 * Labels on levels stand in one column a row: names of regions in B, of districts in C. Where most rows have a label in
 * several columns, and fewer are declared, one of them is something else, such as a kind of area that the publisher has
 * added: the first would be the name by chance only. Columns of numbers behind the labels, such as a total, leave no
 * doubt of the first.
 *
 * @returns `undefined`: it is clear.
 */
export function describeUnclearLabels(
  grid: HeaderGrid,
  dataFrom: number,
  labels: ReadonlyMap<string, readonly number[]>,
  layout: Layout,
  contentOf: (column: number) => ColumnContent,
): string | undefined {
  const specs = specsOf(layout, "label");
  for (const spec of specs) {
    if (typeof spec.label === "number" || spec.fill !== null) continue;
    const all = labels.get(spec.name)!;
    const lastText = all.findLastIndex((column) => contentOf(column) === "texts");
    const columns = spec.label === "last" ? all : all.slice(0, lastText + 1);
    const told = spec.label === "level" ? 1 : countOfSame(specs, labels, all);
    if (columns.length <= told) continue;
    const filled = columns.filter((column) => isFilledBeside(grid, dataFrom, columns, column, told));
    if (filled.length > told) {
      return `"${spec.name}" may be any of columns ${printColumns(filled)}, which are filled in the same rows`;
    }
  }
  return undefined;
}

/** How many different labels are declared of the same columns. */
function countOfSame(
  specs: readonly LabelSpec[],
  labels: ReadonlyMap<string, readonly number[]>,
  columns: readonly number[],
): number {
  const same = specs.filter(
    ({ name, label }) => label !== "level" && labels.get(name)!.join() === columns.join(),
  );
  return new Set(same.map(({ label }) => label)).size;
}

/** Whether most rows that have anything in the columns have more labels than are declared, and one in this column. */
function isFilledBeside(
  grid: HeaderGrid,
  dataFrom: number,
  columns: readonly number[],
  column: number,
  told: number,
): boolean {
  let rows = 0;
  let beside = 0;
  const end = Math.min(grid.head.rows.length, dataFrom + sampleRowsMax);
  for (let index = dataFrom; index < end; index++) {
    const count = columns.filter((other) => !isBlank(grid.rawCell(index, other))).length;
    if (count > 0) rows++;
    if (count > told && !isBlank(grid.rawCell(index, column))) beside++;
  }
  return beside * 2 > rows;
}
