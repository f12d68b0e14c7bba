/** A call of a task: its result from the ledger (F5), or its function with its limit, its time and its retries. */
import { LeatError } from "../errors/leat-error.ts";
import type { TaskRun } from "../model/run-record.ts";
import type { TaskOpening } from "../ports/ledger.ts";
import { projectWork, type WithProjectWork } from "../ports/project-work.ts";
import { createArtifactWriter } from "./artifact-writer.ts";
import { type Attempt, nameCall, refuseFenced, whenAborted } from "./attempt.ts";
import { encodeValue } from "./encode-value.ts";
import type { TaskContext, TaskSpec } from "./flow-context.ts";
import { loadValue, storeValue } from "./results.ts";
import { retryDelayMs } from "./retry-policy.ts";
import { fromStoredError, toError, toStoredError } from "./stored-error.ts";
import { labelsOf } from "./task.ts";
import { askedKey } from "./task-key.ts";

/** Characters of a task's arguments that people are shown. */
const inputLengthMax = 500;

/** First and longest pause between two looks at a limit that is reached, ms. */
const limitPauseMs = 50;
const limitPauseMsMax = 1000;

/** A call as it goes on: what names it, and what the ledger is told when it is opened. */
type Call = Readonly<{ spec: TaskSpec; args: readonly unknown[]; key: string; opening: TaskOpening }>;

/**
 * Calls a task for an attempt.
 *
 * Its key is counted before anything is awaited, so that calls are numbered in the order in which the flow makes them.
 */
export function callTask(attempt: Attempt, spec: TaskSpec, args: readonly unknown[]): Promise<unknown> {
  const called = (async () => {
    const own = spec.key?.(...args);
    const asked = askedKey(spec.name, own, args);
    const { key, known } = nameCall(attempt, `${spec.name}:${asked}`);
    const cacheKey = spec.cache && `${spec.name}:${spec.cache.key?.(...args) ?? asked}`;
    return attempt.room.work(() => perform(attempt, { spec, args, key, known, cacheKey }));
  })();
  called.catch(() => {}); // It is in the log; a flow that does not await it must not end the process.
  return called;
}

type Asked = Readonly<{
  spec: TaskSpec;
  args: readonly unknown[];
  key: string;
  known: TaskRun | undefined;
  cacheKey: string | undefined;
}>;

async function perform(attempt: Attempt, asked: Asked): Promise<unknown> {
  const { spec, args, key, known, cacheKey } = asked;
  const { world } = attempt;
  if (known?.state === "succeeded") {
    tell(attempt, key, spec.name, "succeeded", { isKept: true });
    return loadValue(world.results, known.result);
  }
  if (known?.state === "failed" && known.error !== null) {
    tell(attempt, key, spec.name, "failed", { isKept: true, error: known.error.message });
    throw fromStoredError(known.error);
  }
  attempt.signal.throwIfAborted();
  const opening: TaskOpening = {
    key,
    name: spec.name,
    kind: "task",
    ordinal: known?.ordinal ?? attempt.nextOrdinal(),
    input: describeInput(attempt, args),
    ...labelsOf(spec, args),
    limit: spec.limit ?? null,
    wait: null,
  };
  if (cacheKey !== undefined) {
    const cached = await useCached(attempt, spec, opening, cacheKey);
    if (cached !== undefined) return cached.value;
  }
  await untilDue(attempt, known);
  return tryUntilDone(attempt, { spec, args, key, opening }, cacheKey);
}

/** The first of the arguments, for people; what is no JSON is left out. */
function describeInput(attempt: Attempt, args: readonly unknown[]): string | null {
  if (args.length === 0) return null;
  const shown = args.map((arg) => {
    try {
      return encodeValue(arg, "An argument") ?? "undefined";
    } catch {
      return "…";
    }
  });
  return attempt.world.redact(shown.join(", ")).slice(0, inputLengthMax);
}

/** The result of another run, written down as this one's too. */
async function useCached(
  attempt: Attempt,
  spec: TaskSpec,
  opening: TaskOpening,
  cacheKey: string,
): Promise<Readonly<{ value: unknown }> | undefined> {
  const { world, run } = attempt;
  const hit = await world.ledger.readCached(cacheKey);
  if (hit === undefined) return undefined;
  let value: unknown;
  try {
    value = await loadValue(world.results, hit.result);
  } catch {
    return undefined; // Its object went with the run that made it: then it is made again.
  }
  const result = await storeValue(world.results, run.id, value, resultOf(spec));
  refuseFenced(attempt, await world.ledger.openTask(attempt.fence, { ...opening, limit: null }));
  const change = { move: "succeed", result, isCached: true, cache: null } as const;
  refuseFenced(attempt, await world.ledger.changeTask(attempt.fence, opening.key, change));
  tell(attempt, opening.key, spec.name, "succeeded", { isKept: true });
  return { value };
}

const resultOf = (spec: TaskSpec): string => `The result of task "${spec.name}"`;

/** An attempt that died between two tries leaves the time of the next one. */
async function untilDue(attempt: Attempt, known: TaskRun | undefined): Promise<void> {
  if (known?.state !== "retrying" || known.retryAtMs === null) return;
  const waitMs = known.retryAtMs - attempt.world.ledger.nowMs();
  if (waitMs > 0) await attempt.world.clock.sleep(waitMs, attempt.signal);
}

