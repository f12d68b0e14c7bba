import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWorkbook } from "../../src/readers/open-workbook.ts";
import type { Workbook } from "../../src/workbook/sheet.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import {
  bend,
  columnsWithout,
  type HeldSheet,
  holdSheets,
  orderColumns,
  shiftRows,
} from "./bend-workbook.ts";
import { refusal, tidy } from "./memory-workbook.ts";
import { monthlyDeaths } from "./monthly-deaths.ts";

const path = new URL("../data/ons-monthly-deaths/2018.xls", import.meta.url).pathname;
const name = "Figures for 2018";

/** Without the sheet's rows, which are what is moved. */
const { row: _row, ...columns } = monthlyDeaths.columns;
const options: WorkbookOptions = { ...monthlyDeaths, columns };
const strict: WorkbookOptions = {
  ...options,
  columns: {
    ...columns,
    geo_code: { ...columns["geo_code"]!, optional: false },
    month: { heading: 1, kind: "month", count: 12 },
  },
} as WorkbookOptions; // `optional` belongs to the form that `geo_code` has.

const original = await openWorkbook(path, "2018.xls");
const sheets = await holdSheets(original);
const expected = (await tidy(original, options)).rows;
const read = async (book: Workbook, declared = options) =>
  (await tidy(book, declared, { name: "2018.xls" })).rows;
const bent = (change: (sheet: HeldSheet) => HeldSheet) => bend(sheets, name, change);

