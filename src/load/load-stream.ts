/**
 * Loads everything sealed and not yet loaded of one stream (PROTOCOL I11).
 *
 * Packages of all tenants go together into one transaction while they are small; when a batch fails, each tenant is
 * tried alone, one package at a time, so that one poison package blocks nobody but its own tenant.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { type Head, readManifestOfLog } from "../landing/log.ts";
import { describePlace, type StreamPlace, type TenantId } from "../model/ids.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { LedgerRow, PackageToLoad, ReopenPackage, SchemaChange } from "../ports/warehouse.ts";
import type { LoadOutcome, LoadPorts, LoadStream, TenantLoad } from "./load-outcome.ts";
import type { PlannedPackage } from "./plan-load.ts";
import { readWaiting } from "./read-waiting.ts";
import { checkInPlace, stagePackage } from "./stage-parts.ts";

/** Bounds of one transaction: what a failure makes us do again, and what an engine holds at once. */
const batchPackagesMax = 500;
const batchPlainBytesMax = 1024 * 1024 * 1024;

/** Logs looked at at once. Each look is three requests, one after another: at a bucket, a tenth of a second. */
const looksMax = 16;

type Queue = { readonly place: StreamPlace; packages: PlannedPackage[]; seq: number };

type MutableLoad = { -readonly [Name in keyof TenantLoad]: TenantLoad[Name] };

/** See {@link LoadStream}. */
export const loadStream: LoadStream = async (ports, spec, tenants, signal) => {
  const load = new StreamLoad(ports, spec, signal);
  try {
    return await load.run(tenants);
  } finally {
    await load.removeCopies();
  }
};

class StreamLoad {
  readonly #ports: LoadPorts;
  readonly #spec: StreamSpec;
  #folder: string | undefined;
  readonly #signal: AbortSignal;
  readonly #loads = new Map<TenantId, MutableLoad>();
  readonly #changes: SchemaChange[] = [];

  constructor(ports: LoadPorts, spec: StreamSpec, signal: AbortSignal) {
    this.#ports = ports;
    this.#spec = spec;
    this.#signal = signal;
  }

