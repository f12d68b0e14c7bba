/** Periods as publishers write them, and every way in which a text can be read as one. */
import { cleanText } from "./cell-text.ts";

export const periodKinds = ["month", "quarter", "week", "year", "years"] as const;
/** `years`: a span such as 2018/19. */
export type PeriodKind = (typeof periodKinds)[number];

export type Period = Readonly<{
  kind: PeriodKind;
  /** `undefined`: the text does not say it. For `years` the first one. */
  year: number | undefined;
  /** Month 1 to 12, quarter 1 to 4, week 1 to 53; of `years` the last year; 0 for a year. */
  number: number;
}>;

/** One way to read a text: the period, and what is left over as a footnote mark. */
export type PeriodReading = Readonly<{ period: Period; mark: string }>;

const monthNames = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
] as const;

/** Of two digits, years up to this one are of this century: statistics are not published for times to come. */
const lastShortYear = 69;
const yearMin = 1700;
const yearMax = 2200;

/** What may follow a period: marks, a letter or two glued on (`2009P`), or a remark in brackets (`(provisional)`). */
const restPattern = /^\s*(?:[*†‡§¶⁰¹²³⁴⁵⁶⁷⁸⁹.:]*|[a-z]{1,2}|\s*[([][^()[\]]{1,20}[)\]])\s*$/i;

/**
 * Reads a text in every way that makes a period of the kind.
 *
 * More than one where digits may be a footnote mark: `Jan-203` is January 2020 with mark 3 (or January with mark 203),
 * `Week 113` is week 11 with mark 3 or week 1 with mark 13. Which one is meant is decided by the whole row of
 * headings, in `read-period-headings.ts`.
 */
export function readingsOf(text: string, kind: PeriodKind): readonly PeriodReading[] {
  const clean = cleanText(text).toLowerCase();
  switch (kind) {
    case "month":
      return monthReadings(clean);
    case "quarter":
      return quarterReadings(clean);
    case "week":
      return weekReadings(clean);
    case "year":
      return yearReadings(clean.replace(/^year\s+/, ""), "").map(({ year, mark }) => ({
        period: { kind, year, number: 0 },
        mark,
      }));
    case "years":
      return yearsReadings(clean);
  }
}

/** The period that a date lies in; a week is the publisher's own, so no date says which it is. */
export function periodOfDate(iso: string, kind: PeriodKind): Period | undefined {
  const parts = /^(\d{4})-(\d{2})-\d{2}/.exec(iso);
  if (parts === null || kind === "week" || kind === "years") return undefined;
  const month = Number(parts[2]);
  const number = kind === "month" ? month : kind === "quarter" ? Math.ceil(month / 3) : 0;
  return { kind, year: Number(parts[1]), number };
}

/** Place of a period among its kind: neighbours differ by one. Without a year it is the place within the year. */
export function ordinalOf(period: Period): number {
  const year = period.year ?? 0;
  switch (period.kind) {
    case "month":
      return year * 12 + period.number;
    case "quarter":
      return year * 4 + period.number;
    case "week":
      return year * 53 + period.number; // A year of 52 weeks leaves a step of two; see `isNeighbour`.
    case "year":
    case "years":
      return year;
  }
}

/** Whether one period directly follows the other. */
export function isNext(before: Period, after: Period): boolean {
  const step = ordinalOf(after) - ordinalOf(before);
  if (step === 1) return true;
  return before.kind === "week" && step === 2 && before.number === 52 && after.number === 1;
}

/** Whether a text begins as headings of the kind do: when it cannot be read, that is a slip and not another column. */
export function looksLike(text: string, kind: PeriodKind): boolean {
  const clean = cleanText(text).toLowerCase();
  switch (kind) {
    case "month":
      return /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[^a-z]*\d|^\d{4}[-m/]\d/.test(clean);
    case "quarter":
      return /^(q|quarter)\s*\d|^\d{4}\s*q/.test(clean);
    case "week":
      return /^(week|wk|w)?\s*\d+$/.test(clean);
    case "year":
    case "years":
      return /^(1[789]|20|21)\d\d\b/.test(clean);
  }
}

