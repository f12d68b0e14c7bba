/** Rules of layout one by one, on sheets of a few rows. */
import { describe, expect, test } from "vitest";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { type CellInput, date, refusal, tidy, tidyRows, toWorkbook } from "./memory-workbook.ts";

const months: WorkbookOptions = {
  columns: { area: { label: 1 }, month: { heading: 1, kind: "month" }, value: { figure: true } },
};
const rowsOf = async (rows: readonly (readonly CellInput[])[], options: WorkbookOptions) =>
  (await tidyRows(rows, options)).rows;

describe("sheets", () => {
  const table = [
    [null, "Jan-18"],
    ["North", 1],
  ];
  const book = (...names: readonly string[]) => toWorkbook(names.map((name) => ({ name, rows: table })));
  const sheetOf = async (names: readonly string[], sheets: WorkbookOptions["sheets"], fields = {}) =>
    (
      await tidy(book(...names), { ...months, ...(sheets === undefined ? {} : { sheets }) }, { fields })
    ).report.tables.map(({ sheet }) => sheet);

  test("the preferred name wins, then the next", async () => {
    expect(await sheetOf(["Old", "Table", "New"], ["New", "Old"])).toEqual(["New"]);
    expect(await sheetOf(["Old", "Table"], ["New", "Old"])).toEqual(["Old"]);
  });

  test("a field in a name is filled in, or captured", async () => {
    expect(await sheetOf(["Data 2017", "Data 2018"], "Data {year}", { year: "2018" })).toEqual(["Data 2018"]);
    const found = await tidy(book("About", "Data 2018"), {
      ...months,
      sheets: "Data {year}",
      columns: { ...months.columns, year: { text: "{year}", kind: "integer" } },
    });
    expect(found.rows).toEqual([["North", "2018-01", 1, 2018]]);
  });

  test("nearly the name is near enough, with the same numbers", async () => {
    expect(await sheetOf(["Figure for 2018", "Other", "Figures for 2017"], "Figures for 2018")).toEqual([
      "Figure for 2018",
    ]);
    const error = await refusal(sheetOf(["Figures for 2016", "Figures for 2017"], "Figures for 2018"));
    expect(error.message).toBe(
      'file.xlsx: the sheets "Figures for 2016" and "Figures for 2017" all hold such a table.',
    );
  });

  test("several that fit are taken one, first or all, as is said", async () => {
    const names = ["Data 2017", "Notes", "Data 2018"];
    expect(await sheetOf(names, { names: /^Data/, take: "all" })).toEqual(["Data 2017", "Data 2018"]);
    expect(await sheetOf(names, { names: /^Data/, take: "first" })).toEqual(["Data 2017"]);
    const error = await refusal(sheetOf(names, /^Data/));
    expect(error).toEqual({
      code: "WORKBOOK_AMBIGUOUS",
      message: 'file.xlsx: the sheets "Data 2017" and "Data 2018" all have a name that fits.',
      hint: 'Name the one that is meant in `sheets`, or read all of them with `take: "all"`.',
    });
  });

  test("no other is taken where that is refused", async () => {
    const error = await refusal(sheetOf(["Data"], { names: "Figures", otherwise: "refuse" }));
    expect(error.message).toBe('file.xlsx: No sheet is the one looked for, "Figures". Its sheets:\n  "Data"');
  });

  test("hidden sheets are skipped, or read where that is said", async () => {
    const hidden = toWorkbook([
      { name: "Figures", rows: table, isHidden: true },
      { name: "Notes", rows: [["Nothing here"]] },
    ]);
    const error = await refusal(tidy(hidden, { ...months, sheets: "Figures" }));
    expect(error.hint).toBe('To read "Figures", declare `hidden: { sheets: "read" }`.');
    expect(
      (await tidy(hidden, { ...months, sheets: "Figures", hidden: { sheets: "read" } })).rows,
    ).toHaveLength(1);
  });
});

describe("hidden rows and columns", () => {
  const rows = [
    [null, "Jan-18", "Feb-18"],
    ["North", 1, 2],
    ["South", 3, 4],
  ];

  test("are read, and counted", async () => {
    const { rows: read, report } = await tidyRows(rows, months, { hiddenRows: [3], hiddenColumns: [2] });
    expect(read).toHaveLength(4);
    expect(report.tables[0]!.rows.hidden).toBe(1);
  });

  test("are skipped where that is said", async () => {
    const options: WorkbookOptions = { ...months, hidden: { rows: "skip", columns: "skip" } };
    expect((await tidyRows(rows, options, { hiddenRows: [3], hiddenColumns: [2] })).rows).toEqual([
      ["North", "2018-01", 1],
    ]);
  });
});

