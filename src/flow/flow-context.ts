/** What the code of flows and tasks is given, and what flows and tasks are once they are checked. */
import type { z } from "zod";
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { NoticeDeclaration } from "./notice-declaration.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import type { CheckedSchedule } from "./schedule-declaration.ts";
import type { TriggerDeclaration } from "./trigger-declaration.ts";

/** Writes lines into the run's log; secrets are taken out of them. `data` must be plain JSON. */
export interface RunLogger {
  debug(message: string, data?: JsonObject): void;
  info(message: string, data?: JsonObject): void;
  warn(message: string, data?: JsonObject): void;
  error(message: string, data?: JsonObject): void;
}

/** Shows things of the run to people. A second artifact of a name replaces the first. */
export interface ArtifactWriter {
  /** A table of at most 1,000 rows. */
  table(name: string, rows: readonly JsonObject[]): Promise<void>;
  markdown(name: string, text: string): Promise<void>;
  link(name: string, url: string, label?: string): Promise<void>;
  /** How far something is. Written once a second at most, and at the end. */
  progress(name: string, done: number, total: number): Promise<void>;
}

/** Which run this is. */
export type RunInfo = Readonly<{
  id: string;
  flow: string;
  deployment: string;
  /** 1 at first; another number means that it was resumed or retried. */
  attempt: number;
  /** The tick of the schedule that it stands for; `undefined`: none. Use it, and not the clock, for "which day". */
  scheduledAt: Date | undefined;
  createdAt: Date;
}>;

/** What a task's function is given. */
export type TaskContext = Readonly<{
  info: RunInfo;
  task: Readonly<{ name: string; key: string }>;
  /** Aborted when the run is cancelled or ends, and when the task's time is up. Hand it to whatever waits. */
  signal: AbortSignal;
  log: RunLogger;
  artifact: ArtifactWriter;
  /** Equal each time this call is made, also after a crash; for systems that do a thing once per key. */
  idempotencyKey: string;
}>;

/** How `ctx.map` goes about its items. */
export type MapOptions = Readonly<{
  /** Items under way at once, default 10. */
  concurrency?: number;
  /**
   * What happens when an item fails. `stop` (default): no more are begun, those under way are waited for, and the failure
   * is thrown. `continue`: all are tried, and `FLOW_MAP_FAILED` tells how many failed.
   */
  onError?: "stop" | "continue";
}>;

/** How `ctx.approve` asks. */
export type ApproveOptions = Readonly<{
  /** How long an answer is waited for, such as `"1d"`. Default: as long as it takes. */
  timeout?: string | number;
  /** Names the question where two have the same text. */
  key?: string;
}>;

/** A yes. A no is thrown as `APPROVAL_REFUSED`. */
export type Approval = Readonly<{ by: string; note: string | undefined; input: JsonValue; at: Date }>;

/** What a flow's function is given. What it does outside of tasks is done again by each attempt. */
export type FlowContext = Readonly<{
  info: RunInfo;
  signal: AbortSignal;
  log: RunLogger;
  artifact: ArtifactWriter;
  /** Calls a function for each item, some at once; results are in the order of the items. At most 100,000 items. */
  map<Item, Result>(
    items: Iterable<Item>,
    call: (item: Item, index: number) => Promise<Result>,
    options?: MapOptions,
  ): Promise<Result[]>;
  /** Runs another flow as a part of this one, in this process; its run is listed below this one. */
  run<Input, Result>(flow: Flow<Input, Result>, params: Input, options?: { key?: string }): Promise<Result>;
  /** Waits for a span, counted from the first time it is asked for. Long waits hold no process. */
  sleep(span: string | number, options?: { key?: string }): Promise<void>;
  /** Waits until an instant that is the same at every attempt; use `sleep` for "in an hour". */
  sleepUntil(at: Date | string | number): Promise<void>;
  /** Asks people a question, and waits for the answer. */
  approve(question: string, options?: ApproveOptions): Promise<Approval>;
}>;

/** Where a task finds its run in a context: a symbol of the registry, so that two copies of leat understand each other. */
export const taskCaller: unique symbol = Symbol.for("leat.flow.callTask");

/** What a flow's context has beside what its type shows. */
export type TaskCaller = Readonly<{
  [taskCaller]: (spec: TaskSpec, args: readonly unknown[]) => Promise<unknown>;
}>;

/** Whether a context is that of a flow, and not that of a task. */
export function isFlowContext(context: unknown): context is TaskCaller {
  return typeof context === "object" && context !== null && taskCaller in context;
}

/** What a task makes or reads, always or by its arguments. */
export type TaskLabels = readonly string[] | ((...args: readonly unknown[]) => readonly string[]);

/** A checked task. */
export type TaskSpec = Readonly<{
  name: string;
  retries: RetryPolicy;
  retryIf: (error: unknown) => boolean;
  timeoutMs: number | undefined;
  key: ((...args: readonly unknown[]) => string) | undefined;
  cache: Readonly<{ ttlMs: number; key: ((...args: readonly unknown[]) => string) | undefined }> | undefined;
  limit: Readonly<{ name: string; concurrency: number }> | undefined;
  produces: TaskLabels;
  consumes: TaskLabels;
  call: (context: TaskContext, ...args: readonly unknown[]) => unknown;
}>;

/** A checked flow. */
export type FlowSpec = Readonly<{
  name: string;
  description: string;
  params: z.ZodType | undefined;
  retries: RetryPolicy;
  timeoutMs: number | undefined;
  pool: string;
  priority: number;
  concurrency:
    | Readonly<{
        key: ((params: unknown) => string) | undefined;
        limit: number;
        onConflict: "queue" | "skip" | "cancel-old";
      }>
    | undefined;
  schedules: readonly CheckedSchedule[];
  triggers: readonly TriggerDeclaration[];
  notify: readonly NoticeDeclaration[];
  call: (context: FlowContext, params: unknown) => Promise<unknown>;
}>;

declare const inputOf: unique symbol;
declare const resultOf: unique symbol;

/** A flow; its type remembers what it takes and gives. Made by `flow`. */
export interface Flow<Input = unknown, Result = unknown> {
  readonly spec: FlowSpec;
  /** Only types; nothing is there. */
  readonly [inputOf]?: Input;
  readonly [resultOf]?: Result;
}

/** Tells a flow by its shape, also one of another copy of leat. */
export function isFlow(value: unknown): value is Flow {
  if (typeof value !== "object" || value === null || !("spec" in value)) return false;
  const { spec } = value;
  return typeof spec === "object" && spec !== null && "call" in spec && "concurrency" in spec;
}
