/** Which streams are read for which tenants. Whoever needs the pairs asks here, so that all mean the same. Pure. */
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { tenantsOf } from "../model/source-tenants.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import { allStreams, chooseStreams, streamName } from "./choose.ts";
import type { ChosenStream, StreamTenants } from "./sync-job.ts";

/** What pairs are made of. */
export type PairWork = Readonly<{
  project: Project;
  /** The project's, as the tenants file has them. */
  tenants: readonly Tenant[];
  /**
   * Of each stream those that have something landed, by its name, also such as are not read any more. Given where what
   * is landed counts (a load, the state), and not where something is to be read.
   */
  landed?: ReadonlyMap<string, readonly Tenant[]> | undefined;
}>;

/** Names as a person types them; none: all. */
export type PairChoice = Readonly<{ streams?: readonly string[]; tenants?: readonly string[] }>;

/** Ids told in an error; an answer to a mistyped id must not grow with the customers. */
const knownTenantsMax = 100;

/**
 * Chooses streams, each with its tenants.
 *
 * A stream without any of the tenants is left out; one that was named, and a tenant that no stream is read for, are told.
 *
 * @returns parents before their children, tenants in the project's order; none has no tenant.
 * @throws LeatError `STREAM_UNKNOWN`, `TENANT_UNKNOWN` with the near name and the known ones, `TENANT_NOT_READ`.
 */
export function choosePairs(work: PairWork, choice: PairChoice = {}): readonly StreamTenants[] {
  const { streams: names = [], tenants: ids = [] } = choice;
  const streams = chooseStreams(work.project, names).map((stream) => ({
    ...stream,
    tenants: candidatesOf(work, stream),
  }));
  const wanted = new Set<string>(ids);
  if (wanted.size === 0) return streams.filter(({ tenants }) => tenants.length > 0);
  refuseUnknown(work, wanted);
  const pairs = streams.map((stream) => ({
    ...stream,
    tenants: stream.tenants.filter(({ id }) => wanted.has(id)),
  }));
  const met = new Set<string>(pairs.flatMap(({ tenants }) => tenants.map(({ id }) => id)));
  const unmet = ids.find((id) => !met.has(id));
  if (unmet !== undefined) throw notRead(streams, `tenant "${unmet}"`);
  const empty = names.length === 0 ? undefined : pairs.findIndex(({ tenants }) => tenants.length === 0);
  if (empty !== undefined && empty >= 0) throw notRead([streams[empty]!], describeTenants(ids));
  return pairs.filter(({ tenants }) => tenants.length > 0);
}

/** Finds the one stream and tenant of these names. @throws LeatError as {@link choosePairs}. */
export function choosePair(
  work: PairWork,
  stream: string,
  tenant: string,
): ChosenStream & Readonly<{ tenant: Tenant }> {
  const [pair] = choosePairs(work, { streams: [stream], tenants: [tenant] });
  return { source: pair!.source, spec: pair!.spec, tenant: pair!.tenants[0]! }; // None is empty.
}

function candidatesOf(work: PairWork, stream: ChosenStream): readonly Tenant[] {
  const read = tenantsOf(stream.source, work.tenants);
  const landed = work.landed?.get(streamName(stream)) ?? [];
  if (landed.length === 0) return read;
  const byId = new Map(read.map((tenant) => [tenant.id, tenant]));
  for (const tenant of landed) if (!byId.has(tenant.id)) byId.set(tenant.id, tenant);
  return [...byId.values()];
}

function refuseUnknown(work: PairWork, ids: ReadonlySet<string>): void {
  const all = allStreams(work.project);
  const known = new Set<string>([
    ...work.tenants.map(({ id }) => id),
    ...all.flatMap((stream) => candidatesOf(work, stream).map(({ id }) => id)),
  ]);
  for (const id of ids) {
    if (known.has(id)) continue;
    const isStream = all.some((one) => [streamName(one), one.spec.name, one.source.name].includes(id));
    throw new LeatError("TENANT_UNKNOWN", {
      message: `There is no tenant "${id}".`,
      // An option that takes several ids takes what comes behind them as well.
      hint: isStream
        ? `"${id}" is a stream: name streams before --tenant, or write -- between them.`
        : hintOfKnown(id, "tenants", [...known]),
      details: { known: [...known].slice(0, knownTenantsMax), knownCount: known.size },
    });
  }
}

function notRead(streams: readonly StreamTenants[], who: string): LeatError {
  const sources = [...new Map(streams.map(({ source, tenants }) => [source, tenants]))];
  const told = sources.map(([source, tenants]) => {
    if (source.tenants === "none") return `"${source.name}" belongs to no tenant: leave the tenant out`;
    const ids = tenants.slice(0, knownTenantsMax).map(({ id }) => id);
    return `"${source.name}" is read for ${ids.join(", ")}${tenants.length > ids.length ? ", …" : ""}`;
  });
  const names = streams.length === 1 ? streamName(streams[0]!) : sources.map(([{ name }]) => name).join(", ");
  return new LeatError("TENANT_NOT_READ", {
    message: `${names}: not read for ${who}.`,
    hint: `${told.join("; ")}.`,
    details: { streams: streams.slice(0, knownTenantsMax).map(streamName) },
  });
}

const describeTenants = (ids: readonly string[]): string =>
  ids.length === 1 ? `tenant "${ids[0]}"` : `any of the tenants ${ids.slice(0, knownTenantsMax).join(", ")}`;
