import { expect, test } from "vitest";
import { readCsv } from "./read-csv.ts";

test("nulls, empty texts, quotes, commas and line ends are told apart", () => {
  const text = 'a,"b"\n"x, ""y""\nz",""\n,"имя"\n';
  expect(readCsv(text)).toEqual([
    ["a", "b"],
    ['x, "y"\nz', ""],
    [null, "имя"],
  ]);
});

test("nothing has no rows, and a last line need not end", () => {
  expect(readCsv("")).toEqual([]);
  expect(readCsv('"a"\n"1"')).toEqual([["a"], ["1"]]);
});
