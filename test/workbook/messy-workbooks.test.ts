/** Every workbook of `test/data/messy-workbooks`: its rows, or a refusal that says what to do. */
import { describe, expect, test } from "vitest";
import type { TidyValue } from "../../src/workbook/typed-value.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { refusal, tidyFile } from "./memory-workbook.ts";

const read = (path: string, options: WorkbookOptions) => tidyFile(`messy-workbooks/${path}`, options);
const rowsOf = async (path: string, options: WorkbookOptions): Promise<readonly (readonly TidyValue[])[]> =>
  (await read(path, options)).rows;

describe("us-crime-2.xlsx: merged headings on two levels, a used range of a million rows", () => {
  const base = {
    area: { header: "Area", marks: "cut" },
    year: { header: "Year", kind: "year" },
    population: { header: "Population", kind: "integer" },
    crime: { heading: 1 },
  } as const;

  test("levels as columns, a blank one with the value that is said for it", async () => {
    const { rows, report } = await read("us-crime-2.xlsx", {
      columns: { ...base, measure: { heading: 2, blank: "Number" }, value: { figure: true } },
      keep: { year: /^\d{4}$/ },
    });
    expect(rows).toHaveLength(66 * 2 * 20);
    expect(rows.slice(0, 2)).toEqual([
      ["United States Total", 2015, 320_896_618, "Violent crime", "Number", 1_234_183],
      ["United States Total", 2015, 320_896_618, "Violent crime", "Rate per 100,000", 384.6],
    ]);
    expect(rows.at(-1)).toEqual([
      "Puerto Rico",
      2016,
      3_411_307,
      "Motor vehicle theft",
      "Rate per 100,000",
      111,
    ]);
    expect(report.tables[0]!.leftOut).toMatchObject([
      { column: "year", reason: "does not fit keep", count: 66, texts: ["Percent change"] },
    ]);
  });

  test("several figures under one heading, by place or by header", async () => {
    const byPlace = await rowsOf("us-crime-2.xlsx", {
      columns: { ...base, number: { figure: { nth: 1 } }, rate: { figure: { nth: 2 } } },
      keep: { year: /^\d{4}$/ },
    });
    const byHeader = await rowsOf("us-crime-2.xlsx", {
      columns: { ...base, rate: { figure: { header: "Rate per 100,000" } } },
      keep: { year: /^\d{4}$/ },
    });
    expect(byPlace).toHaveLength(66 * 2 * 10);
    expect(byPlace[0]).toEqual(["United States Total", 2015, 320_896_618, "Violent crime", 1_234_183, 384.6]);
    expect(byHeader).toEqual(
      byPlace.map(([area, year, population, crime, , rate]) => [area, year, population, crime, rate]),
    );
  });

  test("headings are dropped like rows", async () => {
    const { rows, report } = await read("us-crime-2.xlsx", {
      columns: { ...base, number: { figure: { nth: 1 } } },
      keep: { year: /^\d{4}$/, crime: /^(Robbery|Burglary)$/ },
    });
    expect(rows).toHaveLength(66 * 2 * 2);
    expect(report.tables[0]!.ignoredColumns).toContainEqual({
      column: "F",
      header: "Murder and nonnegligent manslaughter",
      reason: 'does not fit keep of "crime"',
      cellCount: 198,
    });
  });

  test("headings that are too few are refused", async () => {
    const error = await refusal(read("us-crime-2.xlsx", { columns: { ...base, value: { figure: true } } }));
    expect(error.code).toBe("WORKBOOK_HEADINGS_UNCLEAR");
    expect(error.message).toContain("row 5: column D has figures and no heading on level 1");
  });
});

test("toronto_transit.xlsx: years back to 1985, one with a mark, labels that hold for the rows below", async () => {
  const { rows, report } = await read("toronto_transit.xlsx", {
    columns: {
      who: { label: 1, fill: "down" },
      group: { section: "last" },
      media: { header: "Fare media" },
      year: { heading: 1, kind: "year" },
      rides: { figure: true, kind: "integer", symbols: { "N/A": "missing" } },
      flag: { flag: "rides" },
    },
  });
  expect(rows).toHaveLength(44 * 33);
  expect(rows[0]).toEqual(["WHO", "ADULT", "TOKENS", 2017, 76_106, null]);
  expect(rows[2]![3]).toBe(2015);
  expect(rows[33]).toEqual(["WHO", "ADULT", "TICKETS", 2017, null, "missing"]);
  expect(report.tables[0]!.headings!.marks).toEqual(["*"]);
  expect(report.tables[0]!.below).toHaveLength(3);
});

