/** Executes one attempt of a run from its beginning to its end in the ledger. */
import { LeatError } from "../errors/leat-error.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { AttemptEnd, AttemptEnded } from "../ports/ledger.ts";
import { createArtifactWriter } from "./artifact-writer.ts";
import { type Attempt, type AttemptOutcome, openAttempt, whenAborted } from "./attempt.ts";
import { callFlow } from "./call-flow.ts";
import { callTask } from "./call-task.ts";
import { failureEnd } from "./failure-end.ts";
import { type FlowContext, type FlowSpec, isFlow, type TaskCaller, taskCaller } from "./flow-context.ts";
import { mapItems } from "./map-items.ts";
import { parseParams } from "./params.ts";
import { storeValue } from "./results.ts";
import type { RunWorld } from "./run-world.ts";
import { toError, toStoredError } from "./stored-error.ts";
import { askApproval, sleepFor, sleepUntil } from "./wait-for.ts";
import type { Parked } from "./waiting-room.ts";

/** How long an attempt that is ended from outside, and tasks of one that is over, may take to end, ms (F16). */
export const graceMs = 10_000;

/**
 * Executes an attempt that this process has claimed.
 *
 * @param signal - ends it from outside. The reason says how: `INTERRUPTED` gives the run back to the queue, `RUN_LOST`
 *   leaves it to its new owner, and anything else ends it.
 * @returns how it ended; never rejects but where the ledger does.
 */
export async function executeRun(
  world: RunWorld,
  run: FlowRun,
  flow: FlowSpec,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  return execute(world, run, flow, undefined, signal);
}

async function execute(
  world: RunWorld,
  run: FlowRun,
  flow: FlowSpec,
  parent: Attempt | undefined,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const attempt = await openAttempt(world, run, flow, parent);
  const stop = (): void => attempt.abort(signal.reason);
  const ended = new AbortController();
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  world.live.set(run.id, attempt.abort);
  attempt.family.add(attempt);
  const { timeoutMs } = flow;
  if (timeoutMs !== undefined) {
    world.clock.sleep(timeoutMs, ended.signal).then(
      () => attempt.abort(timeoutError(attempt, timeoutMs)),
      () => {},
    );
  }
  try {
    world.tell({ type: "run", runId: run.id, flow: run.flow, attempt: run.attempt, state: "running" });
    if (run.codeVersion !== world.codeVersion) await tellOtherCode(attempt);
    const { played, reason } = await play(attempt, parent === undefined);
    return await conclude(attempt, played, reason);
  } finally {
    ended.abort();
    signal.removeEventListener("abort", stop);
    world.live.delete(run.id);
    attempt.family.delete(attempt);
    if (parent === undefined) attempt.room.close();
  }
}

/** Code was deployed since the run began, or since its worker did: the run is marked, and says so. */
async function tellOtherCode(attempt: Attempt): Promise<void> {
  const { world, run, fence } = attempt;
  const before = run.attempt === 1 ? "was claimed for" : "began with";
  const told = `${before} code ${run.codeVersion}, and is executed with ${world.codeVersion}`;
  attempt.log.write("warn", null, told);
  await world.ledger.noteCode(fence, world.codeVersion); // One that lost its run hears so at its next write.
}

const timeoutError = (attempt: Attempt, timeoutMs: number): LeatError =>
  new LeatError("RUN_TIMEOUT", {
    message: `The run ${attempt.run.id} of "${attempt.flow.name}" took longer than ${timeoutMs} ms.`,
    details: { run: attempt.run.id, timeoutMs },
  });

/** What the flow's function came to. */
type Played = Readonly<{ value: unknown } | { error: unknown } | { parked: Parked }>;

/**
 * Calls the flow's function and waits until it and all that it has begun are over, or everything waits.
 *
 * @returns `reason`: what ended it from outside; `undefined`: nothing did.
 */
async function play(
  attempt: Attempt,
  isOutermost: boolean,
): Promise<Readonly<{ played: Played; reason: unknown }>> {
  const { world, room, signal } = attempt;
  const { aborted, done } = whenAborted(signal);
  const patience = new AbortController();
  const call = (async (): Promise<Played> => {
    const { params } = parseParams(attempt.flow, attempt.run.params);
    return { value: await attempt.flow.call(createContext(attempt), params) };
  })().catch((error: unknown): Played => ({ error: toError(error) }));
  room.watch(call);
  const graceIsOver = (): Promise<void> => world.clock.sleep(graceMs, patience.signal);
  try {
    const played = await Promise.race([
      call,
      ...(isOutermost ? [room.parked.then((parked): Played => ({ parked }))] : []),
      aborted.catch(async (error: unknown): Promise<Played> => {
        await graceIsOver();
        return { error };
      }),
    ]);
    // Before its own failure aborts it: an error of the flow's code may have the code of a reason, and is none.
    const reason: unknown = signal.aborted ? signal.reason : undefined;
    if ("parked" in played) return { played, reason };
    // Tasks that nobody awaited: they end by themselves after a success, and are told to after a failure.
    if ("error" in played && !signal.aborted) attempt.abort(toError(played.error));
    const isIdle = room.idle();
    await ("error" in played
      ? Promise.race([isIdle, graceIsOver()])
      : Promise.race([isIdle, aborted.catch(graceIsOver)]));
    return { played, reason };
  } finally {
    done();
    patience.abort();
  }
}

