/** **task** one retryable step of a flow, whose result is kept. */
import { z } from "zod";
import { faultsOf, refuseFaults } from "../errors/faults.ts";
import { LeatError } from "../errors/leat-error.ts";
import {
  type FlowContext,
  isFlowContext,
  type TaskContext,
  type TaskLabels,
  type TaskSpec,
  taskCaller,
} from "./flow-context.ts";
import { nameSchema } from "./name-schema.ts";
import { isRetryable, noRetries, type RetryOptions, retrySchema } from "./retry-policy.ts";
import { spanSchema } from "./span.ts";

/** Names of what is made or read, always or by the arguments of the call. */
export type Labels<Args extends readonly unknown[]> =
  | readonly string[]
  | ((...args: Args) => readonly string[]);

/** What `task` takes beside a name and a function. */
export type TaskOptions<Args extends readonly unknown[]> = Readonly<{
  /** Tries after the first, or how; default 0. */
  retries?: RetryOptions;
  /** Whether a failure is worth another try. Default: all are, but for a LeatError that says it is not. */
  retryIf?: (error: unknown) => boolean;
  /** How long one try may take, such as `"10m"`. Default: as long as it takes. `ctx.signal` is aborted then. */
  timeout?: string | number;
  /**
   * Names what is asked, for arguments that are not plain JSON or are large. Default: the hash of the arguments. Takes
   * what the task takes, with the types written out.
   */
  key?: (...args: Args) => string;
  /** Keeps the result for other runs too: for `ttl`, under `key` (default: what names the call). */
  cache?: Readonly<{ ttl: string | number; key?: (...args: Args) => string }>;
  /** At most `concurrency` tasks of this limit's name at once, over all runs and workers at one ledger. */
  limit?: Readonly<{ name: string; concurrency: number }>;
  /**
   * What it makes and reads, for lineage: `dataset:deaths`, `table:shop.orders`, `stream:shop.orders`, `source:shop`, or
   * names of your own. A function takes what the task takes, with the types written out.
   */
  produces?: Labels<Args>;
  consumes?: Labels<Args>;
}>;

/** A task, called with the context of its flow and its own arguments. */
export interface Task<Args extends readonly unknown[], Result> {
  (ctx: FlowContext, ...args: Args): Promise<Result>;
  readonly spec: TaskSpec;
}

const functionSchema = z.custom<(...args: readonly unknown[]) => string>(
  (value) => typeof value === "function",
  "must be a function",
);

/** Labels of one call: few and short, since every task run has them. */
const labelsSchema = z.array(z.string().min(1).max(200)).max(100);

const labels = z
  .union([
    labelsSchema,
    z.custom<(...args: readonly unknown[]) => readonly string[]>((value) => typeof value === "function"),
  ])
  .default([]);

const optionsSchema = z.strictObject({
  retries: retrySchema.default(noRetries),
  retryIf: z
    .custom<(error: unknown) => boolean>((value) => typeof value === "function", "must be a function")
    .default(() => isRetryable),
  timeout: spanSchema.refine((ms) => ms > 0, "must be longer than nothing").optional(),
  key: functionSchema.optional(),
  cache: z.strictObject({ ttl: spanSchema, key: functionSchema.optional() }).optional(),
  limit: z
    .strictObject({ name: nameSchema, concurrency: z.int().min(1, "must be at least 1").max(10_000) })
    .optional(),
  produces: labels,
  consumes: labels,
});

/**
 * What a call makes or reads.
 *
 * @throws LeatError `FLOW_MISUSED` when a function of the author's gives what are no labels.
 */
export function labelsOf(
  { name, produces, consumes }: Pick<TaskSpec, "name" | "produces" | "consumes">,
  args: readonly unknown[],
): Readonly<{ produces: readonly string[]; consumes: readonly string[] }> {
  const read = (declared: TaskLabels, what: string): readonly string[] => {
    if (typeof declared !== "function") return declared;
    const parsed = labelsSchema.safeParse(declared(...args));
    if (parsed.success) return parsed.data;
    throw new LeatError("FLOW_MISUSED", {
      message: `The task "${name}": its \`${what}\` gave what are no labels.`,
      hint: "Return up to 100 texts of up to 200 characters, such as `dataset:deaths`.",
    });
  };
  return { produces: read(produces, "produces"), consumes: read(consumes, "consumes") };
}

/**
 * Declares a task.
 *
 * @example
 * ```ts
 * const download = task("download", { retries: 3, timeout: "5m" }, async (ctx, url: string) => {
 *   const answer = await fetch(url, { signal: ctx.signal });
 *   return answer.text();
 * });
 * ```
 * @param call - does the work. It may be called again after a crash, so what it does must bear that. What it returns must be plain JSON.
 * @returns a function for the code of flows: a result that is there already is returned without a call.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault of the options.
 */
export function task<Args extends readonly unknown[], Result>(
  name: string,
  options: TaskOptions<Args>,
  call: (ctx: TaskContext, ...args: Args) => Result,
): Task<Args, Awaited<Result>> {
  const parsed = z.strictObject({ name: nameSchema, options: optionsSchema }).safeParse({ name, options });
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), `The task ${JSON.stringify(name)}`);
  const checked = parsed.data!.options; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  const spec: TaskSpec = Object.freeze({
    name,
    retries: checked.retries,
    retryIf: checked.retryIf,
    timeoutMs: checked.timeout,
    key: checked.key,
    cache: checked.cache === undefined ? undefined : { ttlMs: checked.cache.ttl, key: checked.cache.key },
    limit: checked.limit,
    produces: checked.produces,
    consumes: checked.consumes,
    // The arguments are those that the task was called with, whose types its own signature has checked.
    call: call as TaskSpec["call"],
  });
  const run = (ctx: FlowContext, ...args: Args): Promise<Awaited<Result>> => {
    if (!isFlowContext(ctx)) {
      throw new LeatError("FLOW_MISUSED", {
        message: `The task "${name}" was not given the context of a flow.`,
        hint: "Call it from the flow's function, with that function's `ctx`. A task does not call tasks.",
      });
    }
    return ctx[taskCaller](spec, args) as Promise<Awaited<Result>>; // What `call` returned, or its equal from the ledger.
  };
  return Object.freeze(Object.assign(run, { spec }));
}
