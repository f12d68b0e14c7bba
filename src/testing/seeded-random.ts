/** Randomness that a seed fixes, so that any failure can be played again. */
import { type RunId, toRunId } from "../model/ids.ts";
import type { Random } from "../ports/world.ts";

/** A {@link Random} port with the draws that scripts need. Equal seeds give equal draws. */
export interface SeededRandom extends Random {
  /** A whole number, `0 <= x < below`. */
  below(below: number): number;
  /** A whole number, `least <= x <= greatest`. */
  between(least: number, greatest: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the values, evenly. */
  pick<T>(values: readonly T[]): T;
  /** Another stream of draws: taking from it does not change what this one gives next. */
  fork(): SeededRandom;
}

/**
 * Makes a random source from a seed.
 *
 * @param seed - any whole number; its low 32 bits count.
 */
export function createSeededRandom(seed: number): SeededRandom {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995;
  // A 32-bit counter put through a mixer (a Weyl sequence with a finaliser): small, fast and even enough for scripts.
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return mixed >>> 0;
  };
  const random: SeededRandom = {
    fraction: () => next() / 2 ** 32,
    below: (below) => Math.floor((next() / 2 ** 32) * below),
    between: (least, greatest) => least + random.below(greatest - least + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: <T>(values: readonly T[]): T => values[random.below(values.length)] as T, // `values` is not empty.
    fork: () => createSeededRandom(next()),
    newRunId: (): RunId => {
      const words = [next(), next(), next()].map((word) => word.toString(16).padStart(8, "0"));
      return toRunId(words.join("").slice(0, 20));
    },
  };
  return random;
}
