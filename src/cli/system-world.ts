/** This machine's time and randomness, behind the ports. */
import { setTimeout as wait } from "node:timers/promises";
import { newRunId } from "../model/ids.ts";
import type { Clock, Random } from "../ports/world.ts";

/** The wall clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error; // The reason says why; node's AbortError does not.
    }
  },
};

/** Real randomness. */
export const systemRandom: Random = { newRunId, fraction: () => Math.random() };
