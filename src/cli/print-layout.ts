/** What was made of files, for people: workbooks in the words of their reader, other files as what their report holds. */
import type { FileLayout } from "../model/dataset-manifest.ts";
import { isJsonObject, type JsonObject } from "../model/json-value.ts";
import { diffWorkbookReports, type LayoutChange } from "../workbook/diff-reports.ts";
import type { WorkbookReport } from "../workbook/layout-report.ts";
import { printWorkbookReport } from "../workbook/print-report.ts";

/** Lines told of one report, and changes of one layout; --json tells all. */
const linesMax = 40;
const changesMax = 5;

/** Changes that may mean another table. Sheets, headings and notes are new with every year. */
const tellingChanges: ReadonlySet<LayoutChange["what"]> = new Set(["header", "column", "symbol", "unused"]);

const isWorkbook = (report: JsonObject): boolean => report["format"] === "workbook";
const toWorkbook = (report: JsonObject): WorkbookReport => report as unknown as WorkbookReport; // Of that format.

/** One file's layout as indented lines. */
export function printLayout({ name, report }: FileLayout): string {
  const lines = isWorkbook(report)
    ? printWorkbookReport(toWorkbook(report)).split("\n")
    : [`${name}:`, ...listMembers(report)];
  const more =
    lines.length > linesMax ? [`  and ${lines.length - linesMax} lines more; --json tells all`] : [];
  return `${[...lines.slice(0, linesMax), ...more].join("\n")}\n`;
}

function listMembers(report: JsonObject): string[] {
  const members = report["members"];
  if (isJsonObject(members)) {
    return Object.entries(members).flatMap(([name, inner]) =>
      printLayout({ id: name, name, sha256: "", report: isJsonObject(inner) ? inner : {} })
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    );
  }
  return Object.entries(report).map(
    ([name, value]) => `  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
}

/** What is new in a file's layout against the file before it, in the order of release. */
export function layoutChanges(layouts: readonly FileLayout[], id: string): readonly LayoutChange[] {
  const at = layouts.findIndex((layout) => layout.id === id);
  const [before, now] = [layouts[at - 1], layouts[at]];
  if (before === undefined || now === undefined) return [];
  if (!isWorkbook(before.report) || !isWorkbook(now.report)) return [];
  return diffWorkbookReports(toWorkbook(before.report), toWorkbook(now.report));
}

/** The telling ones of files that were read now, as lines below a heading each. */
export function printLayoutChanges(
  layouts: readonly FileLayout[],
  readNow: readonly string[],
): readonly string[] {
  return readNow.flatMap((id) => {
    const at = layouts.findIndex((layout) => layout.id === id);
    const changes = layoutChanges(layouts, id).filter(({ what }) => tellingChanges.has(what));
    if (changes.length === 0) return [];
    const more = changes.length > changesMax ? [`    and ${changes.length - changesMax} more`] : [];
    return [
      `  layout    ${layouts[at]!.name} differs from ${layouts[at - 1]!.name}`, // Found a line above.
      ...changes.slice(0, changesMax).map(({ text }) => `    ${text}`),
      ...more,
    ];
  });
}
