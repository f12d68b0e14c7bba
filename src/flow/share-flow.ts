/** Ready-made: brings customers' rows into their warehouses, triggered by news of the streams and datasets shared. */
import { z } from "zod";
import { LeatError } from "../errors/leat-error.ts";
import type { PlannedShare } from "../ports/project-work.ts";
import type { ShareSpec, ShareTable } from "../ports/share.ts";
import { type FlowOptions, flow } from "./flow.ts";
import { type Flow, isFlow } from "./flow-context.ts";
import { planShares, shareTenant } from "./work-tasks.ts";

/** Parameters of a share. */
export type ShareParams = {
  /** Names; none: all. */
  shares?: string[] | undefined;
  /** Ids; none: all that take part. */
  tenants?: string[] | undefined;
};

const paramsSchema: z.ZodType<{ shares: string[]; tenants: string[] }, ShareParams> = z.object({
  shares: z.array(z.string()).default([]),
  tenants: z.array(z.string()).default([]),
});

/** How many tenants a share was delivered to. */
export type SharedByName = Readonly<{ share: string; tenants: number }>;

/** What `shareFlow` takes. */
export type ShareFlowOptions = Readonly<
  Pick<
    FlowOptions<typeof paramsSchema>,
    "schedules" | "triggers" | "notify" | "pool" | "priority" | "description"
  > & {
    /** Default `share`. */
    name?: string;
    /** Whether it runs when a stream or dataset that is shared has news. Default: yes. */
    onNews?: boolean;
  }
>;

/** Marks a flow that is to be triggered by what the project's shares bring. */
const sharesOnNews: unique symbol = Symbol.for("leat.flow.sharesOnNews");

/** Tenants under way in one run: each may hold a process until its deadline. */
const tenantsAtOnce = 4;

/** Failures that a run's error tells one by one. */
const failuresToldMax = 20;

/**
 * Makes a flow that delivers shares, a task a tenant: one whose warehouse is broken delays nobody else's, and is told of
 * when all others have theirs.
 *
 * In `flows` of a project it runs by itself when a stream that is shared got packages, or a dataset a version: the shares
 * that bring it, and no others.
 */
export function shareFlow(options: ShareFlowOptions = {}): Flow<ShareParams, readonly SharedByName[]> {
  const { name = "share", onNews = true, ...rest } = options;
  const plain = flow(
    name,
    {
      description: "Brings customers' own rows into their warehouses.",
      ...rest,
      params: paramsSchema,
      concurrency: { limit: 1 }, // Two of one tenant would wait for each other's locks.
    },
    async (ctx, { shares, tenants }) => {
      const turns = await planShares(ctx, shares, tenants);
      const failures = await ctx.map(
        turns,
        async ({ share, tenant }: PlannedShare): Promise<string | null> => {
          try {
            await shareTenant(ctx, share, tenant);
            return null;
          } catch (error) {
            ctx.signal.throwIfAborted();
            return `${share}, tenant ${tenant}: ${error instanceof Error ? error.message : String(error)}`;
          }
        },
        { concurrency: tenantsAtOnce },
      );
      refuseFailures(failures);
      return [...new Set(turns.map(({ share }) => share))].map((share) => ({
        share,
        tenants: turns.filter((turn) => turn.share === share).length,
      }));
    },
  );
  return Object.freeze(onNews ? { spec: plain.spec, [sharesOnNews]: true } : { spec: plain.spec });
}

function refuseFailures(ended: readonly (string | null)[]): void {
  const failed = ended.filter((one) => one !== null);
  if (failed.length === 0) return;
  const told = failed.slice(0, failuresToldMax).map((text) => `\n  ${text}`);
  const more = failed.length > failuresToldMax ? `\n  and ${failed.length - failuresToldMax} more` : "";
  throw new LeatError("FLOW_MAP_FAILED", {
    message: `${failed.length} of ${ended.length} shares failed; the others are delivered:${told.join("")}${more}`,
    hint: "A retry of the run does only the failed ones again.",
    details: { failed: failed.slice(0, failuresToldMax), failedCount: failed.length },
  });
}

/** The project's flows; those that share on news have a trigger for each stream and dataset that is shared. */
export function withShareTriggers(flows: readonly Flow[], shares: readonly ShareSpec[]): readonly Flow[] {
  const news = [
    ...readersOf(shares, "stream").map(([stream, names]) => ({
      on: "stream.packages" as const,
      stream,
      params: { shares: names },
    })),
    ...readersOf(shares, "dataset").map(([dataset, names]) => ({
      on: "dataset.version" as const,
      dataset,
      params: { shares: names },
    })),
  ];
  return flows.map((one) => {
    if (!isFlow(one) || !(sharesOnNews in one)) return one;
    const triggers = [...one.spec.triggers, ...news];
    return Object.freeze({ spec: Object.freeze({ ...one.spec, triggers }) });
  });
}

/** Which shares bring each stream or dataset. */
function readersOf(
  shares: readonly ShareSpec[],
  wanted: ShareTable["kind"],
): readonly (readonly [string, readonly string[]])[] {
  const readers = new Map<string, string[]>();
  for (const { name, tables } of shares)
    for (const { kind, of } of tables)
      if (kind === wanted) readers.set(of, [...new Set([...(readers.get(of) ?? []), name])]);
  return [...readers];
}
