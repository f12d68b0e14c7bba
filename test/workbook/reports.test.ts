import { describe, expect, test } from "vitest";
import { diffWorkbookReports } from "../../src/workbook/diff-reports.ts";
import { printWorkbookReport } from "../../src/workbook/print-report.ts";
import { tidyFile, tidyRows } from "./memory-workbook.ts";
import { monthlyDeaths } from "./monthly-deaths.ts";

const reportOf = async (year: number) =>
  (await tidyFile(`ons-monthly-deaths/${year}.xls`, monthlyDeaths)).report;

describe("a report for people", () => {
  test("says what was made of a file", async () => {
    const text = printWorkbookReport(await reportOf(2012));
    expect(text.split("\n").slice(0, 7)).toEqual([
      "2012.xls: 4776 rows from 1 table",
      '  sheet "Figures for 2012": header in row 4, 398 rows of data (6 to 461) become 4776',
      "    geo_code: not in this file, 398 nulls",
      "    place_name: A, B, C",
      "    level: A, B, C",
      '    figures: D to O below 12 headings, "Jan-12" to "Dec-12"',
      '    signs: "-" 3 times',
    ]);
    expect(text).toContain(
      'footnote marks cut from 11 texts: "ENGLAND, WALES AND ELSEWHERE 2", "County Durham UA 3"',
    );
    expect(text).toContain('other sheets: "Contents" (not the one looked for)');
  });

  test("and what was left aside", async () => {
    const { report } = await tidyRows(
      [
        ["Area", "2018", "2019", null, "Change"],
        ["North", 1, 2, null, 1],
        ["Total", 3, 4, null, 1],
        ["South", "x", 2, null, 1],
      ],
      {
        columns: { area: { header: "Area" }, year: { heading: 1, kind: "year" }, value: { figure: true } },
        drop: { area: /^Total$/ },
        unreadable: "reject",
      },
    );
    expect(printWorkbookReport(report)).toBe(
      [
        "file.xlsx: 3 rows from 1 table",
        '  sheet "Sheet1": header in row 1, 3 rows of data (2 to 4) become 3',
        '    area: A "Area"',
        '    figures: B, C below 2 headings, "2018" to "2019"',
        '    left out: 1 row, area fits drop ("Total")',
        '    rejected: 1 cell: B4 "x" is not a number',
        '    column E "Change" is not used: no year above it, 3 cells',
      ].join("\n"),
    );
  });
});

describe("what is new since the last file", () => {
  test("nothing, where the layout is the same", async () => {
    expect(diffWorkbookReports(await reportOf(2018), await reportOf(2018))).toEqual([]);
  });

  test("a column that is gone, headings, and where they stand", async () => {
    const changes = diffWorkbookReports(await reportOf(2010), await reportOf(2012));
    const texts = changes.map(({ text }) => text);
    expect(texts).toContain('the sheet is "Figures for 2012", before "Figures for 2010"');
    expect(texts).toContain("the header stands in row 4, before in 3");
    expect(texts).toContain('"geo_code" is not in the file any more; it was column A');
    expect(texts).toContain('there is a new sign "-", 3 times');
    expect(texts.find((text) => text.startsWith("new headings:"))).toContain('"Jan-12"');
    expect(changes.filter(({ what }) => what === "note").length).toBeGreaterThan(0);
  });

  test("a column that has come, moved or changed its header", async () => {
    const columns = {
      area: { header: ["Area", "Place"] },
      code: { header: "Code", optional: true },
      n: { header: "N", figure: true },
    } as const;
    const before = await tidyRows(
      [
        ["Area", "N", "Old"],
        ["a", 1, 2],
      ],
      { columns },
    );
    const after = await tidyRows(
      [
        ["N", "Place", "Code", "New"],
        [1, "a", "x", 3],
      ],
      { columns },
    );
    expect(
      diffWorkbookReports(before.report, after.report).map(({ what, text }) => `${what}: ${text}`),
    ).toEqual([
      'column: "area" stands in column B, before in A',
      'column: the header of "area" is "Place", before "Area"',
      'column: "code" is in the file now, in column C',
      'column: "n" stands in column A, before in B',
      'unused: there is a new column "New", which is not used',
      'unused: the column "Old", which was not used, is gone',
    ]);
  });
});
