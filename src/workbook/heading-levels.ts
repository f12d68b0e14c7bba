/** Headings above figures: which rows they stand in, which columns they cover, and what they say. */

import { toLetters } from "./cell-place.ts";
import { quote, readText } from "./cell-text.ts";
import { type ColumnContent, contentBelow, type FigureTest, isFigureRow } from "./column-counts.ts";
import { parseDateText } from "./date-text.ts";
import type { HeadingCell } from "./found-table.ts";
import { blockAbove, type HeaderBlock } from "./header-block.ts";
import type { HeaderCell, HeaderGrid } from "./header-grid.ts";
import { type HeadingSpec, isPeriodKind, type Layout, specsOf } from "./layout.ts";
import { looksLike, readingsOf } from "./periods.ts";
import type { ValueKind } from "./workbook-options.ts";

/** Declared levels from the topmost down. */
export type Level = Readonly<{ kind: ValueKind; blank: string | null; specs: readonly HeadingSpec[] }>;

export function levelsOf(layout: Layout): readonly Level[] {
  const levels: Level[] = [];
  for (const spec of specsOf(layout, "heading")) {
    const known = levels[spec.heading - 1];
    levels[spec.heading - 1] = {
      kind: spec.kind,
      blank: spec.blank ?? known?.blank ?? null,
      specs: [...(known?.specs ?? []), spec],
    };
  }
  return levels;
}

/** Rows of headings as found: places in the head. */
export type HeadingRows = Readonly<{
  /** One row a level, from the topmost down. */
  rows: readonly number[];
  /** The first row that holds figures below them. */
  dataFrom: number;
  /** Columns that the lowest level covers, from left to right. */
  columns: readonly number[];
  block: HeaderBlock;
}>;

/**
 * Takes a row for the lowest level of headings and looks whether the rest agrees.
 *
 * @param shape - levels searched for, and how many columns stand under one heading: where there are several, texts may
 *   stand between the heading and the figures.
 * @returns why it is no such row, as a short text; such rows are most of a sheet.
 */
export function readHeadingRows(
  grid: HeaderGrid,
  isFigure: FigureTest,
  lowest: number,
  shape: Readonly<{ searched: readonly Level[]; groupSize: number }>,
): HeadingRows | string {
  const levels = shape.searched;
  const level = levels.at(-1)!;
  const contents = new Map<number, ColumnContent>();
  const contentOf = (column: number): ColumnContent => {
    const known = contents.get(column) ?? contentBelow(grid, isFigure, lowest + 1, column);
    contents.set(column, known);
    return known;
  };
  const columns: number[] = [];
  for (let column = 0; column < grid.width; column++) {
    const cell = grid.cell(lowest, column);
    if (cell === undefined && level.blank !== null && contentOf(column) === "figures") columns.push(column);
    if (cell === undefined || !(fitsKind(cell, level.kind) || isSlip(grid, lowest, column, level.kind)))
      continue;
    // A period is a heading wherever it stands: a month to come has no figures yet. Any text is one only above them.
    if (isPeriodKind(level.kind) || level.kind === "date") columns.push(column);
    else if (coversFigures(cell, contentOf)) columns.push(column);
  }
  if (columns.length === 0) return `no ${level.kind === "text" ? "heading above figures" : level.kind} in it`;
  if (level.kind === "text" && isMostlyNumbers(grid, lowest, columns)) return "numbers in it";
  if (isFigureRow(grid, isFigure, lowest, columns)) {
    // Weeks and years may be numbers; but a header has no figures above it, and weeks follow each other.
    if (!areHeadingsNumbers(level.kind)) return "figures in it";
    if (lowest > 0 && isFigureRow(grid, isFigure, lowest - 1, columns)) return "figures in it";
    if (level.kind !== "year" && !isRun(grid, lowest, columns)) return "figures in it";
  }
  const dataFrom = findData(grid, isFigure, lowest, columns);
  if (dataFrom === undefined) return "no figures below it";
  for (let index = lowest + 1; index < dataFrom; index++) {
    const isText = columns.some((column) => grid.cell(index, column) !== undefined);
    if (isText && level.kind === "text" && shape.groupSize === 1) return "texts between it and the figures";
  }
  const block = blockAbove(grid, lowest);
  const rows = [lowest];
  for (let depth = levels.length - 2; depth >= 0; depth--) {
    const row = findUpper(grid, block, rows[0]!, columns, levels[depth]!.kind);
    if (row === undefined) return `no row for heading ${depth + 1} above it`;
    rows.unshift(row);
  }
  return { rows, dataFrom, columns, block };
}

/** Headings of these kinds are numbers themselves: weeks 1 to 53, years. */
function areHeadingsNumbers(kind: ValueKind): boolean {
  return ["integer", "number", "decimal", "week", "year", "month"].includes(kind);
}

