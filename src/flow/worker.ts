/** **worker** claims runs, has them executed, says that it is alive, and takes care of what others have left. */
import { LeatError } from "../errors/leat-error.ts";
import type { FlowRunId, WorkerId } from "../model/run-ids.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Clock } from "../ports/world.ts";
import { endUnknownFlow } from "./end-unknown.ts";
import { isDeadHere, readHost } from "./host-identity.ts";
import { startLookLoop } from "./look-loop.ts";
import type { RunExecutor } from "./run-executor.ts";
import { hintsOf } from "./run-hints.ts";

/** How long a worker may be silent before it loses its runs, ms (F12). */
const leaseMsUsual = 20_000;

/** How often dead workers are looked for, ms. With the lease it is what a run waits for when its host dies. */
const sweepMsUsual = 5000;

/**
 * How often a worker with runs says that it is alive and hears of cancellations, ms. One without has nothing to hear, and
 * says so four times a lease.
 */
const beatMsMax = 1000;

/** Runs that are queued for so long were perhaps never told of, ms; they are told of again (F18). */
const unheardMs = 5000;

/** Hints that one sweep repeats. */
const repeatedMax = 200;

/** How long an attempt that is ended at shutdown may take, ms; then the process goes, and the sweep finds the run. */
const shutdownMsMax = 15_000;

export type WorkerOptions = Readonly<{
  id: WorkerId;
  pools: readonly string[];
  /** Runs at once. */
  slots: number;
  codeVersion: string | null;
  /** Default 20 s. */
  leaseMs?: number;
  /** Default 5 s. */
  sweepMs?: number;
}>;

export type WorkerWorld = Readonly<{
  ledger: Ledger;
  dispatcher: Dispatcher;
  clock: Clock;
  executor: RunExecutor;
  /** Told of what went wrong beside runs; the worker goes on. */
  onProblem: (error: unknown) => void;
}>;

/** A worker that works. */
export interface Worker {
  readonly id: WorkerId;
  /** Runs that it executes. */
  readonly executing: readonly FlowRunId[];
  /** Takes no more runs, gives those under way back to the queue, and ends. */
  stop(): Promise<void>;
}

type UnderWay = Readonly<{ attempt: number; controller: AbortController; ended: Promise<unknown> }>;

