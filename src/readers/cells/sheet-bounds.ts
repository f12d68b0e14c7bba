/** How large a sheet can be, in every spreadsheet program; a file that says more is damaged or made to harm. */

/** Rows of a sheet. */
export const rowsMax = 1_048_576;
/** Columns of a sheet: the last is XFD. */
export const columnsMax = 16_384;

/** Column 0 is `A`, 26 is `AA`. */
export function columnLetters(column: number): string {
  let letters = "";
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(0x41 + ((rest - 1) % 26)) + letters;
  }
  return letters;
}

/** `B4` → row 4, column 1; `undefined`: no place in a sheet. */
export function parseReference(reference: string): { row: number; column: number } | undefined {
  const match = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/i.exec(reference);
  if (match === null) return undefined;
  let column = 0;
  for (const letter of match[1]!.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 0x40;
  const row = Number(match[2]);
  return column <= columnsMax && row >= 1 && row <= rowsMax ? { row, column: column - 1 } : undefined;
}
