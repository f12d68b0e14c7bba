/** The settings of the example on tables as other years may have them: the same figures, or a refusal in words. */
import { describe, expect, test } from "vitest";
import { figures } from "../../examples/ons-deaths/transform.ts";
import { openWorkbook } from "../../src/readers/open-workbook.ts";
import type { SheetCell, SheetRow } from "../../src/workbook/sheet.ts";
import { tidyWorkbook } from "../../src/workbook/tidy-workbook.ts";
import type { TidyValue } from "../../src/workbook/typed-value.ts";
import { type HeldSheet, holdSheets, toBook } from "./bend-workbook.ts";
import { refusal } from "./memory-workbook.ts";

const path = new URL("../data/ons-monthly-deaths/2018.xls", import.meta.url).pathname;
const book = await openWorkbook(path, "2018.xls");
const held = (await holdSheets(book)).find(({ name }) => name === "Figures for 2018")!;
await book.close();

const text = (value: string): SheetCell => ({ kind: "text", text: value });
const number = (value: number): SheetCell => ({
  kind: "number",
  value,
  text: String(value),
  shown: undefined,
});
const isHeader = (row: SheetRow) => row.number === 4;
const isData = (row: SheetRow) => row.cells[2]?.kind === "number";
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** The sheet with other cells in its header and data rows, of another year, under another name. */
function sheet(
  change: Readonly<{
    name?: string;
    year?: string;
    header?: (cells: SheetRow["cells"]) => SheetRow["cells"];
    data?: (cells: SheetRow["cells"]) => SheetRow["cells"];
  }>,
): HeldSheet {
  const year = change.year ?? "2018";
  const dated = (cell: SheetCell | undefined): SheetCell | undefined =>
    cell?.kind === "text"
      ? text(cell.text.replaceAll("2018", year).replaceAll("-18", `-${year.slice(2)}`))
      : cell;
  const rows = held.rows.map((row) => {
    const cells = Array.from({ length: Math.max(14, row.cells.length) }, (_, at) => dated(row.cells[at]));
    const bent = isHeader(row) ? change.header?.(cells) : isData(row) ? change.data?.(cells) : undefined;
    return { ...row, cells: bent ?? cells };
  });
  return { name: change.name ?? `Figures for ${year}`, rows, merges: [] };
}

async function read(...sheets: readonly HeldSheet[]): Promise<readonly (readonly TidyValue[])[]> {
  const rows: (readonly TidyValue[])[] = [];
  await tidyWorkbook(toBook(sheets), { name: "a file.xls", fields: {} }, figures, (batch) => {
    rows.push(...batch);
  });
  return rows;
}

const insert =
  (at: number, cell: SheetCell | undefined) =>
  (cells: SheetRow["cells"]): SheetRow["cells"] => [...cells.slice(0, at), cell, ...cells.slice(at)];
const months = (names: readonly SheetCell[]) => (cells: SheetRow["cells"]) => [cells[0], cells[1], ...names];

const expected = await read(sheet({}));

