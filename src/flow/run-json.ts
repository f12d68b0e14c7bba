/** Runs as JSON: what the command line prints with `--json`, and the control API answers. */
import type {
  Artifact,
  FlowEvent,
  FlowRun,
  LogLine,
  RunAttempt,
  StoredError,
  StoredValue,
  TaskRun,
} from "../model/run-record.ts";

/** An instant as people and programs read it. */
export const printInstant = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString();

/** A run as JSON. */
export function printRunJson(run: FlowRun): Readonly<Record<string, unknown>> {
  return {
    id: run.id,
    flow: run.flow,
    deployment: run.deployment,
    pool: run.pool,
    state: run.state,
    attempt: run.attempt,
    params: run.params,
    cause: run.cause,
    key: run.keyLimit?.key ?? null,
    tenant: run.tenant,
    parent: run.parentId,
    scheduled_at: printInstant(run.scheduledAtMs),
    created_at: printInstant(run.createdAtMs),
    started_at: printInstant(run.startedAtMs),
    ended_at: printInstant(run.endedAtMs),
    wake_at: printInstant(run.wakeAtMs),
    is_late: run.isLate,
    code_version: run.codeVersion,
    is_code_changed: run.isCodeChanged,
    worker: run.workerId,
    cancel_reason: run.cancelReason,
    result: printStored(run.result),
    error: printStoredError(run.error),
  };
}

/** A value of the ledger as JSON; a large one says where it is. */
export function printStored(stored: StoredValue | null): unknown {
  if (stored === null) return null;
  return "json" in stored ? (JSON.parse(stored.json) as unknown) : { ref: stored.ref, bytes: stored.bytes };
}

/** A failure of the ledger as JSON, in the form of all failures. */
export function printStoredError(error: StoredError | null): unknown {
  if (error === null) return null;
  const { code, name, message, hint, retryable, details } = error;
  return { code: code ?? "FLOW_FAILED", ...(code === null && { name }), message, hint, retryable, details };
}

/** An attempt as JSON. */
export const printAttemptJson = (one: RunAttempt): Readonly<Record<string, unknown>> => ({
  attempt: one.attempt,
  worker: one.workerId,
  code_version: one.codeVersion,
  started_at: printInstant(one.startedAtMs),
  ended_at: printInstant(one.endedAtMs),
  end: one.end,
});

/** A task run as JSON. */
export const printTaskJson = (one: TaskRun): Readonly<Record<string, unknown>> => ({
  key: one.key,
  name: one.name,
  kind: one.kind,
  ordinal: one.ordinal,
  state: one.state,
  attempt: one.attempt,
  tries: one.tryCount,
  input: one.input,
  limit: one.limitName,
  is_cached: one.isCached,
  produces: one.produces,
  consumes: one.consumes,
  opened_at: printInstant(one.openedAtMs),
  started_at: printInstant(one.startedAtMs),
  ended_at: printInstant(one.endedAtMs),
  retry_at: printInstant(one.retryAtMs),
  wake_at: printInstant(one.wakeAtMs),
  result: printStored(one.result),
  error: printStoredError(one.error),
});

/** An artifact as JSON. */
export const printArtifactJson = (one: Artifact): Readonly<Record<string, unknown>> => ({
  name: one.name,
  kind: one.kind,
  task: one.taskKey,
  data: one.data,
  updated_at: printInstant(one.updatedAtMs),
});

/** A line of a log as JSON. */
export const printLineJson = (line: LogLine): Readonly<Record<string, unknown>> => ({
  id: line.id,
  at: printInstant(line.atMs),
  level: line.level,
  task: line.taskKey,
  attempt: line.attempt,
  message: line.message,
  ...(line.data !== null && { data: line.data }),
});

/** An event as JSON. */
export const printEventJson = (event: FlowEvent): Readonly<Record<string, unknown>> => ({
  id: event.id,
  at: printInstant(event.atMs),
  kind: event.kind,
  subject: event.subject,
  run: event.runId,
  data: event.data,
});
