/** Whatever a sheet holds, it is read or refused in words. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLeatError } from "../../src/errors/leat-error.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { type CellInput, date, tidy, toWorkbook } from "./memory-workbook.ts";

describe("any sheet at all", () => {
  const cell: fc.Arbitrary<CellInput> = fc.oneof(
    fc.constant(null),
    fc.integer({ min: -3, max: 2100 }),
    fc.constantFrom(
      "Jan-18",
      "Feb-18",
      "Mar-18 ",
      "2018",
      "Week 1",
      "Area",
      "Notes",
      "1 a note",
      "-",
      "..",
      "",
      " ",
      "Total",
      "E06000001",
      "#N/A",
    ),
    fc.string({ maxLength: 12 }),
    fc.constantFrom<CellInput>(true, date("2018-01-31"), { kind: "error", text: "#N/A" }),
  );
  const merge = fc
    .tuple(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
    )
    .map(([top, left, height, width]) => ({ top, left, bottom: top + height, right: left + width }));
  const sheet = fc.record({
    rows: fc.array(fc.array(cell, { maxLength: 8 }), { maxLength: 14 }),
    merges: fc.array(merge, { maxLength: 3 }),
  });
  const declarations: readonly WorkbookOptions[] = [
    {
      columns: {
        geo_code: { header: "Area code" },
        place_name: { header: "Area name", marks: "cut" },
        month: { heading: 1, kind: "month" },
        deaths: { figure: true, kind: "integer", symbols: { "-": "zero" } },
      },
    },
    {
      columns: {
        area: { label: "first" },
        section: { section: "all" },
        year: { heading: 1, kind: "year" },
        value: { figure: true },
      },
    },
    {
      columns: {
        area: { label: 1, fill: "down" },
        top: { heading: 1 },
        low: { heading: 2, blank: "?" },
        one: { figure: { nth: 1 } },
        two: { figure: { nth: 2 }, kind: "text" },
      },
    },
    {
      columns: {
        area: { header: "Area" },
        value: { header: /^\S/, values: /^\d+$/, figure: true, optional: true },
      },
    },
    {
      tables: "all",
      columns: { caption: { caption: true }, area: { header: ["Area", "Total"] } },
      unreadable: "reject",
    },
    { header: "none", columns: { a: { letter: "A" }, b: { values: /^\d+$/, optional: true } } },
  ];

  test("is read, or refused in words", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sheet, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...declarations),
        async (sheets, declared) => {
          try {
            const { rows, report } = await tidy(toWorkbook(sheets), declared);
            expect(rows.length).toBeGreaterThan(0);
            expect(rows.length).toBe(report.rowCount);
            for (const row of rows) expect(row).toHaveLength(Object.keys(declared.columns).length);
            expect(JSON.parse(JSON.stringify(report))).toEqual(report);
          } catch (error) {
            if (!isLeatError(error)) throw error;
            expect(error.code).toMatch(/^WORKBOOK_/);
            expect(error.message).toContain("file.xlsx");
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
