/** Takes a row for the headings of a table whose figures stand under months, weeks or other headings. */
import assert from "node:assert/strict";
import { captionAbove, textsAbove, withTitleFields } from "./above-table.ts";
import { contentBelow, type FigureTest } from "./column-counts.ts";
import { type ColumnMatch, matchColumns } from "./column-match.ts";
import type { FoundTable, IgnoredColumn, TableSearch } from "./found-table.ts";
import { type HeaderBlock, readColumnHeader } from "./header-block.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { groupHeadings } from "./heading-groups.ts";
import { type HeadingRows, levelsOf, readHeadingCells, readHeadingRows } from "./heading-levels.ts";
import { assignLabels, describeUnclearLabels } from "./label-columns.ts";
import { type Layout, specsOf } from "./layout.ts";
import { describeMatch, describeWanted, noTable } from "./misses.ts";
import type { Fields } from "./wanted.ts";
import type { ValueKind } from "./workbook-options.ts";

/** Columns of one table; each heading is looked at many times. */
const headingsMax = 4000;

/** What the row would be as the lowest row of headings. */
export function searchHeadings(
  grid: HeaderGrid,
  isFigure: FigureTest,
  index: number,
  layout: Layout,
  fields: Fields,
): TableSearch {
  const shape = shapeOf(layout);
  const found = readHeadingRows(grid, isFigure, index, shape);
  const number = grid.numberOf(index);
  if (typeof found === "string") return noTable(0, describeWanted(layout, fields));
  if (found.columns.length > headingsMax)
    return noTable(1, `row ${number} has more than ${headingsMax} headings`);

  const known = withTitleFields(fields, textsAbove(grid, found.rows[0]!), layout);
  const { block, match } = matchBelow(grid, found, layout, known);
  const taken = new Set([...match.columns.values()].map(({ column }) => column));
  const contentOf = (column: number) => contentBelow(grid, isFigure, found.dataFrom, column);
  const covered = covers(found.columns, shape.groupSize).filter((column) => !taken.has(column));
  const cells = readHeadingCells(grid, found.rows, covered, shape.groupSize > 1);
  const facts = { hasFigures: (column: number) => contentOf(column) === "figures" };
  const grouped = groupHeadings(cells, shape.levels, specsOf(layout, "figure"), layout, known, facts);

  const columns = grouped.groups.flatMap((group) => group.figures.filter((column) => column >= 0));
  const first = Math.min(...columns);
  const free = labelColumns(grid, new Set([...taken, ...found.columns, ...columns]), first, contentOf);
  const labels = assignLabels(grid, found.dataFrom, free, layout);
  const miss = describeMatch(grid, block, number, layout, match, {
    labels,
    columns,
    problems: grouped.problems,
    unclear: describeUnclearLabels(grid, found.dataFrom, labels, layout, contentOf),
  });
  if (miss !== undefined) return { table: undefined, miss };

  const full = [...found.block, ...between(index, found.dataFrom)];
  const rows = headerRows(grid, found, full, match, columns);
  const used = new Set([...taken, ...[...labels.values()].flat(), ...columns]);
  const table: FoundTable = {
    headerRows: rows.map((row) => grid.numberOf(row)),
    headerBottom: grid.numberOf(rows.at(-1)!),
    columns: match.columns,
    labels,
    groups: grouped.groups,
    headingMarks: grouped.marks,
    ignored: ignoredColumns(grid, block, used, grouped.ignored, shape.levels.at(-1)!.kind, contentOf),
    above: textsAbove(grid, rows[0]!),
    caption: captionAbove(grid, rows[0]!),
    fields: known,
    signature: new Map(columns.map((column) => [column, grid.cell(index, column)?.text ?? ""])),
  };
  return { table, miss: undefined };
}

/**
 * Columns of labels: those left of the figures that hold anything. Where there are none, those elsewhere that hold
 * texts: somebody has moved them.
 */
function labelColumns(
  grid: HeaderGrid,
  used: ReadonlySet<number>,
  first: number,
  contentOf: (column: number) => "figures" | "texts" | "empty",
): readonly number[] {
  const free = between(-1, grid.width).filter((column) => !used.has(column));
  const left = free.filter((column) => column < first && contentOf(column) !== "empty");
  return left.length > 0 ? left : free.filter((column) => contentOf(column) === "texts");
}

