/**
 * Executes attempts in processes of their own (F17): a flow that blocks the event loop or ends its process ends its own
 * run and no other, and the worker goes on saying that it is alive.
 *
 * A process executes one attempt at a time and is used again when nothing of it is left over. It is ended in three steps:
 * it is told the reason, which aborts `ctx.signal`; it gets SIGTERM; it gets SIGKILL. What its attempt was then is written
 * down by the worker, which has its fence.
 */
import type { ChildProcess } from "node:child_process";
import { LeatError } from "../errors/leat-error.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { AttemptEnd, Ledger } from "../ports/ledger.ts";
import type { Clock } from "../ports/world.ts";
import type { FlowRegistry } from "./deployment.ts";
import { graceMs as graceMsUsual } from "./execute-run.ts";
import { failureEnd } from "./failure-end.ts";
import type { FlowSpec } from "./flow-context.ts";
import { type FlowProcess, type ProcessExit, watchFlowProcess } from "./flow-process.ts";
import type { ProcessReply } from "./process-messages.ts";
import type { Executed, RunExecutor } from "./run-executor.ts";
import { hintsOf } from "./run-hints.ts";
import { createRunLog, type RunLog } from "./run-log.ts";
import { toStoredError } from "./stored-error.ts";

/** What a process may take beyond the grace of its attempt to write the end down, ms. */
const marginMs = 1000;

/** How long a process may take after SIGTERM, ms. */
const termMs = 2000;

/** How long a process may take to load the project, ms: a large project on a busy machine takes seconds. */
const beginMsMax = 60_000;

/** How long what a process has written is waited for when its attempt has ended, ms: megabytes take a second to read. */
const drainMsMax = 10_000;

/** Runs of one process: what a flow leaks goes with it. */
const runsPerProcess = 500;

/** How long a process without a run is kept, ms: its memory is worth more than the quarter of a second that it saves. */
const idleMsMax = 30_000;

/** How long a process that was sent a signal by somebody else is given the benefit of a shutdown, ms. */
const shutdownMs = 1000;

/** What a lane works with. */
export type ProcessLaneWorld = Readonly<{
  ledger: Ledger;
  clock: Clock;
  /** `0 <= x < 1`, for jitter. */
  fraction: () => number;
  redact: (text: string) => string;
  registry: Pick<FlowRegistry, "flow">;
}>;

export type ProcessLaneOptions = Readonly<{
  /** Forks a process whose entry calls `serveRuns`, with pipes for its output and a channel: `stdio: [ignore, pipe, pipe, ipc]`. */
  start: () => ChildProcess;
  /** How long an attempt that is ended from outside may take, ms; default 10 s. */
  graceMs?: number;
}>;

/** Opens a lane; no process is started before there is a run. */
export function createProcessLane(world: ProcessLaneWorld, options: ProcessLaneOptions): RunExecutor {
  const graceMs = options.graceMs ?? graceMsUsual;
  const idle: FlowProcess[] = [];
  const all = new Set<FlowProcess>();
  const byRun = new Map<FlowRun["id"], FlowProcess>();

  const start = (): FlowProcess => {
    const begun = watchFlowProcess(options.start());
    all.add(begun);
    void begun.exited.then(() => all.delete(begun));
    return begun;
  };
  const take = (): FlowProcess => {
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) if (!kept.isOver) return kept;
    return start();
  };
  const giveBack = (used: FlowProcess, isDirty: boolean): void => {
    used.runCount += 1;
    if (isDirty || used.isOver || used.runCount >= runsPerProcess) {
      used.kill("SIGKILL");
      return;
    }
    idle.push(used);
    const count = used.runCount;
    const timer = setTimeout(() => {
      if (used.runCount !== count || !idle.includes(used)) return; // It has worked meanwhile.
      idle.splice(idle.indexOf(used), 1);
      used.kill("SIGKILL"); // It holds nothing.
    }, idleMsMax);
    timer.unref();
  };

  return {
    async execute(run, signal) {
      const flow = world.registry.flow(run.flow);
      const log = createRunLog(
        { ...world, tell: () => {} },
        { runId: run.id, attempt: run.attempt },
        "watch",
      );
      const used = take();
      byRun.set(run.id, used);
      try {
        const ended = await attend(world, { process: used, run, flow, log, graceMs }, signal);
        if (!("reply" in ended)) return await endDead(world, { run, flow, log }, ended, signal);
        await log.close();
        if (ended.reply.kind === "broken") throw new Error(ended.reply.message);
        giveBack(used, ended.reply.isDirty || !ended.isDrained);
        return ended.reply.executed;
      } catch (error) {
        used.kill("SIGKILL"); // The ledger is away: whoever takes the run over begins where this one has written last.
        throw error;
      } finally {
        byRun.delete(run.id);
      }
    },
    cancelChild(root, child) {
      byRun.get(root)?.send({ kind: "cancel-child", runId: child });
    },
    async close() {
      for (const one of all) one.kill("SIGKILL");
      await Promise.all([...all].map((one) => one.exited));
    },
  };
}

/** An attempt in its process. */
type Job = Readonly<{ process: FlowProcess; run: FlowRun; flow: FlowSpec; log: RunLog; graceMs: number }>;

/** How an attempt in a process came to its end: by its own word, or with the process. `reason`: why it was ended. */
type Attended =
  /** `isDrained`: all that it wrote was read. */
  | Readonly<{ reply: Exclude<ProcessReply, { kind: "ready" }>; isDrained: boolean }>
  | Readonly<{ exit: ProcessExit; reason: LeatError | undefined }>;

