/** What is told of a place that is not the declared table, and how near it comes. */
import { type ColumnMatch, printAmbiguous, printHeaders, printWanted } from "./column-match.ts";
import type { FoundTable, Miss, TableSearch } from "./found-table.ts";
import type { HeaderBlock } from "./header-block.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { levelsOf } from "./heading-levels.ts";
import { type Layout, specsOf } from "./layout.ts";
import type { Fields } from "./wanted.ts";

/** Headers told of the nearest place; the sheet shows the rest. */
const headersShownMax = 12;
/** Problems told of one row of headings. */
const problemsShownMax = 5;

export function noTable(score: number, text: string): TableSearch {
  return {
    table: undefined,
    miss: { code: "WORKBOOK_TABLE_MISSING", score, fitCount: 0, text, hint: undefined, details: {} },
  };
}

/** What was looked for and is in no row of a sheet. */
export function describeWanted(layout: Layout, fields: Fields): string {
  const kinds = levelsOf(layout).map(({ kind }) =>
    kind === "text" ? "headings" : `headings of kind ${kind}`,
  );
  if (kinds.length > 0) return `no row has ${kinds.join(" over ")} above figures`;
  const wanted = specsOf(layout, "cell").filter((spec) => spec.header.length > 0);
  const listed = wanted.slice(0, problemsShownMax).map((spec) => printWanted(spec, fields));
  return `no row has a header looked for: ${listed.join(", ")}`;
}

/** What was found in a place, besides declared columns. */
export type Findings = Readonly<{
  labels: FoundTable["labels"];
  /** Columns of figures under headings; `undefined`: the table has no headings. */
  columns: readonly number[] | undefined;
  problems: readonly string[];
  /** Which labels could be several columns. */
  unclear: string | undefined;
}>;

/** Why a place is not the table; `undefined`: it is. */
export function describeMatch(
  grid: HeaderGrid,
  block: HeaderBlock,
  number: number,
  layout: Layout,
  match: ColumnMatch,
  { labels, columns, problems, unclear }: Findings,
): Miss | undefined {
  const score = 1 + (match.columns.size + match.ambiguous.length) * 10 + (columns?.length ?? 0);
  const make = (
    code: Miss["code"],
    text: string,
    hint: string | undefined,
    details: Miss["details"],
  ): Miss => ({
    code,
    score,
    fitCount: match.columns.size + match.ambiguous.length,
    text: `row ${number}: ${text}`,
    hint,
    details: { row: number, ...details },
  });
  const missing = [...match.missing, ...missingLabels(layout, labels)];
  if (missing.length > 0) {
    const listed = missing.map(({ name, wanted }) => `"${name}" (looked for ${wanted})`).join(", ");
    const headers = printHeaders(grid, block, headersShownMax);
    const text = `there is no column for ${listed}; headers there: ${headers === "" ? "none" : headers}`;
    const hint = "Add the header as it is now to the column, or declare it `optional: true`.";
    return make("WORKBOOK_COLUMN_MISSING", text, hint, { missing: missing.map(({ name }) => name) });
  }
  if (match.ambiguous.length > 0) {
    const hint = "Say which by more of its header, by `values`, or by `nth`.";
    return make("WORKBOOK_AMBIGUOUS", match.ambiguous.map(printAmbiguous).join("; "), hint, {});
  }
  if (unclear !== undefined) {
    const hint =
      "Say what its cells look like with `values`, or which column of labels it is by number; or declare the others by their headers.";
    return make("WORKBOOK_AMBIGUOUS", unclear, hint, {});
  }
  if (problems.length > 0) {
    const text = [...new Set(problems)].slice(0, problemsShownMax).join("; ");
    return make("WORKBOOK_HEADINGS_UNCLEAR", text, hintOfHeadings(problems), {});
  }
  if (columns !== undefined && columns.length === 0) {
    return make("WORKBOOK_TABLE_MISSING", "no figures stand under its headings", undefined, {});
  }
  return undefined;
}

function missingLabels(
  layout: Layout,
  labels: FoundTable["labels"],
): readonly Readonly<{ name: string; wanted: string }>[] {
  return specsOf(layout, "label").flatMap(({ name, label, values, isOptional }) => {
    const needed = typeof label === "number" ? label : 1;
    if (isOptional || labels.get(name)!.length >= needed) return [];
    const like = values === null ? "" : ` with cells like /${values.pattern}/`;
    return [
      {
        name,
        wanted: `${needed === 1 ? "a column" : `${needed} columns`} of labels beside the figures${like}`,
      },
    ];
  });
}

function hintOfHeadings(problems: readonly string[]): string | undefined {
  const has = (part: string) => problems.some((problem) => problem.includes(part));
  if (has("gap"))
    return 'If the publisher leaves periods out, declare `gaps: "allow"`; else a column is missing.';
  if (has("are declared"))
    return "A column is missing or new: look at the row named, and declare `count` as it is.";
  if (has("which year"))
    return "Say the year with `year` of the heading's column: a field such as {year}, or a column.";
  if (has("what else is known"))
    return "Look whether the sheet holds what its name or title says. If it does, leave out `year`: the headings say it.";
  if (has("columns of figures"))
    return "Say which of them with `figure: { header: … }` or `figure: { nth: … }`.";
  if (has("no heading on level")) return "Say what a blank heading means with `blank`.";
  return undefined;
}
