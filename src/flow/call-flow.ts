/** `ctx.run`: a flow as part of another, in the same process, with a run of its own. */
import { LeatError } from "../errors/leat-error.ts";
import { newFlowRunId } from "../model/run-ids.ts";
import type { FlowRun, NewRun } from "../model/run-record.ts";
import { type Attempt, type AttemptOutcome, nameCall, refuseFenced } from "./attempt.ts";
import type { FlowSpec } from "./flow-context.ts";
import { keyLimitOf } from "./new-run.ts";
import { parseParams } from "./params.ts";
import { loadValue } from "./results.ts";
import { fromStoredError } from "./stored-error.ts";
import { askedKey } from "./task-key.ts";

/** Flows within flows: deeper is a flow that calls itself. */
const depthMax = 10;

/** First and longest pause between two looks at a key that is taken, ms. */
const pauseMs = 100;
const pauseMsMax = 2000;

/** Executes an attempt; handed in, because it is what calls this. */
export type ExecuteChild = (run: FlowRun, flow: FlowSpec, parent: Attempt) => Promise<AttemptOutcome>;

/** See `FlowContext.run`. */
export async function callFlow(
  attempt: Attempt,
  execute: ExecuteChild,
  flow: FlowSpec,
  input: unknown,
  ownKey: string | undefined,
): Promise<unknown> {
  const { json, params } = parseParams(flow, input);
  const { key } = nameCall(attempt, `${flow.name}:${askedKey(flow.name, ownKey, [json])}`);
  if (attempt.depth >= depthMax) {
    throw new LeatError("FLOW_MISUSED", {
      message: `The flow "${flow.name}" is called ${depthMax} flows deep.`,
      hint: "A flow that calls itself must end; do the repetition in a task, or in ctx.map.",
    });
  }
  const { world, run } = attempt;
  const child: NewRun = {
    id: newFlowRunId(),
    flow: flow.name,
    deployment: flow.name,
    pool: run.pool,
    params: json,
    priority: run.priority,
    startAtMs: world.ledger.nowMs(),
    scheduledAtMs: run.scheduledAtMs,
    lateAtMs: null,
    cause: { kind: "parent" },
    keyLimit: keyLimitOf(flow, params),
    idempotencyKey: null,
    coalesceKey: null,
  };
  for (;;) {
    const owned = await attempt.room.work(() => adopt(attempt, key, child));
    if (owned.isEnded) return resultOf(attempt, owned.run);
    const outcome = await execute(owned.run, flow, attempt);
    if (outcome.status === "succeeded") return outcome.value;
    if (outcome.status === "failed") throw outcome.error;
    if (outcome.status === "retry") {
      const waitMs = outcome.run.startAtMs - world.ledger.nowMs();
      await attempt.room.work(() => world.clock.sleep(Math.max(waitMs, 0), attempt.signal));
      continue;
    }
    // Given back with the outermost run, or another's: whatever follows is the next attempt's.
    attempt.signal.throwIfAborted();
    return refuseFenced(attempt, "fenced");
  }
}

/** Takes the sub-flow's run, waiting for its key where it is taken. */
async function adopt(
  attempt: Attempt,
  key: string,
  child: NewRun,
): Promise<Readonly<{ isEnded: boolean; run: FlowRun }>> {
  const { world } = attempt;
  const by = { workerId: world.workerId, codeVersion: world.codeVersion };
  for (let tries = 0; ; tries++) {
    attempt.signal.throwIfAborted();
    const adopted = await world.ledger.adoptRun(attempt.fence, key, child, by);
    if (adopted.status === "fenced") refuseFenced(attempt, "fenced");
    else if (adopted.status !== "limited") return { isEnded: adopted.status === "ended", run: adopted.run };
    await world.clock.sleep(Math.min(pauseMs * 1.5 ** tries, pauseMsMax), attempt.signal);
  }
}

async function resultOf(attempt: Attempt, run: FlowRun): Promise<unknown> {
  if (run.state === "succeeded") return loadValue(attempt.world.results, run.result);
  if (run.error !== null) throw fromStoredError(run.error);
  throw new LeatError("RUN_CANCELLED", {
    message: `The sub-flow ${run.id} of "${run.flow}" was cancelled${run.cancelReason === null ? "" : `: ${run.cancelReason}`}.`,
    details: { run: run.id },
  });
}
