/** Time that a test moves by hand. */
import type { Clock } from "../ports/world.ts";

/** A {@link Clock} whose time stands still until `advance`. */
export interface FakeClock extends Clock {
  /** Moves the time on and wakes, in order, every sleeper whose time has come. */
  advance(ms: number): Promise<void>;
  /** How many sleeps are under way. */
  readonly sleeperCount: number;
}

type Sleeper = { wakeAtMs: number; wake: () => void };

/**
 * Makes a clock.
 *
 * @param startMs - ms since the epoch; default 2026-01-01T00:00:00Z.
 * @param sleeps - `manual` (default): a sleep ends when `advance` reaches it. `instant`: a sleep moves the time on by
 *   itself and ends at once, for tests of retries that nobody wants to wait for.
 */
export function createFakeClock(
  startMs: number = Date.UTC(2026, 0, 1),
  sleeps: "manual" | "instant" = "manual",
): FakeClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  return {
    nowMs: () => nowMs,
    get sleeperCount() {
      return sleepers.size;
    },
    async sleep(ms, signal) {
      signal.throwIfAborted();
      if (sleeps === "instant") {
        nowMs += ms;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const stop = (): void => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        };
        const sleeper: Sleeper = {
          wakeAtMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal.removeEventListener("abort", stop);
            resolve();
          },
        };
        signal.addEventListener("abort", stop, { once: true });
        sleepers.add(sleeper);
      });
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = [...sleepers].filter((sleeper) => sleeper.wakeAtMs <= untilMs);
        const first = due.sort((a, b) => a.wakeAtMs - b.wakeAtMs)[0];
        if (first === undefined) break;
        nowMs = Math.max(nowMs, first.wakeAtMs);
        first.wake();
        // The woken code may sleep again before the time that is asked for: let it, before looking for the next.
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = untilMs;
    },
  };
}
