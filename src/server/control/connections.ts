/** What a project is connected to, and whether it answers. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { Source, SourceWorld, Tenant } from "../../ports/source.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";
import type { ControlPorts } from "./control-ports.ts";

/** How long a connection is tried, ms: a person waits for it. */
const tryMs = 30_000;

/** Bytes of a partner's answer that are read: enough to see that it is one. */
const readBytesMax = 64 * 1024;

/** Something that the project is connected to. */
export type Connection = Readonly<{
  id: string;
  kind: "landing" | "warehouse" | "ledger" | "source";
  name: string;
  /** Without credentials; `null`: the source's own code knows. */
  address: string | null;
  streams: number;
}>;

export function listConnections({ project, settings, store, ledger }: ControlPorts): readonly Connection[] {
  return [
    { id: "landing", kind: "landing", name: "landing", address: store.url, streams: 0 },
    {
      id: "warehouse",
      kind: "warehouse",
      name: "warehouse",
      address: settings.warehouse,
      streams: 0,
    },
    { id: "ledger", kind: "ledger", name: "ledger", address: ledger.url, streams: 0 },
    ...project.sources.map(
      ({ name, streams }): Connection => ({
        id: `source:${name}`,
        kind: "source",
        name,
        address: null,
        streams: streams.length,
      }),
    ),
  ];
}

/** How a try went. */
export type Tried = Readonly<{ is_ok: boolean; took_ms: number; found: string; problem: LeatError | null }>;

/**
 * Tries a connection: reads something, and writes nothing.
 *
 * @param tenant - whose credentials a source is tried with; `undefined`: the first one's.
 * @throws LeatError `USAGE` for one that is not among them, `TENANT_UNKNOWN`, `TENANT_NOT_READ`.
 */
export async function tryConnection(
  ports: ControlPorts,
  id: string,
  tenant: string | undefined,
): Promise<Tried> {
  const connection = listConnections(ports).find((one) => one.id === id);
  if (connection === undefined) {
    const ids = listConnections(ports).map((one) => one.id);
    throw new LeatError("USAGE", {
      message: `There is no connection "${id}".`,
      hint: hintOfKnown(id, "connections", ids),
    });
  }
  const own = connection.kind === "source" ? chooseOwn(ports, connection.name, tenant) : undefined;
  const startedAt = performance.now();
  const took = (): number => Math.round(performance.now() - startedAt);
  try {
    const found = await attempt(ports, connection, own, AbortSignal.timeout(tryMs));
    return { is_ok: true, took_ms: took(), found, problem: null };
  } catch (error) {
    const problem = isLeatError(error)
      ? error
      : new LeatError("SOURCE_FAILED", {
          message: ports.redact(error instanceof Error ? error.message : String(error)),
        });
    return { is_ok: false, took_ms: took(), found: "", problem };
  }
}

/** With whose credentials a source is tried. */
function chooseOwn(
  { project, readTenants }: ControlPorts,
  source: string,
  tenant: string | undefined,
): Tenant | undefined {
  const choice = { streams: [source], tenants: tenant === undefined ? [] : [tenant] };
  return choosePairs({ project, tenants: readTenants() }, choice)[0]?.tenants[0];
}

async function attempt(
  ports: ControlPorts,
  { kind, name }: Connection,
  tenant: Tenant | undefined,
  signal: AbortSignal,
): Promise<string> {
  switch (kind) {
    case "landing": {
      const aheadMs = Math.round((await ports.store.nowMs()) - ports.clock.nowMs());
      for await (const { key } of ports.store.list("log/"))
        return `It holds logs, such as ${key}; its clock is ${aheadMs} ms ahead.`;
      return `It is empty; its clock is ${aheadMs} ms ahead.`;
    }
    case "warehouse": {
      const warehouse = await ports.openWarehouse();
      await warehouse.query("SELECT 1 AS one", { signal, rowsMax: 1 });
      return `It answers queries: ${warehouse.url}.`;
    }
    case "ledger": {
      const runs = await ports.ledger.listRuns({ limit: 1 });
      return runs.length === 0 ? "It holds no runs yet." : `Its newest run is ${runs[0]!.id}.`;
    }
    case "source":
      return await askSource(ports, ports.project.sources.find((one) => one.name === name)!, tenant, signal); // It was listed.
  }
}

async function askSource(
  ports: ControlPorts,
  source: Source,
  tenant: Tenant | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (tenant === undefined)
    throw new LeatError("TENANT_UNKNOWN", { message: "The project has no tenant to try it with." });
  const { clock, random, secrets, places } = ports;
  const world: SourceWorld = { clock, random, secrets, places, progress: () => {} };
  const spec = source.streams.find(({ partitions }) => partitions === undefined) ?? source.streams[0]!; // It has one.
  if (source.openFiles !== undefined) {
    const reader = await source.openFiles(spec.name, tenant, world);
    try {
      for await (const { name } of reader.find(signal)) return `It shows files, such as ${name}.`;
      return "It answers, and shows no files.";
    } finally {
      await reader.close();
    }
  }
  const reader = await source.open(spec.name, tenant, world);
  try {
    await reader.check?.();
    // A stream of parts is not asked: which parts there are, only its records say. Its credentials were looked up.
    if (spec.partitions !== undefined)
      return "Its credentials are there; a stream of parts is asked by runs alone.";
    const isTime = spec.cursor !== undefined && spec.cursor.format !== "integer";
    const { range, lag } = spec.cursor ?? {};
    const nowMicros = BigInt(clock.nowMs()) * 1000n;
    const hourMicros = 3_600_000_000n;
    const pages = reader.read(
      {
        // What is newest is least to send; what cannot be asked for by time is asked for as at first.
        start: isTime ? nowMicros - hourMicros - (lag ?? 0n) : spec.cursor?.initial,
        end: isTime && range?.hasEnd === true ? nowMicros : undefined,
        partition: undefined,
      },
      signal,
    );
    const { value: page } = await pages.next();
    if (page === undefined) return "It answers, and has nothing to show.";
    let bytes = 0;
    for await (const chunk of page.body) {
      bytes += chunk.byteLength;
      if (bytes > readBytesMax) break;
    }
    return `It answers ${page.at}.`;
  } finally {
    await reader.close();
  }
}
