/**
 * The dispatcher of one machine. It looks into the ledger when it is told to, when something was written there, and when a
 * run falls due.
 */
import type { FlowRunId } from "../../model/run-ids.ts";
import type { Dispatcher, Listener, Listening } from "../../ports/dispatcher.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { Clock } from "../../ports/world.ts";

/** How often the ledger's mark is glanced at, ms: other processes make runs without telling this one. */
const glanceMs = 250;

/** Longest pause between two looks, ms. */
const restMs = 10_000;

/** Opens a dispatcher over a ledger, which stays the caller's to close. */
export function openLocalDispatcher(ledger: Ledger, clock: Clock): Dispatcher {
  const wakers = new Set<() => void>();
  const listenings = new Set<Listening>();
  return {
    async send(runs) {
      if (runs.length === 0) return;
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
  /** Runs that were delivered and may still be listed, because their key is taken; delivered again at the next glance. */
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
  /** Delivers what there is room for; tells for how long nothing else can come, unless something is written or told, ms. */
  const look = async (): Promise<number> => {
    const sinceMs = clock.nowMs() - glanceMs;
    for (const [id, atMs] of recent) if (atMs <= sinceMs && !underWay.has(id)) recent.delete(id);
    if (underWay.size >= listener.slots) return glanceMs; // The end of one of them wakes.
    const nowMs = ledger.nowMs();
    const limit = listener.slots + recent.size;
    for (const { id } of await ledger.listClaimable({ pools: listener.pools, limit })) {
      if (stopped.signal.aborted || underWay.size >= listener.slots) return glanceMs;
      if (!recent.has(id)) deliver(id);
    }
    if (recent.size > 0) return glanceMs;
    const dueMs = await ledger.nextDueMs(nowMs);
    return dueMs === null ? restMs : Math.min(restMs, dueMs - ledger.nowMs());
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const woken = new AbortController();
      wake = () => woken.abort();
      const mark = ledger.mark();
      // A ledger that is away is waited for within; the next look comes.
      const dueMs = clock.nowMs() + (await look().catch(() => glanceMs));
      let nowMs: number;
      do {
        nowMs = clock.nowMs();
        // At the same moments as others that glance: to wake a process costs more than what it then does.
        const ms = Math.max(1, Math.min(dueMs - nowMs, glanceMs - (nowMs % glanceMs)));
        await clock.sleep(ms, woken.signal).catch(() => {}); // Woken, or stopped.
        if (mark === undefined || ledger.mark() !== mark) break;
      } while (!woken.signal.aborted && clock.nowMs() < dueMs && clock.nowMs() >= nowMs); // Nor was it set back.
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopped.abort();
      wake();
      wakers.delete(wakeUp);
      await ended;
    },
  };
}
