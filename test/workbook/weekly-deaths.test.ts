import { describe, expect, test } from "vitest";
import type { TidyValue } from "../../src/workbook/typed-value.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { refusal, tidyFile } from "./memory-workbook.ts";

const folder = "uk-weekly-deaths-vintages";

/** Weeks are columns, under a row of numbers and a row of dates; sections stand between the rows. */
const englandAndWales: WorkbookOptions = {
  sheets: [/^weekly figures (?<year>\d{4})$/i],
  columns: {
    section: { section: "all" },
    area_code: { label: "first", match: /^[EW]\d{8}$/ },
    name: { label: "last" },
    week: { heading: 1, kind: "week", year: "{year}" },
    week_ended: { heading: 2, kind: "date" },
    deaths: { figure: true },
  },
};

const scotland: WorkbookOptions = {
  sheets: ["Table 2 - All deaths"],
  fields: { file: /^scotland_(?<year>\d{4})/ },
  columns: {
    section: { section: "all" },
    group: { label: 1 },
    name: { label: "last" },
    week: { heading: 1, kind: "week", year: "{year}" },
    week_beginning: { heading: 2, kind: "date" },
    deaths: { figure: true },
  },
};

/** Weeks are rows, each year has a sheet of its own, and columns come and go. */
const northernIreland: WorkbookOptions = {
  sheets: { names: /^weekly deaths_(?<year>\d{4})$/i, take: "all" },
  columns: {
    year: { text: "{year}", kind: "integer" },
    week: { header: "Registration Week", kind: "integer" },
    week_ends: { header: ["Week Ends (Friday)", "Week Ending (Friday)"], kind: "date" },
    deaths: { header: /^total number of deaths registered in week/i, kind: "integer", figure: true },
    average: {
      header: /^average number of deaths registered in corresponding week/i,
      kind: "decimal",
      figure: true,
    },
    minimum: { header: "Range Minimum in Previous 5 years", kind: "integer", figure: true },
    covid: {
      header: /^covid-19\d? deaths registered/i,
      kind: "integer",
      figure: true,
      optional: true,
      symbols: { "-": "zero" },
    },
  },
};

/** Rows of several vintages in one table: of one key the later wins. */
async function load(
  files: readonly string[],
  options: WorkbookOptions,
  keyLength: number,
): Promise<ReadonlyMap<string, readonly TidyValue[]>> {
  const table = new Map<string, readonly TidyValue[]>();
  for (const file of files) {
    const { rows } = await tidyFile(`${folder}/${file}`, options);
    const keys = rows.map((row) => row.slice(0, keyLength).join(" | "));
    expect(new Set(keys).size, `keys of ${file}`).toBe(keys.length);
    for (const [index, key] of keys.entries()) table.set(key, rows[index]!);
  }
  return table;
}

describe("England and Wales", () => {
  test.each([
    ["england_and_wales_2015.xlsx", "Weekly Figures 2015", [4, 5], "B to BB", 53, 34],
    ["england_and_wales_2018.xlsx", "Weekly figures 2018", [4, 5], "C to BB", 52, 34],
    ["england_and_wales_2020_05_08.xlsx", "Weekly figures 2020", [5, 6], "C to BC", 53, 76],
  ])("%s: header and weeks wherever they stand", async (file, sheet, headerRows, columns, weeks, data) => {
    const { report } = await tidyFile(`${folder}/${file}`, englandAndWales);
    expect(report.tables[0]).toMatchObject({
      sheet,
      headerRows,
      headings: { columns, count: weeks },
      rows: { data },
    });
  });

  test("weeks to come have no rows, and a week without deaths has one", async () => {
    const { rows } = await tidyFile(`${folder}/england_and_wales_2020_05_08.xlsx`, englandAndWales);
    expect(rows).toHaveLength(76 * 19);
    expect(rows.at(-1)).toEqual([
      "Deaths by region of usual residence",
      "W92000004",
      "Wales",
      "2020-W19",
      "2020-05-08",
      692,
    ]);
    const covid = rows.filter(
      ([, , name, week]) => String(name).startsWith("Deaths where COVID-19") && week === "2020-W01",
    );
    expect(covid.map((row) => row[5])).toEqual([0]);
  });

  test("sections without their footnote marks tell equal labels apart", async () => {
    const { rows } = await tidyFile(`${folder}/england_and_wales_2018.xlsx`, englandAndWales);
    const sections = [...new Set(rows.map(([section]) => section))];
    expect(sections).toEqual([
      null,
      "Deaths by underlying cause",
      "Persons / Deaths by age group",
      "Males / Deaths by age group",
      "Females / Deaths by age group",
      "Deaths by region of usual residence",
    ]);
    const infants = rows.filter(([, , name, week]) => name === "Under 1 year" && week === "2018-W01");
    expect(infants.map(([section, , , , , deaths]) => [section, deaths])).toEqual([
      ["Persons / Deaths by age group", 52],
      ["Males / Deaths by age group", 32],
      ["Females / Deaths by age group", 20],
    ]);
  });

  test("codes are told from labels in the column that holds both", async () => {
    const { rows } = await tidyFile(`${folder}/england_and_wales_2018.xlsx`, englandAndWales);
    const coded = rows.filter(([, code]) => code !== null);
    expect(new Set(coded.map(([, code]) => code)).size).toBe(10);
    expect(coded[0]!.slice(0, 4)).toEqual([
      "Deaths by region of usual residence",
      "E12000001",
      "North East",
      "2018-W01",
    ]);
  });
});

