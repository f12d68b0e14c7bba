/** What a share is: made by `defineShare`, planned and delivered by `share`, named by projects. */
import type { Tenant } from "./source.ts";

/** A column as it is shared. */
export type ShareColumn = Readonly<{
  /** Top-level key of the landed records. */
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
  /** The stream that it is made of, as `source.stream`. */
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
