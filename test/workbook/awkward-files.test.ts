/** Small files with one awkward thing each, from the test suites of two libraries. */
import { describe, expect, test } from "vitest";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { refusal, tidyFile } from "./memory-workbook.ts";

const read = (path: string, options: WorkbookOptions) => tidyFile(`messy-workbooks/${path}`, options);
const rowsOf = async (path: string, options: WorkbookOptions) => (await read(path, options)).rows;

describe("frictionless", () => {
  test("a header of five rows is known by its lowest text, or with what stands above it", async () => {
    const rows = await rowsOf("frictionless/multiline-headers.xlsx", {
      columns: {
        region: { header: "Region" },
        caloric: { header: "Caloric contribution (%)" },
        quarter: { header: "from previous quarter" },
        baseline: { header: "Cumulative impact of changes on cost of food basket from baseline (%)" },
      },
    });
    expect(rows).toEqual([["A", "B", "C", "D"]]);
  });

  test.each([
    "merged-cells.xls",
    "merged-cells.xlsx",
  ])("%s: a header with nothing below it is no table", async (file) => {
    const error = await refusal(read(`frictionless/${file}`, { columns: { data: { header: "data" } } }));
    expect(error).toMatchObject({
      code: "WORKBOOK_TABLE_MISSING",
      message: `${file}, sheet "Лист1": the table has no rows: no row below its header holds data.`,
    });
  });

  test("a number is its value and not what its format shows", async () => {
    const rows = await rowsOf("frictionless/number-format-multicode.xlsx", {
      columns: { value: { header: "col1", kind: "decimal", figure: true } },
    });
    expect(rows).toEqual([["4.51119775197299"], ["-9.03233986479077"], ["15.7929464439101"]]);
  });

  test("codes keep their zeros, and a number among texts is its text", async () => {
    const rows = await rowsOf("frictionless/cast-int-to-string-issue-1251.xls", {
      columns: { a: { header: "A" }, d: { header: "D" }, e: { header: "E", kind: "integer" } },
    });
    expect(rows).toEqual([
      ["001", "a", 1],
      ["002", "1", 1],
    ]);
  });
});

