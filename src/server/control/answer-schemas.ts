/**
 * What the control API answers, as JSON Schema: types of clients are made of it. Answers are printed as they are and not
 * by these; the tests hold each answer against its schema.
 */
import type { FastifyInstance } from "fastify";
import { runStates } from "../../model/run-state.ts";
import { taskStates } from "../../model/run-task-state.ts";

/** A part of a description. */
export type AnswerSchema = Readonly<Record<string, unknown>>;

export const text: AnswerSchema = { type: "string" };
export const count: AnswerSchema = { type: "integer", minimum: 0 };
export const flag: AnswerSchema = { type: "boolean" };
export const instant: AnswerSchema = { type: "string", format: "date-time" };
/** Any JSON. */
export const anyJson: AnswerSchema = {};
export const anyObject: AnswerSchema = { type: "object", additionalProperties: true };
export const texts: AnswerSchema = { type: "array", items: text };

/** The same, or nothing. */
export const orNull = (schema: AnswerSchema): AnswerSchema =>
  typeof schema["type"] === "string"
    ? { ...schema, type: [schema["type"], "null"] }
    : { anyOf: [schema, { type: "null" }] };

/** An object with exactly these members. */
export const record = (
  properties: Readonly<Record<string, AnswerSchema>>,
  optional: Readonly<Record<string, AnswerSchema>> = {},
): AnswerSchema => ({
  type: "object",
  additionalProperties: false,
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});

export const listOf = (items: AnswerSchema): AnswerSchema => ({ type: "array", items });

const problem = {
  description: "What went wrong.",
  content: { "application/problem+json": { schema: ref("Problem") } },
};

/** Answers of a route: this one, or a problem document. */
export const answers = (schema: AnswerSchema, status = 200): Readonly<Record<string, AnswerSchema>> => ({
  [status]: schema,
  "4xx": problem,
  "5xx": problem,
});

/** Records that answers are made of. */
type RecordName =
  | "Problem"
  | "Run"
  | "Attempt"
  | "Task"
  | "Artifact"
  | "Line"
  | "Event"
  | "Schedule"
  | "Standing"
  | "Place";

/** One of the records below, by its name. */
export function ref(name: RecordName): AnswerSchema {
  return { $ref: `${name}#` };
}

const storedError = record(
  {
    code: text,
    message: text,
    hint: orNull(text),
    retryable: flag,
    details: anyObject,
  },
  { name: text },
);

const records: Readonly<Record<RecordName, AnswerSchema>> = {
  Problem: {
    ...record(
      { type: text, title: text, status: count, detail: text, code: text, retryable: flag },
      { hint: text, details: anyObject, causes: texts },
    ),
    description: "A problem document (RFC 9457) with leat's error code.",
  },
  Run: record({
    id: text,
    flow: text,
    deployment: text,
    pool: text,
    state: { enum: runStates },
    attempt: count,
    params: anyJson,
    cause: {
      type: "object",
      required: ["kind"],
      properties: {
        kind: { enum: ["manual", "schedule", "backfill", "event", "parent"] },
        by: text,
        schedule: text,
        trigger: text,
        event: count,
      },
    },
    key: orNull(text),
    tenant: orNull(text),
    parent: orNull(text),
    scheduled_at: orNull(instant),
    created_at: instant,
    started_at: orNull(instant),
    ended_at: orNull(instant),
    wake_at: orNull(instant),
    is_late: flag,
    code_version: orNull(text),
    is_code_changed: flag,
    worker: orNull(text),
    cancel_reason: orNull(text),
    result: anyJson,
    error: orNull(storedError),
  }),
  Attempt: record({
    attempt: count,
    worker: text,
    code_version: orNull(text),
    started_at: instant,
    ended_at: orNull(instant),
    end: orNull(text),
  }),
  Task: record({
    key: text,
    name: text,
    kind: { enum: ["task", "sleep", "approval"] },
    ordinal: count,
    state: { enum: taskStates },
    attempt: count,
    tries: count,
    input: orNull(text),
    limit: orNull(text),
    is_cached: flag,
    produces: texts,
    consumes: texts,
    opened_at: instant,
    started_at: orNull(instant),
    ended_at: orNull(instant),
    retry_at: orNull(instant),
    wake_at: orNull(instant),
    result: anyJson,
    error: orNull(storedError),
  }),
  Artifact: record({
    name: text,
    kind: { enum: ["table", "markdown", "link", "progress"] },
    task: orNull(text),
    data: anyJson,
    updated_at: instant,
  }),
  Line: record(
    {
      id: count,
      at: instant,
      level: { enum: ["debug", "info", "warn", "error"] },
      task: orNull(text),
      attempt: count,
      message: text,
    },
    { data: anyObject },
  ),
  Event: record({ id: count, at: instant, kind: text, subject: text, run: orNull(text), data: anyObject }),
  Schedule: record({
    id: text,
    deployment: text,
    ticks: anyObject,
    catch_up: { enum: ["skip", "last", "all"] },
    params: anyJson,
    is_paused: flag,
    late_after_ms: orNull(count),
    handled_to: instant,
    next: listOf(instant),
    missed: {
      ...count,
      description: "Ticks that have passed while it is paused; at most 10,000 are counted.",
    },
  }),
  Place: {
    ...record({ cursor: orNull(text), scanned_to: orNull(text), next: orNull(text) }),
    description:
      "Where a stream stands: the newest value landed, up to where all was asked for, and where the next range begins.",
  },
  Standing: {
    ...record(
      { tenant: text },
      {
        cursor: orNull(text),
        scanned_to: orNull(text),
        next: orNull(text),
        seq: count,
        committed_at: instant,
        lag_ms: { ...orNull(count), description: "Age of the newest record that is landed." },
        freshness_ms: { ...count, description: "Since anything was committed." },
      },
    ),
    description: "Where a stream stands for a tenant; only the tenant where nothing was landed yet.",
  },
};

/** A run that was handed in, and what became of it. */
export const submitted: AnswerSchema = record({
  outcome: { enum: ["created", "exists", "coalesced", "skipped"] },
  run: ref("Run"),
});

/** Makes the records known to the routes, and has answers printed as they are. */
export function addAnswerSchemas(app: FastifyInstance): void {
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  for (const [name, schema] of Object.entries(records)) app.addSchema({ $id: name, ...schema });
}
