/** How people name places in a sheet: column `AB`, cell `AB12`. */

const letterCount = 26;

/** Letters of a 0-based column: 0 is `A`, 26 is `AA`. */
export function toLetters(column: number): string {
  let rest = column;
  let letters = "";
  do {
    letters = String.fromCharCode(65 + (rest % letterCount)) + letters;
    rest = Math.floor(rest / letterCount) - 1;
  } while (rest >= 0);
  return letters;
}

/** The 0-based column of letters in any case; letters beyond a spreadsheet's last column are still counted on. */
export function fromLetters(letters: string): number {
  let column = 0;
  for (const letter of letters.toUpperCase()) column = column * letterCount + letter.charCodeAt(0) - 64;
  return column - 1;
}

/** A cell as people say it: row 1-based, column 0-based. */
export function toCellName(row: number, column: number): string {
  return `${toLetters(column)}${row}`;
}

/** Columns in order as people say them: `A, C to N`. */
export function printColumns(columns: readonly number[]): string {
  const parts: string[] = [];
  let start = 0;
  while (start < columns.length) {
    let end = start;
    while (end + 1 < columns.length && columns[end + 1] === columns[end]! + 1) end++;
    const [first, last] = [toLetters(columns[start]!), toLetters(columns[end]!)];
    parts.push(start === end ? first : end === start + 1 ? `${first}, ${last}` : `${first} to ${last}`);
    start = end + 1;
  }
  return parts.join(", ");
}
