/** What the columns of a sheet hold below a row: figures, other texts, or nothing. */
import { isBlank } from "./cell-text.ts";
import { isFigureCell } from "./figures.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { type Layout, type Symbols, specsOf } from "./layout.ts";

/** Rows below a header in which it is seen what a column holds. */
const sampleRowsMax = 300;

/** Tells figures from texts, as the declared figures are: where they are texts themselves, any text is one. */
export type FigureTest = (index: number, column: number) => boolean;

export function figureTest(grid: HeaderGrid, layout: Layout): FigureTest {
  const specs = [...specsOf(layout, "figure"), ...specsOf(layout, "cell").filter((spec) => spec.isFigure)];
  const symbols: Symbols = Object.assign({}, ...specs.map((spec) => spec.symbols));
  const areNumbers = specs.some((spec) => ["integer", "number", "decimal"].includes(spec.kind));
  const known = new Map<number, boolean>();
  return (index, column) => {
    const key = index * 16_384 + column;
    const before = known.get(key);
    if (before !== undefined) return before;
    const cell = grid.rawCell(index, column);
    const isFigure = areNumbers ? isFigureCell(cell, symbols, layout.decimal) : !isBlank(cell);
    known.set(key, isFigure);
    return isFigure;
  };
}

/** `figures`: most filled cells are figures; `texts`: most are not; `empty`: none is filled. */
export type ColumnContent = "figures" | "texts" | "empty";

/** What a column holds in the rows from one on. */
export function contentBelow(
  grid: HeaderGrid,
  isFigure: FigureTest,
  from: number,
  column: number,
): ColumnContent {
  let filled = 0;
  let figures = 0;
  const end = Math.min(grid.head.rows.length, from + sampleRowsMax);
  for (let index = from; index < end; index++) {
    if (isBlank(grid.rawCell(index, column))) continue;
    filled++;
    if (isFigure(index, column)) figures++;
  }
  if (filled === 0) return "empty";
  return figures * 2 >= filled ? "figures" : "texts";
}

/** Whether a row holds figures in most of those columns in which it holds anything. */
export function isFigureRow(
  grid: HeaderGrid,
  isFigure: FigureTest,
  index: number,
  columns: readonly number[],
): boolean {
  let filled = 0;
  let figures = 0;
  for (const column of columns) {
    if (isBlank(grid.rawCell(index, column))) continue;
    filled++;
    if (isFigure(index, column)) figures++;
  }
  return figures > 0 && figures * 2 >= filled;
}
