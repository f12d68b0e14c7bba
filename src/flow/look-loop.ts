/**
 * Looks into the ledger as seldom as it may: when something was written there, when something falls due, when it is woken,
 * and now and then all the same. A process with nothing to do so sleeps, but for a glance at the ledger's mark.
 */
import type { Ledger } from "../ports/ledger.ts";
import type { Clock } from "../ports/world.ts";

/** Pause between two glances, ms: what others write is seen so late at most. Divides a second. */
const glanceMs = 1000;

/** Longest pause between two looks, ms. No look is needed for so long; should one have been missed, this one mends it. */
const restMs = 10_000;

export type LookWorld = Readonly<{
  ledger: Pick<Ledger, "mark" | "nowMs">;
  clock: Pick<Clock, "sleep">;
  /** Told of a look that failed; the next one comes a glance later. */
  onProblem: (error: unknown) => void;
}>;

/** A loop that looks. */
export interface LookLoop {
  stop(): Promise<void>;
}

/**
 * Starts looking.
 *
 * @param look - what it does; told when it is to stop. Gives the ledger's time of the next look at the latest, `null` for
 *   no such time; one that is over says that there is more to do, a glance later. A look that finds nothing must write
 *   nothing, or it would see its own traces and look again.
 */
export function startLookLoop(
  world: LookWorld,
  look: (stopped: AbortSignal) => Promise<number | null>,
): LookLoop {
  const { ledger, clock, onProblem } = world;
  const stopped = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const mark = ledger.mark();
      const nowMs = ledger.nowMs();
      let dueMs = nowMs + restMs;
      try {
        dueMs = Math.min(dueMs, (await look(stopped.signal)) ?? dueMs);
      } catch (error) {
        onProblem(error);
        dueMs = nowMs + glanceMs;
      }
      await untilWorthIt(mark, dueMs).catch(() => {}); // Stopped.
    }
  };
  const untilWorthIt = async (mark: string | undefined, dueMs: number): Promise<void> => {
    let beforeMs = ledger.nowMs();
    for (let leftMs = dueMs - beforeMs; ; leftMs = dueMs - beforeMs) {
      // Loops glance at the same moments, whole seconds: to wake a process costs more than what it then does.
      const untilGlanceMs = glanceMs - (beforeMs % glanceMs);
      await clock.sleep(leftMs > 0 ? Math.min(leftMs, untilGlanceMs) : untilGlanceMs, stopped.signal);
      const nowMs = ledger.nowMs();
      const isSetBack = nowMs < beforeMs; // What is due is another question then.
      if (nowMs >= dueMs || isSetBack || mark === undefined || ledger.mark() !== mark) return;
      beforeMs = nowMs;
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}
