/** What can be made to go wrong at the partner, and for which requests. */

/**
 * What happens to a request.
 * `status`: this answer instead of the right one. `break`: the right answer, but the connection dies in the middle of
 * the body. `stall`: nothing is answered until `release()`, or until the client hangs up. `delay`: the right answer, later.
 */
export type FaultAction = Readonly<
  | { kind: "status"; status: number; retryAfter?: string; body?: string; contentType?: string }
  | { kind: "break" }
  | { kind: "stall" }
  | { kind: "delay"; ms: number }
>;

/** A fault and the requests it meets: those that fit all that is given. */
export type FaultRule = FaultAction &
  Readonly<{
    tenant?: string;
    endpoint?: string;
    /** Let this many fitting requests pass first. Default 0. */
    after?: number;
    /** Meet this many. Default 1. */
    times?: number;
    /** Meet only every n-th fitting request. Default 1. */
    every?: number;
  }>;

type ActiveRule = { readonly rule: FaultRule; seen: number; met: number };

export interface Faults {
  inject(rule: FaultRule): void;
  /** Forgets all rules and lets stalled answers go. */
  clear(): void;
  /** Lets stalled answers go; rules stay. */
  release(): void;
  /** The fault for a request: the oldest rule that meets it. */
  meet(request: Readonly<{ tenant: string; endpoint: string }>): FaultAction | undefined;
  /** Resolves at the next `release` or `clear`. */
  released(): Promise<void>;
}

/** Begins without a fault. */
export function openFaults(): Faults {
  let active: ActiveRule[] = [];
  let gate = Promise.withResolvers<void>();
  const release = () => {
    gate.resolve();
    gate = Promise.withResolvers<void>();
  };
  return {
    inject(rule) {
      active.push({ rule, seen: 0, met: 0 });
    },
    clear() {
      active = [];
      release();
    },
    release,
    released: () => gate.promise,
    meet({ tenant, endpoint }) {
      for (const entry of active) {
        const { rule } = entry;
        if ((rule.tenant ?? tenant) !== tenant || (rule.endpoint ?? endpoint) !== endpoint) continue;
        entry.seen++;
        const turn = entry.seen - (rule.after ?? 0);
        if (turn < 1 || (turn - 1) % (rule.every ?? 1) !== 0 || entry.met >= (rule.times ?? 1)) continue;
        entry.met++;
        return rule;
      }
      return undefined;
    },
  };
}
