/** How much goes on at once, for all syncs of a process. */

/** Runs tasks in the order they came, at most `width` at a time. */
export type Lane = <T>(task: () => Promise<T>) => Promise<T>;

/** Opens a lane. */
export function openLane(width: number): Lane {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++; // One that waited inherits the place of the one that woke it.
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

/** Extracts per source, since partners limit requests, and loads, since a warehouse file has one writer. */
export type SyncLanes = Readonly<{ extract: (source: string) => Lane; load: Lane }>;

/** Extracts of one source at a time. Partners' usual limits allow about this many; one waits while others read. */
export const extractsPerSourceDefault = 4;

export function openSyncLanes(extractsPerSource: number = extractsPerSourceDefault): SyncLanes {
  const lanes = new Map<string, Lane>();
  return {
    extract(source) {
      const lane = lanes.get(source) ?? openLane(extractsPerSource);
      lanes.set(source, lane);
      return lane;
    },
    load: openLane(1),
  };
}
