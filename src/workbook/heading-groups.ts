/** Columns under the same headings, made from the cells of the heading rows: periods read, blanks and doubles refused. */

import { toLetters } from "./cell-place.ts";
import { quote } from "./cell-text.ts";
import type { HeadingCell, HeadingGroup, IgnoredColumn } from "./found-table.ts";
import { describeBlank, type Level } from "./heading-levels.ts";
import { type FigureSpec, isPeriodKind, type Layout, toRegExp } from "./layout.ts";
import type { Period } from "./periods.ts";
import { findGap, readPeriodHeadings } from "./read-period-headings.ts";
import { formatPeriod } from "./typed-value.ts";
import { compileWish, type Fields } from "./wanted.ts";
import type { YearOf } from "./workbook-options.ts";

/** Headings by column, from the topmost level down. */
export type HeadingsByColumn = ReadonlyMap<number, readonly (HeadingCell | undefined)[]>;

export type GroupedHeadings = Readonly<{
  groups: readonly HeadingGroup[];
  marks: ReadonlyMap<number, string>;
  ignored: readonly IgnoredColumn[];
  /** Why the headings cannot be taken as they are; empty: they can. */
  problems: readonly string[];
}>;

/** What the rules need to know of a column besides its headings. */
export type ColumnFacts = Readonly<{
  hasFigures(column: number): boolean;
}>;

/** Reads the periods of all levels and puts columns of the same headings together. */
export function groupHeadings(
  cells: HeadingsByColumn,
  levels: readonly Level[],
  figures: readonly FigureSpec[],
  layout: Layout,
  fields: Fields,
  facts: ColumnFacts,
): GroupedHeadings {
  const problems: string[] = [];
  const marks = new Map<number, string>();
  const read = new Map([...cells].map(([column, list]) => [column, list.slice(0, levels.length)]));
  for (const [depth, level] of levels.entries()) {
    if (!isPeriodKind(level.kind)) continue;
    for (const segment of segmentsAt(read, depth))
      readSegment(segment, read, depth, levels, fields, layout, marks, problems);
  }
  const ignored: IgnoredColumn[] = [];
  const complete = new Map<number, readonly (HeadingCell | undefined)[]>();
  for (const [column, list] of read) {
    const reason =
      checkColumn(column, list, cells.get(column)!, levels, facts, problems) ??
      filterHeading(list, levels, layout);
    if (reason === undefined) complete.set(column, list);
    else ignored.push({ column, header: list.at(-1)?.text ?? "", reason });
  }
  checkCounts(complete, levels, problems);
  const groups = toGroups(complete, cells, figures, facts, fields, ignored, problems);
  return { groups, marks, ignored, problems };
}

/** Runs of columns whose headings above a level are the same. */
function segmentsAt(cells: HeadingsByColumn, depth: number): readonly (readonly number[])[] {
  const segments: number[][] = [];
  let path: string | undefined;
  for (const [column, list] of cells) {
    const own = pathOf(list.slice(0, depth));
    if (own !== path) segments.push([]);
    path = own;
    segments.at(-1)!.push(column);
  }
  return segments;
}

function pathOf(cells: readonly (HeadingCell | undefined)[]): string {
  return cells.map((cell) => cell?.text ?? "").join("\n");
}

function readSegment(
  segment: readonly number[],
  read: Map<number, (HeadingCell | undefined)[]>,
  depth: number,
  levels: readonly Level[],
  fields: Fields,
  layout: Layout,
  marks: Map<number, string>,
  problems: string[],
): void {
  const { kind, specs } = levels[depth]!;
  if (!isPeriodKind(kind)) return;
  const headings = segment.flatMap((column) => {
    const cell = read.get(column)![depth];
    return cell === undefined ? [] : [{ column, text: cell.text, iso: cell.iso }];
  });
  const yearOf = specs.map((spec) => spec.year).find((year) => year !== null) ?? null;
  const given = yearAbove(yearOf, read.get(segment[0]!)!, levels) ?? yearOfField(yearOf, fields);
  const isOfRow = yearOf !== null && typeof yearOf !== "string" && given === undefined;
  const expected = /^\d{4}$/.test(fields["year"] ?? "") ? Number(fields["year"]) : undefined;
  const found = readPeriodHeadings(headings, kind, { given, expected });
  for (const problem of found.problems) {
    if (!(isOfRow && problem.includes("which year"))) problems.push(problem);
  }
  for (const [column, mark] of found.marks) marks.set(column, mark);
  for (const { column } of headings) {
    const list = read.get(column)!;
    const period = found.periods.get(column);
    list[depth] = period === undefined ? undefined : { ...list[depth]!, period };
  }
  const isRun = kind === "month" || kind === "quarter" || kind === "week";
  const gap = isRun && layout.gaps === "refuse" ? findGap(distinct([...found.periods.values()])) : undefined;
  if (gap !== undefined) problems.push(`there is a gap between ${print(gap[0])} and ${print(gap[1])}`);
}

function distinct(periods: readonly Period[]): readonly Period[] {
  return periods.filter((period, index) => {
    const before = periods[index - 1];
    return before === undefined || before.year !== period.year || before.number !== period.number;
  });
}

function print(period: Period): string {
  const part = { kind: period.kind, as: "iso", year: null, dateOrder: null, decimal: "." } as const;
  return String(period.year === undefined ? `${period.kind} ${period.number}` : formatPeriod(period, part));
}