function fitsKind(cell: HeaderCell, kind: ValueKind): boolean {
  if (isPeriodKind(kind)) {
    return cell.iso === undefined
      ? readingsOf(cell.text, kind).length > 0
      : kind !== "week" && kind !== "years";
  }
  if (kind === "date" || kind === "datetime")
    return cell.iso !== undefined || parseDateText(cell.text, "dmy") !== undefined;
  if (kind === "integer") return /^-?\d+$/.test(cell.text);
  return true;
}

/** Whether a text is meant to be a period and cannot be read as one: told as such, and not left aside. */
function isSlip(grid: HeaderGrid, index: number, column: number, kind: ValueKind): boolean {
  const cell = grid.rawCell(index, column);
  return isPeriodKind(kind) && cell?.kind === "text" && looksLike(cell.text, kind);
}

/** Whether a heading stands over figures: over its own column, or over any of the columns it is merged across. */
function coversFigures(cell: HeaderCell, contentOf: (column: number) => ColumnContent): boolean {
  for (let column = cell.range.left; column <= cell.range.right; column++) {
    if (contentOf(column) === "figures") return true;
  }
  return false;
}

function isMostlyNumbers(grid: HeaderGrid, index: number, columns: readonly number[]): boolean {
  return (
    columns.filter((column) => grid.rawCell(index, column)?.kind === "number").length * 2 > columns.length
  );
}

/** Whether numbers go up or down by equal steps, merged cells once: as headings do and figures do not. */
function isRun(grid: HeaderGrid, index: number, columns: readonly number[]): boolean {
  const cells = columns.map((column) => grid.rawCell(index, column)).filter((cell) => cell !== undefined);
  const numbers = cells.map((cell) => (cell.kind === "number" ? cell.value : Number(readText(cell))));
  const step = numbers[1]! - numbers[0]!;
  return (
    numbers.length > 1 &&
    step !== 0 &&
    numbers.every((value, place) => place === 0 || value - numbers[place - 1]! === step)
  );
}

function findData(
  grid: HeaderGrid,
  isFigure: FigureTest,
  above: number,
  columns: readonly number[],
): number | undefined {
  for (let index = above + 1; index < grid.head.rows.length; index++) {
    if (isFigureRow(grid, isFigure, index, columns)) return index;
  }
  return undefined;
}

/** The next row above in which a level's headings stand; a title across the whole table is none. */
function findUpper(
  grid: HeaderGrid,
  block: HeaderBlock,
  below: number,
  columns: readonly number[],
  kind: ValueKind,
): number | undefined {
  for (const index of [...block].reverse()) {
    if (index >= below) continue;
    const cells = columns.map((column) => grid.cell(index, column)).filter((cell) => cell !== undefined);
    if (cells.length === 0) continue;
    const isTitle = cells.every(({ range }) => range.left < columns[0]! && range.right >= columns.at(-1)!);
    if (isTitle) continue;
    if (cells.filter((cell) => fitsKind(cell, kind)).length * 2 > cells.length) return index;
    if (kind === "text") return undefined;
  }
  return undefined;
}

/**
 * What each column's headings say, blanks filled.
 *
 * On the upper levels a blank cell continues the heading to its left, as far as the levels above it stay the same and
 * it is not a merged cell, which says itself how far it goes. The lowest level is continued only where several columns stand
 * under one heading.
 */
export function readHeadingCells(
  grid: HeaderGrid,
  rows: readonly number[],
  columns: readonly number[],
  hasGroups: boolean,
): ReadonlyMap<number, readonly (HeadingCell | undefined)[]> {
  const found = new Map<number, (HeadingCell | undefined)[]>(columns.map((column) => [column, []]));
  for (const [depth, row] of rows.entries()) {
    let left: HeaderCell | undefined;
    let leftPath = "";
    for (const column of columns) {
      const cells = found.get(column)!;
      const path = cells.map((cell) => cell?.text ?? "").join("\n");
      let cell = grid.cell(row, column);
      const isMerged = cell !== undefined && cell.range.right > cell.range.left;
      if (
        cell === undefined &&
        (hasGroups || depth < rows.length - 1) &&
        left !== undefined &&
        path === leftPath
      )
        cell = left;
      else left = isMerged ? undefined : cell;
      leftPath = path;
      cells.push(cell === undefined ? undefined : { text: cell.text, iso: cell.iso, period: undefined });
    }
  }
  return found;
}

/** Names a column whose headings are incomplete: figures without a heading would be lost. */
export function describeBlank(
  column: number,
  cells: readonly (HeadingCell | undefined)[],
  level: number,
): string {
  const own = cells.findLast((cell) => cell !== undefined);
  const shown = own === undefined ? "" : ` ${quote(own.text)}`;
  return `column ${toLetters(column)}${shown} has figures and no heading on level ${level}`;
}
