/** When to try again, and how long to wait before. Pure. */

/** How often and how long one request is tried. */
export type RetryBudget = Readonly<{
  /** Tries in all, the first included. */
  tries: number;
  /** From the first try to the last, waits included, ms. */
  totalMs: number;
}>;

/** Six tries with these waits bridge about half a minute; five minutes in all also serve a `Retry-After` of minutes. */
export const retryDefault: RetryBudget = Object.freeze({ tries: 6, totalMs: 300_000 });

/** First wait at most 0.5 s, then doubling, never over 30 s. */
const backoffBaseMs = 500;
const backoffCapMs = 30_000;
/** A partner that asks for more than two minutes is asked again after two: such headers are often wrong. */
export const retryAfterCapMs = 120_000;

/** Full jitter: anything between nothing and the doubled bound, so that clients that failed together part. */
export function backoffMs(tryNumber: number, fraction: number): number {
  return Math.floor(fraction * Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(tryNumber - 1, 16)));
}

/**
 * Reads `Retry-After`: whole or fractional seconds, an HTTP date, or several of them (the longest counts).
 *
 * @param nowMs - the partner's `Date`, else our clock; a date in the past means no wait.
 * @returns ms to wait, at most {@link retryAfterCapMs}; `undefined` when the header is absent or cannot be read.
 * @see source: RFC 9110 §10.2.3; fractions are not in it and are sent all the same.
 */
export function parseRetryAfter(
  header: string | readonly string[] | undefined,
  nowMs: number,
): number | undefined {
  const values = typeof header === "string" ? [header] : (header ?? []);
  let waitMs: number | undefined;
  for (const value of values) {
    const text = value.trim();
    // Only text with a month's name is a date: Date.parse reads "-1" as a year.
    const dateMs = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
    const one = /^\d+(\.\d+)?$/.test(text) ? Math.ceil(Number(text) * 1000) : dateMs - nowMs;
    if (Number.isNaN(one)) continue;
    waitMs = Math.max(waitMs ?? 0, Math.min(Math.max(one, 0), retryAfterCapMs));
  }
  return waitMs;
}

/** Answers that may be another when asked again. */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
