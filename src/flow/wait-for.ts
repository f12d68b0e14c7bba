/** `ctx.sleep`, `ctx.sleepUntil` and `ctx.approve`: waits that outlive the process (F14). */
import { LeatError } from "../errors/leat-error.ts";
import { parseDuration } from "../model/duration.ts";
import { isJsonObject, type JsonValue } from "../model/json-value.ts";
import type { TaskKind, TaskRun } from "../model/run-record.ts";
import { type Attempt, nameCall, refuseFenced } from "./attempt.ts";
import { tell } from "./call-task.ts";
import type { Approval, ApproveOptions } from "./flow-context.ts";
import { fromStoredError, toStoredError } from "./stored-error.ts";
import { askedKey } from "./task-key.ts";

/** A wait so short does not let go of the process, ms: to begin again costs as much. */
const shortMs = 5000;

/** Longest sleep of a timer, ms; node's own bound is 24.8 days. */
const timerMsMax = 3_600_000;

/** How often an answer is looked for where the process is held, ms. */
const answerPollMs = 500;

/** See `FlowContext.sleep`. */
export async function sleepFor(
  attempt: Attempt,
  span: string | number,
  key: string | undefined,
): Promise<void> {
  const spanMs = typeof span === "number" ? span : parseDuration(span);
  if (spanMs === undefined || !Number.isFinite(spanMs) || spanMs < 0) {
    throw new LeatError("FLOW_MISUSED", {
      message: `ctx.sleep: ${JSON.stringify(span)} is not a span.`,
      hint: 'Write "500ms", "30s", "15m", "24h", "7d", or milliseconds.',
    });
  }
  await waitOnce(
    attempt,
    `sleep:${askedKey("sleep", key ?? String(spanMs), [])}`,
    () => attempt.world.ledger.nowMs() + spanMs,
  );
}

/** See `FlowContext.sleepUntil`. */
export async function sleepUntil(attempt: Attempt, at: Date | string | number): Promise<void> {
  const atMs = new Date(at).getTime();
  if (Number.isNaN(atMs)) {
    throw new LeatError("FLOW_MISUSED", {
      message: `ctx.sleepUntil: ${String(at)} is no instant.`,
      hint: "Give a Date, milliseconds, or ISO 8601 with a zone such as 2026-12-24T06:00:00Z.",
    });
  }
  await waitOnce(attempt, `sleepUntil:${new Date(atMs).toISOString()}`, () => atMs);
}

/** Sleeps until the instant that was written down when it was asked for first. */
async function waitOnce(attempt: Attempt, asked: string, endMs: () => number): Promise<void> {
  const { key, known } = nameCall(attempt, asked);
  if (known?.state === "succeeded") return;
  const { ledger } = attempt.world;
  const wakeAtMs = known?.state === "waiting" && known.wakeAtMs !== null ? known.wakeAtMs : endMs();
  if (known?.state !== "waiting") await open(attempt, { key, known, kind: "sleep", input: null, wakeAtMs });
  const waitMs = wakeAtMs - ledger.nowMs();
  if (waitMs > shortMs && attempt.world.waits === "suspend") return attempt.room.park(wakeAtMs, false);
  await attempt.room.work(async () => {
    for (;;) {
      const leftMs = wakeAtMs - ledger.nowMs();
      if (leftMs <= 0) break;
      await attempt.world.clock.sleep(Math.min(leftMs, timerMsMax), attempt.signal);
    }
    const change = { move: "succeed", result: null, isCached: false, cache: null } as const;
    refuseFenced(attempt, await ledger.changeTask(attempt.fence, key, change));
    tell(attempt, key, "sleep", "succeeded", {});
  });
}

type Wait = Readonly<{
  key: string;
  known: TaskRun | undefined;
  kind: TaskKind & ("sleep" | "approval");
  input: string | null;
  wakeAtMs: number | null;
}>;