describe("ozmarriage.xlsx: three levels over a column without a header", () => {
  test("as columns", async () => {
    const { rows, report } = await read("ozmarriage.xlsx", {
      sheets: ["Table 1"],
      columns: {
        state: { label: 1 },
        who: { heading: 1 },
        answer: { heading: 2 },
        unit: { heading: 3 },
        value: { figure: true },
      },
    });
    expect(rows).toHaveLength(9 * 14);
    expect(rows[0]).toEqual(["New South Wales", "Response clear", "Yes", "no.", 2_374_362]);
    expect(rows.find(([, , answer]) => answer === "Response not clear")).toBeDefined();
    expect(report.tables[0]!.marksCut.examples.map(({ text }) => text)).toEqual([
      "Northern Territory(b)",
      "Australian Capital Territory(c)",
    ]);
  });

  test("with sections between the rows", async () => {
    const rows = await rowsOf("ozmarriage.xlsx", {
      sheets: ["Table 2"],
      columns: {
        part: { section: "last" },
        division: { label: 1 },
        who: { heading: 1 },
        answer: { heading: 2 },
        number: { figure: { header: "no." }, kind: "integer" },
        percent: { figure: { header: "%" }, kind: "decimal" },
      },
    });
    expect(rows).toHaveLength(159 * 7);
    expect(rows[0]).toEqual(["New South Wales Divisions", "Banks", "Response clear", "Yes", 37_736, "44.9"]);
  });
});

describe("purpose.xlsx: one table in many arrangements", () => {
  const tidyTable = () =>
    rowsOf("purpose.xlsx", {
      sheets: ["Tidy"],
      columns: {
        sex: { header: "Sex" },
        age: { header: "Age group (Life-stages)" },
        qualification: { header: "Highest qualification" },
        purpose: { header: "Sense of purpose" },
        people: { header: "Value", figure: true, kind: "integer" },
      },
    });
  const sorted = (rows: readonly (readonly TidyValue[])[]) => rows.map((row) => row.join(" | ")).sort();

  test("the exported table says what the tidy one says", async () => {
    const { rows, report } = await read("purpose.xlsx", {
      sheets: ["NZ.Stat export"],
      columns: {
        sex: { header: "Sex" },
        age: { header: /^age group/i },
        qualification: { header: "Highest qualification" },
        purpose: { heading: 1 },
        people: { figure: true, kind: "integer", symbols: { "..": "suppressed" } },
        flag: { flag: "people" },
      },
    });
    expect(rows).toHaveLength(80);
    expect(rows.filter(([, , , , people, flag]) => people === null && flag === "suppressed")).toHaveLength(8);
    expect(sorted(rows.filter((row) => row[4] !== null).map((row) => row.slice(0, 5)))).toEqual(
      sorted(await tidyTable()),
    );
    expect(report.tables[0]!.below.slice(1)).toEqual([
      "Legend:",
      "*: Refer to the metadata for details",
      "s: Suppressed",
    ]);
  });

  test("so do headings whose blanks continue them, and labels that hold for the rows below", async () => {
    const rows = await rowsOf("purpose.xlsx", {
      sheets: ["up-left left-up"],
      columns: {
        sex: { heading: 1 },
        age: { label: 2 },
        qualification: { label: 1, fill: "down" },
        purpose: { heading: 2 },
        people: { figure: true, kind: "integer" },
      },
    });
    expect(sorted(rows)).toEqual(sorted(await tidyTable()));
  });

  test("a pivot, its names in the row of the lowest headings", async () => {
    const rows = await rowsOf("purpose.xlsx", {
      sheets: ["Pivot"],
      columns: {
        sex: { header: "Sex", fill: "down" },
        age: { heading: 2 },
        qualification: { header: "Highest qualification" },
        purpose: { heading: 1 },
        people: { figure: true, kind: "integer" },
      },
    });
    expect(sorted(rows)).toEqual(sorted((await tidyTable()).filter(([, age]) => age !== "65+")));
  });

  test("small tables beside and below each other, each with its caption", async () => {
    const rows = await rowsOf("purpose.xlsx", {
      sheets: ["Small multiples"],
      tables: "all",
      columns: {
        qualification: { caption: true },
        sex: { header: "Sex" },
        people: { header: "Value", figure: true },
      },
    });
    expect(rows).toEqual([
      ["Postgraduate qualification", "Female", 171_000],
      ["Postgraduate qualification", "Male", 159_000],
      ["Bachelor's degree", "Female", 275_000],
      ["Bachelor's degree", "Male", 200_000],
      ["Diploma", "Female", 210_000],
      ["Diploma", "Male", 173_000],
      ["Certificate", "Female", 732_000],
      ["Certificate", "Male", 807_000],
      ["No Qualification", "Female", 344_000],
      ["No Qualification", "Male", 287_000],
    ]);
  });

  test("and not one of them by chance", async () => {
    const error = await refusal(
      read("purpose.xlsx", {
        sheets: ["Small multiples"],
        columns: { sex: { header: "Sex" }, people: { header: "Value", figure: true } },
      }),
    );
    expect(error.code).toBe("WORKBOOK_AMBIGUOUS");
    expect(error.message).toContain('row 2: "sex" fits columns A, D equally well');
  });

  test("headings in the middle above their columns do not say how far they go", async () => {
    const error = await refusal(
      read("purpose.xlsx", {
        sheets: ["up-ish left-ish"],
        columns: {
          qualification: { label: 2 },
          purpose: { heading: 1 },
          age: { heading: 2 },
          people: { figure: true },
        },
      }),
    );
    expect(error.message).toContain('row 3: column D "15 - 24" has figures and no heading on level 1');
  });

  test.each([
    "right-down down-right",
    "right-up down-left",
    "right-ish down-ish",
  ])("headings below the figures are none: %s", async (sheet) => {
    const error = await refusal(
      read("purpose.xlsx", {
        sheets: [sheet],
        columns: { purpose: { heading: 1 }, people: { figure: true } },
      }),
    );
    expect(error.message).toBe(`purpose.xlsx, sheet "${sheet}": no row has headings above figures.`);
  });
});

