/** Transform: fifteen years of layouts, one declaration, no code for any one year. */
import { type DatasetRow, type MapContext, type TidyDeclaration, workbook } from "../../src/index.ts";
import { codeTypeOf } from "./area-codes.ts";
import { AreaTree } from "./area-tree.ts";

/** Nine characters since 2011, one to four before, some of which are numbers in the file; in some years none. */
const codes = /^[A-Z]\d{8}\b|^\d{1,3}[A-Z]{0,2}$|^[A-Z]$/i;

/** Labels that are names: no codes, no kinds of area (`Unitary Authority`), no `Persons`. */
const names =
  /^(?![A-Z]\d{8}\b|\d{1,3}[A-Z]{0,2}$)(?!(?:(?:non-)?metropolitan |london |local |unitary )*(?:country|region|county|authority|district|borough|council|la|ua)$)(?!persons$).*[A-Z]/i;

/** Signs that offices of the United Kingdom print in the place of a figure. */
const symbols = {
  "-": "missing",
  ":": "missing",
  "..": "missing",
  "[x]": "missing",
  "[z]": "missing",
  "*": "suppressed",
  "[c]": "suppressed",
} as const;

/** What is looked for in each workbook, wherever it stands. */
export const figures: TidyDeclaration = workbook({
  sheets: ["Figures for {year}", /^figures/i],
  // The year of headings that do not say it: `January`, `February`.
  fields: {
    title: /\b(?:residence|deaths|registered|monthly)\d{0,2},?\s*(?:in |for )?(?<year>(?:19|20)\d{2})\b/i,
  },
  columns: {
    code: { header: [/^area codes?/i, "Area of usual residence"], values: codes, optional: true },
    place: { label: "first", marks: "cut", values: names },
    level: { label: "level", kind: "integer", values: names },
    period: { heading: 1, kind: "month", as: "start", year: "{year}" },
    month: { heading: 1, kind: "month", as: "name" },
    year: { heading: 1, kind: "month", as: "year" },
    deaths: { figure: true, kind: "integer", symbols },
    mark: { flag: "deaths" },
    row: { place: "row" },
  },
});

/** A tidy row, as {@link figures} declares it. */
type Figure = Readonly<{
  code: string | null;
  place: string;
  level: number;
  period: string;
  month: string;
  year: number;
  deaths: number | null;
  mark: string | null;
  row: number;
}>;

let tree = new AreaTree();

/** Makes the dataset's row of a tidy one. Rows come file by file, in the order of the sheet. */
export function toDeaths(tidy: DatasetRow, { file, number }: MapContext): DatasetRow {
  const figure = tidy as unknown as Figure; // The declaration above names these columns.
  if (number === 1) tree = new AreaTree();
  const code = figure.code?.trim().toUpperCase() || null;
  const name = figure.place.toLowerCase();
  // One cell of the first row names two areas: their total is checked, and is no area of its own.
  const isTotal = code?.includes(",") ?? false;
  const { area, within } = tree.place({ code, name, level: figure.level, row: figure.row, isTotal });
  return {
    geo_code: isTotal ? null : code,
    place_name: name,
    month: figure.month.toLowerCase(),
    deaths: figure.deaths,
    year: figure.year,
    datetime: lastBusinessDay(figure.period),
    period_start: figure.period,
    code_type: isTotal ? "total" : codeTypeOf(code),
    mark: figure.mark,
    area,
    within,
    release: file.name.replace(/\.[^.]+$/, ""),
  };
}

/** The last Monday to Friday of the month that begins on a day, `YYYY-MM-DD`. */
export function lastBusinessDay(start: string): string {
  const [year = 0, month = 0] = start.split("-").map(Number);
  const day = new Date(Date.UTC(year, month, 0));
  const weekday = day.getUTCDay();
  const back = weekday === 0 ? 2 : weekday === 6 ? 1 : 0;
  day.setUTCDate(day.getUTCDate() - back);
  return day.toISOString().slice(0, 10);
}
