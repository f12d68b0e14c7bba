import { expect, test } from "vitest";
import { fromLetters, printColumns, toCellName, toLetters } from "./cell-place.ts";

test("columns have letters, as spreadsheets count them", () => {
  expect([0, 25, 26, 51, 701, 702, 16_383].map(toLetters)).toEqual([
    "A",
    "Z",
    "AA",
    "AZ",
    "ZZ",
    "AAA",
    "XFD",
  ]);
  for (let column = 0; column < 20_000; column += 7) expect(fromLetters(toLetters(column))).toBe(column);
  expect(fromLetters("ab")).toBe(27);
});

test("places are said as people say them", () => {
  expect(toCellName(12, 27)).toBe("AB12");
  expect(printColumns([0, 2, 3, 4, 13, 14])).toBe("A, C to E, N, O");
  expect(printColumns([])).toBe("");
});
