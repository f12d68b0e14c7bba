/** Checks a declaration of a workbook's layout, all faults together, and fills in what was left out. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { textEncodings } from "../model/text-form.ts";
import { checkColumn, oneOf, patternSchema, wantedListSchema, wantedSchema } from "./check-column.ts";
import type { Layout } from "./layout.ts";
import { isPeriodKind, specsOf } from "./layout.ts";

/** Headers lower than this are not searched for: no publisher puts so many notes above a table. */
const headerRowsDefault = 200;
/** Rows looked at before the first is given out; they are held in memory. */
const headerRowsMost = 2000;

const sheetsSchema = z.union(
  [
    wantedListSchema.transform((names) => ({ names, take: "one" as const, otherwise: "content" as const })),
    z.strictObject({
      names: wantedListSchema,
      take: oneOf(["one", "first", "all"]).default("one"),
      otherwise: oneOf(["content", "refuse"]).default("content"),
    }),
  ],
  { error: () => "write names or regular expressions, or { names, take, otherwise }" },
);

const choice = oneOf(["read", "skip"]);

const character = z.string().length(1, { error: "write one character" });

const schema = z.strictObject({
  sheets: sheetsSchema.optional(),
  columns: z.record(z.string(), z.unknown()),
  fields: z.strictObject({ file: patternSchema.optional(), title: patternSchema.optional() }).optional(),
  keep: z.record(z.string(), patternSchema).default({}),
  drop: z.record(z.string(), patternSchema).default({}),
  tables: oneOf(["one", "first", "all"]).default("one"),
  header: oneOf(["row", "none"]).default("row"),
  below: wantedSchema.optional(),
  until: wantedSchema.optional(),
  gaps: oneOf(["refuse", "allow"]).default("refuse"),
  unreadable: oneOf(["refuse", "reject"]).default("refuse"),
  hidden: z
    .strictObject({ sheets: choice.optional(), rows: choice.optional(), columns: choice.optional() })
    .optional(),
  members: z.string().min(1).optional(),
  text: z
    .strictObject({
      delimiter: character.optional(),
      encoding: oneOf(textEncodings).optional(),
      quote: character.nullable().optional(),
    })
    .optional(),
  decimal: oneOf([".", ","]).default("."),
  headerRowsMax: z.int().min(1).max(headerRowsMost).default(headerRowsDefault),
});

