import { describe, expect, test } from "vitest";
import { type Tidy, tidyFile } from "./memory-workbook.ts";
import { monthlyDeaths } from "./monthly-deaths.ts";

const years = [2010, 2012, 2015, 2018, 2020] as const;
const files = new Map<number, Tidy>();
for (const year of years) files.set(year, await tidyFile(`ons-monthly-deaths/${year}.xls`, monthlyDeaths));

const rowsOf = (year: number) =>
  files
    .get(year)!
    .rows.map(([code, place, level, month, deaths, row]) => ({ code, place, level, month, deaths, row }));
const tableOf = (year: number) => files.get(year)!.report.tables[0]!;
const monthsOf = (year: number, code: string) =>
  rowsOf(year)
    .filter((row) => row.code === code)
    .map(({ deaths }) => deaths);
const totalOf = (year: number, place: string) =>
  rowsOf(year)
    .filter((row) => row.place === place)
    .reduce((sum, { deaths }) => sum + Number(deaths), 0);

describe("one declaration reads five years of changing layouts", () => {
  test.each([
    [2010, 434, 5208, 0, 3],
    [2012, 398, 4776, 0, 4],
    [2015, 397, 4764, 4752, 4],
    [2018, 387, 4644, 4632, 4],
    [2020, 387, 774, 772, 4],
  ])("%i: %i rows of data, %i figures, %i with a nine-character code, header in row %i", (year, data, figures, coded, header) => {
    const table = tableOf(year);
    expect(table.sheet).toBe(`Figures for ${year}`);
    expect(table.rows.data).toBe(data);
    expect(files.get(year)!.rows).toHaveLength(figures);
    expect(rowsOf(year).filter(({ code }) => /^[A-Z]\d{8}$/.test(String(code)))).toHaveLength(coded);
    expect(table.headerRows).toEqual([header]);
    expect(table.fields).toEqual({ year: String(year) });
  });

  test("the places of England and Wales with a code are 396, 386 and 386", () => {
    const codesOf = (year: number) =>
      new Set(
        rowsOf(year)
          .filter(({ code }) => /^[A-Z]\d{8}$/.test(String(code)))
          .map(({ code }) => code),
      );
    expect([2015, 2018, 2020].map((year) => codesOf(year).size)).toEqual([396, 386, 386]);
  });

  test("the months are those of the year, in order, whatever stands behind them", () => {
    for (const year of years) {
      const months = [...new Set(rowsOf(year).map(({ month }) => month))];
      const expected = Array.from(
        { length: year === 2020 ? 2 : 12 },
        (_, index) => `${year}-${String(index + 1).padStart(2, "0")}`,
      );
      expect(months).toEqual(expected);
    }
    expect(tableOf(2020).headings).toMatchObject({
      first: "Jan-203",
      last: "Dec-203",
      marks: ["3"],
      count: 12,
    });
    expect(tableOf(2015).headings!.texts[2]).toBe("Mar-15");
  });

  test("totals of England and Wales", () => {
    expect(
      [2015, 2018, 2020].map((year) =>
        monthsOf(year, "K04000001").reduce<number>((sum, deaths) => sum + Number(deaths), 0),
      ),
    ).toEqual([528_507, 540_265, 100_152]);
  });

  test("Stockport month by month", () => {
    expect(monthsOf(2018, "E08000007")).toEqual([315, 238, 267, 265, 218, 211, 212, 210, 191, 221, 239, 221]);
    expect(monthsOf(2020, "E08000007")).toEqual([296, 216]);
    expect(monthsOf(2010, "00BS")).toEqual([247, 210, 248, 198, 178, 212, 201, 179, 215, 188, 264, 225]);
  });

  test("a zero is a figure, and a code with spaces behind it is the code", () => {
    expect(monthsOf(2015, "E06000053")).toEqual([2, 0, 2, 3, 1, 3, 1, 3, 0, 1, 3, 0]);
  });

  test("two codes in one cell stay as they are unless one is asked for", async () => {
    expect(rowsOf(2018)[0]).toMatchObject({
      code: "K04000001, J99000001",
      place: "ENGLAND, WALES AND ELSEWHERE",
      row: 6,
    });
    const code = { ...monthlyDeaths.columns["geo_code"]!, take: "last" as const };
    const { rows } = await tidyFile("ons-monthly-deaths/2018.xls", {
      ...monthlyDeaths,
      columns: { ...monthlyDeaths.columns, geo_code: code },
    });
    expect(rows[0]![0]).toBe("J99000001");
    expect(rows[12]![0]).toBe("K04000001");
  });

  test("what the publisher damaged stays damaged", () => {
    expect(rowsOf(2018).find(({ code }) => code === "E07000243")!.place).toBe("Stevege");
    expect(rowsOf(2018).find(({ code }) => code === "W06000019")!.place).toBe("Blaeu Gwent");
  });

  test("boundaries of April 2019 are new against 2015", () => {
    const before = new Set(rowsOf(2015).map(({ code }) => code));
    for (const code of ["E06000058", "E06000059", "E07000244", "E07000245", "E07000246"]) {
      expect(before.has(code)).toBe(false);
      expect(monthsOf(2018, code)).toHaveLength(12);
    }
  });
});

