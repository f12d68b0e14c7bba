/** Keeps requests to a partner within its limit, for all streams of one tenant together. */
import type { Clock } from "../../ports/world.ts";

/** What a partner allows with one credential. */
export type RateLimit = Readonly<{
  /** Requests within any `perMs`. */
  requests: number;
  perMs: number;
  /** Requests on their way at once. */
  concurrency: number;
}>;

/**
 * Hands out turns in the order they were asked for.
 *
 * It remembers when the newest `requests` turns were given, so that no span of `perMs`, wherever it begins, holds more.
 * A plain token bucket would let twice as many through in the span after a pause, which partners that count by the
 * minute answer with 429.
 */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #givenAtMs: number[] = [];
  #oldest = 0;
  #inFlight = 0;
  #queue: Promise<void> = Promise.resolve();
  #free: (() => void) | undefined;

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Waits for a turn; the caller gives it back with the returned function when the answer has come. */
  async acquire(clock: Clock, signal: AbortSignal): Promise<() => void> {
    const mine = this.#queue.then(() => this.#takeTurn(clock, signal));
    this.#queue = mine.catch(() => {}); // A caller that gave up does not stop those behind it.
    await mine;
    let isGivenBack = false;
    return () => {
      if (isGivenBack) return;
      isGivenBack = true;
      this.#inFlight--;
      this.#free?.();
    };
  }

  async #takeTurn(clock: Clock, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.#inFlight >= this.#limit.concurrency) await this.#untilFree(signal);
    const { requests, perMs } = this.#limit;
    if (this.#givenAtMs.length === requests) {
      const waitMs = this.#givenAtMs[this.#oldest]! + perMs - clock.nowMs();
      // A clock that was set back must not make anybody wait longer than one span.
      if (waitMs > 0) await clock.sleep(Math.min(waitMs, perMs), signal);
      this.#givenAtMs[this.#oldest] = clock.nowMs();
      this.#oldest = (this.#oldest + 1) % requests;
    } else {
      this.#givenAtMs.push(clock.nowMs());
    }
    this.#inFlight++;
  }

  async #untilFree(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    this.#free = resolve;
    try {
      await promise;
    } finally {
      this.#free = undefined;
      signal.removeEventListener("abort", stop);
    }
  }
}
