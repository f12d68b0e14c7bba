/** One attempt of a run while it is executed: what it knows, what it has asked for, how it is ended. */
import { LeatError } from "../errors/leat-error.ts";
import type { Fence, FlowRun, TaskRun } from "../model/run-record.ts";
import type { FlowSpec, RunInfo } from "./flow-context.ts";
import { createRunLog, type RunLog } from "./run-log.ts";
import type { RunWorld } from "./run-world.ts";
import { createCallCounter } from "./task-key.ts";
import { createWaitingRoom, type WaitingRoom } from "./waiting-room.ts";

/** An attempt under way. */
export type Attempt = Readonly<{
  world: RunWorld;
  run: FlowRun;
  flow: FlowSpec;
  fence: Fence;
  info: RunInfo;
  /** Aborted by what ends it from outside, with the reason. */
  signal: AbortSignal;
  abort: (reason: Error) => void;
  /** What earlier attempts have left, by key. */
  memo: ReadonlyMap<string, TaskRun>;
  /** Keys that this attempt has come to. */
  asked: Set<string>;
  /** Number of a call among equal ones, from 1. */
  countCall: (asked: string) => number;
  /** Order of a call that no attempt has made before. */
  nextOrdinal: () => number;
  log: RunLog;
  room: WaitingRoom;
  /** Itself, the attempt that called it, and all below: attempts under way of the outermost run. */
  family: Set<Attempt>;
  /** Aborted when the run that called it is ended; `undefined`: nobody did. */
  parentSignal: AbortSignal | undefined;
  /** 0: nobody called it as a sub-flow. */
  depth: number;
}>;

/** How an attempt ended. `next`: runs that its key held back. */
export type AttemptOutcome = Readonly<
  (
    | { status: "succeeded"; value: unknown; run: FlowRun }
    | { status: "failed"; error: unknown; run: FlowRun }
    | { status: "retry" | "suspended" | "released"; run: FlowRun }
    | { status: "fenced" }
  ) & {
    next: readonly FlowRun[];
    /** Code of the run is still running: the process is not fit for another. */
    isDirty: boolean;
  }
>;

/** Prepares an attempt of a run that this process owns: reads what is finished. */
export async function openAttempt(
  world: RunWorld,
  run: FlowRun,
  flow: FlowSpec,
  parent: Attempt | undefined,
): Promise<Attempt> {
  const tasks = await world.ledger.readTasks(run.id);
  const fence = { runId: run.id, attempt: run.attempt };
  const controller = new AbortController();
  let ordinal = tasks.reduce((max, task) => Math.max(max, task.ordinal), 0);
  return {
    world,
    run,
    flow,
    fence,
    info: Object.freeze({
      id: run.id,
      flow: run.flow,
      deployment: run.deployment,
      attempt: run.attempt,
      scheduledAt: run.scheduledAtMs === null ? undefined : new Date(run.scheduledAtMs),
      createdAt: new Date(run.createdAtMs),
    }),
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    memo: new Map(tasks.map((task) => [task.key, task])),
    asked: new Set(),
    countCall: createCallCounter(),
    nextOrdinal: () => ++ordinal,
    log: createRunLog(world, fence, "flow"),
    room: createWaitingRoom(parent?.room),
    family: parent?.family ?? new Set(),
    parentSignal: parent?.signal,
    depth: parent === undefined ? 0 : parent.depth + 1,
  };
}

/** Names an attempt's call: what was asked, and its number among equal ones. To be called before anything is awaited. */
export function nameCall(
  attempt: Attempt,
  asked: string,
): Readonly<{ key: string; known: TaskRun | undefined }> {
  const key = `${asked}:${attempt.countCall(asked)}`;
  attempt.asked.add(key);
  return { key, known: attempt.memo.get(key) };
}

/** Takes the answer to a fenced write: an attempt that is not the owner any more ends at once. */
export function refuseFenced<T extends string>(attempt: Attempt, answer: T): Exclude<T, "fenced"> {
  if (answer !== "fenced") return answer as Exclude<T, "fenced">; // It is not.
  const lost = new LeatError("RUN_LOST", {
    message: `Attempt ${attempt.fence.attempt} of run ${attempt.run.id} does not own the run any more.`,
    details: { run: attempt.run.id, attempt: attempt.fence.attempt },
  });
  attempt.abort(lost);
  throw lost;
}

/** Rejects with a signal's reason when it is aborted; `done` takes the listener away. */
export function whenAborted(signal: AbortSignal): Readonly<{ aborted: Promise<never>; done: () => void }> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {}); // Whoever races it is told; nobody else has to be.
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return { aborted, done: () => signal.removeEventListener("abort", stop) };
}
