/** Extract, landing and load put together: many tenants at once, parents before children, each failing alone. */
import { LeatError } from "../errors/leat-error.ts";
import type { ExtractOutcome } from "../extract/extract-job.ts";
import type { LoadOutcome, TenantLoad } from "../load/load-outcome.ts";
import { describePlace, type TenantId } from "../model/ids.ts";
import type { Tenant } from "../ports/source.ts";
import { extractTenant, toLeatError } from "./extract-tenant.ts";
import type { ChosenStream, StreamTenants, SyncItem, SyncJob, SyncPorts, SyncResult } from "./sync-job.ts";

/** How an extract ended, failures as values: one tenant's must not end another's. */
type ExtractEnd = Readonly<{ outcome: ExtractOutcome | undefined; error: LeatError | undefined }>;

/**
 * Syncs the chosen streams, each for its tenants.
 *
 * A child stream of a tenant begins when its parent has ended for that tenant, also when the parent failed: the
 * parents known so far still have news. A stream is loaded once for all its tenants when the last of them has been
 * extracted, also for those that failed: what earlier runs have sealed is theirs (I11). So a load job is one a stream.
 *
 * Never rejects for what the world does: each item says how it ended.
 */
export async function syncProject(ports: SyncPorts, job: SyncJob, signal: AbortSignal): Promise<SyncResult> {
  const ends = new Map<string, Promise<ExtractEnd>>();
  const changes: SyncResult["changes"][number][] = [];
  const byStream: Promise<readonly SyncItem[]>[] = [];
  for (const stream of job.streams) {
    const extracts = stream.tenants.map((tenant) => {
      const parent = stream.spec.partitions?.from === "stream" ? stream.spec.partitions.stream : undefined;
      // `streams` has parents first, so a chosen parent's promise is already there; waiting holds no place in the lane.
      const ready = parent === undefined ? undefined : ends.get(keyOf(stream.source.name, parent, tenant));
      const end = extractWhenReady(ports, job, stream, tenant, ready, signal);
      ends.set(keyOf(stream.source.name, stream.spec.name, tenant), end);
      return end;
    });
    byStream.push(
      Promise.all(extracts).then(async (ended) => {
        const loads = await loadTenants(ports, job, stream, signal);
        for (const change of loads.changes) {
          changes.push({ source: stream.source.name, stream: stream.spec.name, change });
        }
        return stream.tenants.map((tenant, index) => toItem(stream, tenant, ended[index]!, loads));
      }),
    );
  }
  const items = (await Promise.all(byStream)).flat();
  return { items, changes };
}

const keyOf = (source: string, stream: string, tenant: Tenant): string =>
  JSON.stringify([source, stream, tenant.id]);

async function extractWhenReady(
  ports: SyncPorts,
  job: SyncJob,
  stream: ChosenStream,
  tenant: Tenant,
  ready: Promise<ExtractEnd> | undefined,
  signal: AbortSignal,
): Promise<ExtractEnd> {
  if (job.steps === "load") return { outcome: undefined, error: undefined };
  await ready;
  return ports.lanes.extract(stream.source.name)(async () => {
    try {
      const outcome = await extractTenant(ports, job, stream, tenant, signal);
      return { outcome, error: outcome.hasMore ? moreIsWaiting(stream, tenant, job) : undefined };
    } catch (error) {
      const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant.id };
      return { outcome: undefined, error: toLeatError(error, signal).at(place) };
    }
  });
}

/**
 * A run that was told to do all and stopped at a bound has not done what was asked. One with a deadline or a single
 * round has: its caller reads `hasMore` and comes again.
 */
function moreIsWaiting(stream: ChosenStream, tenant: Tenant, job: SyncJob): LeatError | undefined {
  if (job.roundsMax === 1 || job.softDeadlineMs !== undefined) return undefined;
  const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant.id };
  return new LeatError("RUN_BOUND_REACHED", {
    message: `${describePlace(place)}: windows are left after ${job.roundsMax} rounds.`,
    hint: "Run again: what was committed stays. To do more in one run, raise `windowsMax` of the stream.",
    retryable: true,
    details: place,
  });
}

type Loads = Readonly<{
  byTenant: ReadonlyMap<TenantId, TenantLoad>;
  /** The whole load failed, for every tenant of the stream. */
  error: LeatError | undefined;
  changes: LoadOutcome["changes"];
}>;

async function loadTenants(
  ports: SyncPorts,
  job: SyncJob,
  stream: StreamTenants,
  signal: AbortSignal,
): Promise<Loads> {
  if (job.steps === "extract") return { byTenant: new Map(), error: undefined, changes: [] };
  const { store, warehouse, progress, workFolder } = ports;
  const tenants = stream.tenants.map((tenant) => tenant.id);
  return ports.lanes.load(async () => {
    try {
      signal.throwIfAborted();
      const outcome = await ports.loadStream(
        { store, warehouse, progress, workFolder },
        stream.spec,
        tenants,
        signal,
      );
      if (outcome.tenants.every((load) => load.seq === 0 && load.error === undefined)) {
        // Nothing was ever loaded; a query of the stream should find an empty table, not none.
        await warehouse.prepare(stream.spec, {
          tenantColumn: job.tenantColumn,
          partitionColumn: stream.spec.partitions?.column,
        });
      }
      return {
        byTenant: new Map(outcome.tenants.map((load) => [load.tenant, load])),
        error: undefined,
        changes: outcome.changes,
      };
    } catch (error) {
      const place = { source: stream.source.name, stream: stream.spec.name };
      return { byTenant: new Map(), error: toLeatError(error, signal).at(place), changes: [] };
    }
  });
}

function toItem(stream: ChosenStream, tenant: Tenant, end: ExtractEnd, loads: Loads): SyncItem {
  const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant.id };
  const load = loads.byTenant.get(tenant.id);
  return {
    ...place,
    spec: stream.spec,
    extract: end.outcome,
    extractError: end.error,
    load,
    loadError: (load?.error ?? loads.error)?.at(place),
  };
}
