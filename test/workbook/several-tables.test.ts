/** Sheets that hold more than one table. */
import { describe, expect, test } from "vitest";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { type CellInput, refusal, tidyRows } from "./memory-workbook.ts";

const months: WorkbookOptions = {
  columns: { area: { label: 1 }, month: { heading: 1, kind: "month" }, value: { figure: true } },
};
const rowsOf = async (rows: readonly (readonly CellInput[])[], options: WorkbookOptions) =>
  (await tidyRows(rows, options)).rows;

describe("more than one table on a sheet", () => {
  const two = [
    ["Males"],
    [null, "Jan-18", "Feb-18"],
    ["North", 1, 2],
    [],
    ["Females"],
    [null, "Mar-18", "Apr-18"],
    ["North", 3, 4],
  ];

  test("two that fit equally well are refused, with how to say which", async () => {
    const error = await refusal(tidyRows(two, months));
    expect(error).toMatchObject({
      code: "WORKBOOK_AMBIGUOUS",
      hint: 'Say which with `below` or `until`, or read them with `tables: "first"` or `tables: "all"`.',
    });
    expect(error.message).toContain("tables below rows 2 and 6 fit equally well");
  });

  test("one of them is read below a text, or until one", async () => {
    expect(await rowsOf(two, { ...months, below: "Females" })).toEqual([
      ["North", "2018-03", 3],
      ["North", "2018-04", 4],
    ]);
    expect(await rowsOf(two, { ...months, tables: "first", until: "Females" })).toHaveLength(2);
    const error = await refusal(tidyRows(two, { ...months, tables: "first" }));
    expect(error.message).toContain(
      'cell B6: "Mar-18" is not a number (column "value"), as most of what stands in its row',
    );
    expect(error.hint).toContain("`until`");
  });

  test("all of them are read, each with its caption", async () => {
    const rows = await rowsOf(two, {
      ...months,
      tables: "all",
      columns: { sex: { caption: true }, ...months.columns },
    });
    expect(rows.map(([sex, , month]) => [sex, month])).toEqual([
      ["Males", "2018-01"],
      ["Males", "2018-02"],
      ["Females", "2018-03"],
      ["Females", "2018-04"],
    ]);
  });

  test("a header that is repeated begins no new table", async () => {
    const { rows, report } = await tidyRows(
      [[null, "Jan-18"], ["North", 1], ["Page two"], [null, "Jan-18"], ["South", 2]],
      { ...months, columns: { part: { section: "last" }, ...months.columns } },
    );
    expect(rows).toEqual([
      [null, "North", "2018-01", 1],
      ["Page two", "South", "2018-01", 2],
    ]);
    expect(report.tables[0]!.rows.repeatedHeaders).toBe(1);
  });

  test("another table below the notes is refused at its header", async () => {
    const below = (header: readonly CellInput[]) => [
      [null, "Jan-18", "Feb-18"],
      ["North", 1, 2],
      ["Source: ONS"],
      ["Table two"],
      header,
      ["North", 3, 4],
    ];
    const texts = await refusal(tidyRows(below([null, "Mar-18", "Apr-18"]), { ...months, tables: "first" }));
    expect(texts.message).toContain('cell B5: "Mar-18" is not a number');
    const numbers = await refusal(tidyRows(below([null, 2018, 2019]), months));
    expect(numbers.message).toContain(
      "row 5: a row of numbers without a label looks like the header of another table",
    );
    expect(numbers.hint).toContain("`until`");
    expect(await rowsOf(below([null, 2018, 2019]), { ...months, until: "Table two" })).toHaveLength(2);
  });

  test("figures below the notes are not the table's, and are counted", async () => {
    const { rows, report } = await tidyRows(
      [[null, "Jan-18"], ["North", 1], [], ["Notes"], ["Check sum", 99]],
      months,
    );
    expect(rows).toEqual([["North", "2018-01", 1]]);
    expect(report.tables[0]!.rows.belowNotes).toBe(1);
    expect(report.tables[0]!.below).toEqual(["Notes", "Check sum 99"]);
  });
});
