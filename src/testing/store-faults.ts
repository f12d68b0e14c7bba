/** Faults of an object store, by chance and from a seed. */
import { LeatError } from "../errors/leat-error.ts";
import type { Clock } from "../ports/world.ts";
import type { Interpose, StoreOperation } from "./memory-store.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Probabilities, `0..1`, for each operation. */
export type StoreFaultRates = Readonly<{
  /** Fails, and nothing has happened. */
  failBefore?: number;
  /** Takes effect, and fails all the same: the answer is lost. */
  loseAnswer?: number;
  /** Takes `slowMs` by the clock. */
  slow?: number;
  slowMs?: number;
}>;

/** Whether an operation can change what others see. */
export function isStoreWrite(operation: StoreOperation): boolean {
  return ["create", "commit", "put", "delete"].includes(operation.kind);
}

/** The error that an adapter would throw for an operation of this kind. */
export function storeFault(operation: StoreOperation, what: string): LeatError {
  const code =
    isStoreWrite(operation) || operation.kind === "write" ? "STORE_UNWRITABLE" : "STORE_UNREADABLE";
  return new LeatError(code, {
    message: `${operation.kind} ${operation.key}: ${what} (a fault made for a test).`,
  });
}

/** Makes an {@link Interpose} that fails, loses answers and dawdles as often as told. */
export function createStoreFaults(random: SeededRandom, clock: Clock, rates: StoreFaultRates): Interpose {
  const never = new AbortController().signal;
  return async (operation, effect) => {
    if (random.chance(rates.slow ?? 0)) await clock.sleep(rates.slowMs ?? 1000, never);
    if (random.chance(rates.failBefore ?? 0)) throw storeFault(operation, "refused");
    const answer = effect();
    if (random.chance(rates.loseAnswer ?? 0)) throw storeFault(operation, "the answer was lost");
    return answer;
  };
}
