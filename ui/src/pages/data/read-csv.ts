/** Reads what the engine writes: fields in quotes are texts; one that is empty and without quotes is null. */
export function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,"\n]*))(,|\n|$)/gy;
  for (let match = field.exec(text); match !== null && match.index < text.length; match = field.exec(text)) {
    const [, quoted, bare, end] = match;
    row.push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}