describe("the same table elsewhere gives the same rows", () => {
  test("it was read in the first place", () => {
    expect(expected).toHaveLength(4644);
  });

  test("the header three rows further down, below blank rows or notes", async () => {
    expect(await read(bent((sheet) => shiftRows(sheet, 3)))).toEqual(expected);
    const notes = [
      "Revised on 4 March 2019",
      "2018: figures for January are final",
      "Note that weeks 1 to 52 are complete.",
    ];
    expect(await read(bent((sheet) => shiftRows(sheet, 3, notes)))).toEqual(expected);
  });

  test.each([
    "1",
    "Figures_for_2018",
    "FIGURES  FOR 2018 ",
    "Figure for 2018",
    "Sheet4",
  ])("the sheet renamed to %j", async (renamed) => {
    expect(await read(bent((sheet) => ({ ...sheet, name: renamed })))).toEqual(expected);
  });

  test("the sheet moved to the front, and to the end", async () => {
    const table = sheets.find((sheet) => sheet.name === name)!;
    const others = sheets.filter((sheet) => sheet !== table);
    for (const order of [
      [table, ...others],
      [...others, table],
    ]) {
      expect(await read(bend(order, "", (sheet) => sheet))).toEqual(expected);
    }
  });

  test.each([
    ["names before codes", [1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]],
    ["blank columns before and between", [-1, 0, -1, 1, -1, 2, 3, 4, 5, 6, 7, -1, 8, 9, 10, 11, 12, 13]],
    ["names behind the months", [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1]],
    ["codes behind the months", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0]],
  ])("columns moved: %s", async (_, order) => {
    expect(await read(bent((sheet) => orderColumns(sheet, order)))).toEqual(expected);
  });

  test("months from December back to January", async () => {
    const order = [0, 1, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2];
    const rows = await read(bent((sheet) => orderColumns(sheet, order)));
    expect(rows.slice(0, 12)).toEqual(expected.slice(0, 12).reverse());
    expect(rows).toHaveLength(expected.length);
  });

  test("codes whose header is gone are known by what they look like", async () => {
    const withoutHeader = (sheet: HeldSheet) => ({
      ...sheet,
      rows: sheet.rows.map((row) =>
        row.number === 4 ? { ...row, cells: [undefined, ...row.cells.slice(1)] } : row,
      ),
    });
    const { rows, report } = await tidy(bent(withoutHeader), options);
    expect(rows).toEqual(expected);
    expect(report.tables[0]!.columns[0]).toMatchObject({ column: "A", header: "", by: "values" });
  });

  test("saved as .xlsx by another program", async () => {
    const require = createRequire(import.meta.url);
    const { readFile, write } = require("@e965/xlsx") as typeof import("@e965/xlsx"); // CommonJS: its types are those of the import.
    const folder = await mkdtemp(join(tmpdir(), "leat-workbook-"));
    try {
      const saved = join(folder, "2018.xlsx");
      await writeFile(saved, write(readFile(path), { type: "buffer", bookType: "xlsx" }));
      const book = await openWorkbook(saved, "2018.xlsx");
      expect(await read(book)).toEqual(expected);
      await book.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a column that is gone is refused by name", () => {
  const without = (column: number) => bent((sheet) => orderColumns(sheet, columnsWithout(14, column)));

  test("the codes, where they are required", async () => {
    expect(await refusal(read(without(0), strict))).toEqual({
      code: "WORKBOOK_COLUMN_MISSING",
      message:
        '2018.xls, sheet "Figures for 2018": row 4: there is no column for "geo_code" (looked for "Area codes" or "Area of usual residence" or ' +
        "cells like /^([A-Z]\\d{8}(, [A-Z]\\d{8})*|[A-Z]|\\d{2,3}|\\d[A-Z]|\\d{2}[A-Z]{1,2})$/); headers there: " +
        'B "Jan-18", C "Feb-18", D "Mar-18", E "Apr-18", F "May-18", G "Jun-18", H "Jul-18", I "Aug-18", J "Sep-18", K "Oct-18", L "Nov-18", M "Dec-18".',
      hint: "Add the header as it is now to the column, or declare it `optional: true`.",
    });
  });

  test("the codes, where they are optional: null in every row, which the report says", async () => {
    const { rows, report } = await tidy(without(0), options);
    // The notes stood in the same column: without them nothing says that the 1 behind a name is a mark.
    const place = (name: unknown) => (name === "ENGLAND, WALES AND ELSEWHERE" ? `${name} 1` : name);
    expect(rows).toEqual(expected.map(([, name, ...rest]) => [null, place(name), ...rest]));
    expect(report.tables[0]!.columns[0]).toMatchObject({ column: null, nullCount: 387 });
  });

  test("the names", async () => {
    const error = await refusal(read(without(1)));
    expect(error.code).toBe("WORKBOOK_COLUMN_MISSING");
    expect(error.message).toContain(
      'there is no column for "place_name" (looked for a column of labels beside the figures)',
    );
  });

  test("a month among others leaves a gap, which is refused", async () => {
    const error = await refusal(read(without(5)));
    expect(error).toMatchObject({ code: "WORKBOOK_HEADINGS_UNCLEAR" });
    expect(error.message).toContain("row 4: there is a gap between 2018-03 and 2018-05");
    expect(error.hint).toContain('gaps: "allow"');
  });

  test("the first or last month is missed where their number is declared", async () => {
    for (const column of [2, 13]) {
      const error = await refusal(read(without(column), strict));
      expect(error.message).toContain("there are 11 headings of kind month, and 12 are declared");
    }
  });

  test("all months, and it is no such table", async () => {
    const error = await refusal(read(bent((sheet) => orderColumns(sheet, [0, 1]))));
    expect(error.message).toBe(
      '2018.xls, sheet "Figures for 2018": no row has headings of kind month above figures.',
    );
  });
});

describe("what is broken in a cell is refused with its place", () => {
  const withCell = (number: number, column: number, text: string) =>
    bent((sheet) => ({
      ...sheet,
      rows: sheet.rows.map((row) =>
        row.number === number
          ? {
              ...row,
              cells: row.cells.map((cell, place) => (place === column ? { kind: "text", text } : cell)),
            }
          : row,
      ),
    }));

  test("a sign that nobody declared, with the line to write", async () => {
    expect(await refusal(read(withCell(14, 3, "[c]")))).toEqual({
      code: "WORKBOOK_CELL_INVALID",
      message: '2018.xls, sheet "Figures for 2018", cell D14: "[c]" is not an integer (column "deaths").',
      hint: 'Say what it means, e.g. `symbols: { "[c]": "missing" }`, or leave such cells out with `unreadable: "reject"`.',
    });
  });

  test("or rejected and reported, where that is declared", async () => {
    const { rows, report } = await tidy(withCell(14, 3, "[c]"), { ...options, unreadable: "reject" });
    expect(rows).toHaveLength(expected.length - 1);
    expect(report.tables[0]!.rejected).toEqual({
      count: 1,
      examples: [{ cell: "D14", column: "deaths", problem: '"[c]" is not an integer' }],
    });
  });

  test("a month that cannot be read", async () => {
    const error = await refusal(read(withCell(4, 2, "Janx-18")));
    expect(error.message).toContain(
      'row 4: the heading "Janx-18" looks like a month and cannot be read as one',
    );
  });

  test("the same month twice", async () => {
    const error = await refusal(read(withCell(4, 3, "Jan-18")));
    expect(error).toMatchObject({ code: "WORKBOOK_HEADINGS_UNCLEAR" });
    expect(error.message).toContain('the heading "2018-01" stands above 2 columns of figures, C, D');
  });
});
