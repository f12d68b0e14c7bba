/** One request's sync: what is asked for, the run, and the answer. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { JsonObject } from "../../model/json-value.ts";
import type { Project } from "../../ports/project.ts";
import type { Tenant } from "../../ports/source.ts";
import { chooseStream, streamName } from "../../sync/choose.ts";
import { chooseMode } from "../../sync/choose-mode.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";
import { readDoneRun } from "../../sync/done-run.ts";
import { printItem } from "../../sync/print-item.ts";
import { itemError, type SyncItem, type SyncJob, type SyncPorts } from "../../sync/sync-job.ts";
import { syncProject } from "../../sync/sync-project.ts";
import { sendProblem } from "../problem.ts";
import { readSyncRequest } from "../sync-request.ts";
import { isQueued } from "./delivery.ts";

/** What a sync needs of the app. */
export type AnswerPorts = Readonly<{
  project: Project;
  readTenants: () => readonly Tenant[];
  sync: SyncPorts;
  redact: (text: string) => string;
}>;

/** How syncs of the app are done. */
export type AnswerOptions = Readonly<{
  softDeadlineMs: number | undefined;
  /** `extract`: what is landed is loaded by `/load`, for all tenants at once. */
  steps: "extract" | "both";
}>;

/** A request, and what stops its run. */
export type AskedSync = Readonly<{
  request: FastifyRequest;
  reply: FastifyReply;
  /** As in the path: `stream`, or `source.stream`. */
  name: string;
  signal: AbortSignal;
}>;

/** Answers requests. */
export type AnswerSync = (asked: AskedSync) => Promise<FastifyReply>;

/** Makes what answers requests. Deliveries of one name that are here at the same time share one run. */
export function answerSyncs(ports: AnswerPorts, options: AnswerOptions): AnswerSync {
  const underWay = new Map<string, Promise<SyncItem>>();
  return async ({ request, reply, name, signal }) => {
    const { clock } = ports.sync;
    const startedAtMs = clock.nowMs();
    const stream = chooseStream(ports.project, name);
    const wanted = readSyncRequest(request, startedAtMs);
    const [pair] = choosePairs(
      { project: ports.project, tenants: ports.readTenants() },
      {
        streams: [streamName(stream)],
        tenants: wanted.tenantId === undefined ? [] : [wanted.tenantId],
      },
    );
    const [tenant, another] = pair!.tenants; // A named stream has a tenant, or was refused.
    if (another !== undefined) {
      throw new LeatError("USAGE", {
        message: "The option tenant_id is missing.",
        hint: `Say for which tenant, such as ?tenant_id=${encodeURIComponent(tenant!.id)}.`,
      });
    }
    const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant!.id };
    if (wanted.notAfterMs !== undefined && startedAtMs > wanted.notAfterMs) {
      return reply.send(tellLate(request, place));
    }
    const mode = readMode(() => chooseMode(stream.spec, wanted.mode, startedAtMs));
    const { idempotencyKey } = wanted;
    const job: SyncJob = {
      streams: [pair!],
      steps: options.steps,
      modeOf: () => mode,
      tenantColumn: ports.project.tenantColumn,
      idempotencyKey,
      softDeadlineMs: options.softDeadlineMs === undefined ? undefined : startedAtMs + options.softDeadlineMs,
      conflictRetriesMax: 0, // The caller is told and comes again: the scheduler decides on retries, not both.
      roundsMax: 1, // Likewise: `has_more` says that another request is due.
    };
    const key = JSON.stringify([place, idempotencyKey]);
    const run = underWay.get(key) ?? runSync(ports.sync, job, signal);
    if (idempotencyKey !== undefined && !underWay.has(key)) {
      underWay.set(key, run);
      const forget = (): void => void underWay.delete(key);
      run.then(forget, forget);
    }
    const item = await run;
    const error = itemError(item);
    const result = { ...printItem(item), duration_ms: Math.round(clock.nowMs() - startedAtMs) };
    if (error === undefined) {
      request.log.info(result, "synced");
      const isUnfinished = item.extract?.hasMore === true && isQueued(request.headers);
      if (!isUnfinished) return reply.send(result);
      return sendProblem(reply, comeAgain(place), { redact: ports.redact, status: 503, members: { result } });
    }
    const level = error.code === "INTERNAL" ? "error" : "warn";
    request.log[level]({ ...result, err: error }, error.message);
    return sendProblem(reply, error, { redact: ports.redact, members: { result } });
  };
}

/**
 * Part of the work is committed, and the rest is not to wait for the next tick, which may be a day away. Schedulers and
 * queues do not read `has_more`: they send again what was not answered with success, and that goes on from the commit.
 */
function comeAgain(place: Readonly<{ source: string; stream: string; tenant: string }>): LeatError {
  return new LeatError("RUN_BOUND_REACHED", {
    message: `${place.source}.${place.stream}, tenant ${place.tenant}: the run has stopped at a safe point, and more is to be read.`,
    hint: "Send the request again: it goes on from what is committed.",
    retryable: true,
    details: place,
  });
}

/** One stream, one tenant. A delivery that was done before is answered with what its run did. */
async function runSync(ports: SyncPorts, job: SyncJob, signal: AbortSignal): Promise<SyncItem> {
  const { items } = await syncProject(ports, job, signal);
  const item = items[0]!; // One was asked for.
  if (item.extract?.status !== "already-done" || job.idempotencyKey === undefined) return item;
  const done = await readDoneRun(ports.store, item, job.idempotencyKey);
  return done === undefined ? item : { ...item, extract: done };
}

/**
 * A task that waited until the next tick is due has nothing to do that the next one does not: all that is new is one
 * range. It is answered as done, since a queue would send it again otherwise.
 */
function tellLate(
  request: FastifyRequest,
  place: Readonly<{ source: string; stream: string; tenant: string }>,
): JsonObject {
  const { source, stream, tenant } = place;
  const result = { source, stream, tenant_id: tenant, ok: true, status: "too-late" };
  request.log.warn(result, "came after the next tick was due, and was left to it");
  return result;
}

/** A range that cannot be read is the caller's fault here, not the partner's. */
function readMode<T>(choose: () => T): T {
  try {
    return choose();
  } catch (error) {
    if (!isLeatError(error)) throw error;
    const { message, hint } = error as LeatError; // By its shape.
    throw new LeatError("USAGE", { message, hint });
  }
}