/**
 * Checks and completes.
 *
 * @param input - options of `workbook(...)` as JSON: regular expressions are `{ pattern, flags }`.
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export function parseLayout(input: unknown): Layout {
  const what = "The workbook's declaration";
  const parsed = schema.safeParse(input);
  const faults: Fault[] = parsed.success ? [] : faultsOf(parsed.error);
  const declared = columnsOf(input);
  const columns = Object.entries(declared).map(([name, column]) => checkColumn(name, column, faults));
  refuseFaults(faults, what);
  // How the file's bytes are read is no matter of layout.
  const { columns: _unchecked, members: _members, text: _text, ...rest } = parsed.data!; // `refuseFaults` has thrown where it failed.
  const layout: Layout = {
    ...rest,
    sheets: rest.sheets ?? { names: [], take: "one", otherwise: "content" },
    columns: columns.flatMap((spec) => {
      if (spec === undefined) return [];
      return "kind" in spec ? { ...spec, decimal: rest.decimal } : spec;
    }),
    fields: { file: rest.fields?.file ?? null, title: rest.fields?.title ?? null },
    below: rest.below ?? null,
    until: rest.until ?? null,
    hidden: {
      sheets: rest.hidden?.sheets ?? "skip",
      rows: rest.hidden?.rows ?? "read",
      columns: rest.hidden?.columns ?? "read",
    },
  };
  refuseFaults(crossFaults(layout), what);
  return layout;
}

function columnsOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input !== "object" || input === null || !("columns" in input)) return {};
  const { columns } = input;
  if (typeof columns !== "object" || columns === null || Array.isArray(columns)) return {};
  return columns as Readonly<Record<string, unknown>>; // An object; its members are checked one by one.
}

/** Faults that only show when all columns are seen together. */
function crossFaults(layout: Layout): readonly Fault[] {
  const faults: Fault[] = [];
  const add = (path: string, problem: string) => faults.push({ path, problem });
  const headings = specsOf(layout, "heading");
  const figures = specsOf(layout, "figure");
  const cells = specsOf(layout, "cell");
  const names = layout.columns.map((spec) => spec.name);

  if (layout.columns.length === 0) add("columns", "declare at least one");
  if (headings.length > 0 && figures.length === 0) add("columns", "headings need a column with `figure`");
  if (figures.length > 0 && headings.length === 0) {
    add(
      `columns.${figures[0]!.name}`,
      "a figure stands under a heading: add a `heading` column, or give this one a `header`",
    );
  }
  const levels = new Set(headings.map((spec) => spec.heading));
  for (let level = 1; level < Math.max(0, ...levels); level++) {
    if (!levels.has(level)) add("columns", `no column takes heading ${level}`);
  }
  for (const spec of headings) {
    const twin = headings.find((other) => other.heading === spec.heading && other.kind !== spec.kind);
    if (twin !== undefined)
      add(`columns.${spec.name}.kind`, `heading ${spec.heading} is a ${twin.kind} in "${twin.name}"`);
  }
  if (figures.length > 1 && figures.some((spec) => spec.figure === true)) {
    add("columns", "of several figure columns each says which it is: { header: … } or { nth: … }");
  }
  if (headings.length > 0 && cells.some((spec) => spec.isFigure)) {
    add(
      "columns",
      "a table has figures under headings, or columns with `header` and `figure: true`, not both",
    );
  }
  if (headings.length === 0 && layout.columns.every((spec) => spec.form !== "cell")) {
    add(
      "columns",
      "nothing says which columns the sheet has: declare one with a `header`, or headings and figures",
    );
  }
  if (layout.header === "none") {
    if (headings.length > 0) add("header", "a table without a header has no headings");
    for (const spec of cells) {
      if (spec.header.length > 0)
        add(`columns.${spec.name}.header`, "the table is declared to have none; use `letter` or `values`");
    }
  } else if (headings.length === 0 && cells.every((spec) => spec.header.length === 0)) {
    add("columns", 'no column has a `header`; a table without any is declared with `header: "none"`');
  }
  if (layout.columns.filter((spec) => "take" in spec && spec.take === "each").length > 1) {
    add("columns", 'only one column can be taken with "each": two would make every pair a row');
  }
  for (const spec of specsOf(layout, "flag")) {
    const target = layout.columns.find((other) => other.name === spec.flag);
    const isFigure = target?.form === "figure" || (target?.form === "cell" && target.isFigure);
    if (!isFigure) add(`columns.${spec.name}.flag`, `"${spec.flag}" is not a figure column`);
  }
  for (const spec of layout.columns) {
    if (!("year" in spec) || spec.year === null || typeof spec.year === "string") continue;
    const { column } = spec.year;
    const target = layout.columns.find((other) => other.name === column);
    if (target === undefined) add(`columns.${spec.name}.year.column`, `there is no column "${column}"`);
    else if (
      target === spec ||
      ("kind" in target &&
        isPeriodKind(target.kind) &&
        target.year !== null &&
        typeof target.year !== "string")
    ) {
      add(`columns.${spec.name}.year.column`, `"${column}" does not say a year by itself`);
    }
  }
  for (const part of ["keep", "drop"] as const) {
    for (const name of Object.keys(layout[part])) {
      const spec = layout.columns.find((other) => other.name === name);
      if (spec === undefined)
        add(`${part}.${name}`, `there is no such column. ${hintOfKnown(name, "columns", names)}`);
      else if (!["cell", "label", "section", "heading"].includes(spec.form)) {
        add(
          `${part}.${name}`,
          `rows are chosen by columns with a header, labels, sections or headings, not by a ${spec.form}`,
        );
      }
    }
  }
  return faults;
}
