import { describe, expect, test } from "vitest";
import { printCsv, printTable } from "./print-table.ts";

describe("printTable", () => {
  test("sets numbers to the right and text to the left", () => {
    expect(
      printTable(
        ["name", "n"],
        [
          ["a", 1],
          ["bcdef", 1234],
          [null, undefined],
        ],
      ),
    ).toBe(["name      n", "-----  ----", "a         1", "bcdef  1234", "", ""].join("\n"));
  });

  test("keeps one row on one line, and a terminal where it is", () => {
    const text = printTable(["x"], [["two\nlines \u001b[2J"], [{ nested: [1] }], ["y".repeat(100)]]);
    expect(text.split("\n").slice(2)).toEqual([
      "two\\nlines \\u001b[2J",
      '{"nested":[1]}',
      `${"y".repeat(59)}…`,
      "",
    ]);
  });
});

test("printCsv quotes what must be, and tells an empty text from nothing", () => {
  expect(
    printCsv(
      ["a", "b,c"],
      [
        ["x", 'say "hi"'],
        ["", null],
        ["two\nlines", 1.5],
        [{ n: 1 }, true],
      ],
    ),
  ).toBe('a,"b,c"\r\nx,"say ""hi"""\r\n"",\r\n"two\nlines",1.5\r\n"{""n"":1}",true\r\n');
});
