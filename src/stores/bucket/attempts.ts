/** Trying a request again: how often, how long apart, and how long one may take. */
import type { Clock, Random } from "../../ports/world.ts";
import { BucketFailure, isPassing } from "./bucket-failure.ts";

/** What trying again needs of the world. */
export type AttemptWorld = Readonly<{
  clock: Clock;
  random: Pick<Random, "fraction">;
  /** Once aborted, nothing is tried again and no wait begins; what is on its way is let finish. */
  signal: AbortSignal;
  /** Longest time that one request may take, ms. */
  requestMsMax: number;
}>;

/** Eight tries with the waits below last half a minute: longer outages are for the next run. */
export const attemptsMax = 8;
/** Before the second try, ms; doubled before each further one. */
const firstWaitMs = 250;
const waitMsMax = 16_000;
/** An object takes one write a second; sooner, a limit would only be met again. */
const limitedWaitMs = 1_000;
/** What a bucket may ask for; beyond it the run fails and is told when to come back. */
const retryAfterMsMax = 60_000;

/**
 * Tries until it succeeds, fails for good, or the tries are used up.
 *
 * @param attempt - is handed a signal that is aborted when its time is over.
 * @param triesMax - fewer than usual where others were made before.
 * @throws BucketFailure the last one, or whatever else an attempt throws.
 */
export async function tryRepeatedly<T>(
  world: AttemptWorld,
  attempt: (signal: AbortSignal) => Promise<T>,
  triesMax: number = attemptsMax,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await withinTime(world.requestMsMax, attempt);
    } catch (error) {
      const isLast = number >= triesMax || world.signal.aborted;
      if (isLast || !(error instanceof BucketFailure) || !isPassing(error)) throw error;
      if ((error.retryAfterMs ?? 0) > retryAfterMsMax) throw error;
      await waitBefore(world, number, error);
      if (world.signal.aborted) throw error;
    }
  }
}

/** Waits longer each time, and never the same time as others that failed together. */
export async function waitBefore(world: AttemptWorld, number: number, failure: BucketFailure): Promise<void> {
  const step = Math.min(firstWaitMs * 2 ** (number - 1), waitMsMax);
  const floor = failure.retryAfterMs ?? (failure.kind === "limited" ? limitedWaitMs : 0);
  const ms = floor + step * (0.5 + world.random.fraction() / 2);
  await world.clock.sleep(ms, world.signal).catch((error: unknown) => {
    if (!world.signal.aborted) throw error;
  });
}

/** Gives up on a request that is not answered: its effect may still come. */
export async function withinTime<T>(ms: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const failure = new BucketFailure("transient", `no answer within ${ms / 1000} s`);
      reject(failure);
      controller.abort(failure);
    }, ms);
  });
  try {
    return await Promise.race([run(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
