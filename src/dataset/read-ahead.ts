/** Work on several items at once, with results in the order of the items. */

/** How the work on an item ended; failures as values, so that one does not hide the others. */
export type Ended<Value> = Readonly<{ value: Value } | { error: unknown }>;

/**
 * Works on at most `width` items at a time, some ahead of the one whose result is asked for.
 *
 * When the consumer leaves early, what was begun is stopped, waited for and disposed of.
 */
export async function* readAhead<Item, Value extends Readonly<{ dispose: () => Promise<void> }>>(
  items: readonly Item[],
  width: number,
  work: (item: Item, stopping: AbortSignal) => Promise<Value>,
  signal: AbortSignal,
): AsyncGenerator<Readonly<{ item: Item; result: Ended<Value> }>> {
  const begun: Promise<Ended<Value>>[] = [];
  let handedOut = 0;
  const leaving = new AbortController();
  const stopping = AbortSignal.any([signal, leaving.signal]);
  try {
    for (const item of items) {
      while (begun.length < items.length && begun.length < handedOut + width) {
        const next = work(items[begun.length]!, stopping);
        begun.push(
          next.then(
            (value) => ({ value }),
            (error: unknown) => ({ error }),
          ),
        );
      }
      const result = await begun[handedOut]!;
      handedOut++;
      yield { item, result };
    }
  } finally {
    leaving.abort();
    for (const result of await Promise.all(begun.slice(handedOut))) {
      if ("value" in result) await result.value.dispose();
    }
  }
}
