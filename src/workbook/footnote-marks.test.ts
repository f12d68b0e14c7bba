import { describe, expect, test } from "vitest";
import { cutMarks, cutValueMark, markOfNote, toNamePattern } from "./footnote-marks.ts";
import type { SheetCell } from "./sheet.ts";

const known = new Set(["1", "2", "3", "5", "6", "7", "8", "9", "11", "12", "19", "a", "b"]);

describe("marks of labels", () => {
  test.each([
    ["Isles of Scilly UA 11", "Isles of Scilly UA", "11"],
    ["New England6", "New England", "6"],
    ["United States Total6, 7, 8, 9", "United States Total", "6, 7, 8, 9"],
    ["ENGLAND, WALES AND ELSEWHERE 1,2", "ENGLAND, WALES AND ELSEWHERE", "1, 2"],
    ["Northern Territory(b)", "Northern Territory", "b"],
    ["Deaths by cause 2,3 *", "Deaths by cause", "2, 3, *"],
    ["Apr¹", "Apr", "¹"],
    ["Jan†", "Jan", "†"],
    ["Estimate [note 4]", "Estimate", "4"],
  ])("%j is %j with %s", (label, text, marks) => {
    expect(cutMarks(label, known)).toMatchObject({ text });
    expect(cutMarks(label, known).marks.join(", ")).toBe(marks);
  });

  test.each([
    "Isles of Scilly UA 4", // No note begins with 4.
    "E06000011", // Digits after digits are the code's own.
    "20-24",
    "Aged 15 to 19",
    "Under 1",
    "Ward 12",
    "Covid-19",
    "A1",
    "Total (c)",
    "England (UK)",
    "12",
    "*",
  ])("%j has none", (label) => {
    expect(cutMarks(label, known)).toEqual({ text: label, marks: [] });
  });
});

test("marks of values are letters and signs, never digits", () => {
  expect(cutValueMark("14a", known)).toEqual({ text: "14", marks: ["a"] });
  expect(cutValueMark("2015 *", known)).toEqual({ text: "2015", marks: ["*"] });
  expect(cutValueMark("12 (3)", known)).toEqual({ text: "12", marks: ["3"] });
  for (const text of ["14c", "123", "2020P", "a", ""])
    expect(cutValueMark(text, known)).toEqual({ text, marks: [] });
});

describe("a name that is looked for", () => {
  test("may have marks behind its words", () => {
    const finds = (name: string, header: string) => toNamePattern(name).test(header);
    expect(finds("week number", "week number3")).toBe(true);
    expect(finds("respiratory deaths registered", "respiratory2 deaths registered (a)")).toBe(true);
    expect(finds("covid-19 deaths", "covid-193 deaths")).toBe(true);
    expect(finds("area codes", "area codes 1")).toBe(true);
    expect(finds("rate (%)", "rate (%)1,2:")).toBe(true);
  });

  test("is no longer name and no shorter one", () => {
    expect(toNamePattern("week").test("week number")).toBe(false);
    expect(toNamePattern("week number").test("week")).toBe(false);
    expect(toNamePattern("covid-19").test("covid-1")).toBe(false);
    expect(toNamePattern("a.b").test("axb")).toBe(false);
  });

  test("gives the fields in it", () => {
    const found = toNamePattern("figures for {year}", ["year"]).exec("figures for 2018");
    expect(found?.groups).toEqual({ year: "2018" });
  });
});

test("notes begin with the mark that they explain", () => {
  const markOf = (...cells: readonly (string | number)[]) =>
    markOfNote({
      number: 1,
      isHidden: false,
      cells: cells.map(
        (cell): SheetCell =>
          typeof cell === "string"
            ? { kind: "text", text: cell }
            : { kind: "number", value: cell, text: String(cell), shown: undefined },
      ),
    });
  expect(markOf("1 England and Wales were recoded.")).toBe("1");
  expect(markOf("6) Other institutions include clinics.")).toBe("6");
  expect(markOf("(a) Includes blank responses")).toBe("a");
  expect(markOf("P Weekly published data are provisional.")).toBe("p");
  expect(markOf("                      1          Estimate rounded")).toBe("1");
  expect(markOf("* Please note")).toBe("*");
  expect(markOf("Note 3: Revised.")).toBe("3");
  expect(markOf(12, "Wiltshire UA comprises the former districts.")).toBe("12");
  expect(markOf("s:", "Suppressed")).toBe("s");
  expect(markOf("Source: Office for National Statistics")).toBeUndefined();
  expect(markOf("Footnotes:")).toBeUndefined();
  expect(markOf("2018 figures")).toBeUndefined();
});
