/**
 * Limits by name, within this process: at most as many tasks as the limit says go and ask the ledger, which decides for
 * all processes (F9). Without it a map of a thousand items would ask a thousand times a second.
 */

/** Lets callers in, in the order in which they come. */
export interface LimitGates {
  within<T>(
    limit: Readonly<{ name: string; concurrency: number }>,
    signal: AbortSignal,
    call: () => Promise<T>,
  ): Promise<T>;
}

export function createLimitGates(): LimitGates {
  const gates = new Map<string, { inside: number; waiting: (() => void)[] }>();
  return {
    async within(limit, signal, call) {
      const gate = gates.get(limit.name) ?? { inside: 0, waiting: [] };
      gates.set(limit.name, gate);
      if (gate.inside >= limit.concurrency) await takeTurn(gate.waiting, signal);
      else gate.inside += 1;
      try {
        return await call();
      } finally {
        const next = gate.waiting.shift();
        if (next !== undefined)
          next(); // It takes this one's place.
        else gate.inside -= 1;
      }
    },
  };
}

function takeTurn(waiting: (() => void)[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const enter = (): void => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = (): void => {
      waiting.splice(waiting.indexOf(enter), 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    waiting.push(enter);
  });
}
