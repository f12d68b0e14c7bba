/** A table as aligned lines: numbers to the right, words to the left. */

/** Lays out rows under headings; a column of nothing but numbers is aligned right. */
export function layTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const texts = rows.map((row) =>
    row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell)),
  );
  const isNumeric = headings.map((_heading, at) => rows.every((row) => typeof row[at] === "number"));
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...texts.map((row) => row[at]!.length)),
  );
  return [headings, ...texts].map((row) =>
    row
      .map((cell, at) => (isNumeric[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd(),
  );
}
