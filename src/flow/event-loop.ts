/** Looks at new events as they come: makes the runs that they trigger, and tells people. One process at a time does so. */
import { newWorkerId } from "../model/run-ids.ts";
import type { FlowEvent } from "../model/run-record.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { FlowRegistry } from "./deployment.ts";
import { fireAbsences, fireEvent } from "./fire-triggers.ts";
import { type LookLoop, startLookLoop } from "./look-loop.ts";
import { hintsOf } from "./run-hints.ts";
import { type NoticeWorld, occasionOf, sendNotice } from "./send-notice.ts";

/** Pause between two tries to be the one that looks, ms. */
const tryMs = 1000;

/** Pause between two looks at events that did not come, ms. */
const absenceMs = 10_000;

/** Events of one look. */
const eventsMax = 100;

/**
 * How long the look is this process's own without a word of it, ms, and how often it gives its word. When the process is
 * killed, another one handles events after this and a look, well within the thirty seconds that a run waits for at most.
 */
const leaseMs = 15_000;
const wordMs = 5000;

export type EventLoopWorld = Readonly<{
  ledger: Ledger;
  dispatcher: Dispatcher;
  registry: FlowRegistry;
  notices: NoticeWorld;
  /** Told of what went wrong; the loop goes on. */
  onProblem: (error: unknown) => void;
}>;

/** Starts looking. */
export function startEventLoop(world: EventLoopWorld): LookLoop {
  const { ledger, notices, onProblem } = world;
  const { clock } = notices;
  const holder = newWorkerId();
  /** When the lease was taken last, and events that did not come were looked for, by the ledger's time. */
  let wordAtMs = Number.NEGATIVE_INFINITY;
  let absenceAtMs = Number.NEGATIVE_INFINITY;
  const hasAbsences = world.registry.deployments.some(({ triggers }) =>
    triggers.some(({ on }) => on === "absence"),
  );
  /** Whether the look is this process's own. A word is given when it is time for one, not at each look: it is a write. */
  const isOurs = async (): Promise<boolean> => {
    const nowMs = ledger.nowMs();
    if (nowMs >= wordAtMs && nowMs < wordAtMs + wordMs) return true;
    wordAtMs = Number.NEGATIVE_INFINITY;
    if (!(await ledger.takeLease("events", holder, leaseMs))) return false;
    wordAtMs = nowMs;
    return true;
  };
  /** Keeps the look while it lasts: a notice to a busy receiver takes longer than the lease. */
  const keep = async (over: AbortSignal): Promise<void> => {
    for (;;) {
      await clock.sleep(wordMs, over);
      await ledger.takeLease("events", holder, leaseMs);
    }
  };
  const handle = async (stopped: AbortSignal): Promise<number> => {
    const over = new AbortController();
    keep(over.signal).catch(() => {}); // It is over, or the ledger is away: events are handled again, and do nothing twice.
    try {
      return await handleEvents(world, stopped);
    } finally {
      over.abort();
    }
  };
  const look = async (stopped: AbortSignal): Promise<number> => {
    const nowMs = ledger.nowMs();
    if (!(await isOurs())) return nowMs + tryMs;
    while ((await handle(stopped)) === eventsMax && !stopped.aborted && (await isOurs()));
    if (hasAbsences && ledger.nowMs() - absenceAtMs >= absenceMs) {
      absenceAtMs = ledger.nowMs();
      await world.dispatcher.send(hintsOf((await fireAbsences(world)).map(({ run }) => run)));
    }
    return wordAtMs + wordMs;
  };
  const loop = startLookLoop({ ledger, clock, onProblem }, look);
  return {
    async stop() {
      await loop.stop();
      // So that another process, or this one started anew, need not wait.
      await ledger.takeLease("events", holder, 0).catch(onProblem);
    },
  };
}

/** Handles events that nobody has handled; each is handled again where this process dies in between. */
export async function handleEvents(world: EventLoopWorld, signal: AbortSignal): Promise<number> {
  const events = await world.ledger.listEvents({ isHandled: false, limit: eventsMax });
  if (events.length === 0) return 0;
  for (const event of events) {
    const fired = await fireEvent(world, event);
    await world.dispatcher.send(hintsOf(fired.map(({ run }) => run)));
  }
  await Promise.all(events.map((event) => tellPeople(world, event, signal)));
  await world.ledger.markHandled(events.map(({ id }) => id));
  return events.length;
}

async function tellPeople(world: EventLoopWorld, event: FlowEvent, signal: AbortSignal): Promise<void> {
  const occasion = occasionOf(event);
  const deployment = world.registry.deployments.find(({ name }) => name === event.subject);
  if (occasion === undefined || deployment === undefined) return;
  const wanted = deployment.notify.filter(({ on }) => on === undefined || on.includes(occasion));
  await Promise.all(
    wanted.map(async (notice) => {
      try {
        await sendNotice(world.notices, notice, event, signal);
      } catch (error) {
        world.onProblem(error);
        const message = error instanceof Error ? error.message : String(error);
        await world.ledger.appendEvent({
          kind: "notice.failed",
          subject: event.subject,
          runId: event.runId,
          data: { to: notice.to, occasion, message },
          dedupKey: null,
        });
      }
    }),
  );
}
