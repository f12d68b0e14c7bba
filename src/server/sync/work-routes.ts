/** Work for all tenants at once, asked for by a scheduler: `/plan`, `/load`, `/build` and `/share`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { printErrorJson } from "../../errors/print-error.ts";
import type { JsonObject } from "../../model/json-value.ts";
import type { Project } from "../../ports/project.ts";
import type { Tenant } from "../../ports/source.ts";
import type { ServiceUsage } from "../../ports/warehouse.ts";
import { errorsOf, type ShareReport } from "../../share/print-outcome.ts";
import { chooseStreams, streamName } from "../../sync/choose.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";
import { readLandedTenants } from "../../sync/landed-tenants.ts";
import { itemError, type SyncItem, type SyncJob, type SyncPorts } from "../../sync/sync-job.ts";
import { syncProject } from "../../sync/sync-project.ts";
import { sendProblem } from "../problem.ts";
import { type PlannerPorts, planSyncs } from "./plan-syncs.ts";

/** What became of one dataset; `error`: it was not built. */
export type BuiltDataset = Readonly<{ dataset: string; facts: JsonObject; error: LeatError | undefined }>;

/** What the routes work with. */
export type WorkPorts = Readonly<{
  project: Project;
  readTenants: () => readonly Tenant[];
  sync: SyncPorts;
  redact: (text: string) => string;
  /** What `/plan` needs; `undefined`: this app has no queue. */
  openPlanner: (() => Promise<Omit<PlannerPorts, "project" | "readTenants" | "store" | "clock">>) | undefined;
  /** The app's own address for tasks; `undefined`: the one that the request for a plan was sent to. */
  appUrl: string | undefined;
  /** Builds datasets, each as far as it goes. @throws LeatError `DATASET_UNKNOWN`. */
  build: (names: readonly string[], signal: AbortSignal) => Promise<readonly BuiltDataset[]>;
  /** Delivers shares, each tenant's by itself. @throws LeatError `SHARE_UNKNOWN`, `TENANT_UNKNOWN`. */
  share: (
    names: readonly string[],
    tenants: readonly string[],
    signal: AbortSignal,
  ) => Promise<readonly ShareReport[]>;
}>;

/** Paths of the work: no stream is asked for by them alone. */
export const workPaths: ReadonlySet<string> = new Set(["/plan", "/load", "/build", "/share"]);

/** Failures told one by one in an answer. */
const failuresToldMax = 20;

/** Adds the routes. `signal` is aborted when the app stops. */
export function addWorkRoutes(app: FastifyInstance, ports: WorkPorts, signal: AbortSignal): void {
  app.post("/plan", async (request) => {
    readNames(request, undefined);
    return plan(ports, request, signal);
  });
  app.post("/load", async (request, reply) =>
    load(ports, readNames(request, "stream"), { request, reply, signal }),
  );
  app.post("/build", async (request, reply) =>
    build(ports, readNames(request, "dataset"), { request, reply, signal }),
  );
  app.post("/share", async (request, reply) => {
    const options = readOptions(request, ["share", "tenant_id"]);
    return share(ports, options.get("share") ?? [], options.get("tenant_id") ?? [], {
      request,
      reply,
      signal,
    });
  });
}

type Asked = Readonly<{ request: FastifyRequest; reply: FastifyReply; signal: AbortSignal }>;

async function plan(ports: WorkPorts, request: FastifyRequest, signal: AbortSignal): Promise<JsonObject> {
  if (ports.openPlanner === undefined) {
    throw new LeatError("CONFIG_INVALID", {
      message: "This app has no queue to plan syncs into.",
      hint: "Name one as LEAT_QUEUE, such as cloud-tasks://projects/my-project/locations/europe-west1/queues/leat-syncs.",
    });
  }
  const { project, readTenants, sync } = ports;
  const appUrl = ports.appUrl ?? ownUrl(request);
  const opened = await ports.openPlanner();
  const { store, clock } = sync;
  const outcome = await planSyncs({ project, readTenants, store, clock, ...opened }, appUrl, signal);
  const { fromMs, untilMs, enqueued, known } = outcome;
  const result = {
    from: new Date(fromMs).toISOString(),
    to: new Date(untilMs).toISOString(),
    enqueued,
    known,
  };
  request.log.info(result, "planned");
  return result;
}

/** The address that the request was sent to. Cloud Run takes requests by this very name, and none by another. */
const ownUrl = (request: FastifyRequest): string => {
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(request.host);
  return `${isLocal ? "http" : "https"}://${request.host}`;
};