/** Writes the end of the attempt. */
async function conclude(attempt: Attempt, played: Played, reason: unknown): Promise<AttemptOutcome> {
  const { world, run, log, room } = attempt;
  const isDirty = room.hasStrays;
  if (codeOf(reason) === "RUN_LOST") {
    await log.close().catch(() => {}); // Its lines are refused; the new owner's are what counts.
    return { status: "fenced", next: [], isDirty };
  }
  const { end, error } = await decideEnd(attempt, played, reason);
  if (error !== undefined && end.move !== "release") {
    const stored = toStoredError(error, world.redact);
    log.write("error", null, `${end.move === "retry" ? "will be retried" : "failed"}: ${stored.message}`);
  }
  if (end.move === "suspend") await leaveFamily(attempt);
  await log.close();
  const answer = await world.ledger.endAttempt(attempt.fence, end);
  if (answer.status === "fenced") return { status: "fenced", next: [], isDirty };
  const { state } = answer.run;
  world.tell({ type: "run", runId: run.id, flow: run.flow, attempt: run.attempt, state });
  return { ...outcomeOf(end, error, played, answer), next: answer.next, isDirty };
}

/** Sub-flows that wait never end in this attempt: their lines are written, and nobody can abort them any more. */
async function leaveFamily(attempt: Attempt): Promise<void> {
  for (const one of attempt.family) {
    if (one === attempt) continue;
    await one.log.close();
    attempt.world.live.delete(one.run.id);
  }
}

function outcomeOf(
  end: AttemptEnd,
  error: unknown,
  played: Played,
  { run }: AttemptEnded & { status: "ended" },
):
  | { status: "succeeded"; value: unknown; run: FlowRun }
  | { status: "failed"; error: unknown; run: FlowRun }
  | { status: "retry" | "suspended" | "released"; run: FlowRun } {
  if (run.state === "succeeded")
    return { status: "succeeded", value: "value" in played ? played.value : undefined, run };
  if (run.state === "cancelled" || run.state === "failed") return { status: "failed", error, run };
  if (end.move === "retry") return { status: "retry", run };
  return { status: end.move === "release" ? "released" : "suspended", run };
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** Which end an attempt has. */
async function decideEnd(
  attempt: Attempt,
  played: Played,
  reason: unknown,
): Promise<Readonly<{ end: AttemptEnd; error: unknown }>> {
  const { world, run, flow } = attempt;
  if ("parked" in played) {
    const lost = forgottenSleep(attempt);
    if (lost !== undefined) return failed(attempt, lost);
    return { end: { move: "suspend", ...played.parked }, error: undefined };
  }
  if ("value" in played) {
    try {
      const what = `The result of flow "${flow.name}"`;
      const result = await storeValue(world.results, run.id, played.value, what);
      return { end: { move: "succeed", result }, error: undefined };
    } catch (error) {
      return failed(attempt, error);
    }
  }
  const code = codeOf(reason);
  if (code === "INTERRUPTED") return { end: { move: "release" }, error: reason };
  // A sub-flow that is ended with its parent has not failed by itself.
  if (code === "RUN_CANCELLED" || (reason !== undefined && reason === attempt.parentSignal?.reason)) {
    return { end: { move: "stop", error: toStoredError(reason, world.redact) }, error: reason };
  }
  return failed(attempt, reason ?? played.error);
}

const failed = (attempt: Attempt, error: unknown): Readonly<{ end: AttemptEnd; error: unknown }> => ({
  end: failureEnd(attempt.world, attempt.run, attempt.flow, error),
  error,
});

/**
 * A sleep that is over and that this attempt did not come to, although everything in it waits: the flow computes its time
 * from the clock, and would sleep for ever.
 */
function forgottenSleep(attempt: Attempt): LeatError | undefined {
  const nowMs = attempt.world.ledger.nowMs();
  for (const one of attempt.family) {
    for (const task of one.memo.values()) {
      const isOver = task.state === "succeeded" || (task.wakeAtMs !== null && task.wakeAtMs <= nowMs);
      if (task.kind !== "sleep" || !isOver || one.asked.has(task.key)) continue;
      return new LeatError("FLOW_NOT_REPEATABLE", {
        message: `The flow "${one.flow.name}" slept (${task.key}) and did not ask for that again when it was resumed.`,
        hint: 'Give sleepUntil an instant that is the same at every attempt, or use ctx.sleep("1h").',
        details: { run: one.run.id, key: task.key },
      });
    }
  }
  return undefined;
}

function createContext(attempt: Attempt): FlowContext & TaskCaller {
  const { world } = attempt;
  const executeChild = (run: FlowRun, flow: FlowSpec): Promise<AttemptOutcome> =>
    execute(world, run, flow, attempt, attempt.signal);
  return Object.freeze({
    info: attempt.info,
    signal: attempt.signal,
    log: attempt.log.logger(null),
    artifact: createArtifactWriter(attempt, null),
    map: (items, call, options = {}) => mapItems(items, call, options),
    run: async (flow, params, options = {}) => {
      if (!isFlow(flow)) {
        throw new LeatError("FLOW_MISUSED", {
          message: "ctx.run was given something that is no flow.",
          hint: "Give it what flow(...) returned.",
        });
      }
      // What the flow's function returned, or its equal from the ledger.
      return (await callFlow(attempt, executeChild, flow.spec, params, options.key)) as never;
    },
    sleep: (span, options = {}) => sleepFor(attempt, span, options.key),
    sleepUntil: (at) => sleepUntil(attempt, at),
    approve: (question, options = {}) => askApproval(attempt, question, options),
    [taskCaller]: (spec, args) => callTask(attempt, spec, args),
  } satisfies FlowContext & TaskCaller);
}
