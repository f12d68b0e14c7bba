/** Runs a flow in this process, for a person who watches it: no server, no queue, nobody to take it over. */
import { LeatError } from "../errors/leat-error.ts";
import { newWorkerId } from "../model/run-ids.ts";
import { type FlowRun, foregroundPoolOf } from "../model/run-record.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ProjectWork } from "../ports/project-work.ts";
import type { Clock } from "../ports/world.ts";
import type { AttemptOutcome } from "./attempt.ts";
import type { Deployment } from "./deployment.ts";
import { executeRun } from "./execute-run.ts";
import { readHost } from "./host-identity.ts";
import { createLimitGates } from "./limit-gates.ts";
import { newRunOf } from "./new-run.ts";
import type { RunEvent, RunWorld } from "./run-world.ts";
import { sweepHere } from "./sweep-here.ts";

/** How often it says that it is alive and looks whether it is to be cancelled, ms. */
const beatMs = 1000;

/**
 * How long it may be silent before another host takes it for dead, ms. A flow in the foreground may compute for minutes
 * without a pause; on its own host its process is looked at instead.
 */
const leaseMs = 15 * 60_000;

/** Pause between two looks at a key that is taken, ms, and looks after which those who hold it may have died. */
const keyPauseMs = 500;
const looksPerSweep = 10;

/** What a run in the foreground works with. */
export type ForegroundWorld = Readonly<{
  ledger: Ledger;
  clock: Clock;
  fraction: () => number;
  results: ObjectStore | undefined;
  redact: (text: string) => string;
  codeVersion: string | null;
  tell: (event: RunEvent) => void;
  work?: ProjectWork;
}>;

/** A new run of a deployment, or one that is over and is to be continued. */
export type ForegroundJob = Readonly<
  | { deployment: Deployment; params: Readonly<Record<string, unknown>>; by: string }
  | { deployment: Deployment; retry: FlowRun; fromTask: string | undefined }
>;

/**
 * Runs to the end, or until the signal ends it.
 *
 * @param signal - cancels the run.
 * @param onWaiting - told when the run waits for its key, with the key.
 * @returns the run as it ended, and what its function returned or threw.
 */
export async function runForeground(
  world: ForegroundWorld,
  job: ForegroundJob,
  signal: AbortSignal,
  onWaiting: (key: string) => void,
): Promise<Readonly<{ run: FlowRun; value: unknown; error: unknown }>> {
  const { ledger, clock } = world;
  const workerId = newWorkerId();
  const runWorld: RunWorld = {
    ...world,
    workerId,
    waits: "in-place",
    gates: createLimitGates(),
    live: new Map(),
  };
  await ledger.saveWorker({
    id: workerId,
    kind: "foreground",
    pools: [foregroundPoolOf(workerId)],
    slots: 1,
    host: readHost(),
    pid: process.pid,
    codeVersion: world.codeVersion,
    leaseMs,
    startedAtMs: ledger.nowMs(),
    seenAtMs: ledger.nowMs(),
  });
  const ended = new AbortController();
  const cancel = new AbortController();
  const stop = (): void => cancel.abort(cancelled(signal.reason));
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const beating = beatUntil(runWorld, ended.signal);
  try {
    let run = await prepare(ledger, job, foregroundPoolOf(workerId));
    if (run.state === "skipped") return { run, value: undefined, error: undefined };
    for (;;) {
      run = await claim(runWorld, run, cancel.signal, onWaiting);
      if (run.state !== "running") return { run, value: undefined, error: run.error };
      const outcome = await executeRun(runWorld, run, job.deployment.flow, cancel.signal);
      const end = await finish(ledger, run, outcome);
      if (end !== undefined) return end;
      const waitMs = outcome.status === "retry" ? outcome.run.startAtMs - ledger.nowMs() : 0;
      await clock.sleep(Math.max(waitMs, 0), cancel.signal);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    ended.abort();
    await beating;
    await ledger.removeWorker(workerId).catch(() => {}); // Its process is gone soon, which says as much.
  }
}

const cancelled = (reason: unknown): LeatError =>
  new LeatError("RUN_CANCELLED", {
    message: "The run was cancelled from the terminal.",
    cause: reason,
  });

async function prepare(ledger: Ledger, job: ForegroundJob, pool: string): Promise<FlowRun> {
  if ("retry" in job) {
    return ledger.retryRun(job.retry.id, { fromTask: job.fromTask, pool });
  }
  const run = newRunOf(job.deployment, {
    params: job.params,
    cause: { kind: "manual", by: job.by },
    startAtMs: ledger.nowMs(),
    pool,
  });
  return (await ledger.submitRun(run)).run;
}

/** Claims the run, waiting for its key; a cancellation meanwhile ends it in the ledger too. */
async function claim(
  world: RunWorld,
  run: FlowRun,
  signal: AbortSignal,
  onWaiting: (key: string) => void,
): Promise<FlowRun> {
  const by = { workerId: world.workerId, codeVersion: world.codeVersion };
  for (let tries = 0; ; tries++) {
    if (signal.aborted) {
      return (await world.ledger.cancelRun(run.id, "from the terminal")).run;
    }
    const claimed = await world.ledger.claimRun(run.id, by);
    if (claimed.status === "claimed") return claimed.run; // There is no other in this process's own pool.
    if (claimed.status === "gone") return (await world.ledger.readRun(run.id)) ?? run;
    if (claimed.status === "limited") {
      if (tries % looksPerSweep === 0) {
        const { requeued, ended } = await sweepHere(world.ledger);
        if (requeued.length + ended.length > 0) continue; // Perhaps it was they who held the key.
      }
      if (tries === 0) onWaiting(claimed.key);
    }
    await world.clock.sleep(keyPauseMs, signal).catch(() => {}); // The next turn cancels the run.
  }
}

/** What a person is told in the end; `undefined`: there is another attempt. */
async function finish(
  ledger: Ledger,
  run: FlowRun,
  outcome: AttemptOutcome,
): Promise<Readonly<{ run: FlowRun; value: unknown; error: unknown }> | undefined> {
  switch (outcome.status) {
    case "succeeded":
      return { run: outcome.run, value: outcome.value, error: undefined };
    case "failed":
      return { run: outcome.run, value: undefined, error: outcome.error };
    case "retry":
      return undefined;
    default:
      return {
        run: (await ledger.readRun(run.id)) ?? run,
        value: undefined,
        error: new LeatError("RUN_LOST", { message: `Another process has taken the run ${run.id} over.` }),
      };
  }
}

/** Beats from one look for the dead to the next: a task waits for a place that one of them may hold, and nobody else looks. */
const beatsPerSweep = 5;

/** Says that the worker is alive, and aborts what somebody wants cancelled. */
async function beatUntil(world: RunWorld, ended: AbortSignal): Promise<void> {
  for (let beats = 0; !ended.aborted; beats++) {
    await world.clock.sleep(beatMs, ended).catch(() => {});
    if (ended.aborted) return;
    if (beats % beatsPerSweep === 0) await sweepHere(world.ledger).catch(() => {}); // The next one comes.
    const { owned } = await world.ledger.beat(world.workerId).catch(() => ({ owned: [] })); // The next one follows.
    for (const { runId, isCancelling } of owned) {
      if (isCancelling) world.live.get(runId)?.(cancelled("asked for in the ledger"));
    }
  }
}
