import { expect, test } from "vitest";
import type { Sheet, SheetCell, SheetRow, Workbook } from "../../src/workbook/sheet.ts";
import { tidyWorkbook } from "../../src/workbook/tidy-workbook.ts";
import { workbook } from "../../src/workbook/workbook.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";

const rowCount = 120_000;
const batchRows = 4000;

/** A sheet that is made while it is read, and says how far. */
function longSheet(last: readonly string[] = []) {
  const state = { passes: 0, read: 0 };
  const text = (value: string): SheetCell => ({ kind: "text", text: value });
  const number = (value: number): SheetCell => ({
    kind: "number",
    value,
    text: String(value),
    shown: undefined,
  });
  const rowAt = (index: number): SheetRow => ({
    number: index + 2,
    isHidden: false,
    cells: [
      text(`E${10_000_000 + index}`),
      text(`Place of number ${"abc"[index % 3]} 1`),
      number(index % 97),
      number(index),
    ],
  });
  const sheet: Sheet = {
    name: "Figures",
    index: 0,
    isHidden: false,
    hasCells: true,
    merges: [],
    hiddenColumns: new Set(),
    rows: async function* () {
      state.passes++;
      state.read = 0;
      yield [{ number: 1, isHidden: false, cells: ["Code", "Name", "Jan-18", "Feb-18"].map(text) }];
      for (let start = 0; start < rowCount; start += batchRows) {
        state.read = start + batchRows;
        yield Array.from({ length: batchRows }, (_, offset) => rowAt(start + offset));
      }
      yield last.map((note, index) => ({
        number: rowCount + 3 + index,
        isHidden: false,
        cells: [text(note)],
      }));
    },
  };
  const book: Workbook = { sheets: [sheet], close: async () => {} };
  return { book, state };
}

const options = (marks: "cut" | "keep"): WorkbookOptions => ({
  columns: {
    code: { header: "Code" },
    name: { header: "Name", marks },
    month: { heading: 1, kind: "month" },
    value: { figure: true, kind: "integer" },
  },
});

async function read(declared: WorkbookOptions, { book, state }: ReturnType<typeof longSheet>) {
  const names = new Set<unknown>();
  let count = 0;
  let largest = 0;
  let ahead = 0;
  const report = await tidyWorkbook(
    book,
    { name: "long.xlsx", fields: {} },
    workbook(declared),
    async (rows) => {
      largest = Math.max(largest, rows.length);
      ahead = Math.max(ahead, state.read - Math.floor(count / 2));
      count += rows.length;
      for (const row of rows) names.add(row[1]);
    },
  );
  return { report, count, largest, ahead, names: [...names].sort() };
}

test("a long sheet is handed on while it is read", async () => {
  const sheet = longSheet();
  const { count, largest, ahead, report } = await read(options("keep"), sheet);
  expect(count).toBe(rowCount * 2);
  expect(report.rowCount).toBe(count);
  // No more is held than a batch of the reader's and one of ours.
  expect(ahead).toBeLessThanOrEqual(batchRows);
  expect(largest).toBeLessThanOrEqual(1002);
  expect(sheet.state.passes).toBe(2); // Once for its head, once for its rows.
});

test("marks that are to be cut are looked up at its end first", async () => {
  const sheet = longSheet(["Notes", "1 A note that the names refer to."]);
  const { count, names, report } = await read(options("cut"), sheet);
  expect(count).toBe(rowCount * 2);
  expect(sheet.state.passes).toBe(3);
  expect(names).toEqual(["Place of number a", "Place of number b", "Place of number c"]);
  expect(report.tables[0]!.below).toEqual(["Notes", "1 A note that the names refer to."]);
});

test("and digits without a note are the name's own", async () => {
  const { names } = await read(options("cut"), longSheet());
  expect(names).toEqual(["Place of number a 1", "Place of number b 1", "Place of number c 1"]);
});