/** Starts a worker. */
export async function startWorker(world: WorkerWorld, options: WorkerOptions): Promise<Worker> {
  const { ledger, dispatcher, clock, executor, onProblem } = world;
  const leaseMs = options.leaseMs ?? leaseMsUsual;
  const host = readHost();
  const by = { workerId: options.id, codeVersion: options.codeVersion };
  const underWay = new Map<FlowRunId, UnderWay>();
  /** Attempts that the ledger says are ours and that nobody here knows, as of the last beat. */
  let strangers: ReadonlySet<string> = new Set();
  let isStopping = false;
  const stopped = new AbortController();
  let beatSoon = (): void => {};

  const register = (): Promise<void> =>
    ledger.saveWorker({
      id: options.id,
      kind: "worker",
      pools: options.pools,
      slots: options.slots,
      host,
      pid: process.pid,
      codeVersion: options.codeVersion,
      leaseMs,
      startedAtMs: ledger.nowMs(),
      seenAtMs: ledger.nowMs(),
    });

  const deliver = async (id: FlowRunId): Promise<void> => {
    try {
      if (isStopping) return;
      const claimed = await ledger.claimRun(id, by);
      if (claimed.status === "claimed") await execute(claimed.run);
      else if (claimed.status === "early") {
        const run = await ledger.readRun(id);
        if (run !== undefined) await dispatcher.send(hintsOf([run]));
      }
    } catch (error) {
      onProblem(error);
      beatSoon(); // A claim whose answer was lost is found by a beat.
    }
  };
  const execute = async (run: FlowRun): Promise<void> => {
    const controller = new AbortController();
    const ended = executor
      .execute(run, controller.signal)
      .catch((error: unknown) => endUnknownFlow(ledger, run, error));
    underWay.set(run.id, { attempt: run.attempt, controller, ended });
    if (underWay.size === 1) beatSoon();
    try {
      const { hints } = await ended;
      await dispatcher.send(hints);
    } finally {
      underWay.delete(run.id);
    }
  };

  /** Says that it is alive, and compares what it does with what the ledger says is its own. */
  const beat = async (): Promise<void> => {
    const { isKnown, owned } = await ledger.beat(options.id);
    if (!isKnown && !isStopping) await register(); // It was taken for dead, and its runs were taken from it.
    for (const { runId, rootId, isCancelling } of owned) {
      if (!isCancelling) continue;
      if (runId === rootId) underWay.get(runId)?.controller.abort(cancelledError(runId));
      else executor.cancelChild(rootId, runId);
    }
    const attempts = new Map(owned.map(({ runId, attempt }) => [runId, attempt]));
    for (const [runId, { attempt, controller }] of underWay) {
      if (attempts.get(runId) !== attempt) await abortIfLost(runId, attempt, controller);
    }
    await releaseStrangers(owned.filter(({ runId, rootId }) => runId === rootId));
  };
  /** Its end may just have been written, or it was claimed after the ledger was asked: look before it is taken for lost. */
  const abortIfLost = async (
    runId: FlowRunId,
    attempt: number,
    controller: AbortController,
  ): Promise<void> => {
    const run = await ledger.readRun(runId);
    const isOurs = run?.attempt === attempt && (run.workerId === options.id || run.workerId === null);
    if (isOurs) return;
    controller.abort(
      new LeatError("RUN_LOST", { message: `The run ${runId} was taken over by another worker.` }),
    );
  };
  /** A claim whose answer was lost: nobody here executes it. Given back when it was so at two beats. */
  const releaseStrangers = async (
    owned: readonly Readonly<{ runId: FlowRunId; attempt: number }>[],
  ): Promise<void> => {
    const unknown = owned.filter(({ runId }) => !underWay.has(runId));
    for (const { runId, attempt } of unknown) {
      if (!strangers.has(`${runId} ${attempt}`)) continue;
      const answer = await ledger.endAttempt({ runId, attempt }, { move: "release" });
      if (answer.status === "ended") await dispatcher.send(hintsOf([answer.run, ...answer.next]));
    }
    strangers = new Set(unknown.map(({ runId, attempt }) => `${runId} ${attempt}`));
  };
  /** Beats at the pace of what there is to hear. */
  const beats = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await beat().catch(onProblem);
      const isIdle = underWay.size === 0 && strangers.size === 0;
      const { promise: soon, resolve } = Promise.withResolvers<void>();
      beatSoon = resolve;
      const over = new AbortController();
      const pause = clock.sleep(
        isIdle ? leaseMs / 4 : Math.min(beatMsMax, leaseMs / 4),
        AbortSignal.any([stopped.signal, over.signal]),
      );
      await Promise.race([soon, pause.catch(() => {})]); // Stopped, or it is to beat soon.
      over.abort();
    }
  };
  /** Wakes sleepers, and tells of the late. */
  const tick = async (): Promise<number | null> => {
    const nowMs = ledger.nowMs();
    await dispatcher.send(hintsOf(await ledger.wakeRuns()));
    await ledger.markLate();
    return ledger.nextDueMs(nowMs);
  };
  const sweep = async (): Promise<void> => {
    const { requeued } = await ledger.sweepLost((worker) => isDeadHere(worker, host));
    const queuedBeforeMs = ledger.nowMs() - unheardMs;
    const unheard = await ledger.listClaimable({ pools: options.pools, limit: repeatedMax, queuedBeforeMs });
    await dispatcher.send(hintsOf([...requeued, ...unheard]));
  };
  const every = async (ms: number, call: () => Promise<void>): Promise<void> => {
    while (!stopped.signal.aborted) {
      await call().catch(onProblem);
      await clock.sleep(ms, stopped.signal).catch(() => {}); // Stopped.
    }
  };

  await register();
  const listening = await dispatcher.listen({ pools: options.pools, slots: options.slots, deliver });
  const ticks = startLookLoop({ ledger, clock, onProblem }, tick);
  const loops = Promise.all([beats(), every(options.sweepMs ?? sweepMsUsual, sweep)]);
  return {
    id: options.id,
    get executing() {
      return [...underWay.keys()];
    },
    async stop() {
      isStopping = true;
      await listening.stop();
      const interrupted = new LeatError("INTERRUPTED", { message: "The worker is being stopped." });
      const ends = [...underWay.values()].map(({ controller, ended }) => {
        controller.abort(interrupted);
        return ended.catch(() => {}); // Told of where it was begun.
      });
      await Promise.race([Promise.all(ends), clock.sleep(shutdownMsMax, stopped.signal).catch(() => {})]);
      stopped.abort();
      await Promise.all([loops, ticks.stop()]);
      await executor.close();
      await ledger.removeWorker(options.id).catch(onProblem);
    },
  };
}

export const cancelledError = (runId: FlowRunId): LeatError =>
  new LeatError("RUN_CANCELLED", { message: `The run ${runId} was cancelled.`, details: { run: runId } });
