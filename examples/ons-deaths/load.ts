/** Load: every figure as printed, checked, and of these the table that people ask for. */
import { z } from "zod";
import { type DatasetSpec, defineDataset, fromFiles, fromSql } from "../../src/index.ts";
import { ons } from "./extract.ts";
import { figures, toDeaths } from "./transform.ts";

const months = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
] as const;

/** Areas whose parts do not add up to them, among the areas that a condition on the whole (`w`) picks. */
const partsOf = (condition: string): string => `
  SELECT w.period_start, w.place_name, w.deaths AS printed, sum(coalesce(p.deaths, 0)) AS sum_of_parts
  FROM printed w JOIN printed p ON p.within = w.area AND p.period_start = w.period_start
  WHERE ${condition}
  GROUP BY w.period_start, w.area, w.place_name, w.deaths
  HAVING w.deaths <> sum(coalesce(p.deaths, 0))`;

const columns = {
  geo_code: z
    .string()
    .nullable()
    .meta({
      description: "The publisher's code of the area; null in years and rows without codes.",
      examples: ["E08000007"],
    }),
  place_name: z
    .string()
    .meta({ description: "Name of the area as printed, in lower case.", examples: ["stockport"] }),
  month: z.enum(months).meta({ description: "English name of the month, in lower case." }),
  deaths: z.int().min(0).nullable().meta({
    description: "Deaths registered in the month; null where a mark is printed instead.",
    unit: "deaths",
  }),
  year: z.int().min(1990).max(2100).meta({ description: "Year of the month." }),
  datetime: z.iso.date().meta({ description: "Last business day (Monday to Friday) of the month." }),
  period_start: z.iso.date().meta({ description: "First day of the month." }),
  code_type: z.string().nullable().meta({ description: "What kind of area the code is for." }),
  mark: z
    .string()
    .nullable()
    .meta({ description: "What is printed instead of a figure, such as missing for -." }),
  area: z.string().meta({
    description: "Names the area within its year: its code, else its name.",
    examples: ["E08000007"],
  }),
  within: z.string().nullable().meta({ description: "The area that it is part of." }),
  release: z.string().meta({ description: "Name of the file that the figure is from." }),
} as const;

const licence = "Open Government Licence v3.0. Source: Office for National Statistics.";

/** All rows of all workbooks, so that sums can be held against their parts. */
export const printed: DatasetSpec = defineDataset({
  name: "printed",
  description: "Every figure of the workbooks as printed, totals included.",
  licence,
  columns,
  key: ["period_start", "area"],
  sort: ["year", "period_start", "area"],
  originColumns: ["release"],
  from: fromFiles(ons, { read: figures, map: toDeaths, mapVersion: "1" }),
  rules: [
    { rule: "rowCount", min: 1 },
    { rule: "range", column: "deaths", min: 0, max: 200_000 },
    {
      rule: "matches",
      name: "codes have nine characters, or are of before 2011",
      column: "geo_code",
      pattern: /^(?:[A-Z]\d{8}|\d{0,3}[A-Z]{0,2})$/,
    },
    {
      rule: "sql",
      name: "England + Wales = England and Wales",
      severity: "warn",
      sql: partsOf("w.place_name = 'england and wales'"),
    },
    {
      rule: "sql",
      name: "the nine regions add up to England",
      severity: "warn",
      sql: partsOf("w.place_name = 'england'"),
    },
    {
      rule: "sql",
      name: "the total row equals its parts",
      severity: "warn",
      sql: partsOf("w.within IS NULL AND w.place_name NOT IN ('england', 'wales', 'england and wales')"),
    },
    {
      rule: "sql",
      name: "districts add up",
      severity: "warn",
      sql: partsOf("w.place_name NOT IN ('england', 'england and wales') AND w.within IS NOT NULL"),
    },
    { rule: "notNull", name: "areas have codes", severity: "warn", columns: "geo_code" },
  ],
});

/** The areas: without the row that totals two of them, which has a code for neither. */
export const deaths: DatasetSpec = defineDataset({
  name: "deaths",
  description: "Deaths registered in England and Wales, by area of usual residence and month.",
  licence,
  columns,
  // A month has one last business day: it names the month as well as its first day, and is what people look up.
  key: ["datetime", "area"],
  sort: ["year", "datetime", "area"],
  originColumns: ["release"],
  from: fromSql("SELECT * FROM printed WHERE code_type IS DISTINCT FROM 'total'", { datasets: ["printed"] }),
  rules: [{ rule: "unique", columns: ["period_start", "geo_code"] }],
});
