/**
 * **token bucket** how many requests somebody may make: it holds `burst` tokens, a request takes one, and `perSecond` of
 * them come back. A bucket that is full again is not remembered, so that memory is bounded by who asked lately.
 */

/** A rate of requests. */
export type RequestRate = Readonly<{
  /** Tokens that come back in a second. */
  perSecond: number;
  /** Tokens of a full bucket. */
  burst: number;
}>;

/** Buckets remembered at most, some 100 bytes each. When there are more askers those that asked longest ago are forgotten. */
const bucketsMax = 100_000;

type Bucket = { tokens: number; atMs: number };

/** Buckets by whoever asks. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** @returns `undefined` when the request may be made, else seconds until the next one may. */
  take(key: string, rate: RequestRate, nowMs: number): number | undefined {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= bucketsMax) this.#forget(rate, nowMs);
      this.#buckets.set(key, { tokens: rate.burst - 1, atMs: nowMs });
      return undefined;
    }
    const elapsedSeconds = Math.max(0, nowMs - bucket.atMs) / 1000;
    bucket.tokens = Math.min(rate.burst, bucket.tokens + elapsedSeconds * rate.perSecond);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / rate.perSecond));
    bucket.tokens -= 1;
    return undefined;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Makes room: what is full again, and a tenth of the oldest if that was nothing. */
  #forget({ burst, perSecond }: RequestRate, nowMs: number): void {
    const fullAfterMs = (burst / perSecond) * 1000;
    for (const [key, { atMs }] of this.#buckets) if (nowMs - atMs >= fullAfterMs) this.#buckets.delete(key);
    if (this.#buckets.size < bucketsMax) return;
    let left = bucketsMax / 10;
    for (const key of this.#buckets.keys()) {
      if (left-- <= 0) return;
      this.#buckets.delete(key);
    }
  }
}