  async run(tenants: readonly TenantId[]): Promise<LoadOutcome> {
    const ledgerHeads = await this.#ports.warehouse.readLedgerHeads(this.#spec);
    const queues: Queue[] = [];
    const all = [...new Set(tenants)];
    for (let from = 0; from < all.length; from += looksMax) {
      this.#signal.throwIfAborted();
      const some = all.slice(from, from + looksMax);
      const found = await Promise.all(some.map((tenant) => this.#look(tenant, ledgerHeads.get(tenant))));
      queues.push(...found.filter(({ packages }) => packages.length > 0));
    }
    while (queues.some((queue) => queue.packages.length > 0)) {
      this.#signal.throwIfAborted();
      await this.#loadNext(queues.filter((queue) => queue.packages.length > 0));
    }
    // A load of anything at all ends by itself what an earlier one has left undone.
    const isIdle = [...this.#loads.values()].every(({ packages }) => packages === 0);
    if (isIdle && ledgerHeads.size > 0) await this.#ports.warehouse.settle?.(this.#spec);
    return { tenants: [...this.#loads.values()], changes: this.#changes };
  }

  /** What waits of one tenant; nothing where that cannot be told, which is its failure alone. */
  async #look(tenant: TenantId, loaded: LedgerRow | undefined): Promise<Queue> {
    const place: StreamPlace = { source: this.#spec.source, stream: this.#spec.name, tenant };
    const seq = loaded?.seq ?? 0;
    this.#loads.set(tenant, { tenant, packages: 0, loaded: 0, rejected: 0, seq, error: undefined });
    try {
      return { place, packages: [...(await readWaiting(this.#ports.store, place, loaded))], seq };
    } catch (error) {
      this.#fail(place, error);
      return { place, packages: [], seq };
    }
  }

  /** One batch from the front of the queues, every tenant's packages in the order of seq. */
  async #loadNext(queues: readonly Queue[]): Promise<void> {
    const taken: { queue: Queue; planned: PlannedPackage }[] = [];
    let plainBytes = 0;
    for (const queue of queues) {
      for (const planned of queue.packages) {
        const bytes = planned.head.manifest.parts.reduce((sum, part) => sum + part.plainBytes, 0);
        const isFull = taken.length >= batchPackagesMax || plainBytes + bytes > batchPlainBytesMax;
        if (isFull && taken.length > 0) break;
        plainBytes += bytes;
        taken.push({ queue, planned });
      }
    }
    const first = taken[0];
    if (first === undefined) return;
    const isAlone = taken.every(({ queue }) => queue === first.queue);
    try {
      await this.#loadBatch(taken);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (taken.length === 1) {
        this.#fail(first.queue.place, error);
        first.queue.packages = [];
        return;
      }
      if (isAlone && !isPoison(error)) {
        this.#fail(first.queue.place, error);
        first.queue.packages = [];
        return;
      }
      if (!isPoison(error)) throw error; // The warehouse itself is the matter, not a package.
      for (const queue of new Set(taken.map((one) => one.queue))) await this.#loadAlone(queue);
    }
  }

  /** A tenant by itself, one package at a time, until one fails. */
  async #loadAlone(queue: Queue): Promise<void> {
    while (queue.packages[0] !== undefined) {
      this.#signal.throwIfAborted();
      try {
        await this.#loadBatch([{ queue, planned: queue.packages[0] }]);
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#fail(queue.place, error);
        queue.packages = [];
      }
    }
  }

  async #loadBatch(taken: readonly { queue: Queue; planned: PlannedPackage }[]): Promise<void> {
    const { warehouse, progress } = this.#ports;
    const packages: PackageToLoad[] = [];
    const heads = taken.map(({ planned }) => planned.head);
    const fault = await checkInPlace(this.#ports.store, warehouse, heads);
    if (fault !== undefined) {
      const { tenant, seq } = fault.head.manifest;
      throw fault.error.at({ source: this.#spec.source, stream: this.#spec.name, tenant, seq });
    }
    for (const { planned } of taken) {
      const { tenant } = planned.head.manifest;
      try {
        packages.push(await this.#stage(planned.head, planned.completesGeneration));
      } catch (error) {
        throw isLeatError(error) && error instanceof LeatError
          ? error.at({
              source: this.#spec.source,
              stream: this.#spec.name,
              tenant,
              seq: planned.head.manifest.seq,
            })
          : error;
      }
    }
    const receipt = await warehouse.load(this.#spec, packages, this.#reopen, this.#signal);
    this.#changes.push(...receipt.changes);
    for (const { tenant, seq, loaded, rejected } of receipt.packages) {
      const load = this.#loads.get(tenant);
      if (load === undefined) continue;
      load.packages++;
      load.loaded += loaded;
      load.rejected += rejected;
      progress({
        type: "load",
        source: this.#spec.source,
        stream: this.#spec.name,
        tenant,
        seq,
        rows: loaded,
      });
    }
    for (const { queue, planned } of taken) {
      queue.packages = queue.packages.filter((one) => one !== planned);
      const load = this.#loads.get(queue.place.tenant);
      if (load !== undefined) load.seq = planned.head.manifest.seq;
    }
    await this.removeCopies();
  }

  /** Copies are only needed for parts that are not on this disk. */
  readonly #openFolder = async (): Promise<string> => {
    await mkdir(this.#ports.workFolder, { recursive: true });
    this.#folder ??= await mkdtemp(join(this.#ports.workFolder, "load-"));
    return this.#folder;
  };

  async removeCopies(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  readonly #reopen: ReopenPackage = async (tenant, seq) => {
    const place: StreamPlace = { source: this.#spec.source, stream: this.#spec.name, tenant };
    const { store, warehouse } = this.#ports;
    const head = await readManifestOfLog(store, place, seq);
    const fault = await checkInPlace(store, warehouse, [head]);
    if (fault !== undefined) throw fault.error.at({ ...place, seq });
    return await this.#stage(head, head.manifest.generation.state === "completed");
  };

  async #stage(head: Head, completesGeneration: boolean): Promise<PackageToLoad> {
    const { store, warehouse } = this.#ports;
    return await stagePackage(store, warehouse, this.#openFolder, head, completesGeneration);
  }

  #fail(place: StreamPlace, error: unknown): void {
    const load = this.#loads.get(place.tenant);
    if (load === undefined) throw error;
    load.error =
      error instanceof LeatError
        ? error.at(place)
        : new LeatError("LOAD_FAILED", {
            message: `${describePlace(place)}: ${error instanceof Error ? error.message : String(error)}`,
            details: place,
            cause: error,
          });
  }
}

/** Codes of a warehouse that is not there, not ours, full, at work for others, or not allowed. */
const warehouseCodes: readonly string[] = [
  "WAREHOUSE_LOCKED",
  "WAREHOUSE_FULL",
  "WAREHOUSE_UNREADABLE",
  "WAREHOUSE_UNREACHABLE",
  "WAREHOUSE_DENIED",
  "WAREHOUSE_QUOTA",
  "QUERY_TOO_COSTLY",
  "DEPENDENCY_MISSING",
  "INTERRUPTED",
];

/** Whether a failure is about what was loaded, so that the others of the batch may do better without it. */
function isPoison(error: unknown): boolean {
  if (!isLeatError(error)) return true;
  return !warehouseCodes.includes(error.code);
}
