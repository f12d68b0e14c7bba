/** Takes a row for the header of a table that has a column for each of its values. */
import { captionAbove, textsAbove, withTitleFields } from "./above-table.ts";
import { contentBelow, type FigureTest, isFigureRow } from "./column-counts.ts";
import { type ColumnMatch, matchColumns } from "./column-match.ts";
import type { FoundBy, FoundTable, IgnoredColumn, TableSearch } from "./found-table.ts";
import { blockAbove, type HeaderBlock, readColumnHeader } from "./header-block.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { assignLabels, describeUnclearLabels } from "./label-columns.ts";
import { type Layout, specsOf } from "./layout.ts";
import { describeMatch, describeWanted, noTable } from "./misses.ts";
import type { Fields } from "./wanted.ts";

/** What the row would be as the lowest row of a header. */
export function searchPlain(
  grid: HeaderGrid,
  isFigure: FigureTest,
  index: number,
  layout: Layout,
  fields: Fields,
): TableSearch {
  const block = blockAbove(grid, index);
  const known = withTitleFields(fields, textsAbove(grid, block[0]!), layout);
  const match = matchColumns(grid, block, index + 1, specsOf(layout, "cell"), known);
  const number = grid.numberOf(index);
  // The row is the lowest one: a declared header ends in it, and none goes on below.
  const found = [...match.columns.values(), ...match.ambiguous.flatMap(toColumns)];
  const columns = found.filter(({ by }) => by !== "values" && by !== "letter").map(({ column }) => column);
  if (!columns.some((column) => readColumnHeader(grid, block, column)?.lastRow === index))
    return noTable(0, describeWanted(layout, fields));
  if (goesOn(grid, index, match.columns.values()))
    return noTable(1, `the header of row ${number} goes on below`);
  return toTable(grid, isFigure, block, index, layout, known, match);
}

/** The table of a sheet without a header: its first row is data. */
export function takeHeaderless(
  grid: HeaderGrid,
  isFigure: FigureTest,
  _index: number,
  layout: Layout,
  fields: Fields,
): TableSearch {
  const match = matchColumns(grid, [], 0, specsOf(layout, "cell"), fields);
  return toTable(grid, isFigure, [], -1, layout, fields, match);
}

function toColumns({
  columns,
  by,
}: ColumnMatch["ambiguous"][number]): readonly Readonly<{ column: number; by: FoundBy }>[] {
  return columns.map((column) => ({ column, by }));
}

function goesOn(grid: HeaderGrid, index: number, columns: Iterable<Readonly<{ column: number }>>): boolean {
  const number = grid.numberOf(index);
  for (const { column } of columns) {
    const range = grid.cell(index, column)?.range;
    // A merged cell that goes on to the last row is a lone box and not a header of several rows.
    if (
      range !== undefined &&
      range.bottom > number &&
      grid.head.rows.some((row) => row.number > number && row.number <= range.bottom)
    )
      return true;
  }
  return false;
}

function toTable(
  grid: HeaderGrid,
  isFigure: FigureTest,
  block: HeaderBlock,
  index: number,
  layout: Layout,
  fields: Fields,
  match: ReturnType<typeof matchColumns>,
): TableSearch {
  const number = index < 0 ? 1 : grid.numberOf(index);
  const figures = specsOf(layout, "cell").flatMap((spec) => {
    const found = spec.isFigure ? match.columns.get(spec.name) : undefined;
    return found === undefined ? [] : [found.column];
  });
  const taken = new Set([...match.columns.values()].map(({ column }) => column));
  const bottom = lastTextRow(grid, isFigure, index, figures);
  const contentOf = (column: number) => contentBelow(grid, isFigure, bottom + 1, column);
  const first = Math.min(grid.width, ...(figures.length > 0 ? figures : taken));
  const free: number[] = [];
  for (let column = 0; column < first; column++) {
    if (!taken.has(column) && contentOf(column) !== "empty") free.push(column);
  }
  const labels = assignLabels(grid, bottom + 1, free, layout);
  const used = new Set([...taken, ...[...labels.values()].flat()]);
  const miss = describeMatch(grid, block, number, layout, match, {
    labels,
    columns: undefined,
    problems: [],
    unclear: describeUnclearLabels(grid, bottom + 1, labels, layout, contentOf),
  });
  if (miss !== undefined) return { table: undefined, miss };

  const named = [...match.columns.values()].flatMap(({ column, by }) => {
    const header = by === "values" || by === "letter" ? undefined : readColumnHeader(grid, block, column);
    return header === undefined ? [] : [header.row];
  });
  const rows =
    index < 0
      ? []
      : Array.from(
          { length: bottom - Math.min(index, ...named) + 1 },
          (_, offset) => Math.min(index, ...named) + offset,
        );
  const ignored: IgnoredColumn[] = [];
  for (let column = 0; column < grid.width; column++) {
    if (used.has(column)) continue;
    const header = readColumnHeader(grid, block, column)?.variants[0] ?? "";
    if (contentOf(column) !== "empty") ignored.push({ column, header, reason: "not declared" });
    else if (header !== "") ignored.push({ column, header, reason: "nothing below its header" });
  }
  const table: FoundTable = {
    headerRows: rows.map((row) => grid.numberOf(row)),
    headerBottom: index < 0 ? 0 : grid.numberOf(bottom),
    columns: match.columns,
    labels,
    groups: [],
    headingMarks: new Map(),
    ignored,
    above: textsAbove(grid, rows[0] ?? 0),
    caption: captionAbove(grid, rows[0] ?? 0),
    fields,
    signature: new Map([...match.columns.values()].map(({ column, header }) => [column, header])),
  };
  return { table, miss: undefined };
}

/** The last row below the header that holds only texts where figures are to come, such as units. */
function lastTextRow(
  grid: HeaderGrid,
  isFigure: FigureTest,
  index: number,
  figures: readonly number[],
): number {
  if (figures.length === 0 || index < 0) return index;
  let last = index;
  for (let row = index + 1; row < grid.head.rows.length; row++) {
    if (isFigureRow(grid, isFigure, row, figures)) return last;
    if (figures.some((column) => grid.cell(row, column) !== undefined)) last = row;
  }
  return index; // No figures at all: nothing says where the header ends.
}