describe("Scotland", () => {
  const vintages = ["2020_04_20", "2020_05_04", "2020_06_01", "2020_07_20"].map(
    (day) => `scotland_${day}.xlsx`,
  );

  test("a table that grows from release to release ends with the newest figures, no week doubled", async () => {
    const table = await load(vintages, scotland, 4);
    const newest = await load(vintages.slice(-1), scotland, 4);
    for (const [key, row] of newest) expect(table.get(key)).toEqual(row);
    expect(table.size).toBe(newest.size);
    expect(newest.size).toBe(75 * 30);
  });

  test("an older release alone ends earlier, and has figures that were revised later", async () => {
    const first = await load(vintages.slice(0, 1), scotland, 4);
    const last = await load(vintages.slice(-1), scotland, 4);
    expect(first.size).toBe(75 * 17);
    const revised = [...first].filter(
      ([key, row]) => last.get(key) !== undefined && last.get(key)![5] !== row[5],
    );
    expect(revised.length).toBeGreaterThan(0);
  });

  test("merged labels are filled downwards, and what is not a week is told", async () => {
    const { rows, report } = await tidyFile(`${folder}/${vintages[0]}`, scotland);
    const women = rows.filter(([, group]) => group === "Females");
    expect(new Set(women.map(([, , name]) => name)).size).toBe(7);
    expect(report.tables[0]!.ignoredColumns).toEqual([
      { column: "U", header: "Year to Date", reason: "no date above it", cellCount: 75 },
    ]);
  });

  test("another publication under the same name is refused by name, with its sheets", async () => {
    const error = await refusal(tidyFile(`${folder}/scotland_2020_09_07.xlsx`, scotland));
    expect(error.code).toBe("WORKBOOK_SHEET_MISSING");
    expect(error.message).toMatch(
      /^scotland_2020_09_07\.xlsx: No sheet is the one looked for, "Table 2 - All deaths", and none holds its table\./,
    );
    for (const sheet of ["TOC", "1.1_R", "1.4_deaths", "2.2_excess", "4.4_claimants"]) {
      expect(error.message).toContain(
        `\n  "${sheet}": no row has headings of kind week over headings of kind date above figures`,
      );
    }
  });
});

describe("Northern Ireland", () => {
  test("years across sheets, each with its year, and charts passed over", async () => {
    const { rows, report } = await tidyFile(`${folder}/northern_ireland_2020_03_01.xlsx`, northernIreland);
    const years = [...new Set(rows.map(([year]) => year))];
    expect(years).toEqual([2009, 2010, 2011, 2012, 2013, 2014, 2015, 2016, 2017, 2018, 2019]);
    expect(rows[0]).toEqual([2009, 1, "2009-01-02", 373, "332.4", 309, null]);
    expect(rows.filter(([year]) => year === 2015)).toHaveLength(53);
    expect(report.sheets.map(({ isTaken }) => isTaken)).toEqual([...years.map(() => true), false]);
  });

  test("a week with a footnote mark is the week", async () => {
    const { rows, report } = await tidyFile(`${folder}/northern_ireland_2020_03_01.xlsx`, northernIreland);
    expect(rows.filter(([year, week]) => year === 2015 && week === 14)).toHaveLength(1);
    const marks = report.tables.find(({ sheet }) => sheet === "Weekly Deaths_2015")!.marksCut;
    expect(marks.examples).toEqual([{ text: "14a", marks: "a" }]);
  });

  test("columns that come with the years are null before", async () => {
    const { rows } = await tidyFile(`${folder}/northern_ireland_2020_04_24.xlsx`, northernIreland);
    expect(rows.at(-1)).toEqual([2020, 16, "2020-04-24", 470, "283.8", 245, 128]);
  });

  test("vintages in .xlsx and .xls end with the newest figures; a dash is the zero it was", async () => {
    const files = ["2020_03_01.xlsx", "2020_04_24.xlsx", "2020_05_08.xls"].map(
      (end) => `northern_ireland_${end}`,
    );
    const table = await load(files, northernIreland, 2);
    expect(table.size).toBe(575 + 18);
    expect(table.get("2020 | 1")).toEqual([2020, 1, "2020-01-10", 395, "402.2", 319, 0]);
    expect(table.get("2020 | 18")).toEqual([2020, 18, "2020-05-08", 336, "274", 230, 84]);
  });
});
