/**
 * Clients that take their answers slowly, or not at all. What they have not taken is in our memory; so there is a bound
 * to how long one may take nothing, and to what all of them together may hold.
 *
 * | bound | why | then |
 * |---|---|---|
 * | `stallMsMax` without a piece of 64 KiB taken | 2 KB/s is slower than any network people have | the connection is cut |
 * | `heldBytesMax` for all | a thousand slow readers must not take the server's memory | whoever waits longest is cut |
 */
import type { ServerResponse } from "node:http";

/** Bounds of slow reading. */
export type SlowReaderLimits = Readonly<{
  /** Longest wait for a piece to be taken, ms. Default 30,000. */
  stallMsMax: number;
  /** Most bytes of answers that wait in memory, of all clients. Default 256 MiB. */
  heldBytesMax: number;
}>;

export const slowReaderDefaults: SlowReaderLimits = { stallMsMax: 30_000, heldBytesMax: 256 * 2 ** 20 };

/** How often stalled readers are looked for, at most; a tenth of what they may take, where that is less. */
const sweepMsMax = 5000;

type Held = { bytes: number; sinceMs: number };

/** Answers that wait for their readers. */
export class SlowReaders {
  readonly #limits: SlowReaderLimits;
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;
  /** In the order in which they began to wait. */
  readonly #held = new Map<ServerResponse, Held>();
  #heldBytes = 0;
  #cut = 0;

  /** @param nowMs - a clock that only goes forward. */
  constructor(limits: SlowReaderLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#timer = setInterval(() => this.#sweep(), Math.min(sweepMsMax, limits.stallMsMax / 10));
    this.#timer.unref();
  }

  /** A reader has not taken what was written; `bytes`: what it keeps in memory meanwhile. */
  wait(response: ServerResponse, bytes: number): void {
    this.resume(response);
    this.#held.set(response, { bytes, sinceMs: this.#nowMs() });
    this.#heldBytes += bytes;
    while (this.#heldBytes > this.#limits.heldBytesMax && this.#held.size > 1) {
      const [longest] = this.#held.keys();
      this.#end(longest!); // There are two at least.
    }
  }

  /** It has, or it is gone. */
  resume(response: ServerResponse): void {
    const held = this.#held.get(response);
    if (held === undefined) return;
    this.#held.delete(response);
    this.#heldBytes -= held.bytes;
  }

  /** What waits now, and how many were cut since the start. */
  get facts(): Readonly<{ waiting: number; heldBytes: number; cut: number }> {
    return { waiting: this.#held.size, heldBytes: this.#heldBytes, cut: this.#cut };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const before = this.#nowMs() - this.#limits.stallMsMax;
    for (const [response, { sinceMs }] of this.#held) {
      if (sinceMs > before) return;
      this.#end(response);
    }
  }

  #end(response: ServerResponse): void {
    this.resume(response);
    this.#cut++;
    response.destroy();
  }
}
