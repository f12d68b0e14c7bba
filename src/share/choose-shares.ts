/** Which shares are meant, and whose turn it is in each. */
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { tenantsOf } from "../model/source-tenants.ts";
import type { Project } from "../ports/project.ts";
import type { ShareSpec } from "../ports/share.ts";
import type { Source, Tenant } from "../ports/source.ts";

/** One share for one tenant, by name: what a process is asked to do. */
export type ShareTurn = Readonly<{ share: ShareSpec; tenant: Tenant }>;

/** Ids told in an error's details; an answer to a mistyped id must not grow with the customers. */
const knownTenantsMax = 100;

/**
 * Chooses.
 *
 * @param names - of shares; none: all.
 * @param ids - of tenants; none: all that take part.
 * @param isRemoval - whether tenants may be named that do not take part any more.
 * @throws {@link LeatError} `SHARE_UNKNOWN`, `TENANT_UNKNOWN` with the near name; the latter also for one that a share
 *   names and the project does not have.
 */
export function chooseShares(
  project: Pick<Project, "shares" | "sources">,
  tenants: readonly Tenant[],
  names: readonly string[],
  ids: readonly string[],
  isRemoval: boolean,
): readonly ShareTurn[] {
  const known = project.shares.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new LeatError("SHARE_UNKNOWN", {
      message: `There is no share "${unknown}".`,
      hint: hintOfKnown(unknown, "shares", known),
      details: { known },
    });
  const shares = project.shares.filter(({ name }) => names.length === 0 || names.includes(name));
  const tenantIds: readonly string[] = tenants.map(({ id }) => id);
  for (const share of shares)
    for (const id of share.tenants ?? [])
      if (!tenantIds.includes(id)) throw unknownTenant(id, `The share "${share.name}" names`, tenantIds);
  const parts = new Map(shares.map((share) => [share, tenantsOfShare(project, share, tenants)]));
  const takePart = (share: ShareSpec, id: string): boolean => parts.get(share)!.has(id); // Each was put there.
  for (const id of ids) {
    if (!tenantIds.includes(id)) throw unknownTenant(id, "There is no", tenantIds);
    if (isRemoval || shares.some((share) => takePart(share, id))) continue;
    const said = shares.map(({ name }) => `"${name}"`).join(", ");
    throw unknownTenant(id, `${said} ${shares.length === 1 ? "is" : "are"} not for`, [
      ...new Set(shares.flatMap((share) => [...parts.get(share)!])),
    ]);
  }
  return shares.flatMap((share) =>
    tenants
      .filter(({ id }) => (ids.length === 0 ? takePart(share, id) : ids.includes(id)))
      .filter(({ id }) => isRemoval || takePart(share, id))
      .map((tenant) => ({ share, tenant })),
  );
}

/**
 * Who takes part: of the tenants that the share names, or of all, those for whom one of its streams is read. For others
 * there would be empty tables, at an address that nobody has set up. A dataset may have rows of any tenant.
 */
function tenantsOfShare(
  { sources }: Pick<Project, "sources">,
  share: ShareSpec,
  tenants: readonly Tenant[],
): ReadonlySet<string> {
  const isAsked = (id: string): boolean => share.tenants?.includes(id) ?? true;
  if (share.tables.some(({ kind }) => kind === "dataset"))
    return new Set(tenants.map(({ id }): string => id).filter(isAsked));
  const isOf = (source: Source): boolean =>
    source.streams.some(({ name }) => share.tables.some(({ of }) => of === `${source.name}.${name}`));
  const read = sources
    .filter(isOf)
    .flatMap((source) => tenantsOf(source, tenants).map(({ id }): string => id));
  return new Set(read.filter(isAsked));
}

function unknownTenant(id: string, what: string, known: readonly string[]): LeatError {
  return new LeatError("TENANT_UNKNOWN", {
    message: `${what} tenant "${id}".`,
    hint: hintOfKnown(id, "tenants", known),
    details: { known: known.slice(0, knownTenantsMax), knownCount: known.length },
  });
}
