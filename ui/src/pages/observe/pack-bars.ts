/** Puts bars into as few rows as hold them without covering each other. */

export type Bar = Readonly<{ fromMs: number; toMs: number }>;

/** Rows of one lane at most; what fits into none goes into the last. */
const rowsMax = 12;

export function packBars<One extends Bar>(bars: readonly One[]): readonly (readonly One[])[] {
  const rows: One[][] = [];
  for (const bar of [...bars].sort((one, other) => one.fromMs - other.fromMs)) {
    const free = rows.find((row) => (row.at(-1)?.toMs ?? 0) <= bar.fromMs);
    if (free !== undefined) free.push(bar);
    else if (rows.length < rowsMax) rows.push([bar]);
    else rows.at(-1)?.push(bar);
  }
  return rows;
}
