/** `ctx.map`: a function for each item, some at once, results in the order of the items. */
import { LeatError } from "../errors/leat-error.ts";
import type { MapOptions } from "./flow-context.ts";

/** Items of one map: each has a row in the ledger. */
const itemsMax = 100_000;

/** Items under way at once, unless said otherwise, and at most. */
const concurrencyUsual = 10;
const concurrencyMax = 1000;

/** See `FlowContext.map`. */
export async function mapItems<Item, Result>(
  items: Iterable<Item>,
  call: (item: Item, index: number) => Promise<Result>,
  options: MapOptions,
): Promise<Result[]> {
  const list = [...items];
  const concurrency = options.concurrency ?? concurrencyUsual;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > concurrencyMax) {
    throw new LeatError("FLOW_MISUSED", {
      message: `ctx.map: \`concurrency\` is ${concurrency}; it must be a whole number from 1 to ${concurrencyMax}.`,
    });
  }
  if (list.length > itemsMax) {
    throw new LeatError("FLOW_MISUSED", {
      message: `ctx.map: ${list.length} items; at most ${itemsMax} are mapped at once.`,
      hint: "Map over chunks of them: a task that does a hundred items has one row in the ledger.",
    });
  }
  const results = new Array<Result>(list.length);
  const failures: { index: number; error: unknown }[] = [];
  const goesOn = options.onError === "continue";
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < list.length && (goesOn || failures.length === 0)) {
      const index = next++;
      try {
        results[index] = await call(list[index] as Item, index); // `index` is within the list.
      } catch (error) {
        failures.push({ index, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, lane));
  const first = failures.sort((a, b) => a.index - b.index)[0];
  if (first === undefined) return results;
  if (!goesOn) throw first.error;
  const said = first.error instanceof Error ? first.error.message : String(first.error);
  throw new LeatError("FLOW_MAP_FAILED", {
    message: `${failures.length} of ${list.length} items failed; the first, number ${first.index}: ${said}`,
    details: {
      failed: failures.length,
      of: list.length,
      first: failures.slice(0, 20).map(({ index }) => index),
    },
    cause: first.error,
  });
}
