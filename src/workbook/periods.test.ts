import { describe, expect, test } from "vitest";
import { isNext, type PeriodKind, readingsOf } from "./periods.ts";

/** The readings without a digit left over, as `2018 1`. */
const sureOf = (text: string, kind: PeriodKind) =>
  readingsOf(text, kind)
    .filter(({ mark }) => !/\d/.test(mark))
    .map(({ period }) => `${period.year ?? "?"} ${period.number}`);

describe("texts that say a period", () => {
  test.each<[PeriodKind, string, string]>([
    ["month", "Jan-18", "2018 1"],
    ["month", "JANUARY 2018", "2018 1"],
    ["month", "Sept 2019", "2019 9"],
    ["month", "2018-01", "2018 1"],
    ["month", "2018M01", "2018 1"],
    ["month", "201801", "2018 1"],
    ["month", "2018 January", "2018 1"],
    ["month", "01/2018", "2018 1"],
    ["month", "Jan 2018 (provisional)", "2018 1"],
    ["month", "Jan-18p", "2018 1"],
    ["month", "May '18", "2018 5"],
    ["month", "Dec-99", "1999 12"],
    ["quarter", "Q1 2019", "2019 1"],
    ["quarter", "2019 Q1", "2019 1"],
    ["quarter", "2019Q1", "2019 1"],
    ["quarter", "Jan to Mar 2019", "2019 1"],
    ["quarter", "Oct-Dec 2018", "2018 4"],
    ["quarter", "1st quarter of 2019", "2019 1"],
    ["week", "Week 5", "? 5"],
    ["week", "Week number 53", "? 53"],
    ["week", "W05", "? 5"],
    ["week", "2020-W05", "2020 5"],
    ["week", "Wk 5, 2020", "2020 5"],
    ["year", "2019p", "2019 0"],
    ["year", "Year 2019", "2019 0"],
    ["years", "2018/19", "2018 2019"],
    ["years", "1999/00", "1999 2000"],
    ["years", "2018-2020", "2018 2020"],
    ["years", "2018 to 2019", "2018 2019"],
  ])("%s: %j", (kind, text, period) => {
    expect(sureOf(text, kind)).toContain(period);
  });

  test.each<[PeriodKind, string]>([
    ["month", "Marches"],
    ["month", "Total"],
    ["month", "March of the penguins"],
    ["month", "2018-13"],
    ["quarter", "Q5 2019"],
    ["quarter", "Feb-Apr 2019"],
    ["week", "Week 54"],
    ["week", "week 12-30"],
    ["week", "Week"],
    ["year", "20190"],
    ["year", "1234567"],
    ["years", "2018/17"],
    ["years", "2019"],
  ])("%s: %j is none", (kind, text) => {
    expect(sureOf(text, kind)).toEqual([]);
  });
});

test("neighbours follow each other over the end of a year", () => {
  const month = (year: number, number: number) => ({ kind: "month", year, number }) as const;
  const week = (year: number, number: number) => ({ kind: "week", year, number }) as const;
  expect(isNext(month(2018, 12), month(2019, 1))).toBe(true);
  expect(isNext(month(2018, 1), month(2018, 3))).toBe(false);
  expect(isNext(week(2019, 52), week(2020, 1))).toBe(true);
  expect(isNext(week(2020, 53), week(2021, 1))).toBe(true);
  expect(isNext(week(2020, 51), week(2021, 1))).toBe(false);
});