/** Writes a wait down. */
function open(attempt: Attempt, wait: Wait): Promise<void> {
  const ordinal = wait.known?.ordinal ?? attempt.nextOrdinal();
  return attempt.room.work(async () => {
    attempt.signal.throwIfAborted();
    const opening = {
      key: wait.key,
      name: wait.kind === "sleep" ? "sleep" : "approve",
      kind: wait.kind,
      ordinal,
      input: wait.input,
      produces: [],
      consumes: [],
      limit: null,
      wait: { wakeAtMs: wait.wakeAtMs },
    };
    refuseFenced(attempt, await attempt.world.ledger.openTask(attempt.fence, opening));
    tell(attempt, wait.key, opening.name, "waiting", {});
  });
}

/** See `FlowContext.approve`. */
export async function askApproval(
  attempt: Attempt,
  question: string,
  options: ApproveOptions,
): Promise<Approval> {
  const { key, known } = nameCall(attempt, `approve:${askedKey("approve", options.key ?? question, [])}`);
  if (known?.state === "succeeded") return readApproval(known);
  if (known?.state === "failed" && known.error !== null) throw fromStoredError(known.error);
  const { ledger } = attempt.world;
  const timeoutMs = readTimeout(options.timeout);
  const isAsked = known?.state === "waiting";
  const wakeAtMs = isAsked ? known.wakeAtMs : timeoutMs === undefined ? null : ledger.nowMs() + timeoutMs;
  if (!isAsked) {
    const input = attempt.world.redact(question).slice(0, questionLengthMax);
    await open(attempt, { key, known, kind: "approval", input, wakeAtMs });
    attempt.log.write("info", key, `asks: ${question}`);
  }
  const isOverdue = wakeAtMs !== null && wakeAtMs <= ledger.nowMs();
  if (attempt.world.waits === "suspend" && !isOverdue) return attempt.room.park(wakeAtMs, true);
  return attempt.room.work(() => untilAnswered(attempt, key, wakeAtMs, question));
}

/** Characters of a question that are kept. */
const questionLengthMax = 4000;

function readTimeout(timeout: string | number | undefined): number | undefined {
  const ms = typeof timeout === "string" ? parseDuration(timeout) : timeout;
  const isGood = timeout === undefined || (ms !== undefined && Number.isFinite(ms) && ms > 0);
  if (isGood) return ms;
  throw new LeatError("FLOW_MISUSED", {
    message: `ctx.approve: the timeout ${JSON.stringify(timeout)} is not a span.`,
    hint: 'Write "15m", "24h", "7d", or milliseconds.',
  });
}

/** Holds the process until somebody has answered or the time is up. */
async function untilAnswered(
  attempt: Attempt,
  key: string,
  wakeAtMs: number | null,
  question: string,
): Promise<Approval> {
  const { ledger, clock, redact } = attempt.world;
  for (;;) {
    const task = (await ledger.readTasks(attempt.run.id)).find((one) => one.key === key);
    if (task?.state === "succeeded") return readApproval(task);
    if (task?.state === "failed" && task.error !== null) throw fromStoredError(task.error);
    const leftMs = wakeAtMs === null ? answerPollMs : wakeAtMs - ledger.nowMs();
    if (leftMs <= 0) break;
    await clock.sleep(Math.min(leftMs, answerPollMs), attempt.signal);
  }
  const late = new LeatError("APPROVAL_TIMEOUT", {
    message: `Nobody answered in time: ${question}`,
    details: { run: attempt.run.id, key },
  });
  const change = { move: "fail", error: toStoredError(late, redact) } as const;
  refuseFenced(attempt, await ledger.changeTask(attempt.fence, key, change));
  tell(attempt, key, "approve", "failed", { error: late.message });
  throw late;
}

function readApproval(task: TaskRun): Approval {
  const stored = task.result !== null && "json" in task.result ? task.result.json : "{}";
  const answer = JSON.parse(stored) as JsonValue; // The ledger's `answerApproval` has written it.
  const { by, note, input, atMs } = isJsonObject(answer) ? answer : {};
  return {
    by: String(by),
    note: typeof note === "string" ? note : undefined,
    input: input ?? null,
    at: new Date(Number(atMs)),
  };
}
