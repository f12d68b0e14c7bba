/** What a load works with, and what it says when it has ended. */
import type { LeatError } from "../errors/leat-error.ts";
import type { TenantId } from "../model/ids.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { SchemaChange, Warehouse } from "../ports/warehouse.ts";
import type { Progress } from "../ports/world.ts";

/** The world of a load. */
export type LoadPorts = Readonly<{
  store: ObjectStore;
  warehouse: Pick<Warehouse, "readLedgerHeads" | "readsInPlace" | "load" | "settle">;
  progress: Progress;
  /** A folder on this machine for private copies of parts; its contents are removed afterwards. */
  workFolder: string;
}>;

/** What a load did for one tenant; one tenant's failure leaves the others served. */
export type TenantLoad = Readonly<{
  tenant: TenantId;
  packages: number;
  loaded: number;
  rejected: number;
  /** Newest seq that the warehouse now has, 0: none. */
  seq: number;
  error: LeatError | undefined;
}>;

export type LoadOutcome = Readonly<{ tenants: readonly TenantLoad[]; changes: readonly SchemaChange[] }>;

/** Loads everything sealed and not yet loaded of one stream, for the given tenants. Implemented in `load-stream.ts`. */
export type LoadStream = (
  ports: LoadPorts,
  spec: StreamSpec,
  tenants: readonly TenantId[],
  signal: AbortSignal,
) => Promise<LoadOutcome>;
