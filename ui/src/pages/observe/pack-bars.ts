/** Puts bars into as few rows as hold them without covering each other, however short they are and wherever they end. */

export type Bar = Readonly<{ fromMs: number; toMs: number }>;

/** px that the axis of a timeline has at the least; where there is less room it is scrolled. */
export const axisPx = 688;

/** px of the shortest bar, the first of these that keeps the rows few: 24 is hit by every finger, 6 still by a mouse. */
const shortestPx = [24, 12, 6] as const;

/** Rows that are few: a third of a screen. */
const rowsFew = 12;

/**
 * @returns the bars as they are to be drawn, in rows: short ones are longer than they were, and those that would then
 *   go beyond the end of the axis begin earlier.
 */
export function packBars<One extends Bar>(bars: readonly One[], axis: Bar): readonly (readonly One[])[] {
  let best: readonly (readonly One[])[] | undefined;
  for (const px of shortestPx) {
    const leastMs = ((axis.toMs - axis.fromMs) * px) / axisPx;
    const rows = packDrawn(bars.map((bar) => ({ ...bar, ...lengthen(bar, axis, leastMs) })));
    if (best === undefined || rows.length < best.length) best = rows;
    if (best.length <= rowsFew) break;
  }
  return best ?? [];
}

function lengthen({ fromMs, toMs }: Bar, axis: Bar, leastMs: number): Bar {
  const drawnMs = Math.max(axis.fromMs, Math.min(fromMs, axis.toMs - leastMs));
  return { fromMs: drawnMs, toMs: Math.min(axis.toMs, Math.max(toMs, drawnMs + leastMs)) };
}

function packDrawn<One extends Bar>(bars: readonly One[]): One[][] {
  const rows: { toMs: number; bars: One[] }[] = [];
  for (const bar of [...bars].sort((one, other) => one.fromMs - other.fromMs)) {
    const free = rows.find(({ toMs }) => toMs <= bar.fromMs);
    if (free === undefined) rows.push({ toMs: bar.toMs, bars: [bar] });
    else {
      free.bars.push(bar);
      free.toMs = bar.toMs;
    }
  }
  return rows.map((row) => row.bars);
}
