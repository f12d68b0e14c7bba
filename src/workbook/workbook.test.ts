import { describe, expect, test } from "vitest";
import { workbook } from "./workbook.ts";
import type { WorkbookOptions } from "./workbook-options.ts";

const right: WorkbookOptions = {
  sheets: ["Figures for {year}", /^figures/i],
  columns: { code: { header: /code/i }, month: { heading: 1, kind: "month" }, deaths: { figure: true } },
};

/** Faults of a declaration, as they are listed. */
function faultsOf(options: unknown): readonly string[] {
  try {
    workbook(options as WorkbookOptions); // What a person without a type checker may write.
  } catch (error) {
    const { code, message } = error as { code: string; message: string }; // A LeatError, or the test fails on it.
    expect(code).toBe("CONFIG_INVALID");
    return message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe("a declaration", () => {
  test("is plain data, frozen, its columns in their order", () => {
    const declaration = workbook(right);
    expect(declaration).toEqual({
      format: "workbook",
      columns: ["code", "month", "deaths"],
      options: {
        sheets: ["Figures for {year}", { pattern: "^figures", flags: "i" }],
        columns: {
          code: { header: { pattern: "code", flags: "i" } },
          month: { heading: 1, kind: "month" },
          deaths: { figure: true },
        },
      },
    });
    expect(JSON.parse(JSON.stringify(declaration))).toEqual(declaration);
    expect(Object.isFrozen(declaration.options["columns"])).toBe(true);
  });

  test("that is wrong is told all its faults, each with its path", () => {
    expect(
      faultsOf({
        sheet: "Figures",
        tables: "two",
        columns: {
          code: { header: [], optional: "yes" },
          "2018": { header: "2018" },
          name: { lable: 1 },
          month: { heading: 1, kind: "mouth", marks: "cut" },
          deaths: { figure: true, symbol: { "-": "zero" } },
        },
      }),
    ).toEqual([
      'tables: "two" is not known; use one, first, all',
      "sheet: unknown option",
      "columns.2018: a column's name is letters, digits and _, not beginning with a digit",
      "columns.code.header: name at least one",
      "columns.code.optional: Invalid input: expected boolean, received string",
      "columns.name: say where its values come from: header, label, section, heading, figure, flag, text, place or caption",
      'columns.month.kind: "mouth" is not known; use text, integer, number, decimal, boolean, date, datetime, month, quarter, week, year, years',
      'columns.deaths.symbol: unknown option; did you mean "symbols"?',
    ]);
  });

  test.each<[string, unknown, string]>([
    ["no columns", { columns: {} }, "columns: declare at least one"],
    [
      "figures without headings",
      { columns: { a: { header: "A" }, v: { figure: true } } },
      "columns.v: a figure stands under a heading: add a `heading` column, or give this one a `header`",
    ],
    [
      "headings without figures",
      { columns: { m: { heading: 1 } } },
      "columns: headings need a column with `figure`",
    ],
    [
      "a level left out",
      { columns: { m: { heading: 2 }, v: { figure: true } } },
      "columns: no column takes heading 1",
    ],
    [
      "no header at all",
      { columns: { a: { letter: "A" } } },
      'columns: no column has a `header`; a table without any is declared with `header: "none"`',
    ],
    [
      "a flag of nothing",
      { columns: { a: { header: "A" }, f: { flag: "b" } } },
      'columns.f.flag: "b" is not a figure column',
    ],
    [
      "signs outside figures",
      { columns: { a: { header: "A", symbols: { "-": "zero" } } } },
      "columns.a.symbols: are read in figures only; add `figure: true`",
    ],
    [
      "a year of no column",
      { columns: { a: { header: "A" }, m: { header: "M", kind: "month", year: { column: "y" } } } },
      'columns.m.year.column: there is no column "y"',
    ],
    [
      "days of a week",
      { columns: { a: { header: "A", kind: "week", as: "start" } } },
      "columns.a.as: which days a week has differs from publisher to publisher; read them from the sheet",
    ],
    [
      "rows chosen by an unknown column",
      { columns: { area: { header: "A" } }, keep: { aera: /x/ } },
      'keep.aera: there is no such column. Did you mean "area"? Known columns: area.',
    ],
    [
      "a pattern that is none",
      { columns: { a: { header: { pattern: "(", flags: "" } } } },
      "columns.a.header: write a name, a regular expression, or a list of them",
    ],
    [
      "two columns split",
      { columns: { a: { header: "A", take: "each" }, b: { header: "B", take: "each" } } },
      'columns: only one column can be taken with "each": two would make every pair a row',
    ],
  ])("%s is a fault", (_, options, fault) => {
    expect(faultsOf(options)).toContain(fault);
  });

  test("with code in it is refused, since it is handed to another process", () => {
    const options = { columns: { a: { header: () => "A" } } } as unknown as WorkbookOptions; // On purpose.
    expect(() => workbook(options)).toThrow("columns.a.header is a function");
  });
});