describe("readxl", () => {
  test("the same dates in both date systems are equal", async () => {
    const options: WorkbookOptions = {
      header: "none",
      columns: {
        a: { letter: "A", kind: "date" },
        c: { letter: "C", kind: "date" },
        d: { letter: "D", kind: "date" },
        e: { letter: "E", kind: "datetime" },
      },
    };
    const rows = await rowsOf("readxl/dates-1900.xls", options);
    expect(rows).toEqual([["2000-01-01", "2000-01-01", "2000-01-01", "2000-01-01T00:00:00"]]);
    expect(await rowsOf("readxl/dates-1904.xls", options)).toEqual(rows);
  });

  test.each([
    "whitespace-xls.xls",
    "whitespace-xlsx.xlsx",
  ])("%s: cells of spaces are blank, spaces around a name are not its own", async (file) => {
    const rows = await rowsOf(`readxl/${file}`, {
      sheets: ["whitespace"],
      columns: { text: { header: "<-space, space->" } },
    });
    expect(rows).toEqual([["<-space"], ["space->"], ["<-tab, tab->"], ["<-tab"], ["tab->"]]);
    const error = await refusal(
      read(`readxl/${file}`, {
        sheets: ["logical_and_NA"],
        columns: { number: { header: "numeric", kind: "number" } },
      }),
    );
    expect(error.message).toBe(
      `${file}, sheet "logical_and_NA", cell A3: ":-)" is not a number (column "number").`,
    );
  });

  test("formatted cells without content are no columns", async () => {
    const { rows, report } = await read("readxl/style-only-cells.xlsx", {
      columns: {
        one: { header: "var1" },
        two: { header: "var2" },
        three: { header: "var3" },
        five: { header: "var5", kind: "integer" },
      },
    });
    expect(rows).toEqual([
      ["val1,1", null, "aa", 1],
      ["val2,1", null, "bb", 2],
      ["val3,1", null, "cc", 3],
    ]);
    expect(report.tables[0]!.ignoredColumns).toEqual([]);
  });

  test("a used range that begins at B, without a header", async () => {
    const byLetter = await rowsOf("readxl/missing-first-column.xls", {
      header: "none",
      columns: { n: { letter: "B", kind: "integer" } },
    });
    const byValues = await rowsOf("readxl/missing-first-column.xls", {
      header: "none",
      columns: { n: { values: /^\d$/, kind: "integer" } },
    });
    expect(byLetter).toEqual([[1], [2], [3]]);
    expect(byValues).toEqual(byLetter);
    const error = await refusal(read("readxl/missing-first-column.xls", { columns: { n: { header: "n" } } }));
    expect(error.code).toBe("WORKBOOK_SHEET_MISSING");
  });

  test("headers that are there twice are told apart, or refused", async () => {
    const file = "readxl/unnamed-duplicated-columns.xlsx";
    const error = await refusal(read(file, { columns: { v: { header: "var2" } } }));
    expect(error).toMatchObject({
      code: "WORKBOOK_AMBIGUOUS",
      hint: "Say which by more of its header, by `values`, or by `nth`.",
    });
    expect(error.message).toContain('row 1: "v" fits columns B, D equally well');
    const pair = [
      ["a", "aa"],
      ["b", "bb"],
    ];
    expect(
      await rowsOf(file, { columns: { v: { header: "var2", nth: 1 }, w: { header: "var2", nth: 2 } } }),
    ).toEqual(pair);
    expect(
      await rowsOf(file, {
        columns: { v: { header: "var2", values: /^.$/ }, w: { header: "var2", values: /^..$/ } },
      }),
    ).toEqual(pair);
  });

  test("an Excel 5 file with rich text and letters of its code page", async () => {
    const { rows, report } = await read("readxl/biff5-rich-text-string.xls", {
      columns: {
        no: { header: "No.", kind: "integer" },
        surname: { header: "Surname in full." },
        names: { header: /^christian names/i },
      },
    });
    expect(rows).toHaveLength(13);
    expect(rows[0]).toEqual([1788, "McNally", "Henry"]);
    expect(report.tables[0]).toMatchObject({
      headerRows: [3],
      above: ["ELECTORAL DIVISION OF SOMERSET EAST ; FIELD-CÓRNËTCY No. 5, ZWAGERSHÓÊN."],
    });
  });

  test("sheets with names beyond ASCII, two of which hold the table", async () => {
    const file = "readxl/utf8-sheet-names.xls";
    expect(await rowsOf(file, { sheets: "∂", columns: { x: { header: "x", kind: "integer" } } })).toEqual([
      [1],
    ]);
    const error = await refusal(read(file, { columns: { x: { header: "x", kind: "integer" } } }));
    expect(error.message).toBe('utf8-sheet-names.xls: the sheets "µ" and "∂" all hold such a table.');
    expect(error.hint).toContain("`sheets`");
    const all = await read(file, {
      sheets: { names: /./, take: "all" },
      columns: { sheet: { place: "sheet" }, x: { header: "x" } },
    });
    expect(all.rows).toEqual([
      ["µ", "1"],
      ["∂", "1"],
    ]);
  });

  test("shared strings and inline strings", async () => {
    expect(
      await rowsOf("readxl/numbers-as-na-and-shared-strings-xlsx.xlsx", {
        columns: { a: { header: "a" }, c: { header: "c" } },
      }),
    ).toEqual([["b", "d"]]);
    expect(
      await rowsOf("readxl/inlineStr.xlsx", {
        columns: { nn: { header: "NN" }, id: { header: "ID" }, number: { header: "Outline Number" } },
      }),
    ).toEqual([["1", "RQ11610", "1."]]);
  });

  test("a chart among the sheets is passed over, and told where it is the one that was named", async () => {
    const file = "readxl/embedded-chartsheet.xlsx";
    const columns = {
      mpg: { header: "mpg", kind: "decimal", figure: true },
      cyl: { header: "cyl", kind: "integer" },
    } as const;
    const found = await read(file, { columns });
    expect(found.rows).toHaveLength(32);
    expect(found.report.sheets).toMatchObject([
      { name: "iris", isTaken: false, reason: 'no row has a header looked for: "mpg", "cyl"' },
      { name: "Chart1", isTaken: false, reason: "it has no cells" },
      { name: "mtcars", isTaken: true, reason: "it alone holds the table" },
      { name: "chickwts", isTaken: false },
      { name: "quakes", isTaken: false },
    ]);
    const error = await refusal(read(file, { sheets: "Chart1", columns }));
    expect(error).toMatchObject({
      code: "WORKBOOK_SHEET_MISSING",
      hint: '"Chart1" holds no cells: is it a chart?',
    });
  });
});
