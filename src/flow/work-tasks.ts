/** Tasks that sync streams and build datasets, for ready-made flows and for one's own. */
import { hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { JsonObject } from "../model/json-value.ts";
import type {
  CheckedDataset,
  DatasetPublication,
  PlannedFile,
  PlannedShare,
  PlannedStream,
  UntidiedFile,
} from "../ports/project-work.ts";
import type { FlowContext } from "./flow-context.ts";
import { type Task, task } from "./task.ts";
import { useWork, workWorld } from "./use-work.ts";

/** Tries after the first of a step whose failure may pass: a partner's bad hour is not over in a minute. */
const stepRetries = { max: 3, delay: "10s", factor: 3, jitter: 0.3 } as const;

/** Steps of one process at a time that write to the warehouse. */
const warehouseLimit = { name: "warehouse", concurrency: 1 };

/** Files that are laid out at once, over all runs: each reading process may take 2 GB in the worst case. */
const tidiedAtOnce = 2;

/** How often a dataset is checked again because another build has published first. */
const roundsMax = 4;

/** What became of a dataset. */
export type BuiltDataset = Exclude<DatasetPublication, { status: "superseded" }> &
  Readonly<{ filesRead: number; warnings: readonly string[] }>;

/** Chosen streams with their tenants, parents first; names and ids as on the command line, none: all. */
export const planStreams: Task<[readonly string[], readonly string[]], readonly PlannedStream[]> = task(
  "plan-streams",
  {},
  (ctx, names: readonly string[], tenants: readonly string[]) => useWork(ctx).planStreams(names, tenants),
);

/** Chosen datasets, and before each those that it reads; none: all. */
export const planDatasets: Task<[readonly string[]], readonly string[]> = task(
  "plan-datasets",
  {},
  (ctx, names: readonly string[]) => useWork(ctx).planDatasets(names),
);

/**
 * Loads into the warehouse what is landed of a stream, `source.stream`, for these tenants. `news` names what was landed:
 * a load of other news is done again when a run is retried.
 */
export const loadStream: Task<[string, readonly string[], readonly string[]], JsonObject> = task(
  "load",
  {
    retries: stepRetries,
    limit: warehouseLimit,
    key: (stream, tenants, news) => `${stream} ${hash("sha256", JSON.stringify([tenants, news]))}`,
    consumes: (stream) => [`stream:${stream}`],
    produces: (stream) => [`table:${stream}`],
  },
  (ctx, stream: string, tenants: readonly string[]) =>
    tenants.length === 0 ? {} : useWork(ctx).load(stream, tenants, workWorld(ctx)),
);

/** Chosen shares, for each tenant that takes part; names and ids as on the command line, none: all. */
export const planShares: Task<[readonly string[], readonly string[]], readonly PlannedShare[]> = task(
  "plan-shares",
  {},
  (ctx, names: readonly string[], tenants: readonly string[]) => useWork(ctx).planShares(names, tenants),
);

/** Delivers a share to a tenant: what the tenant's warehouse lacks of it. */
export const shareTenant: Task<[string, string], JsonObject> = task(
  "share",
  { retries: stepRetries },
  (ctx, share: string, tenant: string) => useWork(ctx).share(share, tenant, workWorld(ctx)),
);

/** Files of a dataset that have to be laid out: those to be given to `tidyFile`. */
export const findUntidied: Task<[string], readonly UntidiedFile[]> = task(
  "list-files",
  { retries: stepRetries },
  (ctx, dataset: string) => useWork(ctx).listUntidied(dataset, workWorld(ctx)),
);

/** Lays out one file of a dataset, so that its check finds the rows. */
export const tidyFile: Task<[string, UntidiedFile], JsonObject> = task(
  "tidy",
  { retries: { ...stepRetries, max: 1 }, limit: { name: "tidy", concurrency: tidiedAtOnce } },
  (ctx, dataset: string, file: UntidiedFile) => useWork(ctx).tidy(dataset, file, workWorld(ctx)),
);

/** Makes a dataset's rows of what is landed and loaded, and checks them and its rules. Nobody sees them yet. */
export const checkDataset: Task<[string], CheckedDataset> = task(
  "check",
  { retries: { ...stepRetries, max: 1 }, limit: warehouseLimit },
  (ctx, dataset: string) => useWork(ctx).check(dataset, workWorld(ctx)),
);

/** Publishes what was checked, where its rows are others than those of the newest version. */
export const publishDataset: Task<[CheckedDataset], DatasetPublication> = task(
  "publish",
  {
    retries: stepRetries,
    limit: warehouseLimit,
    consumes: ({ inputs }) => inputs ?? [],
    produces: ({ dataset }) => [`dataset:${dataset}`],
  },
  (ctx, checked: CheckedDataset) => useWork(ctx).publish(checked, workWorld(ctx)),
);

/**
 * Builds a dataset: lays out the files that are new, checks rows and rules, publishes a version where rows have changed;
 * each in tasks of their own.
 */
export async function buildDataset(ctx: FlowContext, dataset: string): Promise<BuiltDataset> {
  const files = await findUntidied(ctx, dataset);
  await ctx.map(files, (file) => tidyFile(ctx, dataset, file), {
    concurrency: tidiedAtOnce,
    onError: "continue",
  });
  for (let round = 1; round <= roundsMax; round++) {
    const checked = await checkDataset(ctx, dataset);
    const published = await publishDataset(ctx, checked);
    if (published.status === "superseded") continue;
    return { ...published, filesRead: files.length + checked.filesRead, warnings: checked.warnings };
  }
  throw new LeatError("STATE_CONFLICT", {
    message: `The dataset ${dataset}: other builds published first ${roundsMax} times; this one changed nothing.`,
    details: { dataset },
  });
}

/** Files that a stream of files, `source.stream`, has to offer to a tenant: those to be given to `downloadFile`. */
export const findFiles: Task<[string, string], readonly PlannedFile[]> = task(
  "find",
  { retries: stepRetries },
  (ctx, stream: string, tenant: string) => useWork(ctx).findFiles(stream, tenant, workWorld(ctx)),
);

/** Downloads one file, by its id, and lands it. One at a time: each is an entry of the one log of its stream. */
export const downloadFile: Task<[string, string, string], JsonObject> = task(
  "download",
  {
    retries: stepRetries,
    limit: { name: "downloads", concurrency: 1 },
    produces: (stream: string, _tenant: string, _id: string) => [`stream:${stream}`],
  },
  (ctx, stream: string, tenant: string, id: string) =>
    useWork(ctx).extract(stream, tenant, workWorld(ctx), [id]),
);

const extracts = new Map<string, Task<[string, string], JsonObject>>();

/**
 * Lands what is new of one stream, `source.stream`, for one tenant.
 *
 * @param perSource - extracts of the stream's source at once, over all runs and workers at one ledger.
 */
export function extractStream(perSource: number): (source: string) => Task<[string, string], JsonObject> {
  return (source) => {
    const name = `${perSource} ${source}`;
    const known = extracts.get(name);
    if (known !== undefined) return known;
    const limit = { name: limitName(source), concurrency: perSource };
    const made: Task<[string, string], JsonObject> = task(
      "extract",
      {
        retries: stepRetries,
        limit,
        consumes: [`source:${source}`],
        produces: (stream: string, _tenant: string) => [`stream:${stream}`],
      },
      (ctx, stream: string, tenant: string) => useWork(ctx).extract(stream, tenant, workWorld(ctx)),
    );
    extracts.set(name, made);
    return made;
  };
}

/** A source may have any name; a limit's is typed by people. */
const limitName = (source: string): string =>
  `source.${source.replaceAll(/[^A-Za-z0-9_.-]/g, "_").slice(0, 80)}`;
