/** What a share is: made by `defineShare`, planned and delivered by `share`, named by projects. */
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { TenantId } from "../model/ids.ts";
import type { Tenant } from "./source.ts";

/** A column as it is shared. */
export type ShareColumn = Readonly<{
  /** Top-level key of the landed records, or column of the dataset. */
  key: string;
  /** What it is called at the customer's. */
  name: string;
  /** Whether a salted hash of the value is shared instead of the value. */
  isMasked: boolean;
  /** Whether a customer's records may lack it from the first to the last. */
  isOptional: boolean;
}>;

/** One table of a share. */
export type ShareTable = Readonly<{
  /** `stream`: of the tenant's own packages. `dataset`: of the tenant's rows in the newest version. */
  kind: "stream" | "dataset";
  /** What it is made of: a stream, as `source.stream`, or a dataset, by its name. */
  of: string;
  /** Name of the table (or view) at the customer's. */
  name: string;
  /** What leaves the house, and nothing else; `undefined`: every column. */
  columns: readonly ShareColumn[] | undefined;
}>;

/** What a share keeps at the customer's: every version of a record, or the current one alone. */
export type ShareKeep = "history" | "current";

/**
 * **share** a customer's own rows in that customer's own warehouse, kept up to date: a load of the tenant's packages
 * from the landing.
 */
export type ShareSpec = Readonly<{
  name: string;
  /** Schema (BigQuery: part of the tables' names; Parquet: folder) at the customer's. */
  schema: string;
  tables: readonly ShareTable[];
  /** Ids; `undefined`: every tenant of the project. */
  tenants: readonly string[] | undefined;
  /** Where a tenant's rows go: an address, or a secret's reference whose value is one. */
  to: (tenant: Tenant) => string;
  keep: ShareKeep;
  /** Reference of the secret that values are masked with; `undefined`: nothing is masked. */
  salt: string | undefined;
  /** Longest time for one tenant, ms. */
  deadlineMs: number;
}>;

/** Which rows of a version leave the house. */
export type TenantRowsRequest = Readonly<{
  entry: DatasetManifest;
  tenant: TenantId;
  /** The column that says whose a row is. */
  tenantColumn: string;
  /** Columns to be written, without the tenant's. */
  columns: readonly string[];
}>;

/** Published versions of datasets as shares see them: one tenant's rows of them. */
export interface TenantVersions {
  /** The newest entry of a dataset's log; `undefined`: it was never published. */
  newest(dataset: string): Promise<DatasetManifest | undefined>;
  /**
   * Writes the rows whose tenant's column is the tenant's id, byte for byte, as lines of JSON as they are landed: the
   * tenant's column as it stands in the row, leat's own, then the others, text for every value that is not JSON.
   *
   * @throws LeatError `SHARE_OUT_OF_SCOPE`, `VERSION_UNKNOWN`, `PART_MISSING`, `PART_CORRUPT`.
   */
  writeRows(request: TenantRowsRequest, file: string, signal: AbortSignal): Promise<void>;
}
