/** Chance from a seed: the same seed tells the same story. */

export interface Draw {
  /** A whole number `0 <= n < bound`. */
  below(bound: number): number;
}

/** Starts a sequence of draws (mulberry32: 32 bits of state, ample for inventing plants). */
export function startDraws(seed: number): Draw {
  let state = seed >>> 0;
  return {
    below(bound) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound);
    },
  };
}