describe("periods", () => {
  const read = async (
    headings: readonly CellInput[],
    kind: "month" | "quarter" | "week" | "year" | "years",
    more: object = {},
  ) =>
    (
      await rowsOf(
        [
          [null, ...headings],
          ["North", ...headings.map(() => 1)],
        ],
        {
          columns: { area: { label: 1 }, period: { heading: 1, kind, ...more }, value: { figure: true } },
        },
      )
    ).map(([, period]) => period);

  test("of all kinds, as publishers write them", async () => {
    expect(await read(["Jan-18", "Feb-18"], "month")).toEqual(["2018-01", "2018-02"]);
    expect(await read([date("2018-01-31"), date("2018-02-28")], "month")).toEqual(["2018-01", "2018-02"]);
    expect(await read(["Q1 2019", "Q2 2019", "Q3 2019p"], "quarter")).toEqual([
      "2019-Q1",
      "2019-Q2",
      "2019-Q3",
    ]);
    expect(await read(["Oct-Dec 2018", "Jan-Mar 2019"], "quarter")).toEqual(["2018-Q4", "2019-Q1"]);
    expect(await read(["Week 52 2020", "Week 53 2020", "Week 1 2021"], "week")).toEqual([
      "2020-W52",
      "2020-W53",
      "2021-W01",
    ]);
    expect(await read([2001, 2011, "2021p"], "year")).toEqual([2001, 2011, 2021]);
    expect(await read(["2017/18", "2018/19", "2019/203"], "years")).toEqual([
      "2017/18",
      "2018/19",
      "2019/20",
    ]);
  });

  test("are told in the form that is asked for", async () => {
    const forms = ["iso", "start", "end", "year", "number", "name"] as const;
    const told = await Promise.all(forms.map((as) => read(["Feb 2020"], "month", { as })));
    expect(told.flat()).toEqual(["2020-02", "2020-02-01", "2020-02-29", 2020, 2, "February"]);
    expect(await read(["Q4 2019"], "quarter", { as: "end" })).toEqual(["2019-12-31"]);
  });

  test("take the year that is known, or are refused", async () => {
    expect(await read(["Week 1", "Week 2", "Week 33"], "week", { year: "2020" })).toEqual([
      "2020-W01",
      "2020-W02",
      "2020-W03",
    ]);
    const error = await refusal(read(["Jan", "Feb"], "month"));
    expect(error.message).toContain("the headings do not say of which year they are");
    expect(error.hint).toContain("`year`");
    const over = await refusal(read(["Nov", "Dec", "Jan"], "month", { year: "2018" }));
    expect(over.message).toContain("run over the end of a year");
  });

  test("take the year of the title", async () => {
    const rows = await rowsOf([["Deaths registered in 2009P"], [], [null, "Jan", "Feb"], ["North", 1, 2]], {
      fields: { title: /in (?<year>\d{4})/ },
      columns: {
        area: { label: 1 },
        month: { heading: 1, kind: "month", year: "{year}" },
        value: { figure: true },
      },
    });
    expect(rows.map(([, month]) => month)).toEqual(["2009-01", "2009-02"]);
  });

  test("a gap is refused, or allowed", async () => {
    const sheet = [
      [null, "Jan-18", "Feb-18", "Apr-18"],
      ["North", 1, 2, 3],
    ];
    expect((await refusal(tidyRows(sheet, months))).message).toContain(
      "there is a gap between 2018-02 and 2018-04",
    );
    expect(await rowsOf(sheet, { ...months, gaps: "allow" })).toHaveLength(3);
  });
});

describe("figures", () => {
  const declared: WorkbookOptions = {
    columns: {
      area: { label: 1 },
      month: { heading: 1, kind: "month" },
      value: {
        figure: true,
        symbols: {
          "-": "zero",
          "..": "missing",
          x: "suppressed",
          ":": "empty",
          p: "mark",
          "#N/A": "missing",
        },
      },
      flag: { flag: "value" },
    },
  };

  test("empty is not zero is not a sign", async () => {
    const headings = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"].map(
      (name) => `${name}-18`,
    );
    const error: CellInput = { kind: "error", text: "#N/A" };
    const rows = await rowsOf(
      [
        [null, ...headings],
        ["North", 5, null, 0, "-", "..", "x", ":", "1,234 p", error],
      ],
      declared,
    );
    expect(rows.map(([, month, value, flag]) => [month, value, flag])).toEqual([
      ["2018-01", 5, null],
      ["2018-03", 0, null],
      ["2018-04", 0, null],
      ["2018-05", null, "missing"],
      ["2018-06", null, "suppressed"],
      ["2018-08", 1234, "p"],
      ["2018-09", null, "missing"],
    ]);
  });

  test("are exact", async () => {
    const long = "123456789012345678901.5";
    const rows = await rowsOf(
      [
        [null, "Jan-18", "Feb-18", "Mar-18", "Apr-18"],
        ["North", 0.1, long, "0.10", "(9.5)"],
      ],
      {
        ...months,
        columns: { ...months.columns, value: { figure: true, kind: "number" } },
      },
    );
    expect(rows.map(([, , value]) => value)).toEqual([0.1, long, 0.1, -9.5]);
    const decimals = await rowsOf(
      [
        [null, "Jan-18", "Feb-18"],
        ["North", 0.1, "0.10"],
      ],
      {
        ...months,
        columns: { ...months.columns, value: { figure: true, kind: "decimal" } },
      },
    );
    expect(decimals.map(([, , value]) => value)).toEqual(["0.1", "0.10"]);
  });

  test("an error in a cell is refused by its place", async () => {
    const error = await refusal(
      tidyRows(
        [
          [null, "Jan-18"],
          ["North", 1],
          ["South", { kind: "error", text: "#DIV/0!" }],
        ],
        months,
      ),
    );
    expect(error.message).toBe(
      'file.xlsx, sheet "Sheet1", cell B3: "#DIV/0!" holds the error #DIV/0! (column "value"), as most of what stands in its row.',
    );
  });
});

