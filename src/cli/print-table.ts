/** Rows as text: aligned columns for people, CSV for spreadsheets. */
import { printable } from "./terminal.ts";

/** Widest cell drawn; a longer one is cut with `…`. CSV and JSON cut nothing. */
const cellWidthMax = 60;

/** A cell as text. `null` and missing are empty, nested values JSON. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Draws rows under their headings. Columns in which every cell is a number are set to the right. */
export function printTable(headings: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) =>
    headings.map((_, column) => {
      const text = printable(cellText(row[column])).replaceAll("\n", "\\n");
      return text.length > cellWidthMax ? `${text.slice(0, cellWidthMax - 1)}…` : text;
    }),
  );
  const titles = headings.map(printable);
  const widths = titles.map((title, column) =>
    cells.reduce((width, row) => Math.max(width, row[column]!.length), title.length),
  );
  const isRight = titles.map((_, column) => cells.every((row) => /^(-?[\d,.]+)?$/.test(row[column]!)));
  const printRow = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  ")
      .trimEnd();
  return `${[titles, widths.map((width) => "-".repeat(width)), ...cells].map(printRow).join("\n")}\n`;
}

/** Prints rows as CSV (RFC 4180): CRLF, quotes where they are needed, `null` as nothing. */
export function printCsv(headings: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const printCell = (value: unknown): string => {
    const text = cellText(value);
    // An empty text is quoted, so that it differs from `null`.
    return text === ""
      ? value === ""
        ? '""'
        : ""
      : /[",\r\n]/.test(text)
        ? `"${text.replaceAll('"', '""')}"`
        : text;
  };
  return [headings, ...rows].map((row) => `${row.map(printCell).join(",")}\r\n`).join("");
}
