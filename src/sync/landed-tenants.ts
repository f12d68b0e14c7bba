/** Tenants that have something landed. */
import { listTenants } from "../landing/log.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Tenant } from "../ports/source.ts";
import type { ChosenStream } from "./sync-job.ts";

/** Known tenants, and those that are no longer in the tenants file and have something landed: what is sealed is loaded. */
export async function addLandedTenants(
  store: ObjectStore,
  streams: readonly ChosenStream[],
  known: readonly Tenant[],
): Promise<readonly Tenant[]> {
  const tenants = new Map(known.map((tenant) => [tenant.id, tenant]));
  for (const { source, spec } of streams) {
    for (const id of await listTenants(store, source.name, spec.name, tenants.keys())) {
      if (!tenants.has(id)) tenants.set(id, { id, fields: {} });
    }
  }
  return [...tenants.values()];
}