describe("years without the codes of today", () => {
  test("2010: old codes, those typed as numbers as text", () => {
    const codes = new Set(rowsOf(2010).map(({ code }) => code));
    for (const code of ["921", "A", "00EJ", "20UB", "16", "2A", "00BS"]) expect(codes.has(code)).toBe(true);
    expect([...codes].filter((code) => code !== null && /^\d+$/.test(String(code)))).toHaveLength(29);
    expect([...codes].every((code) => code === null || typeof code === "string")).toBe(true);
    expect(tableOf(2010).columns[0]).toMatchObject({
      name: "geo_code",
      column: "A",
      header: "Area Codes 1",
      by: "marked",
      nullCount: 3,
    });
  });

  test("2010: a name stands in one of three columns, which are its level", () => {
    const levelOf = (place: string) => rowsOf(2010).find((row) => row.place === place)!.level;
    expect(["NORTH EAST", "County Durham UA", "Chester-le-Street"].map(levelOf)).toEqual([1, 2, 3]);
    expect(tableOf(2010).labels).toEqual(["B", "C", "D"]);
  });

  test("2012: no codes, which is stated and counted", () => {
    expect(rowsOf(2012).every(({ code }) => code === null)).toBe(true);
    expect(tableOf(2012).columns[0]).toMatchObject({ name: "geo_code", column: null, nullCount: 398 });
  });

  test('2012: "WALES" stands there twice, and both are kept', () => {
    const wales = rowsOf(2012).filter(({ place }) => place === "WALES");
    expect(new Set(wales.map(({ row }) => row)).size).toBe(2);
    expect(totalOf(2012, "WALES")).toBe(2 * 31_502);
  });

  test('2012: three cells with "-" are no deaths', () => {
    expect(tableOf(2012).symbols).toEqual({ "-": 3 });
    expect(rowsOf(2012).length - tableOf(2012).symbols["-"]!).toBe(4773);
    expect(
      rowsOf(2012).filter(({ place, deaths }) => place === "Isles of Scilly UA" && deaths === 0).length,
    ).toBeGreaterThan(0);
  });
});

describe("footnotes", () => {
  test("are not part of the table, also where they begin with a number in column A", () => {
    expect(years.map((year) => tableOf(year).lastRow)).toEqual([512, 461, 459, 448, 448]);
    expect(tableOf(2010).below.slice(0, 2)).toEqual([
      "Footnotes:",
      "1 England and Wales were recoded in July 2007.",
    ]);
    expect(tableOf(2010).below).toHaveLength(13);
  });

  test("their marks are cut from names, and every cut is told", () => {
    expect(rowsOf(2012).some(({ place }) => place === "Isles of Scilly UA")).toBe(true);
    expect(tableOf(2012).marksCut.count).toBe(11);
    expect(tableOf(2012).marksCut.examples).toContainEqual({ text: "Isles of Scilly UA 11", marks: "11" });
    expect(tableOf(2015).marksCut.examples).toEqual([
      { text: "ENGLAND, WALES AND ELSEWHERE 1,2", marks: "1, 2" },
    ]);
  });

  test("names without a mark are left alone", () => {
    const places = rowsOf(2010).map(({ place }) => String(place));
    expect(places.filter((place) => /\d/.test(place))).toEqual([]);
    expect(places).toContain("St. Helens");
  });
});
