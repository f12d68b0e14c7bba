/** A table written into a sheet in any of many layouts is read back as it was. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MergedRange } from "../../src/workbook/sheet.ts";
import type { TidyValue } from "../../src/workbook/typed-value.ts";
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";
import { type CellInput, date, type SheetInput, tidy, toWorkbook } from "./memory-workbook.ts";

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
const runs = { numRuns: 300 } as const;

/** Ways to write a month; `level` has the year in a row of its own above. */
const styles = ["Jan-18", "Jan-2018", "January 2018", "JAN 18", "2018-01", "date", "level"] as const;
type Style = (typeof styles)[number];

type Month = Readonly<{ year: number; month: number }>;
/** `null`: an empty cell; `"-"`: a sign for zero. */
type FigureInput = number | null | "-";
type Area = Readonly<{ code: string; name: string; figures: readonly FigureInput[] }>;
type Table = Readonly<{ months: readonly Month[]; areas: readonly Area[] }>;

/** Without vowels, so that none is a word after which a number is a value (`Age 2`, `Zone 2`). */
const words = fc.stringMatching(
  /^[B-DF-HJ-NP-TV-Z][b-df-hj-np-tv-z]{2,7}( and [B-DF-HJ-NP-TV-Z][b-df-hj-np-tv-z]{2,6})?$/,
);
const figure: fc.Arbitrary<FigureInput> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 60_000 }) },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant("-" as const) },
);

const table: fc.Arbitrary<Table> = fc
  .record({
    start: fc.integer({ min: 1995 * 12, max: 2030 * 12 }),
    length: fc.integer({ min: 1, max: 15 }),
    areas: fc.integer({ min: 1, max: 12 }),
  })
  .chain(({ start, length, areas }) => {
    const months = Array.from({ length }, (_, index) => ({
      year: Math.floor((start + index) / 12),
      month: ((start + index) % 12) + 1,
    }));
    const names = fc.uniqueArray(words, { minLength: areas, maxLength: areas });
    const row = fc.array(figure, { minLength: length, maxLength: length });
    // The first figure is there: a table without any is no table.
    const rows = fc
      .tuple(fc.integer({ min: 0, max: 900 }), fc.array(row, { minLength: areas, maxLength: areas }))
      .map(([first, others]) => [[first, ...others[0]!.slice(1)], ...others.slice(1)]);
    return fc.tuple(names, rows).map(([list, figures]) => ({
      months,
      areas: list.map((name, index) => ({
        code: `E${String(7_000_000 + index).padStart(8, "0")}`,
        name,
        figures: figures[index]!,
      })),
    }));
  });

const layout = fc.record({
  titles: fc.array(words, { maxLength: 4 }),
  blankAbove: fc.integer({ min: 0, max: 3 }),
  left: fc.integer({ min: 0, max: 3 }),
  style: fc.constantFrom<Style>(...styles),
  isMerged: fc.boolean(),
  isNameFirst: fc.boolean(),
  hasBlankColumn: fc.boolean(),
  headers: fc.constantFrom(
    ["Area code", "Area name"],
    ["AREA\u00a0CODE 1", "Area\nname"],
    ["area  code2", "Area name (a)"],
    ["Area code*", "area_name²"],
  ),
  headingMark: fc.constantFrom("", "3", "1", "*", "²"),
  blankBelowHeader: fc.integer({ min: 0, max: 2 }),
  blankEvery: fc.integer({ min: 2, max: 9 }),
  labelRowEvery: fc.integer({ min: 2, max: 9 }),
  headerEvery: fc.integer({ min: 3, max: 20 }),
  nameMark: fc.constantFrom("", " 2", "1", " (a)", "†"),
  notes: fc.constantFrom<"own cell" | "text" | "brackets">("own cell", "text", "brackets"),
  hasTotal: fc.boolean(),
});
type Layout = typeof layout extends fc.Arbitrary<infer Value> ? Value : never;

