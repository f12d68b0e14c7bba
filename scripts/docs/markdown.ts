/** Small pieces of Markdown that the generated pages share. */

/** The line that tells a reader not to edit the page. */
export function generatedNote(from: string): string {
  return `<!-- Generated from ${from} by \`npm run docs\`. Edit that, not this. -->`;
}

/** Text as one cell of a table. */
export function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s+/g, " ").trim();
}
