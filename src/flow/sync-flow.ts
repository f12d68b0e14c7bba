/** Ready-made: syncs streams, one run per tenant and stream. */
import { z } from "zod";
import { LeatError } from "../errors/leat-error.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { PlannedStream } from "../ports/project-work.ts";
import { type FlowOptions, flow } from "./flow.ts";
import type { Flow } from "./flow-context.ts";
import { readyMade } from "./ready-made.ts";
import { extractStream, loadStream, planStreams } from "./work-tasks.ts";

/** Extracts of one source at once, unless said otherwise: what most partners' limits allow. */
const perSourceUsual = 4;

/** Sub-runs under way at once in one process; how many of them may extract is the source's limit. */
const subRunsMax = 50;

/** Failures told in the error of a sync; the others are in its sub-runs. */
const failuresToldMax = 10;

/** Parameters of a sync. */
export type SyncParams = {
  /** `source` or `source.stream`; none: all. */
  streams?: string[] | undefined;
  /** Ids; none: all. */
  tenants?: string[] | undefined;
};

const paramsSchema: z.ZodType<{ streams: string[]; tenants: string[] }, SyncParams> = z.object({
  streams: z
    .array(z.string())
    .default([])
    .meta({ description: "Sources or streams, such as shop or shop.orders. None: all of them." }),
  tenants: z.array(z.string()).default([]).meta({ description: "Tenants by id. None: all of them." }),
});

/** What `syncFlow` takes. */
export type SyncFlowOptions = Readonly<
  Pick<
    FlowOptions<typeof paramsSchema>,
    "schedules" | "triggers" | "notify" | "pool" | "priority" | "description"
  > & {
    /** Default `sync`. */
    name?: string;
    /** Extracts of one source at once, over all runs and workers. Default 4. */
    perSource?: number;
  }
>;

/** What became of one stream. */
export type SyncedStream = Readonly<{
  stream: string;
  tenants: number;
  failed: readonly string[];
  load: JsonObject;
}>;

/**
 * Makes a flow that lands what is new of every stream and tenant, each in a run of its own, and loads each stream once.
 *
 * One tenant's failure leaves the others served; the run then fails, and a retry of it does only what failed. Its loads
 * tell of new packages, which builds of datasets are triggered by.
 */
export function syncFlow(options: SyncFlowOptions = {}): Flow<SyncParams, readonly SyncedStream[]> {
  const { name = "sync", perSource = perSourceUsual, ...rest } = options;
  const extract = extractStream(perSource);
  const one = flow(
    `${name}.stream`,
    {
      description: "Lands what is new of one stream and tenant.",
      params: z.object({ stream: z.string(), tenant: z.string(), source: z.string() }),
      // Two syncs at once settle their race in the landing; one after the other asks the partner once.
      concurrency: { key: ({ stream, tenant }) => `${name}:${stream}:${tenant}` },
    },
    (ctx, { stream, tenant, source }) => extract(source)(ctx, stream, tenant),
  );
  const made = flow(
    name,
    {
      description: "Lands and loads what is new, for every stream and tenant.",
      ...rest,
      params: paramsSchema,
    },
    async (ctx, { streams, tenants }) => {
      const plan = await planStreams(ctx, streams, tenants);
      const done = new Map<string, Promise<unknown>>();
      const ended = await ctx.map(
        plan,
        async (planned): Promise<SyncedStream> => {
          const synced = syncOne(planned);
          done.set(planned.stream, synced);
          return synced;
        },
        { concurrency: subRunsMax },
      );
      refuseFailures(ended);
      return ended;

      /** A child begins when its parent has ended, however: the parents known so far still have news. */
      async function syncOne({ stream, source, parent, tenants: ids }: PlannedStream): Promise<SyncedStream> {
        if (parent !== null) await done.get(parent)?.catch(() => {});
        const failed: string[] = [];
        const news = await ctx.map(
          ids,
          async (tenant) => {
            try {
              const landed = await ctx.run(one, { stream, tenant, source }, { key: `${stream} ${tenant}` });
              return JSON.stringify(landed["packages"] ?? []);
            } catch (error) {
              ctx.signal.throwIfAborted();
              failed.push(`${stream} ${tenant}: ${error instanceof Error ? error.message : String(error)}`);
              return "failed";
            }
          },
          { concurrency: subRunsMax },
        );
        // Also where an extract failed: what earlier ones have sealed is loaded.
        const load = await loadStream(ctx, stream, ids, news);
        return { stream, tenants: ids.length, failed, load };
      }
    },
  );
  return Object.freeze({ spec: Object.freeze({ ...made.spec, [readyMade]: "sync" as const }) });
}

function refuseFailures(ended: readonly SyncedStream[]): void {
  const failed = ended.flatMap((one) => one.failed);
  if (failed.length === 0) return;
  const told = failed.slice(0, failuresToldMax).map((text) => `\n  ${text}`);
  const more = failed.length > failuresToldMax ? `\n  and ${failed.length - failuresToldMax} more` : "";
  throw new LeatError("FLOW_MAP_FAILED", {
    message: `${failed.length} of ${ended.reduce((sum, one) => sum + one.tenants, 0)} extracts failed; the others are loaded:${told.join("")}${more}`,
    hint: "A retry of the run does only the failed ones again.",
    details: { failed: failed.slice(0, failuresToldMax), failedCount: failed.length },
  });
}