describe("the figures of 2018 in the layout of another year", () => {
  test("are there to be compared with", () => {
    expect(expected).toHaveLength(4644);
    expect(expected[0]?.slice(0, 7)).toEqual([
      "K04000001, J99000001",
      "ENGLAND, WALES AND ELSEWHERE",
      1,
      "2018-01-01",
      "January",
      2018,
      64154,
    ]);
  });

  test.each<[string, HeldSheet]>([
    ["a space behind the sheet's name", sheet({ name: "Figures for 2018 " })],
    ["months that the sheet's name gives the year", sheet({ header: months(monthNames.map(text)) })],
    [
      "months that the title gives the year",
      sheet({ name: "Table 1", header: months(monthNames.map(text)) }),
    ],
    ["months in capitals", sheet({ header: months(monthNames.map((name) => text(name.toUpperCase()))) })],
    ["months as numbers", sheet({ header: months(monthNames.map((_, at) => number(at + 1))) })],
    [
      "months in full, with a note",
      sheet({ header: months(monthNames.map((name) => text(`${name} 2018 [note 1]`))) }),
    ],
    [
      "months as dates",
      sheet({
        header: months(
          monthNames.map((_, at) => ({
            kind: "date",
            iso: `2018-${String(at + 1).padStart(2, "0")}-01`,
            serial: 0,
          })),
        ),
      }),
    ],
    [
      "a kind of area behind the names",
      sheet({ header: insert(2, text("Geography")), data: insert(2, text("Unitary Authority")) }),
    ],
    [
      "a kind of area before the names",
      sheet({ header: insert(1, text("Geography")), data: insert(1, text("London Borough")) }),
    ],
    [
      "a kind of area before the codes",
      sheet({ header: insert(0, text("Geography")), data: insert(0, text("Region")) }),
    ],
    [
      "an old code before the names",
      sheet({ header: insert(1, text("Old code")), data: insert(1, text("00AB")) }),
    ],
    ["a total before the months", sheet({ header: insert(2, number(2018)), data: insert(2, number(9)) })],
    [
      "a total behind the months",
      sheet({ header: insert(14, text("Total 2018")), data: insert(14, number(9)) }),
    ],
    ["a quarter among the months", sheet({ header: insert(5, text("Q1")), data: insert(5, number(9)) })],
    ["a population", sheet({ header: insert(2, text("Population")), data: insert(2, number(9000)) })],
  ])("are the same: %s", async (_name, bent) => {
    expect((await read(bent)).map((row) => row.slice(0, 8))).toEqual(expected.map((row) => row.slice(0, 8)));
  });

  test("notes above that speak of other years do not change it", async () => {
    const plain = sheet({ header: months(monthNames.map(text)) });
    const note = text("Figures are on boundaries of April 2019; deaths of 2017 were revised in March 2020.");
    const rows = [
      ...plain.rows.filter((row) => row.number < 3),
      { number: 3, isHidden: false, cells: [note] },
      ...plain.rows.filter((row) => row.number > 3),
    ];
    expect((await read({ ...plain, rows })).map((row) => row.slice(0, 8))).toEqual(
      expected.map((row) => row.slice(0, 8)),
    );
  });

  test("codes in lower case are codes", async () => {
    const lower = sheet({
      data: ([code, ...rest]) => [code?.kind === "text" ? text(code.text.toLowerCase()) : code, ...rest],
    });
    const rows = await read(lower);
    expect(rows.map(([code]) => String(code).toUpperCase())).toEqual(expected.map(([code]) => String(code)));
    expect(rows.map(([, place]) => place)).toEqual(expected.map(([, place]) => place));
  });
});

describe("what says two things is refused", () => {
  test("two columns that may be the names", async () => {
    const twice = sheet({ header: insert(2, text("Enw")), data: insert(2, text("Enw'r ardal")) });
    expect(await refusal(read(twice))).toEqual({
      code: "WORKBOOK_AMBIGUOUS",
      message:
        'a file.xls, sheet "Figures for 2018": row 4: "place" may be any of columns B, C, which are filled in the same rows.',
      hint: "Say what its cells look like with `values`, or which column of labels it is by number; or declare the others by their headers.",
    });
  });

  test("a sheet whose name and title are of different years", async () => {
    const copied = sheet({ name: "Figures for 2019" });
    expect((await refusal(read(copied))).message).toBe(
      'a file.xls, sheet "Figures for 2019": the sheet\'s name says that year is 2019, the text above its table that it is 2018.',
    );
  });

  test("headings of another year than sheet and title", async () => {
    const old = monthNames.map((name) => text(`${name.slice(0, 3)}-17`));
    const error = await refusal(read(sheet({ header: months(old) })));
    expect(error).toMatchObject({ code: "WORKBOOK_HEADINGS_UNCLEAR" });
    expect(error.message).toContain("the headings are of 2017, and what else is known says 2018");
  });

  test("months from April to March, of which the sheet says one year", async () => {
    const fiscal = [...monthNames.slice(3), ...monthNames.slice(0, 3)].map(text);
    expect((await refusal(read(sheet({ header: months(fiscal) })))).message).toContain(
      "the headings run over the end of a year and do not say which years they are",
    );
  });
});
