/** What the ledger keeps of flow runs. Instants are ms since the epoch. */
import type { JsonObject, JsonValue } from "./json-value.ts";
import type { FlowRunId, WorkerId } from "./run-ids.ts";
import type { RunMove, RunState } from "./run-state.ts";
import type { TaskState } from "./run-task-state.ts";

/**
 * A value as the ledger keeps it: its JSON, or the key of the object that holds it. Where there is none at all, `null`
 * stands instead, which is `undefined` in JavaScript.
 */
export type StoredValue = Readonly<{ json: string } | { ref: string; bytes: number }>;

/** A failure as the ledger keeps it; no secret in it. */
export type StoredError = Readonly<{
  /** Code of a LeatError; `null`: any other error. */
  code: string | null;
  name: string;
  message: string;
  hint: string | null;
  retryable: boolean;
  details: JsonObject;
  stack: string | null;
}>;

/** Why a run is there. */
export type RunCause = Readonly<
  | { kind: "manual"; by: string }
  | { kind: "schedule"; schedule: string }
  | { kind: "backfill"; schedule: string; by: string }
  | { kind: "event"; trigger: string; event: number }
  | { kind: "parent" }
>;

/** How many runs of one key may be under way, and what becomes of one more. */
export type KeyLimit = Readonly<{
  key: string;
  limit: number;
  onConflict: "queue" | "skip" | "cancel-old";
}>;

const foreground = "(foreground) ";

/** Pool of the one run of a person at a terminal: nobody else claims from it, and nobody takes its run over. */
export const foregroundPoolOf = (workerId: WorkerId): string => `${foreground}${workerId}`;

/** Whose pool it is; `undefined`: no person's at a terminal. */
export function foregroundWorker(pool: string): string | undefined {
  return pool.startsWith(foreground) ? pool.slice(foreground.length) : undefined;
}

/** A run to be. */
export type NewRun = Readonly<{
  id: FlowRunId;
  flow: string;
  deployment: string;
  /** Workers of this pool claim it. */
  pool: string;
  params: JsonValue;
  /** Higher ones go first; 0 is usual. */
  priority: number;
  startAtMs: number;
  /** The tick it stands for. */
  scheduledAtMs: number | null;
  /** When it is late if it has not ended well. */
  lateAtMs: number | null;
  cause: RunCause;
  keyLimit: KeyLimit | null;
  /** A second run of the same key is the first. */
  idempotencyKey: string | null;
  /** While a run of this key is queued and was never claimed, no other is made. */
  coalesceKey: string | null;
}>;

/** A run as it stands. */
export type FlowRun = NewRun &
  Readonly<{
    state: RunState;
    /** How often it was claimed; the number that fences writes. */
    attempt: number;
    /** Attempts that ended with the death of their worker, and retries by the flow's `retries`. */
    lostCount: number;
    retryCount: number;
    /** The run that called it as a sub-flow, and the outermost one; `null` and itself where nobody did. */
    parentId: FlowRunId | null;
    rootId: FlowRunId;
    /** Name of the call within its parent. */
    parentKey: string | null;
    /** Code of its first attempt; whether a later one ran on other code. */
    codeVersion: string | null;
    isCodeChanged: boolean;
    /** Who owns it, or did last. */
    workerId: WorkerId | null;
    createdAtMs: number;
    startedAtMs: number | null;
    endedAtMs: number | null;
    wakeAtMs: number | null;
    isLate: boolean;
    cancelReason: string | null;
    error: StoredError | null;
    result: StoredValue | null;
    /** Whom its parameter `tenant` names; `null`: nobody. */
    tenant: string | null;
  }>;

/** What a flow has written to its outputs is read by its worker, and written down so long after its end at most, ms. */
const lateLinesMs = 1000;

/** Whether no line will come any more to the log of a run; `undefined`: it is gone. */
export const isLogOver = (run: FlowRun | undefined, nowMs: number): boolean =>
  run === undefined || (run.endedAtMs !== null && Math.abs(nowMs - run.endedAtMs) > lateLinesMs);

/** Names the attempt that writes. */
export type Fence = Readonly<{ runId: FlowRunId; attempt: number }>;

/** One attempt of a run. */
export type RunAttempt = Readonly<{
  runId: FlowRunId;
  attempt: number;
  workerId: WorkerId;
  codeVersion: string | null;
  startedAtMs: number;
  endedAtMs: number | null;
  /** The move that ended it. */
  end: RunMove | null;
}>;

/** What a task run is: a task's function, a sleep, or a question. */
export type TaskKind = "task" | "sleep" | "approval";

/** One call of a task within a run, as it stands. */
export type TaskRun = Readonly<{
  runId: FlowRunId;
  /** `name:key:n`: what its result is found by, whatever the order of calls. */
  key: string;
  name: string;
  kind: TaskKind;
  /** Order of first calls, from 1. */
  ordinal: number;
  state: TaskState;
  /** The run's attempt that wrote it last. */
  attempt: number;
  /** How often its function was called, over all attempts. */
  tryCount: number;
  /** Beginning of its arguments, for people. */
  input: string | null;
  limitName: string | null;
  isCached: boolean;
  produces: readonly string[];
  consumes: readonly string[];
  result: StoredValue | null;
  error: StoredError | null;
  openedAtMs: number;
  startedAtMs: number | null;
  endedAtMs: number | null;
  retryAtMs: number | null;
  wakeAtMs: number | null;
}>;

/** How loud a line is. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** A line of a run's log, to be written. */
export type NewLogLine = Readonly<{
  /** Number within this writer and attempt, from 1: a line that is written twice is there once. */
  seq: number;
  atMs: number;
  level: LogLevel;
  taskKey: string | null;
  message: string;
  data: JsonObject | null;
}>;

/** A line of a run's log. Ids rise in the order in which lines of a run were written. */
export type LogLine = Omit<NewLogLine, "seq"> & Readonly<{ id: number; runId: FlowRunId; attempt: number }>;

/** Something that happened: a run ended, a stream got packages, a webhook came. Triggers and notices begin here. */
export type NewEvent = Readonly<{
  kind: string;
  /** What it happened to: a deployment, `source.stream`, a dataset, a webhook. */
  subject: string;
  data: JsonObject;
  runId: FlowRunId | null;
  /** A second event of the same key is the first; `null`: none is. */
  dedupKey: string | null;
}>;

/** An event of the ledger. Ids rise in the order in which events became visible. */
export type FlowEvent = NewEvent & Readonly<{ id: number; atMs: number; isHandled: boolean }>;

/** What a run shows to people. */
export type ArtifactKind = "table" | "markdown" | "link" | "progress";

/** **artifact** a table, text, link or progress bar that a flow run shows; a second one of a name replaces the first. */
export type Artifact = Readonly<{
  runId: FlowRunId;
  name: string;
  kind: ArtifactKind;
  taskKey: string | null;
  data: JsonValue;
  updatedAtMs: number;
}>;

/** A process that executes runs. */
export type WorkerRecord = Readonly<{
  id: WorkerId;
  /** `foreground`: one run of a person at a terminal; nobody takes it over. */
  kind: "worker" | "foreground";
  pools: readonly string[];
  /** Runs that it executes at once. */
  slots: number;
  /** Machine and process namespace; processes of one host can look whether a pid is alive. */
  host: string;
  pid: number;
  codeVersion: string | null;
  /** How long it may be silent before it counts as dead. */
  leaseMs: number;
  startedAtMs: number;
  seenAtMs: number;
}>;