/** Loads what is landed: one load a stream, for all its tenants. */
async function load(ports: WorkPorts, names: readonly string[], asked: Asked): Promise<FastifyReply> {
  const { project, sync } = ports;
  const tenants = ports.readTenants();
  const landed = await readLandedTenants(sync.store, chooseStreams(project, names), tenants);
  const streams = choosePairs({ project, tenants, landed }, { streams: names });
  const job: SyncJob = {
    streams,
    steps: "load",
    modeOf: () => ({ kind: "incremental" }),
    tenantColumn: project.tenantColumn,
    idempotencyKey: undefined, // What is loaded is not loaded again (I11).
    softDeadlineMs: undefined,
    conflictRetriesMax: 0,
    roundsMax: 1,
  };
  const before = sync.warehouse.usage?.();
  const { items } = await syncProject(sync, job, asked.signal);
  const usage = usageSince(before, sync.warehouse.usage?.());
  const sum = (of: readonly SyncItem[], read: (item: SyncItem) => number | undefined): number =>
    of.reduce((total, item) => total + (read(item) ?? 0), 0);
  const result = {
    streams: streams.map((stream) => {
      const own = items.filter((item) => item.spec === stream.spec);
      return {
        stream: streamName(stream),
        tenants: own.length,
        packages: sum(own, (item) => item.load?.packages),
        loaded: sum(own, (item) => item.load?.loaded),
        rejected: sum(own, (item) => item.load?.rejected),
        failed: own.filter((item) => itemError(item) !== undefined).length,
      };
    }),
    ...(usage !== undefined && { usage }),
  };
  const errors = items.flatMap((item) => itemError(item) ?? []);
  return finish(ports, asked, { what: "loaded", result, errors });
}

/** What a load took of the service's quotas, and what is billed for it; with others at the same time, theirs too. */
function usageSince(
  before: ServiceUsage | undefined,
  after: ServiceUsage | undefined,
): JsonObject | undefined {
  if (before === undefined || after === undefined) return undefined;
  return {
    load_jobs: after.loads - before.loads,
    commits: after.commits - before.commits,
    queries: after.queries - before.queries,
    bytes_billed: Number(after.bytesBilled - before.bytesBilled),
  };
}

async function build(ports: WorkPorts, names: readonly string[], asked: Asked): Promise<FastifyReply> {
  const built = await ports.build(names, asked.signal);
  const result = {
    datasets: built.map(({ dataset, facts, error }) => ({ dataset, ok: error === undefined, ...facts })),
  };
  return finish(ports, asked, { what: "built", result, errors: built.flatMap(({ error }) => error ?? []) });
}

async function share(
  ports: WorkPorts,
  names: readonly string[],
  tenants: readonly string[],
  asked: Asked,
): Promise<FastifyReply> {
  const reports = await ports.share(names, tenants, asked.signal);
  const result = {
    shares: reports.map(({ share, tenant_id, target, ok, tables }) => ({
      share,
      tenant_id,
      ok,
      target,
      tables: tables.map(({ table, status, packages, rows, rejected, seq }) => ({
        table,
        status,
        packages,
        rows,
        rejected,
        seq,
      })),
    })),
  };
  return finish(ports, asked, { what: "shared", result, errors: reports.flatMap(errorsOf) });
}

/** Answers; where something failed, with the first failure, so that the scheduler sees it and people are told. */
function finish(
  { redact }: WorkPorts,
  { request, reply }: Asked,
  done: Readonly<{ what: string; result: JsonObject; errors: readonly LeatError[] }>,
): FastifyReply {
  const { what, result, errors } = done;
  const [first] = errors;
  if (first === undefined) {
    request.log.info(result, what);
    return reply.send({ ok: true, ...result });
  }
  request.log.warn({ ...result, err: first }, first.message);
  const failures = errors.slice(0, failuresToldMax).map((error) => printErrorJson(error, redact));
  return sendProblem(reply, first, { redact, members: { result, failures, failure_count: errors.length } });
}

/** Reads `stream` or `dataset` from query or body: a name or, in a body, several. @throws LeatError `USAGE`. */
function readNames(request: FastifyRequest, option: "stream" | "dataset" | undefined): readonly string[] {
  if (option === undefined) readOptions(request, []);
  return option === undefined ? [] : (readOptions(request, [option]).get(option) ?? []);
}

/** Reads several options so. */
function readOptions(
  request: FastifyRequest,
  options: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const read = new Map<string, string[]>();
  for (const place of [request.query, request.body]) {
    if (place === undefined || place === null) continue;
    const members: readonly [string, unknown][] =
      typeof place === "object" && !Array.isArray(place) ? Object.entries(place) : [["", place]];
    for (const [name, value] of members) {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      const isKnown = options.includes(name);
      if (!isKnown || !values.every((one): one is string => typeof one === "string" && one !== "")) {
        const path = request.url.split("?")[0];
        throw new LeatError("USAGE", {
          message: isKnown ? `The option "${name}" must be a name.` : `There is no option "${name}".`,
          hint:
            options.length === 0
              ? `Send POST ${path} alone.`
              : `Send POST ${path}, or ${path}?${options[0]}=NAME.`,
        });
      }
      read.set(name, [...(read.get(name) ?? []), ...values]);
    }
  }
  return read;
}