describe("groundwater.xlsx: a figure and its sign in two columns for each site", () => {
  test("one table of results and qualifiers", async () => {
    const rows = await rowsOf("groundwater.xlsx", {
      columns: {
        parameter: { header: "Parameter" },
        units: { header: "Units" },
        sample: { heading: 1 },
        site: { heading: 2 },
        result: { figure: { nth: 1 } },
        qualifier: { figure: { nth: 2 }, kind: "text" },
      },
    });
    expect(rows).toHaveLength(12);
    expect(rows.slice(0, 1)).toEqual([["Nitrogen, Kjeldahl", "mn/L", "ground water", "A", 3.2, null]]);
    expect(rows.slice(4, 6)).toEqual([
      ["Nitrate Nitrite as N", "mg/L", "ground water", "A", 0.025, "U"],
      ["Nitrate Nitrite as N", "mg/L", "ground water", "B", 0.025, "U"],
    ]);
    expect(rows.at(-1)).toEqual(["Phosphorus as P", "mg/L", "ground water", "D", 0.04, "J3"]);
  });
});

describe("ons_overseas_travel_ott.xls: years and months down the side, superscripts, revisions", () => {
  const columns = {
    year: { label: 1, fill: "down" },
    month: { label: 2, kind: "month", year: { column: "year" } },
    area: { heading: 1 },
  } as const;

  test("months take the year of their row, whatever mark stands behind them", async () => {
    const { rows, report } = await read("ons_overseas_travel_ott.xls", {
      sheets: ["Table 2"],
      columns: {
        ...columns,
        purpose: { heading: 2, blank: "" },
        adjusted: { heading: 3 },
        visits: { figure: true },
      },
      keep: { month: /./ },
    });
    expect(rows).toHaveLength(42 * 6);
    expect(rows[0]).toEqual(["2012", "2012-01", "All Visits", null, "NSA", 2245.592954550293]);
    expect([...new Set(rows.map(([, month]) => month))]).toHaveLength(42);
    expect(rows.at(-1)).toEqual(["2015", "2015-06", "Purpose", "Miscellaneous", "NSA", 220]);
    expect(report.tables[0]!.leftOut).toMatchObject([{ column: "month", reason: "blank", count: 6 }]);
  });

  test("four levels, one of them blank for some and never continued beyond a merged heading above", async () => {
    const rows = await rowsOf("ons_overseas_travel_ott.xls", {
      sheets: ["Table 1"],
      columns: {
        ...columns,
        region: { heading: 2, blank: "" },
        part: { heading: 3, blank: "" },
        adjusted: { heading: 4 },
        visits: { figure: true },
      },
      keep: { month: /./ },
    });
    expect(rows.slice(0, 8).map((row) => row.slice(2, 6))).toEqual([
      ["All Visits", null, null, "NSA"],
      ["All Visits", null, null, "SA"],
      ["Area of residence", "North America", null, "NSA"],
      ["Area of residence", "Europe", null, "NSA"],
      ["Area of residence", "of which", "European Union", "NSA"],
      ["Area of residence", "of which", "Other EU", "NSA"],
      ["Area of residence", "of which", "EU15", "NSA"],
      ["Area of residence", "Other countries", null, "NSA"],
    ]);
  });
});