/** Hands an attempt over and waits for its end, or makes one. */
async function attend(world: ProcessLaneWorld, job: Job, signal: AbortSignal): Promise<Attended> {
  const { process, run, flow, log } = job;
  const { promise: replied, resolve } = Promise.withResolvers<Attended>();
  const over = new AbortController();
  let reason: LeatError | undefined;
  const end = (why: LeatError): void => {
    if (reason !== undefined) return;
    reason = why;
    endProcess(world.clock, job, why, over.signal).catch(() => {}); // It has ended by itself.
  };
  const stop = (): void => end(toReason(signal.reason));
  process.listen({
    onReply: (reply) => reply.kind !== "ready" && resolve({ reply, isDrained: true }),
    onLine: ({ from, text }) => log.write(from === "stderr" ? "warn" : "info", null, text),
  });
  const died = process.exited.then((exit): Attended => ({ exit, reason }));
  try {
    const isLate = after(world.clock, beginMsMax, over.signal);
    const begun = await Promise.race([process.begun, isLate]);
    if (begun === undefined) end(lateError(run));
    if (begun !== "ready") return await died;
    process.run(run, run.workerId!); // It was claimed by this worker.
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    // A flow that lets its event loop turn ends itself in time, and this comes too late.
    const { timeoutMs } = flow;
    if (timeoutMs !== undefined) {
      void after(world.clock, timeoutMs + job.graceMs, over.signal).then(
        () => over.signal.aborted || end(timeoutError(run, timeoutMs)),
      );
    }
    const ended = await Promise.race([replied, died]);
    if ("exit" in ended) return ended;
    const read = process.drained.then(() => "drained" as const);
    const isDrained = (await Promise.race([read, after(world.clock, drainMsMax, over.signal)])) === "drained";
    return { ...ended, isDrained };
  } finally {
    over.abort();
    signal.removeEventListener("abort", stop);
  }
}

/** Resolves when the time is up, or when it does not matter any more. */
const after = (clock: Clock, ms: number, over: AbortSignal): Promise<undefined> =>
  clock.sleep(ms, over).then(
    () => undefined,
    () => undefined,
  );

/** Ends a process that does not end by itself. */
async function endProcess(clock: Clock, job: Job, why: LeatError, over: AbortSignal): Promise<void> {
  job.process.send({ kind: "abort", code: why.code, message: why.message });
  await clock.sleep(job.graceMs + marginMs, over);
  job.log.write("warn", null, "did not end when it was told to: its process gets SIGTERM");
  job.process.kill("SIGTERM");
  await clock.sleep(termMs, over);
  job.process.kill("SIGKILL");
}

/** Writes down the end of an attempt whose process is gone. */
async function endDead(
  world: ProcessLaneWorld,
  { run, flow, log }: Pick<Job, "run" | "flow" | "log">,
  { exit, reason }: Readonly<{ exit: ProcessExit; reason: LeatError | undefined }>,
  signal: AbortSignal,
): Promise<Executed> {
  const isSignalled = exit.signal === "SIGTERM" || exit.signal === "SIGHUP";
  // A service that is stopped may send its signal to all processes: then the worker is about to be told as well.
  if (reason === undefined && isSignalled) await after(world.clock, shutdownMs, signal);
  const why = reason ?? (signal.aborted ? toReason(signal.reason) : diedError(run, exit));
  if (why.code !== "INTERRUPTED") log.write("error", null, why.message);
  await log.close();
  if (why.code === "RUN_LOST") return { status: "fenced", hints: [] };
  const end = deadEnd(world, run, flow, why);
  const answer = await world.ledger.endAttempt({ runId: run.id, attempt: run.attempt }, end);
  if (answer.status === "fenced") {
    // It had written its end and died before it could say so.
    const known = await world.ledger.readRun(run.id);
    return { status: "fenced", hints: known === undefined ? [] : hintsOf([known]) };
  }
  const hints = hintsOf([answer.run, ...answer.next]);
  if (answer.run.state !== "queued") return { status: "failed", hints };
  return { status: end.move === "retry" ? "retry" : "released", hints };
}

function deadEnd(world: ProcessLaneWorld, run: FlowRun, flow: FlowSpec, why: LeatError): AttemptEnd {
  if (why.code === "INTERRUPTED") return { move: "release" };
  if (why.code === "RUN_CANCELLED") return { move: "stop", error: toStoredError(why, world.redact) };
  return failureEnd(world, run, flow, why);
}

const toReason = (reason: unknown): LeatError =>
  reason instanceof LeatError
    ? reason
    : new LeatError("INTERRUPTED", { message: "The run was stopped.", cause: reason });

function diedError(run: FlowRun, { code, signal, words }: ProcessExit): LeatError {
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  return new LeatError("RUN_PROCESS_DIED", {
    message: `The process of run ${run.id} of "${run.flow}" ${how}.`,
    hint:
      signal === "SIGKILL"
        ? "Somebody killed it, or the machine was short of memory: give it more, or do less at once."
        : undefined,
    details: { run: run.id, code, signal },
    cause: words === "" ? undefined : new Error(words),
  });
}

const lateError = (run: FlowRun): LeatError =>
  new LeatError("RUN_PROCESS_DIED", {
    message: `The process of run ${run.id} of "${run.flow}" has not loaded the project in ${beginMsMax / 1000} s.`,
    hint: "Look what the project's configuration does while it is loaded.",
  });

const timeoutError = (run: FlowRun, timeoutMs: number): LeatError =>
  new LeatError("RUN_TIMEOUT", {
    message: `The run ${run.id} of "${run.flow}" took longer than ${timeoutMs} ms, without a pause in which it could be told.`,
    details: { run: run.id, timeoutMs },
  });
