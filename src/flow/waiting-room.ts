/**
 * Knows whether anything of a run is under way, so that a run in which everything waits lets go of its process (F14).
 *
 * A wait never ends within the attempt that is suspended: its promise stays open, and the next attempt finds its end in
 * the ledger. So code between two waits needs no way to be unwound.
 */

/** What a run that waits waits for. */
export type Parked = Readonly<{
  /** When to wake, the earliest; `null`: at an answer only. */
  wakeAtMs: number | null;
  /** Open questions. */
  questions: number;
}>;

/** Counts what is under way in a flow and, below it, in its sub-flows. */
export interface WaitingRoom {
  /** Does work; while any is done the run is not suspended. */
  work<T>(call: () => Promise<T>): Promise<T>;
  /** Watches a function of a task to its real end, which may come after the task has given up on it. */
  watch(call: Promise<unknown>): void;
  /** Waits for ever: the run is suspended when nothing else is under way. */
  park(wakeAtMs: number | null, isQuestion: boolean): Promise<never>;
  /** Resolves when everything waits. Only of the outermost room. */
  readonly parked: Promise<Parked>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
  /** Whether a function is still running that was given up on. */
  readonly hasStrays: boolean;
  /** Ends it: nothing begins any more, and what asks for it waits for ever. */
  close(): void;
  readonly isClosed: boolean;
}

export function createWaitingRoom(parent?: WaitingRoom): WaitingRoom {
  let busyCount = 0;
  let strayCount = 0;
  let isClosed = false;
  let questions = 0;
  let parkedCount = 0;
  let wakeAtMs: number | null = null;
  const idleWaiters: (() => void)[] = [];
  const { promise: parked, resolve: suspend } = Promise.withResolvers<Parked>();

  /** Looks again after all that is due now has been done: the flow may go on to its next task. */
  const suspendIfQuiet = (): void => {
    if (parkedCount === 0 || busyCount > 0) return;
    setImmediate(() =>
      setImmediate(() => {
        if (busyCount === 0 && !isClosed) suspend({ wakeAtMs, questions });
      }),
    );
  };
  const leave = (): void => {
    if (busyCount > 0 || strayCount > 0) return;
    for (const wake of idleWaiters.splice(0)) wake();
  };
  const room: WaitingRoom = {
    async work(call) {
      if (room.isClosed) return new Promise<never>(() => {});
      busyCount += 1;
      try {
        return await (parent === undefined ? call() : parent.work(call));
      } finally {
        busyCount -= 1;
        leave();
        suspendIfQuiet();
      }
    },
    watch(call) {
      strayCount += 1;
      parent?.watch(call);
      const end = (): void => {
        strayCount -= 1;
        leave();
      };
      call.then(end, end);
    },
    park(wakeAt, isQuestion) {
      if (parent !== undefined) return parent.park(wakeAt, isQuestion);
      parkedCount += 1;
      if (isQuestion) questions += 1;
      if (wakeAt !== null) wakeAtMs = Math.min(wakeAt, wakeAtMs ?? wakeAt);
      suspendIfQuiet();
      return new Promise<never>(() => {});
    },
    parked,
    idle: () =>
      busyCount === 0 && strayCount === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleWaiters.push(resolve);
          }),
    get hasStrays() {
      return strayCount > 0;
    },
    close() {
      isClosed = true;
    },
    get isClosed() {
      return isClosed || (parent?.isClosed ?? false);
    },
  };
  return room;
}
