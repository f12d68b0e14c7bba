/** Tables as other offices print them: signs, week headings, commas and languages. */
import { describe, expect, test } from "vitest";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { refusal, tidyRows } from "./memory-workbook.ts";

describe("numbers with decimal commas", () => {
  const rows = [
    ["Sterbefälle je 1.000 Einwohner", null, null],
    ["Land", "2019", "2020"],
    ["Bayern", "10,2", "11,5"],
    ["Berlin", "9,7", "1.010,25"],
  ];
  const declared: WorkbookOptions = {
    columns: { land: { label: 1 }, year: { heading: 1, kind: "year" }, rate: { figure: true } },
  };

  test("are read where it is declared", async () => {
    expect((await tidyRows(rows, { ...declared, decimal: "," })).rows).toEqual([
      ["Bayern", 2019, 10.2],
      ["Bayern", 2020, 11.5],
      ["Berlin", 2019, 9.7],
      ["Berlin", 2020, 1010.25],
    ]);
  });

  test("are refused with what to declare where it is not", async () => {
    const plain = [["Land", "Rate"], ...rows.slice(2).map(([land, rate]) => [land!, rate!])];
    const error = await refusal(
      tidyRows(plain, { columns: { land: { header: "Land" }, rate: { header: "Rate", kind: "number" } } }),
    );
    expect(error.message).toContain(
      '"10,2" is not a number; if its comma begins the fraction, declare `decimal: ","`',
    );
  });

  test("and numbers of the workbook are what they are", async () => {
    const mixed = [rows[1]!, ["Bayern", 10.25, "11,5"]];
    expect((await tidyRows(mixed, { ...declared, decimal: "," })).rows.map((row) => row[2])).toEqual([
      10.25, 11.5,
    ]);
  });
});

test("an export with weeks of years, flags and signs for what is missing", async () => {
  const rows = [
    ["Data extracted on 17/11/2020 09:00:00"],
    ["Dataset: Deaths by week, sex and region"],
    [],
    ["TIME", null, "2020-W01", "2020-W02", "2020-W03"],
    ["GEO (Codes)", "GEO (Labels)", null, null, null],
    ["BE10", "Région de Bruxelles", "210 p", "205 p", ":"],
    ["BE21", "Prov. Antwerpen", 331, 340, "318 p"],
    [],
    ["Special value"],
    [":", "not available"],
  ];
  const found = await tidyRows(rows, {
    columns: {
      code: { header: "GEO (Codes)" },
      region: { header: "GEO (Labels)" },
      week: { heading: 1, kind: "week" },
      deaths: { figure: true, kind: "integer", symbols: { ":": "missing", p: "mark" } },
      flag: { flag: "deaths" },
    },
  });
  expect(found.rows).toEqual([
    ["BE10", "Région de Bruxelles", "2020-W01", 210, "p"],
    ["BE10", "Région de Bruxelles", "2020-W02", 205, "p"],
    ["BE10", "Région de Bruxelles", "2020-W03", null, "missing"],
    ["BE21", "Prov. Antwerpen", "2020-W01", 331, null],
    ["BE21", "Prov. Antwerpen", "2020-W02", 340, null],
    ["BE21", "Prov. Antwerpen", "2020-W03", 318, "p"],
  ]);
});

test("months in another language are no months, and the sheet is refused", async () => {
  const rows = [
    ["Gemeente", "januari", "februari", "maart"],
    ["Utrecht", 1, 2, 3],
  ];
  const error = await refusal(
    tidyRows(rows, {
      columns: { place: { label: 1 }, month: { heading: 1, kind: "month" }, deaths: { figure: true } },
    }),
  );
  expect(error.message).toContain("no row has headings of kind month above figures");
});

describe("two columns of labels, of which one is declared", () => {
  const rows = [
    ["Region", "District", "Jan-20", "Feb-20"],
    ["North", "Alston", 1, 2],
    ["North", "Brough", 3, 4],
    ["South", "Ely", 5, 6],
  ];
  const declared = (columns: WorkbookOptions["columns"]) =>
    tidyRows(rows, {
      columns: { ...columns, month: { heading: 1, kind: "month" }, deaths: { figure: true } },
    });

  test.each(["first", "last"] as const)("the %s could be either, and is refused", async (label) => {
    const error = await refusal(declared({ area: { label } }));
    expect(error.message).toContain('"area" may be any of columns A, B, which are filled in the same rows');
  });

  test("both, or one by number or header, are clear", async () => {
    const first = async (columns: WorkbookOptions["columns"]) => (await declared(columns)).rows[0];
    expect(await first({ region: { label: "first" }, area: { label: "last" } })).toEqual([
      "North",
      "Alston",
      "2020-01",
      1,
    ]);
    expect(await first({ area: { label: 2 } })).toEqual(["Alston", "2020-01", 1]);
    expect(await first({ region: { header: "Region" }, area: { label: "first" } })).toEqual([
      "North",
      "Alston",
      "2020-01",
      1,
    ]);
  });

  test("labels on levels are clear, and so is the first where a total follows", async () => {
    const levels = [
      [null, null, "Total", "Jan-20", "Feb-20"],
      ["North", null, 4, 1, 3],
      [null, "Alston", 3, 1, 2],
      [null, "Brough", 1, 0, 1],
    ];
    const found = await tidyRows(levels, {
      columns: {
        area: { label: "first" },
        level: { label: "level" },
        month: { heading: 1, kind: "month" },
        deaths: { figure: true },
      },
    });
    expect(found.rows.map(([area, level]) => [area, level])).toEqual([
      ["North", 1],
      ["North", 1],
      ["Alston", 2],
      ["Alston", 2],
      ["Brough", 2],
      ["Brough", 2],
    ]);
  });
});
