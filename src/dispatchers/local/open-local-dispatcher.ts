/** The dispatcher of one machine: it looks into the ledger, at once when it is told to and else four times a second. */
import type { FlowRunId } from "../../model/run-ids.ts";
import type { Dispatcher, Listener, Listening } from "../../ports/dispatcher.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { Clock } from "../../ports/world.ts";

/** How often the ledger is looked at, ms: other processes make runs without telling this one. A look takes 0.2 ms. */
const pollMs = 250;

/** Opens a dispatcher over a ledger, which stays the caller's to close. */
export function openLocalDispatcher(ledger: Ledger, clock: Clock): Dispatcher {
  const wakers = new Set<() => void>();
  const listenings = new Set<Listening>();
  return {
    async send() {
      for (const wake of wakers) wake();
    },
    async listen(listener) {
      const listening = listen(ledger, clock, listener, wakers);
      listenings.add(listening);
      return listening;
    },
    async close() {
      for (const listening of listenings) await listening.stop();
    },
  };
}

function listen(ledger: Ledger, clock: Clock, listener: Listener, wakers: Set<() => void>): Listening {
  const stopped = new AbortController();
  const underWay = new Set<FlowRunId>();
  /** Runs that were delivered and may still be listed, because their key is taken; delivered again at the next poll. */
  const recent = new Map<FlowRunId, number>();
  let wake = (): void => {};
  const wakeUp = (): void => wake();
  wakers.add(wakeUp);

  const deliver = (id: FlowRunId): void => {
    underWay.add(id);
    recent.set(id, clock.nowMs());
    const end = (): void => {
      underWay.delete(id);
      wakeUp();
    };
    listener.deliver(id).then(end, end);
  };
  const look = async (): Promise<void> => {
    const sinceMs = clock.nowMs() - pollMs;
    for (const [id, atMs] of recent) if (atMs <= sinceMs && !underWay.has(id)) recent.delete(id);
    if (underWay.size >= listener.slots) return;
    const limit = listener.slots + recent.size;
    for (const { id } of await ledger.listClaimable({ pools: listener.pools, limit })) {
      if (stopped.signal.aborted || underWay.size >= listener.slots) return;
      if (!recent.has(id)) deliver(id);
    }
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const { promise: woken, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await look().catch(() => {}); // A ledger that is away is waited for within; the next look comes.
      const timer = new AbortController();
      const either = AbortSignal.any([timer.signal, stopped.signal]);
      await Promise.race([woken, clock.sleep(pollMs, either).catch(() => {})]);
      timer.abort();
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopped.abort();
      wakers.delete(wakeUp);
      await ended;
    },
  };
}
