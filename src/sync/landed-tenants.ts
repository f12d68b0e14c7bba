/** Tenants that have something landed. */
import { listTenants } from "../landing/log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Tenant } from "../ports/source.ts";
import { streamName } from "./choose.ts";
import type { ChosenStream } from "./sync-job.ts";

/**
 * By stream, whoever has a log, also tenants that are not read any more: what is sealed is loaded. Of those only the id
 * is known.
 *
 * @param known - tenants whose logs need not be opened to say whose they are.
 */
export async function readLandedTenants(
  store: ObjectStore,
  streams: readonly ChosenStream[],
  known: readonly Tenant[],
): Promise<ReadonlyMap<string, readonly Tenant[]>> {
  const landed = new Map<string, readonly Tenant[]>();
  const knownIds = known.map(({ id }) => id);
  for (const stream of streams) {
    const ids = await listTenants(store, stream.source.name, stream.spec.name, knownIds);
    landed.set(
      streamName(stream),
      ids.map((id) => ({ id, fields: {} })),
    );
  }
  return landed;
}
