/** What makes a deployment run beside its schedules: events, webhooks, and events that did not come. */
import { z } from "zod";
import type { FlowEvent } from "../model/run-record.ts";
import { nameSchema } from "./name-schema.ts";
import { cronFieldSchema, zoneSchema } from "./schedule-declaration.ts";

/** Which events. */
export type EventMatch = Readonly<
  | {
      /** A stream got new packages: `shop.orders`. */
      on: "stream.packages";
      stream: string;
    }
  | {
      /** A dataset got a new version. */
      on: "dataset.version";
      dataset: string;
    }
  | {
      /** A run of a deployment ended so. */
      on: "run.succeeded" | "run.failed" | "run.recovered" | "run.late";
      deployment: string;
    }
  | {
      /** A request to the webhook of this name, with its secret. */
      on: "webhook";
      webhook: string;
      /** Where the secret is: `env:NAME`. */
      secret: string;
    }
  | {
      /** Any event that the project's own code tells of. */
      on: "event";
      kind: string;
      subject?: string;
    }
>;

/** What makes a deployment run. */
export type TriggerDeclaration<Input = unknown> = (
  | EventMatch
  | Readonly<{
      on: "absence";
      /** The event that should have come… */
      of: EventMatch;
      /** …between one tick of this cron expression and the next. */
      by: string;
      timezone?: string;
    }>
) &
  Readonly<{
    /** Parameters of the run. A function makes them of the event, and then each event has a run of its own. */
    params?: Partial<Input> | ((event: FlowEvent) => Partial<Input>);
    /**
     * Whether an event that comes while a run of this trigger is still queued is left to that run. Default: yes, unless
     * `params` is a function.
     */
    coalesce?: boolean;
  }>;

const text = z.string().min(1, "must not be empty").max(300);

const matchSchemas = [
  z.strictObject({ on: z.literal("stream.packages"), stream: text }),
  z.strictObject({ on: z.literal("dataset.version"), dataset: text }),
  z.strictObject({
    on: z.enum(["run.succeeded", "run.failed", "run.recovered", "run.late"]),
    deployment: nameSchema,
  }),
  z.strictObject({
    on: z.literal("webhook"),
    webhook: nameSchema,
    secret: z.string().regex(/^(env|file|gcp-secret):/, "must be a reference such as env:HOOK_SECRET"),
  }),
  z.strictObject({ on: z.literal("event"), kind: text, subject: text.optional() }),
] as const;

const runOptions = {
  params: z
    .union([
      z.record(z.string(), z.unknown()),
      z.custom<(event: FlowEvent) => Record<string, unknown>>((value) => typeof value === "function"),
    ])
    .optional(),
  coalesce: z.boolean().optional(),
};

const triggerSchema = z.discriminatedUnion(
  "on",
  [
    matchSchemas[0].extend(runOptions),
    matchSchemas[1].extend(runOptions),
    matchSchemas[2].extend(runOptions),
    matchSchemas[3].extend(runOptions),
    matchSchemas[4].extend(runOptions),
    z.strictObject({
      on: z.literal("absence"),
      of: z.discriminatedUnion("on", [...matchSchemas]),
      by: cronFieldSchema,
      timezone: zoneSchema,
      ...runOptions,
    }),
  ],
  { error: "is no trigger: its `on` must be one of those documented" },
);

/** Triggers of one deployment. */
export const triggersSchema: z.ZodType<readonly TriggerDeclaration[], unknown> = z
  .array(triggerSchema)
  .max(100)
  .default([])
  // Optional members that zod types as possibly undefined are absent then.
  .transform((triggers) => triggers as readonly TriggerDeclaration[]);
