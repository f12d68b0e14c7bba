/**
 * Periods of a row of headings, read together.
 *
 * Which digits are the period and which are a footnote mark is decided by the row and not by the cell. Of all ways to
 * read all cells, the one is taken that costs least: each digit left over as a mark costs, each step that is not to
 * the next period costs more, a year other than the known one costs something in between. So `Jan-203 Feb-203 …` is
 * 2020 with mark 3, since `203` is no year; `Jan-2018` stays 2018 and is not 2020 with mark 18, since that would leave
 * digits over; and `Jan-1912` in a file of 2019 is 2019 with mark 12. Nothing is cut from a heading that makes a
 * period as it stands, unless its neighbours and the year say otherwise.
 */
import {
  isNext,
  looksLike,
  type Period,
  type PeriodKind,
  type PeriodReading,
  periodOfDate,
  readingsOf,
} from "./periods.ts";

export type PeriodHeading = Readonly<{
  column: number;
  text: string;
  /** Set where the cell is a date. */
  iso: string | undefined;
}>;

export type HeadingPeriods = Readonly<{
  periods: ReadonlyMap<number, Period>;
  /** Marks cut, by column. */
  marks: ReadonlyMap<number, string>;
  /** What makes the row unreadable, in words for the person who looks at the sheet; empty: it is read. */
  problems: readonly string[];
}>;

const cost = {
  markDigit: 2,
  markSign: 0.25,
  otherYear: 3,
  /** More than a mark of two digits: in a file of 2019 `1912` is rather 2019 with mark 12. */
  farYear: 5,
  noYear: 6,
  /** More than any mark: footnotes have at most two digits. */
  leap: 5,
  repeat: 8,
} as const;

/** Years between the one that is known and others of the same file; tables that go back further say so in their headings alone. */
const nearYearsMax = 50;

/**
 * Reads the headings of one row.
 *
 * @param cells - headings in order of columns; those that are no period at all are left out of the answer.
 * @param year - the year that headings without one get, and that others are expected to have.
 */
export function readPeriodHeadings(
  cells: readonly PeriodHeading[],
  kind: PeriodKind,
  year: Readonly<{ given: number | undefined; expected: number | undefined }>,
): HeadingPeriods {
  const known = year.given ?? year.expected;
  const readable = cells
    .map((cell) => ({ cell, readings: readCell(cell, kind) }))
    .filter(({ readings }) => readings.length > 0);
  const chosen = chooseCheapest(
    readable.map(({ cell, readings }) => ({ text: cell.text, readings })),
    known,
  );
  const periods = new Map<number, Period>();
  const marks = new Map<number, string>();
  for (const [index, { cell }] of readable.entries()) {
    const { period, mark } = chosen[index]!;
    periods.set(cell.column, period.year === undefined ? { ...period, year: year.given } : period);
    if (mark !== "") marks.set(cell.column, mark);
  }
  return { periods, marks, problems: findProblems(cells, periods, kind, year.given) };
}

function readCell(cell: PeriodHeading, kind: PeriodKind): readonly PeriodReading[] {
  if (cell.iso === undefined) return readingsOf(cell.text, kind);
  const period = periodOfDate(cell.iso, kind);
  return period === undefined ? [] : [{ period, mark: "" }];
}

/** Walks from left to right and keeps, for each reading of a cell, the cheapest way to it. */
function chooseCheapest(
  cells: readonly Readonly<{ text: string; readings: readonly PeriodReading[] }>[],
  known: number | undefined,
): readonly PeriodReading[] {
  type Way = Readonly<{ total: number; reading: PeriodReading; before: Way | undefined }>;
  let ways: readonly Way[] = [];
  for (const [index, { text, readings }] of cells.entries()) {
    const isSameText = index > 0 && cells[index - 1]!.text === text;
    ways = readings.map((reading) => {
      let best: Way | undefined;
      let total = 0;
      for (const way of ways) {
        const sum = way.total + costOfStep(way.reading.period, reading.period, isSameText);
        if (best === undefined || sum < total) [best, total] = [way, sum];
      }
      return { total: total + costOf(reading, known), reading, before: best };
    });
  }
  let last = ways.reduce<Way | undefined>(
    (best, way) => (best === undefined || way.total < best.total ? way : best),
    undefined,
  );
  const chosen: PeriodReading[] = [];
  for (; last !== undefined; last = last.before) chosen.unshift(last.reading);
  return chosen;
}

function costOf({ period, mark }: PeriodReading, known: number | undefined): number {
  const digits = mark.replace(/\D/g, "").length;
  let total = digits * cost.markDigit + (digits < mark.length ? cost.markSign : 0);
  if (period.year === undefined) total += known === undefined ? cost.noYear : 0;
  else if (known !== undefined && period.year !== known)
    total += Math.abs(period.year - known) > nearYearsMax ? cost.farYear : cost.otherYear;
  return total;
}

function costOfStep(before: Period, after: Period, isSameText: boolean): number {
  if (isNext(before, after) || isNext(after, before)) return 0;
  const isSame = before.year === after.year && before.number === after.number;
  if (isSame) return isSameText ? 0 : cost.repeat;
  return cost.leap;
}

function findProblems(
  cells: readonly PeriodHeading[],
  periods: ReadonlyMap<number, Period>,
  kind: PeriodKind,
  given: number | undefined,
): readonly string[] {
  const problems: string[] = [];
  for (const { column, text, iso } of cells) {
    if (!periods.has(column) && iso === undefined && looksLike(text, kind)) {
      problems.push(`the heading ${JSON.stringify(text)} looks like a ${kind} and cannot be read as one`);
    }
  }
  const found = [...periods.values()];
  if (found.some((period) => period.year === undefined)) {
    problems.push(`the headings do not say of which year they are`);
  } else if (given !== undefined && found.length > 0 && found.every((period) => period.year !== given)) {
    const years = [...new Set(found.map((period) => period.year))].join(", ");
    problems.push(`the headings are of ${years}, and what else is known says ${given}`);
  } else if (given !== undefined && runsOverTheYear(found)) {
    problems.push(`the headings run over the end of a year and do not say which years they are`);
  }
  return problems;
}

/** Months that begin anew (… Dec, Jan …) under one given year: some of them are of another year. */
function runsOverTheYear(periods: readonly Period[]): boolean {
  const numbers = periods.map((period) => period.number);
  const years = new Set(periods.map((period) => period.year));
  if (years.size > 1 || numbers.every((number) => number === 0)) return false;
  const rises = numbers.some((number, index) => index > 0 && number > numbers[index - 1]!);
  const falls = numbers.some((number, index) => index > 0 && number < numbers[index - 1]!);
  return rises && falls;
}

/**
 * Whether distinct periods in order leave a gap: their steps differ.
 *
 * @returns the two periods around the first gap; `undefined`: steps are equal, or there are too few to say.
 */
export function findGap(periods: readonly Period[]): readonly [Period, Period] | undefined {
  if (periods.length < 3) return undefined;
  const isForward = isNext(periods[0]!, periods[1]!) || isNext(periods.at(-2)!, periods.at(-1)!);
  const isBackward = isNext(periods[1]!, periods[0]!) || isNext(periods.at(-1)!, periods.at(-2)!);
  if (!isForward && !isBackward) return undefined; // Each third month, say: not a run of neighbours at all.
  for (let index = 1; index < periods.length; index++) {
    const [before, after] = [periods[index - 1]!, periods[index]!];
    const isStep = isForward ? isNext(before, after) : isNext(after, before);
    if (!isStep) return [before, after];
  }
  return undefined;
}