/** English name of a month, 1 to 12: `January`. */
export function monthName(month: number): string {
  const name = monthNames[month - 1]!;
  return name[0]!.toUpperCase() + name.slice(1);
}

/** Month of an English name or its abbreviation (three letters, or `sept`), lower case; 0: none. */
export function monthOfName(name: string): number {
  if (name === "sept") return 9;
  return 1 + monthNames.findIndex((full) => full === name || (name.length === 3 && full.startsWith(name)));
}

type YearReading = Readonly<{ year: number | undefined; mark: string }>;

/** Ways to read what follows a name: a year of four or of two digits with a mark, or only a mark. */
function tailReadings(tail: string): readonly YearReading[] {
  const parts = /^[\s\-–—/.,']*(\d*)(.*)$/.exec(tail)!;
  const [digits, rest] = [parts[1]!, parts[2]!];
  if (!restPattern.test(rest)) return [];
  const readings: YearReading[] = [...fourDigits(digits, rest)];
  if (digits.length >= 2) {
    const short = Number(digits.slice(0, 2));
    const year = short <= lastShortYear ? 2000 + short : 1900 + short;
    readings.push({ year, mark: digits.slice(2) + rest.trim() });
  }
  if (digits.length <= 2) readings.push({ year: undefined, mark: digits + rest.trim() });
  return readings.filter((reading) => digitsOfMark(reading.mark) <= 2);
}

function fourDigits(digits: string, rest: string): readonly YearReading[] {
  const year = Number(digits.slice(0, 4));
  if (digits.length < 4 || year < yearMin || year > yearMax) return [];
  return [{ year, mark: digits.slice(4) + rest.trim() }];
}

/** A footnote has at most two digits: no sheet has a hundred. */
function digitsOfMark(mark: string): number {
  return mark.replace(/\D/g, "").length;
}

function yearReadings(text: string, before: string): readonly YearReading[] {
  const parts = /^(\d{4,})(.*)$/.exec(text);
  if (parts === null || !restPattern.test(parts[2]!)) return [];
  return fourDigits(parts[1]!, parts[2]!)
    .map(({ year, mark }) => ({ year, mark: before + mark }))
    .filter((reading) => digitsOfMark(reading.mark) <= 2);
}

function monthReadings(text: string): readonly PeriodReading[] {
  const readings: PeriodReading[] = [];
  const add = (number: number, found: readonly YearReading[]) => {
    if (number < 1 || number > 12) return;
    for (const { year, mark } of found) readings.push({ period: { kind: "month", year, number }, mark });
  };
  const named = /^([a-z]{3,9})\.?(.*)$/.exec(text);
  if (named !== null) add(monthOfName(named[1]!), tailReadings(named[2]!));
  // 2018-01, 2018M01, 201801, 2018 January; two digits of the month, the rest is a mark.
  const yearFirst = /^(\d{4})[\s\-–/.m]{0,3}(?:(\d{1,2})(\d{0,2})|([a-z]{3,9})\.?)(\D*)$/.exec(text);
  if (yearFirst !== null && restPattern.test(yearFirst[5]!)) {
    const month = yearFirst[2] === undefined ? monthOfName(yearFirst[4]!) : Number(yearFirst[2]);
    add(month, fourDigits(yearFirst[1]!, (yearFirst[3] ?? "") + yearFirst[5]!.trim()));
  }
  const monthFirst = /^(\d{1,2})\s?[/.-]\s?(\d{4,})(\D*)$/.exec(text);
  if (monthFirst !== null && restPattern.test(monthFirst[3]!)) {
    add(Number(monthFirst[1]), yearReadings(monthFirst[2]! + monthFirst[3]!, ""));
  }
  if (/^\d{1,2}$/.test(text)) add(Number(text), [{ year: undefined, mark: "" }]);
  return readings;
}

function quarterReadings(text: string): readonly PeriodReading[] {
  const toReadings = (number: number, found: readonly YearReading[]): readonly PeriodReading[] =>
    found.map(({ year, mark }) => ({ period: { kind: "quarter", year, number }, mark }));
  const quarterFirst =
    /^(?:q|quarter )\s?([1-4])(?!\d)(.*)$/.exec(text) ?? /^([1-4])(?:st|nd|rd|th) quarter(.*)$/.exec(text);
  if (quarterFirst !== null)
    return toReadings(Number(quarterFirst[1]), tailReadings(quarterFirst[2]!.replace(/^ of/, "")));
  const yearFirst = /^(\d{4})[\s\-–/]{0,3}(?:q|quarter )\s?([1-4])(.*)$/.exec(text);
  if (yearFirst !== null && restPattern.test(yearFirst[3]!.replace(/^\d{1,2}/, ""))) {
    return toReadings(Number(yearFirst[2]), fourDigits(yearFirst[1]!, yearFirst[3]!.trim()));
  }
  const span = /^([a-z]{3,9})\.?\s?(?:-|–|to)\s?([a-z]{3,9})\.?(.*)$/.exec(text);
  if (span === null) return [];
  const [first, last] = [monthOfName(span[1]!), monthOfName(span[2]!)];
  return first % 3 === 1 && last === first + 2 ? toReadings((first + 2) / 3, tailReadings(span[3]!)) : [];
}

function weekReadings(text: string): readonly PeriodReading[] {
  const readings: PeriodReading[] = [];
  const add = (digits: string, rest: string, year: number | undefined) => {
    for (const length of [1, 2]) {
      const number = Number(digits.slice(0, length));
      const mark = digits.slice(length) + rest.trim();
      if (digits.length < length || number < 1 || number > 53 || digitsOfMark(mark) > 2) continue;
      readings.push({ period: { kind: "week", year, number }, mark });
    }
  };
  const yearFirst = /^(\d{4})[\s\-–/]{0,3}(?:week |week|wk|w)\s?(\d{1,4})(\D*)$/.exec(text);
  if (yearFirst !== null && restPattern.test(yearFirst[3]!)) {
    add(yearFirst[2]!, yearFirst[3]!, Number(yearFirst[1]));
    return readings;
  }
  const yearLast = /^(?:week|wk|w)\.?\s?(\d{1,2})[\s,/-]+(\d{4})(\D*)$/.exec(text);
  if (yearLast !== null && restPattern.test(yearLast[3]!)) {
    add(yearLast[1]!, yearLast[3]!, Number(yearLast[2]));
    return readings;
  }
  const plain = /^(?:(?:week|wk|w)(?: no| number)?\.?\s?)?(\d{1,4})(\D*)$/.exec(text);
  if (plain !== null && restPattern.test(plain[2]!)) add(plain[1]!, plain[2]!, undefined);
  return readings;
}

/** Years of one span: `2018/17` is no span of 99 years but a slip. */
const spanYearsMax = 50;

function yearsReadings(text: string): readonly PeriodReading[] {
  const parts = /^(?:fy\s?)?(\d{4})\s?(?:\/|-|–|to)\s?(\d{2,6})(\D*)$/.exec(text);
  if (parts === null || !restPattern.test(parts[3]!)) return [];
  const first = Number(parts[1]);
  const readings: PeriodReading[] = [];
  for (const length of [2, 4]) {
    const digits = parts[2]!.slice(0, length);
    if (digits.length < length) continue;
    const last = length === 4 ? Number(digits) : Math.floor(first / 100) * 100 + Number(digits);
    const wrapped = length === 2 && last <= first ? last + 100 : last; // 1999/00
    const mark = parts[2]!.slice(length) + parts[3]!.trim();
    if (wrapped <= first || wrapped - first > spanYearsMax || wrapped > yearMax || digitsOfMark(mark) > 2)
      continue;
    readings.push({ period: { kind: "years", year: first, number: wrapped }, mark });
  }
  return readings;
}