/** The year that a level above says. */
function yearAbove(
  yearOf: YearOf | null,
  cells: readonly (HeadingCell | undefined)[],
  levels: readonly Level[],
): number | undefined {
  if (yearOf === null || typeof yearOf === "string") return undefined;
  const depth = levels.findIndex((level) => level.specs.some((spec) => spec.name === yearOf.column));
  const cell = depth < 0 ? undefined : cells[depth];
  if (cell?.period !== undefined) return cell.period.year;
  const digits = /^\d{4}$/.exec(cell?.text ?? "");
  return digits === null ? undefined : Number(digits[0]);
}

/** The year of a template such as `{year}`; `undefined`: there is none, or its field is not known. */
export function yearOfField(yearOf: YearOf | null, fields: Fields): number | undefined {
  if (typeof yearOf !== "string") return undefined;
  const text = yearOf.replace(/\{(\w+)\}/g, (whole, field: string) => fields[field] ?? whole);
  return /^\d{4}$/.test(text) ? Number(text) : undefined;
}

/** Why a column is none of the table's; `undefined`: it is one. Figures under an incomplete heading are a problem. */
function checkColumn(
  column: number,
  cells: readonly (HeadingCell | undefined)[],
  written: readonly (HeadingCell | undefined)[],
  levels: readonly Level[],
  facts: ColumnFacts,
  problems: string[],
): string | undefined {
  for (const [depth, level] of levels.entries()) {
    if (cells[depth] !== undefined || level.blank !== null) continue;
    if (written[depth] !== undefined) return `no ${level.kind} above it`;
    if (facts.hasFigures(column)) problems.push(describeBlank(column, cells, depth + 1));
    return `no heading on level ${depth + 1}`;
  }
  return undefined;
}

/** Why `keep` or `drop` leave a heading out; `undefined`: they do not. */
function filterHeading(
  cells: readonly (HeadingCell | undefined)[],
  levels: readonly Level[],
  layout: Layout,
): string | undefined {
  for (const [depth, { specs }] of levels.entries()) {
    const text = cells[depth]?.text ?? "";
    for (const { name } of specs) {
      const [keep, drop] = [layout.keep[name], layout.drop[name]];
      if (keep !== undefined && !toRegExp(keep).test(text)) return `does not fit keep of "${name}"`;
      if (drop !== undefined && toRegExp(drop).test(text)) return `fits drop of "${name}"`;
    }
  }
  return undefined;
}

/** Compares how many headings a level has with how many it is declared to have. */
function checkCounts(complete: HeadingsByColumn, levels: readonly Level[], problems: string[]): void {
  for (const [depth, { specs, kind }] of levels.entries()) {
    const wanted = specs.map(({ count }) => count).find((count) => count !== null) ?? null;
    const found = new Set([...complete.values()].map((cells) => keyOf(cells[depth]))).size;
    if (wanted === null || found === wanted || found === 0) continue;
    problems.push(`there are ${found} headings of kind ${kind}, and ${wanted} are declared`);
  }
}

/** Puts neighbours of the same headings together and finds each declared figure among them. */
function toGroups(
  complete: HeadingsByColumn,
  cells: HeadingsByColumn,
  figures: readonly FigureSpec[],
  facts: ColumnFacts,
  fields: Fields,
  ignored: IgnoredColumn[],
  problems: string[],
): readonly HeadingGroup[] {
  const runs: { path: string; columns: number[] }[] = [];
  for (const [column, list] of complete) {
    const path = list.map(keyOf).join("\n");
    if (runs.at(-1)?.path === path) runs.at(-1)!.columns.push(column);
    else runs.push({ path, columns: [column] });
  }
  const seen = new Map<string, number>();
  const groups: HeadingGroup[] = [];
  for (const { path, columns } of runs) {
    const first = seen.get(path);
    const shown = quote(path.replaceAll("\n", " / "));
    if (first !== undefined)
      problems.push(
        `the heading ${shown} stands above columns ${toLetters(first)} and ${toLetters(columns[0]!)}`,
      );
    seen.set(path, columns[0]!);
    const picked = figures.map((spec) => pickFigure(spec, columns, cells, facts, fields, shown, problems));
    if (picked.every((column) => column < 0)) {
      for (const column of columns)
        ignored.push({ column, header: path, reason: "none of the declared figures" });
      continue;
    }
    for (const column of columns) {
      if (!picked.includes(column))
        ignored.push({
          column,
          header: path.replaceAll("\n", " / "),
          reason: "none of the declared figures",
        });
    }
    groups.push({ headings: complete.get(columns[0]!)!, figures: picked });
  }
  return groups;
}

function keyOf(cell: HeadingCell | undefined): string {
  if (cell?.period === undefined) return cell?.iso ?? cell?.text ?? "";
  return print(cell.period);
}

function pickFigure(
  { figure, name }: FigureSpec,
  columns: readonly number[],
  cells: HeadingsByColumn,
  facts: ColumnFacts,
  fields: Fields,
  shown: string,
  problems: string[],
): number {
  if (figure === true) {
    const filled = columns.length === 1 ? columns : columns.filter((column) => facts.hasFigures(column));
    if (filled.length > 1) {
      problems.push(
        `the heading ${shown} stands above ${filled.length} columns of figures, ${filled.map(toLetters).join(", ")}`,
      );
    }
    return filled[0] ?? columns[0]!;
  }
  if ("nth" in figure) return columns[figure.nth - 1] ?? -1;
  const wish = compileWish(figure.header, fields);
  const fitting = columns.filter((column) => wish.fit(cells.get(column)!.at(-1)?.text ?? "") !== undefined);
  if (fitting.length > 1)
    problems.push(`"${name}" fits ${fitting.map(toLetters).join(" and ")} below ${shown}`);
  return fitting[0] ?? -1;
}
