/** **flow** tasks with an order, written as a function. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import type { Flow, FlowContext, FlowSpec } from "./flow-context.ts";
import { nameSchema } from "./name-schema.ts";
import { type NoticeDeclaration, noticesSchema } from "./notice-declaration.ts";
import { noRetries, type RetryOptions, retrySchema } from "./retry-policy.ts";
import { type CheckedSchedule, type ScheduleDeclaration, scheduleSchema } from "./schedule-declaration.ts";
import { spanSchema } from "./span.ts";
import { type TriggerDeclaration, triggersSchema } from "./trigger-declaration.ts";

/** What happens when as many runs of a key are under way as its limit lets. */
export type ConcurrencyOptions<Params> = Readonly<{
  /** Names what must not be done too often at once, over all flows. Default: the flow. */
  key?: (params: Params) => string;
  /** Default 1. */
  limit?: number;
  /** `queue` (default): it waits its turn. `skip`: it does not run. `cancel-old`: the oldest makes way. */
  onConflict?: "queue" | "skip" | "cancel-old";
}>;

/** What `flow` takes beside a name and a function. */
export type FlowOptions<Schema extends z.ZodType> = Readonly<{
  description?: string;
  /** Parameters, as a zod object; CLI options, checks and forms are made of it. Default: none. */
  params?: Schema;
  /** Retries of the whole run; finished tasks are not done again. Default 0: tasks have retries of their own. */
  retries?: RetryOptions;
  /** How long one attempt of a run may take. Default: as long as it takes. */
  timeout?: string | number;
  /** Workers of this pool run it. Default `default`. */
  pool?: string;
  /** Higher ones go first; default 0. */
  priority?: number;
  concurrency?: ConcurrencyOptions<z.output<Schema>>;
  schedules?: readonly ScheduleDeclaration<z.input<Schema>>[];
  triggers?: readonly TriggerDeclaration<z.input<Schema>>[];
  notify?: readonly NoticeDeclaration[];
}>;

/** Order among queued runs. */
export const prioritySchema: z.ZodType<number, number> = z.int().min(-1000).max(1000);

/** Schedules of one flow or deployment. */
export const schedulesSchema: z.ZodType<CheckedSchedule[], unknown[]> = z.array(scheduleSchema).max(100);

const optionsSchema = z.strictObject({
  description: z.string().max(1000).default(""),
  params: z
    .custom<z.ZodType>(
      (value) => typeof value === "object" && value !== null && "_zod" in value,
      "is no schema of zod 4",
    )
    .optional(),
  retries: retrySchema.default(noRetries),
  timeout: spanSchema.refine((ms) => ms > 0, "must be longer than nothing").optional(),
  concurrency: z
    .strictObject({
      key: z
        .custom<(params: unknown) => string>((value) => typeof value === "function", "must be a function")
        .optional(),
      limit: z.int().min(1, "must be at least 1").max(10_000).default(1),
      onConflict: z.enum(["queue", "skip", "cancel-old"]).default("queue"),
    })
    .transform(({ key, ...rest }) => ({ key, ...rest }))
    .optional(),
  pool: nameSchema.default("default"),
  priority: prioritySchema.default(0),
  schedules: schedulesSchema.default([]),
  triggers: triggersSchema,
  notify: noticesSchema,
});

/**
 * Declares a flow.
 *
 * @example
 * ```ts
 * export const nightly = flow(
 *   "nightly",
 *   { schedules: [{ cron: "0 6 * * *", timezone: "Europe/London" }] },
 *   async (ctx) => {
 *     const urls = await find(ctx);
 *     return ctx.map(urls, (url) => download(ctx, url), { concurrency: 4 });
 *   },
 * );
 * ```
 * @param call - calls tasks. Each attempt calls it from its beginning; what stands outside of tasks must lead the same way.
 * @returns the flow, for `flows` of the project and for `ctx.run`.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault of the options.
 */
export function flow<Result, Schema extends z.ZodType = z.ZodObject<Record<never, never>>>(
  name: string,
  options: FlowOptions<Schema>,
  call: (ctx: FlowContext, params: z.output<Schema>) => Promise<Result>,
): Flow<z.input<Schema>, Result> {
  const parsed = z.strictObject({ name: nameSchema, options: optionsSchema }).safeParse({ name, options });
  const title = `The flow ${JSON.stringify(name)}`;
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), title);
  const checked = parsed.data!.options; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  refuseFaults(scheduleFaults(checked.schedules), title);
  const spec: FlowSpec = Object.freeze({
    name,
    description: checked.description,
    params: checked.params,
    retries: checked.retries,
    timeoutMs: checked.timeout,
    pool: checked.pool,
    priority: checked.priority,
    concurrency: checked.concurrency,
    schedules: checked.schedules,
    triggers: checked.triggers,
    notify: checked.notify,
    // It gets what its own schema has parsed.
    call: call as FlowSpec["call"],
  });
  return Object.freeze({ spec });
}

/** Schedules of one deployment are told apart by name. */
export function scheduleFaults(schedules: readonly CheckedSchedule[]): readonly Fault[] {
  if (schedules.length < 2) return [];
  return schedules.flatMap(({ name }, index) => {
    const path = `options.schedules[${index}].name`;
    if (name === undefined) return [{ path, problem: "must be given where there are several schedules" }];
    const first = schedules.findIndex((other) => other.name === name);
    return first === index ? [] : [{ path, problem: `"${name}" is also the name of schedules[${first}]` }];
  });
}