describe("codes", () => {
  const codes = (more: object): WorkbookOptions => ({
    columns: { code: { header: "Code", ...more }, value: { header: "Value", figure: true } },
  });
  const padded: CellInput = { kind: "number", value: 12, text: "12", shown: "0012" };

  test("are text, trimmed, with the zeros that are shown", async () => {
    const rows = await rowsOf(
      [
        ["Code", "Value"],
        ["E06000053  ", 1],
        [20, 2],
        [padded, 3],
        ["00EH", 4],
      ],
      codes({}),
    );
    expect(rows.map(([code]) => code)).toEqual(["E06000053", "20", "0012", "00EH"]);
  });

  test("two in one cell: one of them, the part that fits, or each in a row", async () => {
    const sheet = [
      ["Code", "Value"],
      ["K04000001, J99000001", 1],
    ];
    expect(await rowsOf(sheet, codes({ take: "first" }))).toEqual([["K04000001", 1]]);
    expect(await rowsOf(sheet, codes({ match: /J\d+/ }))).toEqual([["J99000001", 1]]);
    expect(await rowsOf(sheet, codes({ take: "each" }))).toEqual([
      ["K04000001", 1],
      ["J99000001", 1],
    ]);
  });

  test("rows without one are left out where that is said, and told", async () => {
    const sheet = [
      ["Code", "Value"],
      ["E06000001", 1],
      [null, 2],
      ["Total", 3],
    ];
    const { rows, report } = await tidyRows(sheet, { ...codes({}), keep: { code: /^E\d{8}$/ } });
    expect(rows).toEqual([["E06000001", 1]]);
    expect(report.tables[0]!.leftOut).toEqual([
      { column: "code", reason: "blank", count: 1, rows: [3], texts: [] },
      { column: "code", reason: "does not fit keep", count: 1, rows: [4], texts: ["Total"] },
    ]);
    const error = await refusal(tidyRows(sheet, { ...codes({}), keep: { code: /^W/ } }));
    expect(error.message).toContain("the table has no rows: all 3 rows are left out by `keep` or `drop`");
  });
});

describe("where a row comes from", () => {
  test("file, sheet, row, column and cell on request", async () => {
    const rows = await rowsOf(
      [
        [null, "Jan-18", "Feb-18"],
        ["North", 1, 2],
      ],
      {
        columns: {
          ...months.columns,
          file: { place: "file" },
          sheet: { place: "sheet" },
          row: { place: "row" },
          column: { place: "column" },
          cell: { place: "cell" },
        },
      },
    );
    expect(rows[1]).toEqual(["North", "2018-02", 2, "file.xlsx", "Sheet1", 2, "C", "C2"]);
  });
});

describe("fields that are not known", () => {
  test("are named with those that are", async () => {
    const reading = tidy(
      toWorkbook([
        {
          rows: [
            [null, "Jan-18"],
            ["North", 1],
          ],
        },
      ]),
      { columns: { ...months.columns, year: { text: "{year}" } } },
      { fields: { office: "NRS" } },
    );
    expect(await refusal(reading)).toMatchObject({
      code: "WORKBOOK_FIELD_MISSING",
      message: 'file.xlsx, sheet "Sheet1": the field {year} is not known; known are office.',
    });
  });

  test("are found in the file's name", async () => {
    const { rows } = await tidy(
      toWorkbook([
        {
          rows: [
            [null, "Jan-18"],
            ["North", 1],
          ],
        },
      ]),
      {
        fields: { file: /_(?<day>\d{4}_\d\d_\d\d)\./ },
        columns: { ...months.columns, release: { text: "{day}" } },
      },
      { name: "scotland_2020_05_04.xlsx" },
    );
    expect(rows).toEqual([["North", "2018-01", 1, "2020_05_04"]]);
  });
});
