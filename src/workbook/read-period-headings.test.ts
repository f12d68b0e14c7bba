import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PeriodKind } from "./periods.ts";
import { readPeriodHeadings } from "./read-period-headings.ts";

const names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const unknown = { given: undefined, expected: undefined };

/** Periods as `2018-1`, and the marks that were cut. */
function read(
  texts: readonly string[],
  kind: PeriodKind,
  year: { given: number | undefined; expected: number | undefined } = unknown,
) {
  const cells = texts.map((text, column) => ({ column, text, iso: undefined }));
  const { periods, marks, problems } = readPeriodHeadings(cells, kind, year);
  return {
    periods: [...periods.values()].map(({ year, number }) => `${year}-${number}`),
    marks: [...new Set(marks.values())],
    problems,
  };
}

describe("digits that may be a mark or the period's own", () => {
  test("Jan-203 is January 2020 with mark 3", () => {
    const { periods, marks } = read(
      names.map((name) => `${name}-203`),
      "month",
    );
    expect(periods).toEqual(names.map((_, index) => `2020-${index + 1}`));
    expect(marks).toEqual(["3"]);
  });

  test("Jan-2018 is 2018, and not 2020 with mark 18", () => {
    expect(
      read(
        names.map((name) => `${name}-2018`),
        "month",
      ),
    ).toEqual({ periods: names.map((_, index) => `2018-${index + 1}`), marks: [], problems: [] });
  });

  test("Jan-20183 is 2018 with mark 3", () => {
    expect(read(["Jan-20183", "Feb-20183"], "month")).toMatchObject({
      periods: ["2018-1", "2018-2"],
      marks: ["3"],
    });
  });

  test("Jan-1912 is 1912, unless the file is known to be of 2019", () => {
    const headings = names.map((name) => `${name}-1912`);
    expect(read(headings, "month").periods[0]).toBe("1912-1");
    expect(read(headings, "month", { given: undefined, expected: 2019 })).toMatchObject({
      periods: names.map((_, index) => `2019-${index + 1}`),
      marks: ["12"],
    });
  });

  test("one month alone is read without its neighbours", () => {
    expect(read(["Mar-15 "], "month").periods).toEqual(["2015-3"]);
    expect(read(["Jan-203"], "month")).toMatchObject({ periods: ["2020-1"], marks: ["3"] });
  });

  test("a mark on some headings only", () => {
    expect(read(["Jan-18", "Feb-183", "Mar-18"], "month")).toMatchObject({
      periods: ["2018-1", "2018-2", "2018-3"],
      marks: ["3"],
    });
  });

  test("weeks one to thirteen, the last with a mark", () => {
    const weeks = Array.from({ length: 13 }, (_, index) => `Week ${index + 1}`);
    const marked = weeks.map((week, index) => (index >= 10 ? `${week}3` : week));
    const found = read(marked, "week", { given: 2020, expected: undefined });
    expect(found.periods).toEqual(weeks.map((_, index) => `2020-${index + 1}`));
  });

  test("years with a mark, and backwards", () => {
    expect(read(["2017", "2016", "2015 *"], "year").periods).toEqual(["2017-0", "2016-0", "2015-0"]);
    expect(read(["20173", "20183", "20193"], "year")).toMatchObject({
      periods: ["2017-0", "2018-0", "2019-0"],
      marks: ["3"],
    });
  });

  test("any run of months in any year, with any mark, in any of four forms", () => {
    const forms = [
      (year: number, month: number, mark: string) => `${names[month - 1]}-${String(year).slice(2)}${mark}`,
      (year: number, month: number, mark: string) => `${names[month - 1]} ${year}${mark}`,
      (year: number, month: number, mark: string) => `${year}-${String(month).padStart(2, "0")}${mark}`,
      (year: number, month: number, mark: string) => `${names[month - 1]}.${year}${mark}`,
    ];
    const start = fc.integer({ min: 1971 * 12, max: 2060 * 12 });
    fc.assert(
      fc.property(
        start,
        fc.integer({ min: 2, max: 24 }),
        fc.constantFrom(...forms),
        fc.constantFrom("", "3", "*", "p", "²"),
        (first, length, form, mark) => {
          const months = Array.from({ length }, (_, index) => ({
            year: Math.floor((first + index) / 12),
            month: ((first + index) % 12) + 1,
          }));
          const found = read(
            months.map(({ year, month }) => form(year, month, mark)),
            "month",
          );
          expect(found.periods).toEqual(months.map(({ year, month }) => `${year}-${month}`));
          expect(found.marks).toEqual(mark === "" ? [] : [mark]);
        },
      ),
    );
  });
});

describe("what cannot be read without guessing", () => {
  test("months without a year", () => {
    expect(read(["January", "February"], "month").problems).toEqual([
      "the headings do not say of which year they are",
    ]);
    expect(read(["January", "February"], "month", { given: 2018, expected: undefined })).toMatchObject({
      periods: ["2018-1", "2018-2"],
      problems: [],
    });
  });

  test("months that run over the end of a year that is given", () => {
    const { problems } = read(["Nov", "Dec", "Jan"], "month", { given: 2018, expected: undefined });
    expect(problems).toEqual(["the headings run over the end of a year and do not say which years they are"]);
  });

  test("a heading that looks like a month", () => {
    expect(read(["Janx-18", "Feb-18"], "month").problems).toEqual([
      'the heading "Janx-18" looks like a month and cannot be read as one',
    ]);
    expect(read(["Total", "Feb-18"], "month").problems).toEqual([]);
  });
});