/** Rows below the headings that may hold names of columns; those further down are labels. */
const namesBelowMax = 4;

/**
 * Names of columns may stand below the headings, in a row of their own; but the first label of the table, which stands
 * there too, hides the names above it. So each row down to the figures is tried as the last one of the header.
 */
function matchBelow(
  grid: HeaderGrid,
  found: HeadingRows,
  layout: Layout,
  fields: Fields,
): Readonly<{ block: HeaderBlock; match: ColumnMatch }> {
  const specs = specsOf(layout, "cell");
  const lowest = found.rows.at(-1)!;
  let best: { block: HeaderBlock; match: ColumnMatch } | undefined;
  const last = Math.min(found.dataFrom - 1, lowest + namesBelowMax);
  for (let end = lowest; end <= last; end++) {
    const block = [...found.block, ...between(lowest, end + 1)];
    const match = matchColumns(grid, block, found.dataFrom, specs, fields, found.columns);
    if (best === undefined || match.columns.size > best.match.columns.size) best = { block, match };
  }
  assert(best !== undefined, "figures stand below their headings");
  return best;
}

/** What the declaration says of the headings, once for all rows that are tried. */
function shapeOf(layout: Layout) {
  const levels = levelsOf(layout);
  const figures = specsOf(layout, "figure").map((spec) => spec.figure);
  const isTold = figures.some((figure) => typeof figure === "object" && "header" in figure);
  // Whoever counts the columns under a heading says that there are several.
  const places = figures.map((figure) =>
    typeof figure === "object" && "nth" in figure ? Math.max(2, figure.nth) : 1,
  );
  return {
    levels,
    // A header that tells figures apart is one level more, below those declared.
    searched: isTold ? [...levels, { kind: "text" as const, blank: "", specs: [] }] : levels,
    /** Columns that stand under one heading, at least. */
    groupSize: Math.max(1, ...places),
  };
}

/** Whole numbers between two, both left out. */
function between(above: number, below: number): readonly number[] {
  return Array.from({ length: Math.max(0, below - above - 1) }, (_, offset) => above + 1 + offset);
}

/** Columns from the first heading to the last, and those of its group behind it. */
function covers(columns: readonly number[], groupSize: number): readonly number[] {
  return between(columns[0]! - 1, columns.at(-1)! + groupSize);
}

/**
 * The rows that are header: from the topmost in which a heading or a column's name stands, to the lowest that holds
 * either, or texts above the figures. Labels below them belong to the table.
 */
function headerRows(
  grid: HeaderGrid,
  found: HeadingRows,
  block: HeaderBlock,
  match: ColumnMatch,
  columns: readonly number[],
): HeaderBlock {
  const named = [...match.columns.values()].filter(({ by }) => by !== "values" && by !== "letter");
  const tops = named.map(({ column }) => readColumnHeader(grid, block, column)?.row ?? found.rows[0]!);
  const top = Math.min(found.rows[0]!, ...tops);
  const texts = block.filter((row) => columns.some((column) => grid.cell(row, column) !== undefined));
  const bottom = Math.max(found.rows.at(-1)!, match.bottom, ...texts);
  return block.filter((row) => row >= top && row <= bottom);
}

function ignoredColumns(
  grid: HeaderGrid,
  block: HeaderBlock,
  used: ReadonlySet<number>,
  known: readonly IgnoredColumn[],
  kind: ValueKind,
  contentOf: (column: number) => "figures" | "texts" | "empty",
): readonly IgnoredColumn[] {
  const reasons = new Map(known.map((column) => [column.column, column]));
  const ignored: IgnoredColumn[] = [];
  for (let column = 0; column < grid.width; column++) {
    if (used.has(column)) continue;
    const header = readColumnHeader(grid, block, column)?.variants[0] ?? "";
    const content = contentOf(column);
    if (content === "empty" && (header === "" || isMergedOnly(grid, block, column))) continue;
    const own = content === "figures" && kind !== "text" ? `no ${kind} above it` : "not declared";
    const reason = reasons.get(column)?.reason ?? (content === "empty" ? "nothing below its header" : own);
    ignored.push({ column, header, reason });
  }
  return ignored;
}

/** Whether all that stands above a column is a merged cell that belongs to its neighbours. */
function isMergedOnly(grid: HeaderGrid, block: HeaderBlock, column: number): boolean {
  return block.every((row) => (grid.cell(row, column)?.range.left ?? -1) < column);
}
