/** What a rebuild would read of the landing, and what a service would bill for it. Changes nothing. */
import { isLeatError } from "../errors/leat-error.ts";
import { listTenants, readHead, walkPackages } from "../landing/log.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import { streamName } from "../sync/choose.ts";
import type { ChosenStream } from "../sync/sync-job.ts";
import type { OpenProject } from "./open-project.ts";
import { printTable } from "./print-table.ts";
import { printBytes, printCount } from "./terminal.ts";

/** One stream. `dollars` and `keptBytes` are `null` where nobody bills, or nothing is kept. */
export type RebuildEstimate = Readonly<{
  stream: string;
  packages: number;
  /** Landed text, without compression. */
  landedBytes: number;
  /** At least: the landed lines are read once, and what is kept of current rows as the service says. */
  dollars: number | null;
  /** What making the kept current rows anew would read (`materialize`), by the service's own word. */
  keptBytes: number | null;
}>;

/** Estimates a rebuild of some streams. Requests: one for each package, as a load of it would send. */
export async function estimateRebuild(
  opened: OpenProject,
  streams: readonly ChosenStream[],
  signal: AbortSignal,
): Promise<readonly RebuildEstimate[]> {
  const warehouse = await opened.openWarehouse();
  const estimates: RebuildEstimate[] = [];
  for (const stream of streams) {
    const { source, spec } = stream;
    let [packages, landedBytes] = [0, 0];
    for (const tenant of await listTenants(opened.store, source.name, spec.name)) {
      signal.throwIfAborted();
      const place = { source: source.name, stream: spec.name, tenant };
      const head = await readHead(opened.store, place);
      if (head === undefined) continue;
      for await (const { manifest } of walkPackages(opened.store, place, head, 0)) {
        packages += 1;
        landedBytes += manifest.parts.reduce((sum, { plainBytes }) => sum + plainBytes, 0);
      }
    }
    const kept = spec.isMaterialized ? await estimateCurrent(warehouse, stream) : undefined;
    const price = opened.warehouse.engine === "bigquery" ? await priceOf(landedBytes) : undefined;
    estimates.push({
      stream: streamName(stream),
      packages,
      landedBytes,
      dollars: price === undefined ? null : price + (kept?.dollars ?? 0),
      keptBytes: kept?.bytes ?? null,
    });
  }
  return estimates;
}

async function priceOf(bytes: number): Promise<number> {
  return (await import("../warehouses/bigquery/queries.ts")).priceOf(bytes);
}

/** What reading every version of a stream costs; `undefined`: nobody bills, or there is no table yet. */
async function estimateCurrent(
  warehouse: Warehouse,
  { spec }: ChosenStream,
): Promise<Readonly<{ bytes: number; dollars: number }> | undefined> {
  // The history reads what the current rows are made of, and is a view in each case.
  const history = warehouse.currentName?.({ ...spec, name: `${spec.name}_history` });
  if (history === undefined) return undefined;
  try {
    return await warehouse.estimate?.(`SELECT * FROM ${history}`);
  } catch (error) {
    if (isLeatError(error) && error.code === "QUERY_FAILED") return undefined;
    throw error;
  }
}

/** Estimates as a table. */
export function printEstimates(estimates: readonly RebuildEstimate[]): string {
  const isBilled = estimates.some(({ dollars }) => dollars !== null);
  const rows = estimates.map(({ stream, packages, landedBytes, dollars, keptBytes }) => [
    stream,
    printCount(packages),
    printBytes(landedBytes),
    ...(isBilled
      ? [keptBytes === null ? "" : printBytes(keptBytes), dollars === null ? "" : `$${dollars.toFixed(4)}`]
      : []),
  ]);
  const billed = isBilled ? ["read to keep current rows", "costs at least"] : [];
  return printTable(["stream", "packages", "landed text", ...billed], rows);
}