/** Writes a table into a sheet. */
function write({ months, areas }: Table, form: Layout): SheetInput {
  const rows: CellInput[][] = [];
  const merges: MergedRange[] = [];
  const pad = Array.from({ length: form.left }, () => null);
  const gap = form.hasBlankColumn ? [null] : [];
  const add = (cells: readonly CellInput[]) => rows.push([...pad, ...cells]);
  const skip = (count: number) => rows.push(...Array.from({ length: count }, () => []));
  const label = (code: CellInput, name: CellInput) => (form.isNameFirst ? [name, code] : [code, name]);
  for (const title of form.titles) add([title]);
  skip(form.titles.length > 0 ? Math.max(1, form.blankAbove) : form.blankAbove);
  if (form.style === "level") {
    const first = form.left + 2 + gap.length;
    const years = months.map(({ year }, index) =>
      index === 0 || months[index - 1]!.year !== year ? year : null,
    );
    add([null, null, ...gap, ...years]);
    for (const [index, year] of years.entries()) {
      const next = years.findIndex((other, place) => place > index && other !== null);
      const last = (next < 0 ? years.length : next) - 1;
      if (form.isMerged && year !== null && last > index)
        merges.push({ top: rows.length, bottom: rows.length, left: first + index, right: first + last });
    }
  }
  // The years stand above and are numbers: a mark behind a month without a year would be one of its own.
  const mark = form.style === "level" && /\d/.test(form.headingMark) ? "" : form.headingMark;
  const header = [
    ...label(form.headers[0]!, form.headers[1]!),
    ...gap,
    ...months.map((month) => heading(month, form.style, mark)),
  ];
  add([...header, ...(form.hasTotal ? [null, "Total"] : [])]);
  skip(form.blankBelowHeader);
  for (const [index, area] of areas.entries()) {
    if (index > 0 && index % form.blankEvery === 0) skip(1);
    if (index > 0 && index % form.labelRowEvery === 0) add(label(null, "Of which"));
    if (index > 0 && index % form.headerEvery === 0) add(header);
    const sum = area.figures.reduce<number>(
      (total, value) => total + (typeof value === "number" ? value : 0),
      0,
    );
    const name = index % 3 === 0 ? area.name + form.nameMark : area.name;
    const code = index % 4 === 1 ? `${area.code}  ` : area.code;
    add([...label(code, name), ...gap, ...area.figures, ...(form.hasTotal ? [null, sum] : [])]);
  }
  skip(1);
  add(["Footnotes:"]);
  const notes = {
    "1": "Figures are provisional.",
    "2": "Boundaries of today.",
    "3": "Revised.",
    a: "Includes islands.",
  };
  for (const [sign, text] of Object.entries(notes)) {
    if (form.notes === "own cell") add([/\d/.test(sign) ? Number(sign) : sign, text]);
    else add([form.notes === "text" ? `${sign} ${text}` : `(${sign}) ${text}`]);
  }
  return { name: "Figures", rows, merges };
}

function heading({ year, month }: Month, style: Style, mark: string): CellInput {
  const name = monthNames[month - 1]!;
  const digits = String(month).padStart(2, "0");
  switch (style) {
    case "Jan-18":
      return `${name.slice(0, 3)}-${String(year).slice(2)}${mark}`;
    case "Jan-2018":
      return `${name.slice(0, 3)}-${year}${mark}`;
    case "January 2018":
      return `${name} ${year}${mark}`;
    case "JAN 18":
      return `${name.slice(0, 3).toUpperCase()} ${String(year).slice(2)}${mark}`;
    case "2018-01":
      return `${year}-${digits}${mark}`;
    case "date":
      return date(`${year}-${digits}-01`);
    case "level":
      return `${name}${mark}`;
  }
}

const options = (style: Style): WorkbookOptions => ({
  columns: {
    geo_code: { header: "Area code" },
    place_name: { header: "Area name", marks: "cut" },
    ...(style === "level" ? { year: { heading: 1, kind: "year" as const } } : {}),
    month:
      style === "level"
        ? { heading: 2, kind: "month", year: { column: "year" } }
        : { heading: 1, kind: "month" },
    deaths: { figure: true, kind: "integer", symbols: { "-": "zero" } },
  },
});

/** The rows that a table stands for. */
function rowsOf({ months, areas }: Table, style: Style): readonly (readonly TidyValue[])[] {
  return areas.flatMap(({ code, name, figures }) =>
    figures.flatMap((value, index) => {
      if (value === null) return [];
      const { year, month } = months[index]!;
      const period = `${year}-${String(month).padStart(2, "0")}`;
      const row = [code, name, ...(style === "level" ? [year] : []), period, value === "-" ? 0 : value];
      return [row];
    }),
  );
}

