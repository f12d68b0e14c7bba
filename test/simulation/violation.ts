/** What the simulator finds: an invariant that does not hold. */
export class Violation extends Error {
  readonly invariant: string;
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

/** Throws a {@link Violation} unless the condition holds; `what` is only made when it does not. */
export function hold(condition: boolean, invariant: string, what: () => string): asserts condition {
  if (!condition) throw new Violation(invariant, what());
}