async function tryUntilDone(attempt: Attempt, call: Call, cacheKey: string | undefined): Promise<unknown> {
  const { world, log } = attempt;
  const { spec, key } = call;
  for (let number = 1; ; number++) {
    const tried = await tryOnce(attempt, call, cacheKey);
    if ("value" in tried) return tried.value;
    // What ended the run from outside is no failure of the task: the row stays as it is, for the next attempt.
    if (attempt.signal.aborted) throw attempt.signal.reason;
    const error = toStoredError(tried.error, world.redact);
    const isLast = number > spec.retries.max || !isWorthRetry(spec, tried.error);
    const count = spec.retries.max === 0 ? "" : ` (try ${number} of ${spec.retries.max + 1})`;
    if (isLast) {
      log.write("error", key, `failed${count}: ${error.message}`);
      refuseFenced(attempt, await world.ledger.changeTask(attempt.fence, key, { move: "fail", error }));
      tell(attempt, key, spec.name, "failed", { error: error.message });
      throw toError(tried.error);
    }
    const delayMs = retryDelayMs(spec.retries, number, world.fraction());
    log.write("warn", key, `failed${count}, is tried again in ${delayMs} ms: ${error.message}`);
    const retryAtMs = world.ledger.nowMs() + delayMs;
    refuseFenced(
      attempt,
      await world.ledger.changeTask(attempt.fence, key, { move: "retry", error, retryAtMs }),
    );
    tell(attempt, key, spec.name, "retrying", { error: error.message });
    await world.clock.sleep(delayMs, attempt.signal);
  }
}

function isWorthRetry(spec: TaskSpec, error: unknown): boolean {
  try {
    return spec.retryIf(error);
  } catch {
    return false; // It is the author's own code; the failure of the task is what matters.
  }
}

type Tried = Readonly<{ value: unknown } | { error: unknown }>;

/** One try, within the limit of the task. */
async function tryOnce(attempt: Attempt, call: Call, cacheKey: string | undefined): Promise<Tried> {
  const { limit } = call.spec;
  const once = async (): Promise<Tried> => {
    await openWithinLimit(attempt, call);
    const startedMs = attempt.world.clock.nowMs();
    tell(attempt, call.key, call.spec.name, "running", {});
    try {
      const value = await invoke(attempt, call);
      await finish(attempt, call, value, cacheKey);
      tell(attempt, call.key, call.spec.name, "succeeded", { ms: attempt.world.clock.nowMs() - startedMs });
      return { value };
    } catch (error) {
      return { error };
    }
  };
  return limit === undefined ? once() : attempt.world.gates.within(limit, attempt.signal, once);
}

/** Asks for a slot until there is one. */
async function openWithinLimit(attempt: Attempt, call: Call): Promise<void> {
  const { world } = attempt;
  for (let tries = 0; ; tries++) {
    const opened = refuseFenced(attempt, await world.ledger.openTask(attempt.fence, call.opening));
    if (opened === "opened") return;
    if (tries === 0) tell(attempt, call.key, call.spec.name, "waiting", {});
    const pauseMs = Math.min(limitPauseMs * 1.5 ** tries, limitPauseMsMax) * (0.5 + world.fraction());
    await world.clock.sleep(pauseMs, attempt.signal);
  }
}

/** Calls the task's function, and gives up on it when its time is up or the run is ended from outside. */
async function invoke(attempt: Attempt, { spec, args, key }: Call): Promise<unknown> {
  const { world } = attempt;
  const timer = new AbortController();
  const ended = new AbortController();
  const { timeoutMs } = spec;
  if (timeoutMs !== undefined) {
    world.clock.sleep(timeoutMs, ended.signal).then(
      () => timer.abort(timeoutError(spec, timeoutMs)),
      () => {},
    );
  }
  const signal = timeoutMs === undefined ? attempt.signal : AbortSignal.any([attempt.signal, timer.signal]);
  const context: TaskContext & WithProjectWork = {
    info: attempt.info,
    task: { name: spec.name, key },
    signal,
    log: attempt.log.logger(key),
    artifact: createArtifactWriter(attempt, key),
    idempotencyKey: `${attempt.run.id}:${key}`,
    [projectWork]: world.work,
  };
  const { aborted, done } = whenAborted(signal);
  const work = (async () => spec.call(context, ...args))();
  attempt.room.watch(work);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    done();
    ended.abort();
  }
}

const timeoutError = (spec: TaskSpec, timeoutMs: number): LeatError =>
  new LeatError("TASK_TIMEOUT", {
    message: `The task "${spec.name}" took longer than ${timeoutMs} ms.`,
    details: { task: spec.name, timeoutMs },
  });

/** Writes the result down; only then the task is finished. */
async function finish(
  attempt: Attempt,
  { spec, key }: Call,
  value: unknown,
  cacheKey: string | undefined,
): Promise<void> {
  const { world, run, fence } = attempt;
  const result = await storeValue(world.results, run.id, value, resultOf(spec));
  const expiresAtMs = world.ledger.nowMs() + (spec.cache?.ttlMs ?? 0);
  const cache = cacheKey === undefined ? null : { key: cacheKey, expiresAtMs };
  const change = { move: "succeed", result, isCached: false, cache } as const;
  refuseFenced(attempt, await world.ledger.changeTask(fence, key, change));
}

/** Tells of a task's state. */
export function tell(
  attempt: Attempt,
  key: string,
  name: string,
  state: TaskRun["state"],
  more: Readonly<{ isKept?: boolean; ms?: number; error?: string }>,
): void {
  attempt.world.tell({
    type: "task",
    runId: attempt.run.id,
    key,
    name,
    state,
    isKept: more.isKept ?? false,
    ms: more.ms,
    error: more.error,
  });
}
