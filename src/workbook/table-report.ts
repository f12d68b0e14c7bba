/** Puts together what is told of one table. */
import { printColumns, toLetters } from "./cell-place.ts";
import type { FoundTable, HeadingGroup } from "./found-table.ts";
import { type Layout, specsOf } from "./layout.ts";
import type { HeadingsReport, IgnoredReport, TableReport } from "./layout-report.ts";
import type { TableCounts } from "./table-counts.ts";

export function toTableReport(
  sheet: string,
  table: FoundTable,
  layout: Layout,
  counts: TableCounts,
): TableReport {
  const columns = specsOf(layout, "cell").map(({ name }) => {
    const found = table.columns.get(name);
    return {
      name,
      column: found === undefined ? null : toLetters(found.column),
      header: found?.header ?? "",
      by: found?.by ?? null,
      nullCount: counts.nullsOf(name),
    };
  });
  const labels = specsOf(layout, "label").map(({ name }) => ({
    name,
    column: (table.labels.get(name) ?? []).map(toLetters).join(", ") || null,
    header: "",
    by: null,
    nullCount: counts.nullsOf(name),
  }));
  return {
    sheet,
    headerRows: table.headerRows,
    ...counts.report(),
    columns: [...columns, ...labels],
    headings: table.groups.length === 0 ? null : headingsReport(table),
    labels: allLabels(table).map(toLetters),
    fields: table.fields,
    ignoredColumns: ignoredColumns(table, counts.unused),
    above: table.above,
  };
}

/** Columns left aside, with those that held nothing where the table was looked for and something further down. */
function ignoredColumns(
  { ignored }: FoundTable,
  cellCounts: ReadonlyMap<number, number>,
): readonly IgnoredReport[] {
  const known = new Set(ignored.map(({ column }) => column));
  const late = [...cellCounts.keys()]
    .filter((column) => !known.has(column))
    .map((column) => ({ column, header: "", reason: "holds cells only far below its header" }));
  return [...ignored, ...late]
    .sort((one, other) => one.column - other.column)
    .map(({ column, header, reason }) => {
      return { column: toLetters(column), header, reason, cellCount: cellCounts.get(column) ?? 0 };
    });
}

function allLabels({ labels }: FoundTable): readonly number[] {
  return [...new Set([...labels.values()].flat())].sort((one, other) => one - other);
}

function headingsReport({ groups, headingMarks }: FoundTable): HeadingsReport {
  const texts = groups.map(textOf);
  const columns = groups.flatMap((group) => group.figures.filter((column) => column >= 0));
  return {
    count: groups.length,
    first: texts[0]!,
    last: texts.at(-1)!,
    columns: printColumns(columns.sort((one, other) => one - other)),
    texts,
    marks: [...new Set(headingMarks.values())],
  };
}

function textOf({ headings }: HeadingGroup): string {
  return headings.map((cell) => cell?.text ?? "").join(" / ");
}
