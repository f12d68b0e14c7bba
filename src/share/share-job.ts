/** What a share of one tenant is made with, and what it says when it has ended. */
import type { LeatError } from "../errors/leat-error.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ShareSpec, TenantVersions } from "../ports/share.ts";
import type { Tenant } from "../ports/source.ts";
import type { ShareReceipt, Warehouse } from "../ports/warehouse.ts";
import type { Progress, Secrets } from "../ports/world.ts";

/** The world of one tenant's share: what of it could lead to another tenant is not in here. */
export type SharePorts = Readonly<{
  /** The landing. Only the tenant's own places of it are used; see `openTenantStore`. */
  store: ObjectStore;
  /** One tenant's rows of datasets' versions. */
  versions: TenantVersions;
  /** Looks a secret up, for this share and no longer. */
  secrets: Secrets;
  /** Opens the customer's warehouse, once, by its address. */
  openTarget: (address: string) => Promise<Warehouse>;
  progress: Progress;
  /** A folder on this machine for private copies; its contents are removed afterwards. */
  workFolder: string;
}>;

/**
 * `deliver`: what is new. `full`: everything again, put in place at once. `plan`: nothing moves. `verify`: nothing moves,
 * and what is there is counted and compared. `remove`: take it away.
 */
export type ShareMode = "deliver" | "full" | "plan" | "verify" | "remove";

/** One share for one tenant. */
export type ShareJob = Readonly<{
  project: string;
  share: ShareSpec;
  tenant: Tenant;
  mode: ShareMode;
  /** Streams of the project, as `source.stream`. */
  streams: ReadonlyMap<string, StreamSpec>;
  /** Datasets of the project, by name. */
  datasets: ReadonlyMap<string, DatasetSpec>;
  tenantColumn: string;
}>;

/** What became of one table. */
export type SharedTable = Readonly<{
  table: string;
  of: string;
  status: "moved" | "unchanged" | "empty" | "planned" | "verified" | "removed" | "failed";
  /** Packages and rows that were moved, or would be. */
  packages: number;
  rows: number;
  rejected: number;
  /** Newest package that is there; 0: none. */
  seq: number;
  receipts: readonly ShareReceipt[];
  error: LeatError | undefined;
}>;

/** What became of one tenant's share. `error`: it could not even begin. */
export type ShareOutcome = Readonly<{
  share: string;
  tenant: string;
  /** Address of the customer's warehouse without credentials; `null`: it was not opened. */
  target: string | null;
  tables: readonly SharedTable[];
  error: LeatError | undefined;
}>;

/** Whether all that was asked for was done. */
export const isWhole = (outcome: ShareOutcome): boolean =>
  outcome.error === undefined && outcome.tables.every(({ error }) => error === undefined);