describe("a table under headings", () => {
  test("is read back from any layout", async () => {
    await fc.assert(
      fc.asyncProperty(table, layout, async (content, form) => {
        const { rows } = await tidy(toWorkbook([write(content, form)]), options(form.style));
        expect(rows).toEqual(rowsOf(content, form.style));
      }),
      runs,
    );
  });

  test("is found among other sheets, whatever its own is called", async () => {
    const other: SheetInput = {
      name: "Notes",
      rows: [["Contents"], [], ["1 About these figures"], [2018, "Table", 3]],
    };
    await fc.assert(
      fc.asyncProperty(
        table,
        layout,
        fc.constantFrom("1", "Figures_for_2018", "Table"),
        async (content, form, name) => {
          const book = toWorkbook([other, { ...write(content, form), name }, { ...other, name: "Related" }]);
          const { rows } = await tidy(book, { ...options(form.style), sheets: ["Figures for 2018"] });
          expect(rows).toEqual(rowsOf(content, form.style));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("counts of the report add up", async () => {
    await fc.assert(
      fc.asyncProperty(table, layout, async (content, form) => {
        const { rows, report } = await tidy(toWorkbook([write(content, form)]), options(form.style));
        const [found] = report.tables;
        expect(found!.rows.written).toBe(rows.length);
        expect(report.rowCount).toBe(rows.length);
        expect(found!.rows.data).toBe(
          content.areas.filter(({ figures }) => figures.some((value) => value !== null)).length,
        );
        expect(found!.symbols["-"] ?? 0).toBe(
          content.areas.flatMap(({ figures }) => figures).filter((value) => value === "-").length,
        );
      }),
      { numRuns: 100 },
    );
  });
});

type PlainRow = Readonly<{ name: string; count: number | null; rate: string; day: string }>;

describe("a table of columns", () => {
  const plainRow: fc.Arbitrary<PlainRow> = fc.record({
    name: words,
    count: fc.option(fc.integer({ min: 0, max: 9_999_999 }), { freq: 5 }),
    rate: fc
      .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 9 }))
      .map(([whole, part]) => `${whole}.${part}`),
    day: fc
      .integer({ min: 0, max: 20_000 })
      .map((days) => new Date(Date.UTC(1980, 0, 1 + days)).toISOString().slice(0, 10)),
  });
  const form = fc.record({
    titles: fc.array(words, { maxLength: 5 }),
    order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    left: fc.integer({ min: 0, max: 3 }),
    levels: fc.boolean(),
    isText: fc.boolean(),
    hasNotes: fc.boolean(),
    extra: fc.boolean(),
  });

  test("is read back wherever its columns stand and however its numbers are written", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plainRow, { minLength: 1, maxLength: 15 }),
        form,
        async (content, { order, ...shape }) => {
          const pad = Array.from({ length: shape.left }, () => null);
          const rows: CellInput[][] = shape.titles.map((title) => [title]);
          if (rows.length > 0) rows.push([]);
          const headers = [
            "Name of place",
            shape.levels ? "Count" : "Deaths Count",
            shape.levels ? "per 1,000" : "Deaths per 1,000",
            "Registered on",
          ];
          if (shape.levels)
            rows.push([...pad, ...order.map((column) => (column === 1 || column === 2 ? "Deaths" : null))]);
          rows.push([...pad, ...order.map((column) => headers[column]!), ...(shape.extra ? ["Remark"] : [])]);
          for (const { name, count, rate, day } of content) {
            const shown = count === null ? null : shape.isText ? count.toLocaleString("en-GB") : count;
            const cells: CellInput[] = [
              name,
              shown,
              shape.isText ? rate : Number(rate),
              shape.isText ? day : date(day),
            ];
            rows.push([...pad, ...order.map((column) => cells[column]!), ...(shape.extra ? ["ok"] : [])]);
          }
          if (shape.hasNotes)
            rows.push([], ["Notes"], ["1 Registered, not occurred."], [2, "A note with a number."]);
          const found = await tidy(toWorkbook([{ rows }]), {
            columns: {
              name: { header: "Name of place" },
              count: { header: "Deaths Count", figure: true, kind: "integer" },
              rate: { header: "Deaths per 1,000", figure: true, kind: "decimal" },
              day: { header: "Registered on", kind: "date" },
            },
          });
          expect(found.rows).toEqual(content.map(({ name, count, rate, day }) => [name, count, rate, day]));
        },
      ),
      runs,
    );
  });
});
