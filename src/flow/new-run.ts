/** Runs to be, made of flows and deployments. */
import { LeatError } from "../errors/leat-error.ts";
import { newFlowRunId } from "../model/run-ids.ts";
import type { KeyLimit, NewRun, RunCause } from "../model/run-record.ts";
import type { Deployment } from "./deployment.ts";
import type { FlowSpec } from "./flow-context.ts";
import { parseParams } from "./params.ts";

/** Characters of a key: it stands in an index. */
const keyLengthMax = 500;

/** What a run has beside what its deployment says. */
export type NewRunFacts = Readonly<{
  /** Over those of the deployment. */
  params?: Readonly<Record<string, unknown>> | undefined;
  cause: RunCause;
  startAtMs: number;
  scheduledAtMs?: number | undefined;
  lateAfterMs?: number | undefined;
  pool?: string | undefined;
  priority?: number | undefined;
  idempotencyKey?: string | undefined;
  coalesceKey?: string | undefined;
}>;

/**
 * Makes a run of a deployment.
 *
 * @throws LeatError `PARAMS_INVALID`, `VALUE_TOO_LARGE`, `FLOW_MISUSED` where the flow's own key fails.
 */
export function newRunOf(deployment: Deployment, facts: NewRunFacts): NewRun {
  const { json, params } = parseParams(deployment.flow, { ...deployment.params, ...facts.params });
  const { scheduledAtMs, lateAfterMs } = facts;
  return {
    id: newFlowRunId(),
    flow: deployment.flow.name,
    deployment: deployment.name,
    pool: facts.pool ?? deployment.pool,
    params: json,
    priority: facts.priority ?? deployment.priority,
    startAtMs: facts.startAtMs,
    scheduledAtMs: scheduledAtMs ?? null,
    lateAtMs: lateAfterMs === undefined ? null : (scheduledAtMs ?? facts.startAtMs) + lateAfterMs,
    cause: facts.cause,
    keyLimit: keyLimitOf(deployment.flow, params),
    idempotencyKey: facts.idempotencyKey ?? null,
    coalesceKey: facts.coalesceKey ?? null,
  };
}

/** The key that a run of a flow holds; the flow's own name where it names none. */
export function keyLimitOf(flow: FlowSpec, params: unknown): KeyLimit | null {
  const { concurrency } = flow;
  if (concurrency === undefined) return null;
  const key = concurrency.key === undefined ? `flow:${flow.name}` : makeKey(flow, concurrency.key, params);
  return { key, limit: concurrency.limit, onConflict: concurrency.onConflict };
}

function makeKey(flow: FlowSpec, key: (params: unknown) => string, params: unknown): string {
  let made: unknown;
  try {
    made = key(params);
  } catch (cause) {
    throw new LeatError("FLOW_MISUSED", {
      message: `\`concurrency.key\` of flow "${flow.name}" failed: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    });
  }
  if (typeof made === "string" && made !== "" && made.length <= keyLengthMax) return made;
  throw new LeatError("FLOW_MISUSED", {
    message: `\`concurrency.key\` of flow "${flow.name}" must give 1 to ${keyLengthMax} characters.`,
    details: { flow: flow.name },
  });
}
