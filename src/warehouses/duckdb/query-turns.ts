/** A few at once, a few more that wait, and an error for the rest. */
import { LeatError } from "../../errors/leat-error.ts";

/** How many work at once, and how many may wait. */
export type TurnBounds = Readonly<{ atOnceMax: number; waitingMax: number }>;

type Waiter = { hasTurn: boolean; wake: () => void };

/** Hands out turns in the order in which they were asked for. */
export class QueryTurns {
  readonly #bounds: TurnBounds;
  readonly #waiting: Waiter[] = [];
  #taken = 0;

  constructor(bounds: TurnBounds) {
    this.#bounds = bounds;
  }

  /**
   * Does `work` when its turn comes.
   *
   * @throws LeatError `QUERY_BUSY` when too many wait already, `INTERRUPTED` when the signal comes before the turn.
   */
  async take<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    if (this.#taken < this.#bounds.atOnceMax) this.#taken++;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#taken--;
      return;
    }
    next.hasTurn = true;
    next.wake();
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#bounds.waitingMax) {
      throw new LeatError("QUERY_BUSY", {
        message: `${this.#bounds.atOnceMax} queries run and ${this.#waiting.length} wait; more are not taken.`,
      });
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { hasTurn: false, wake: resolve };
    const leave = (): void => {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
      resolve();
    };
    this.#waiting.push(waiter);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    await promise;
    signal.removeEventListener("abort", leave);
    // One whose turn came in the same moment has it, and gives it back when its work sees the signal.
    if (!waiter.hasTurn)
      throw new LeatError("INTERRUPTED", { message: "The query was stopped.", cause: signal.reason });
  }
}
