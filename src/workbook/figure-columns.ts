/** Figures of a row: read cell by cell, and put under their headings. */
import { toCellName, toLetters } from "./cell-place.ts";
import { Figure, readFigure } from "./figures.ts";
import { cutMarks } from "./footnote-marks.ts";
import type { HeadingCell, HeadingGroup } from "./found-table.ts";
import { type CellSpec, type FigureSpec, type HeadingSpec, type Layout, specsOf } from "./layout.ts";
import type { Period } from "./periods.ts";
import type { TableContext } from "./row-columns.ts";
import type { SheetRow } from "./sheet.ts";
import { formatPeriod, readTextValue, readValue, type TidyValue, Unreadable } from "./typed-value.ts";

/** One column of figures. */
type FigureSource = Readonly<{
  column: number;
  spec: FigureSpec | CellSpec;
  /** Place of its value in the tidy row. */
  index: number;
  /** Place of its flag; -1: none is asked for. */
  flag: number;
}>;

/** What becomes one tidy row: figures under the same headings, or all of the row. */
export type FigureGroup = Readonly<{
  /** Places of the figures in the list of sources. */
  sources: readonly number[];
  /** Values of its headings and places, by place in the tidy row. */
  constants: readonly Readonly<{ index: number; value: TidyValue }>[];
  /** Headings whose year each row says. */
  late: readonly Readonly<{ index: number; period: Period; spec: HeadingSpec }>[];
}>;

/** How a row's figures were found to be. */
export type FigureCount = Readonly<{ filled: number; good: number }>;

export class FigureColumns {
  readonly sources: readonly FigureSource[];
  readonly groups: readonly FigureGroup[];
  /** What the last row held, by place in `sources`. */
  readonly found: (TidyValue | Figure | Unreadable | undefined)[];
  readonly #cellPlaces: readonly number[];

  /** @throws LeatError where a heading's text is not what its column is declared to hold. */
  constructor(layout: Layout, context: TableContext, fail: (column: number, problem: string) => never) {
    const flagOf = new Map(specsOf(layout, "flag").map((spec) => [spec.flag, layout.columns.indexOf(spec)]));
    const sources: FigureSource[] = [];
    const add = (spec: FigureSpec | CellSpec, column: number): number =>
      sources.push({ column, spec, index: layout.columns.indexOf(spec), flag: flagOf.get(spec.name) ?? -1 }) -
      1;
    const places = specsOf(layout, "place");
    const indexOf = (place: "column" | "cell") =>
      places.filter((spec) => spec.place === place).map((spec) => layout.columns.indexOf(spec));
    const figures = specsOf(layout, "figure");
    const headings = specsOf(layout, "heading");
    const own = specsOf(layout, "cell").flatMap((spec) => {
      const found = spec.isFigure ? context.table.columns.get(spec.name) : undefined;
      return found === undefined ? [] : [add(spec, found.column)];
    });
    const toGroup = (group: HeadingGroup): FigureGroup => {
      const columns = group.figures.map((column, place) => (column < 0 ? -1 : add(figures[place]!, column)));
      const first = group.figures.find((column) => column >= 0)!; // A group without figures is not made.
      const values = headings.map((spec) => headingValue(spec, group.headings[spec.heading - 1], context));
      const constants: { index: number; value: TidyValue }[] = [];
      const late: { index: number; period: Period; spec: HeadingSpec }[] = [];
      for (const [place, spec] of headings.entries()) {
        const value = values[place]!;
        const index = layout.columns.indexOf(spec);
        if (value instanceof Unreadable) fail(first, `${value.problem} (column "${spec.name}")`);
        else if (value !== null && typeof value === "object") late.push({ index, period: value, spec });
        else constants.push({ index, value });
      }
      for (const index of indexOf("column")) constants.push({ index, value: toLetters(first) });
      return { sources: columns.filter((place) => place >= 0), constants, late };
    };
    const grouped = context.table.groups.map(toGroup);
    this.groups = headings.length > 0 ? grouped : [{ sources: own, constants: [], late: [] }];
    this.sources = sources;
    this.found = sources.map(() => undefined);
    this.#cellPlaces = indexOf("cell");
  }

  /** Reads the figures of a row into `found`. */
  read(row: SheetRow): FigureCount {
    let filled = 0;
    let good = 0;
    const { sources, found } = this;
    for (let place = 0; place < sources.length; place++) {
      const { column, spec } = sources[place]!;
      const value = readFigure(row.cells[column], spec, spec.symbols);
      found[place] = value;
      if (value === undefined || value === null) continue;
      filled++;
      if (!(value instanceof Unreadable)) good++;
    }
    return { filled, good };
  }

  /**
   * Fills a tidy row with the figures of a group.
   *
   * @returns whether there are any: a group without figures makes no row.
   */
  fill(group: FigureGroup, row: SheetRow, values: TidyValue[]): boolean {
    let isFilled = false;
    for (const place of group.sources) {
      const { index, flag, column } = this.sources[place]!;
      const value = this.found[place];
      if (value === undefined || value === null || value instanceof Unreadable) continue;
      values[index] = value instanceof Figure ? value.value : value;
      if (flag >= 0) values[flag] = value instanceof Figure ? value.flag : null;
      if (!isFilled) for (const cell of this.#cellPlaces) values[cell] = toCellName(row.number, column);
      isFilled = true;
    }
    for (const { index, value } of group.constants) values[index] = value;
    return isFilled;
  }
}

/** A heading as its column declares it; a period without a year is given as it is, for each row to complete. */
function headingValue(
  spec: HeadingSpec,
  cell: HeadingCell | undefined,
  { marks }: TableContext,
): TidyValue | Period | Unreadable {
  if (cell === undefined) return readTextValue(spec.blank ?? "", spec);
  if (cell.period !== undefined)
    return cell.period.year === undefined ? cell.period : formatPeriod(cell.period, spec);
  if (cell.iso !== undefined && spec.kind !== "text") {
    return readValue({ kind: "date", iso: cell.iso, serial: 0 }, spec);
  }
  return readTextValue(spec.marks === "cut" ? cutMarks(cell.text, marks).text : cell.text, spec);
}
