/** The extract of one stream for one tenant, as often as it takes. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { ExtractOutcome } from "../extract/extract-job.ts";
import type { Compression, ExtractCounts } from "../model/manifest.ts";
import type { Tenant } from "../ports/source.ts";
import type { ChosenStream, SyncJob, SyncPorts } from "./sync-job.ts";

/** Preferred first: zstd is twice as fast as gzip and smaller. */
const compressionsWanted: readonly Compression[] = ["zstd", "gzip", "none"];

/**
 * Extracts until nothing is left to do within the bounds of the job.
 *
 * @returns all rounds as one outcome; its `hasMore` says that `roundsMax` was reached first.
 * @throws LeatError what the last try failed with, naming source, stream and tenant.
 */
export async function extractTenant(
  ports: SyncPorts,
  job: SyncJob,
  stream: ChosenStream,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<ExtractOutcome> {
  const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant.id };
  let total: ExtractOutcome | undefined;
  let conflicts = 0;
  for (let round = 1; ; ) {
    try {
      const outcome = await extractRound(ports, job, stream, tenant, signal);
      total = total === undefined ? outcome : joinOutcomes(total, outcome);
      const isStuck = outcome.seqs.length === 0; // A round that commits nothing would be the same again.
      const isLate = job.softDeadlineMs !== undefined && ports.clock.nowMs() >= job.softDeadlineMs;
      if (!outcome.hasMore || isStuck || isLate || round >= job.roundsMax) return total;
      round++;
    } catch (error) {
      const failure = toLeatError(error, signal).at(place);
      if (failure.code !== "STATE_CONFLICT" || conflicts >= job.conflictRetriesMax) throw failure;
      conflicts++;
    }
  }
}

async function extractRound(
  ports: SyncPorts,
  job: SyncJob,
  stream: ChosenStream,
  tenant: Tenant,
  signal: AbortSignal,
): Promise<ExtractOutcome> {
  signal.throwIfAborted();
  const { store, clock, random, secrets, places, progress, openScanner } = ports;
  const { source, spec } = stream;
  const world = { clock, random, secrets, places, progress };
  const extractPorts = { store, clock, random, progress, openScanner };
  const common = {
    spec,
    tenant,
    mode: job.modeOf(spec),
    tenantColumn: job.tenantColumn,
    compression: compressionsWanted.find((wanted) => ports.warehouse.compressions.includes(wanted)) ?? "none",
    idempotencyKey: job.idempotencyKey,
    softDeadlineMs: job.softDeadlineMs,
  };
  if (source.openFiles !== undefined) {
    const files = await source.openFiles(spec.name, tenant, world);
    try {
      return await ports.extractFiles(extractPorts, { ...common, reader: files }, signal);
    } finally {
      await files.close();
    }
  }
  const reader = await source.open(spec.name, tenant, world);
  try {
    return await ports.extractStream(extractPorts, { ...common, reader }, signal);
  } finally {
    await reader.close();
  }
}

/** Makes one outcome of a round and its successor. */
function joinOutcomes(first: ExtractOutcome, next: ExtractOutcome): ExtractOutcome {
  const counts: Record<string, number> = {};
  for (const [name, count] of Object.entries(first.counts)) {
    counts[name] = count + next.counts[name as keyof ExtractCounts]; // Both have the same names.
  }
  return {
    status: first.status === "unchanged" ? next.status : first.status,
    seqs: [...first.seqs, ...next.seqs],
    counts: counts as ExtractCounts, // Built from one, name by name.
    before: first.before,
    after: next.after,
    requests: first.requests + next.requests,
    pages: first.pages + next.pages,
    receivedBytes: first.receivedBytes + next.receivedBytes,
    landedBytes: first.landedBytes + next.landedBytes,
    hasMore: next.hasMore,
    missingFiles: next.missingFiles,
  };
}

/** What went wrong, as a LeatError: an abort is `INTERRUPTED`, anything unforeseen `INTERNAL` with its cause. */
export function toLeatError(error: unknown, signal: AbortSignal): LeatError {
  if (error instanceof LeatError) return error;
  // One of another copy of leat has the shape, but perhaps not the methods of this version.
  if (isLeatError(error)) return new LeatError((error as LeatError).code, error);
  if (signal.aborted) {
    const { reason } = signal;
    if (isLeatError(reason)) return toLeatError(reason, signal);
    return new LeatError("INTERRUPTED", { message: "The run was stopped.", cause: error });
  }
  const said = error instanceof Error ? error.message : String(error);
  return new LeatError("INTERNAL", { message: `Unexpected: ${said}`, cause: error });
}
