/** Facts about real files, as their folders' READMEs state them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CompoundFile } from "../../src/readers/xls/compound-file.ts";
import type { SheetCell } from "../../src/workbook/sheet.ts";
import { brief, dataFolder, type PlainSheet, readBytes, readFileSheets } from "./read-cells.ts";

const messy = (name: string): Promise<PlainSheet[]> =>
  readFileSheets(join(dataFolder, "messy-workbooks", name));
const ons = (name: string): Promise<PlainSheet[]> =>
  readFileSheets(join(dataFolder, "ons-monthly-deaths", name));
const weekly = (name: string): Promise<PlainSheet[]> =>
  readFileSheets(join(dataFolder, "uk-weekly-deaths-vintages", name));

const briefly = (sheet: PlainSheet): Record<string, unknown> =>
  Object.fromEntries(Object.entries(sheet.cells).map(([place, cell]) => [place, brief(cell)]));
const rowsOf = (sheet: PlainSheet): number[] =>
  [...new Set(Object.keys(sheet.cells).map((place) => Number(place.replace(/\D+/, ""))))].sort(
    (a, b) => a - b,
  );

describe("small workbooks with awkward features", () => {
  test("the same dates come out of both date systems", async () => {
    const [in1900, in1904] = [await messy("readxl/dates-1900.xls"), await messy("readxl/dates-1904.xls")];
    expect(briefly(in1900[0]!)).toEqual({
      A1: "2000-01-01",
      B1: "2000-01-01",
      C1: "2000-01-01",
      D1: "2000-01-01",
      E1: "2000-01-01T00:00:00",
    });
    expect(briefly(in1904[0]!)).toEqual(briefly(in1900[0]!));
    const serials = [in1900, in1904].map(([sheet]) => (sheet!.cells["A1"] as { serial: number }).serial);
    expect(serials).toEqual([36526, 35064]);
  });

  test("cells that are formatted and empty are no cells", async () => {
    const [sheet] = await messy("readxl/style-only-cells.xlsx");
    expect(Object.keys(sheet!.cells).join(" ")).toBe("A1 B1 C1 E1 A2 C2 E2 A3 C3 E3 A4 C4 E4");
  });

  test("a sheet whose first column is empty keeps its places", async () => {
    const sheets = await messy("readxl/missing-first-column.xls");
    expect(sheets.map(briefly)).toEqual([{ B1: 1, B2: 2, B3: 3 }, {}, {}]);
  });

  test("rich text of Excel 97 and of Excel 5 is read without its formatting", async () => {
    const path = join(dataFolder, "messy-workbooks/readxl/biff5-rich-text-string.xls");
    const [sheet] = await readFileSheets(path);
    const title = "ELECTORAL DIVISION OF SOMERSET EAST ; FIELD-CÓRNËTCY No. 5, ZWAGERSHÓÊN.";
    expect(briefly(sheet!)["A1"]).toBe(title);
    // The file holds the workbook in both forms; the older one is read when it is all there is.
    const older = new CompoundFile(await readFile(path)).read("book");
    const [fromExcel5] = await readBytes(older, "excel-5.xls");
    expect(briefly(fromExcel5!)["A1"]).toBe(title);
    const differing = Object.keys(sheet!.cells).filter(
      (place) => JSON.stringify(sheet!.cells[place]) !== JSON.stringify(fromExcel5!.cells[place]),
    );
    expect(differing).toEqual(["H3"]); // A black square, for which the older form has no letter.
    expect(fromExcel5!.cells["H3"]).toEqual({ kind: "text", text: "ri ? s g •rM S ’" });
  });

  test("names of sheets are Unicode", async () => {
    expect((await messy("readxl/utf8-sheet-names.xls")).map(({ name }) => name)).toEqual(["µ", "∂"]);
    expect((await messy("frictionless/merged-cells.xls")).map(({ name }) => name)).toEqual(["Лист1"]);
  });

  test("texts in the cells themselves and texts that are shared are alike", async () => {
    const [inline] = await messy("readxl/inlineStr.xlsx");
    expect(briefly(inline!)).toMatchObject({ A1: "NN", E2: "RQ11610", D2: "1.", A2: 1 });
    const [shared] = await messy("readxl/numbers-as-na-and-shared-strings-xlsx.xlsx");
    expect(briefly(shared!)).toEqual({ A1: "a", B1: "c", A2: "b", B2: "d" });
  });

  test("a sheet of charts has no cells and keeps its place", async () => {
    const sheets = await messy("readxl/embedded-chartsheet.xlsx");
    expect(sheets.map(({ name, hasCells }) => [name, hasCells])).toEqual([
      ["iris", true],
      ["Chart1", false],
      ["mtcars", true],
      ["chickwts", true],
      ["quakes", true],
    ]);
    expect(sheets.map(({ cells }) => Object.keys(cells).length)).toEqual([755, 0, 363, 144, 5005]);
  });

  test("blanks are kept as they were typed", async () => {
    for (const name of ["readxl/whitespace-xls.xls", "readxl/whitespace-xlsx.xlsx"]) {
      const [sheet] = await messy(name);
      expect(briefly(sheet!)).toMatchObject({ A1: " <-space, space-> ", A4: "\t   \t" });
    }
  });

  test("columns without a name and names that come twice stand where they stood", async () => {
    const [sheet] = await messy("readxl/unnamed-duplicated-columns.xlsx");
    expect(briefly(sheet!)).toMatchObject({ B1: "var2", D1: "var2", A2: 1, C2: 1.1 });
    expect(sheet!.cells["A1"]).toBeUndefined();
  });

  test("merged cells are the same in both forms", async () => {
    const merge = { top: 1, left: 0, bottom: 3, right: 1 };
    for (const name of ["frictionless/merged-cells.xls", "frictionless/merged-cells.xlsx"]) {
      const [sheet] = await messy(name);
      expect(sheet).toMatchObject({ merges: [merge], cells: { A1: { kind: "text", text: "data" } } });
    }
    const [headers] = await messy("frictionless/multiline-headers.xlsx");
    expect(headers!.merges).toContainEqual({ top: 1, left: 2, bottom: 3, right: 3 });
  });

  test("codes stay text, and a format of several sections makes no date", async () => {
    const [codes] = await messy("frictionless/cast-int-to-string-issue-1251.xls");
    expect(briefly(codes!)).toMatchObject({ A2: "001", A3: "002", C2: 1 });
    const [formats] = await messy("frictionless/number-format-multicode.xlsx");
    expect(formats!.cells["A3"]).toEqual({
      kind: "number",
      value: -9.03233986479077,
      text: "-9.03233986479077",
      shown: "(9.032)",
    });
  });

  test("published tables with notes, marks and several headings open", async () => {
    const counts = await Promise.all(
      [
        "us-crime-2.xlsx",
        "toronto_transit.xlsx",
        "groundwater.xlsx",
        "ozmarriage.xlsx",
        "purpose.xlsx",
        "ons_overseas_travel_ott.xls",
      ].map(async (name) =>
        (await messy(name)).reduce((sum, { cells }) => sum + Object.keys(cells).length, 0),
      ),
    );
    expect(counts).toEqual([4423, 1544, 35, 2623, 1401, 2039]);
  });
});

describe("monthly deaths", () => {
  const sheetNames = (year: number): string[] => [
    "Contents",
    year >= 2018 ? "Information" : "Metadata",
    "Terms and conditions",
    `Figures for ${year}`,
    "Related publications",
  ];

  test.each([
    ["2010.xls", 2010, 1, "E", "P", 434, 5208],
    ["2012.xls", 2012, 3, "D", "O", 398, 4773],
    ["2015.xls", 2015, 3, "C", "N", 397, 4764],
    ["2018.xls", 2018, 3, "C", "N", 387, 4644],
    ["2020.xls", 2020, 3, "C", "D", 387, 774],
  ])("%s has its sheets, rows and figures", async (file, year, index, first, last, rows, figures) => {
    const sheets = await ons(file);
    const names = year === 2010 ? ["Notes", "Figures for 2010"] : sheetNames(year);
    expect(sheets.map(({ name }) => name)).toEqual(names);
    const cells = Object.entries(sheets[index]!.cells).filter(([place, cell]) => {
      const column = place.replace(/\d+/, "");
      return column >= first && column <= last && cell.kind === "number";
    });
    expect(cells).toHaveLength(figures);
    expect(new Set(cells.map(([place]) => place.replace(/\D+/, ""))).size).toBe(rows);
  });

  test("labels are as they stand: blanks at their ends, footnote marks, two codes in a cell", async () => {
    const [, , , in2015] = await ons("2015.xls");
    const texts = Object.values(briefly(in2015!));
    expect(texts).toContain("Mar-15 ");
    expect(texts).toContain("E06000053  ");
    expect(texts).toContain("K04000001, J99000001");
    expect(Object.values(briefly((await ons("2020.xls"))[3]!))).toContain("Jan-203");
  });

  test("29 codes of 2010 are numbers, and the others text", async () => {
    const [, sheet] = await ons("2010.xls");
    const codes = Object.entries(sheet!.cells).filter(
      ([place]) => /^A\d+$/.test(place) && Number(place.slice(1)) < 510,
    );
    const isCode = ([, cell]: [string, SheetCell]): boolean =>
      /^[0-9A-Z]{2,4}$/.test((cell as { text: string }).text);
    expect(codes.filter((entry) => entry[1].kind === "number" && isCode(entry))).toHaveLength(29);
    expect(codes.map(([, cell]) => brief(cell))).toContain("00BS");
    expect(codes.map(([, cell]) => brief(cell))).toContain(30);
  });
});

describe("weekly deaths", () => {
  test("each year stands in a sheet of its own", async () => {
    const names = (await weekly("northern_ireland_2020_03_01.xlsx")).map(({ name }) => name);
    const years = Array.from({ length: 11 }, (_, index) => `Weekly Deaths_${2009 + index}`);
    expect(names.filter((name) => name.startsWith("Weekly"))).toEqual(expect.arrayContaining(years));
  });

  test("sheets of .xls and .xlsx of one publisher are read alike", async () => {
    const [older, newer] = [
      await weekly("northern_ireland_2020_04_24.xlsx"),
      await weekly("northern_ireland_2020_05_08.xls"),
    ];
    const find = (sheets: PlainSheet[]) => sheets.find(({ name }) => name === "Weekly Deaths_2020")!;
    const dates = (sheet: PlainSheet): unknown[] =>
      Object.values(sheet.cells).flatMap((cell) => (cell.kind === "date" ? [cell.iso] : []));
    expect(dates(find(older)).length).toBeGreaterThan(10);
    expect(dates(find(newer))).toEqual(expect.arrayContaining(dates(find(older))));
  });

  test("the header of 2020 is pushed down by a note", async () => {
    const header = async (file: string, sheet: string): Promise<number | undefined> => {
      const found = (await weekly(file)).find(({ name }) => name === sheet)!;
      return rowsOf(found).find((row) => /week number/i.test(String(brief(found.cells[`A${row}`]))));
    };
    expect(await header("england_and_wales_2018.xlsx", "Weekly figures 2018")).toBe(4);
    expect(await header("england_and_wales_2020_05_08.xlsx", "Weekly figures 2020")).toBe(5);
  });
});
