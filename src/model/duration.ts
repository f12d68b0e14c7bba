/** Spans of time as people write them: `15m`, `24h`, `1h30m`. */

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a span.
 *
 * @param text - whole numbers with `d`, `h`, `m`, `s` or `ms`, largest first: `24h`, `1h30m`, `500ms`.
 * @returns milliseconds, or `undefined` when the text is not a span.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?$/.test(text) || text === "") return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) totalMs += Number(count) * unitMs[unit!]!;
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}
