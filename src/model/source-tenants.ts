/** For whom a source is read: for the project's tenants, for some of them, or for nobody in particular. Pure. */
import { type TenantId, toTenantId } from "./ids.ts";

/**
 * What a source says of its tenants: all of the project's, those named, or `none` for what belongs to no tenant, such as
 * a publisher's files.
 */
export type SourceTenants = "all" | "none" | readonly string[];

/** Stands for what belongs to no tenant: the one entry of such a source, and of a project that has no tenants. */
export const tenantless: Tenantless = Object.freeze({ id: toTenantId("default"), fields: Object.freeze({}) });

/** It has no fields that a declaration could use. */
type Tenantless = Readonly<{ id: TenantId; fields: Readonly<Record<string, never>> }>;

/**
 * Tenants that a source is read for now, in the project's order. Whoever wants streams with their tenants asks
 * `choosePairs`, which asks this.
 *
 * A tenant that is named and not there is left out: `unknownTenants` tells of it wherever tenants are read.
 */
export function tenantsOf<Tenant extends Readonly<{ id: TenantId }>>(
  source: Readonly<{ tenants?: SourceTenants | undefined }>,
  tenants: readonly Tenant[],
): readonly (Tenant | Tenantless)[] {
  const { tenants: said = "all" } = source;
  if (said === "all") return tenants;
  if (said === "none") return [tenantless];
  const named = new Set(said);
  return tenants.filter(({ id }) => named.has(id));
}

/** Ids that a source names and the project does not have. */
export function unknownTenants(
  source: Readonly<{ tenants?: SourceTenants | undefined }>,
  known: Iterable<string>,
): readonly string[] {
  if (typeof source.tenants !== "object") return [];
  const ids = new Set(known);
  return source.tenants.filter((id) => !ids.has(id));
}
