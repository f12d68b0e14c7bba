/** Port: where loaded tables live. Adapters are under `warehouses/`. */
import type { ColumnTable } from "../model/column-kinds.ts";
import type { PublishedColumn } from "../model/dataset-manifest.ts";
import type { TenantId, WarehouseId } from "../model/ids.ts";
import type { Compression, PartEntry } from "../model/manifest.ts";
import type { ColumnChange } from "../model/plan-schema.ts";
import type { StreamSpec } from "../model/stream.ts";

/** One row of `_leat_loads`: a package that is entirely in the warehouse. */
export type LedgerRow = Readonly<{
  seq: number;
  /** SHA-256 of the manifest's bytes, hex. */
  manifestHash: string;
  /** Rows that the package put into the landing table, and those it put into `_leat_rejects`. */
  loaded: number;
  rejected: number;
  generation: number;
}>;

/** Which package of which place a load is about. */
export type PackageToLoad = Readonly<{
  tenant: TenantId;
  seq: number;
  manifestHash: string;
  /** Rows that must arrive: loaded + rejected = landed (I10). */
  landed: number;
  /** Seq of the generation's first manifest, 0 before any; rows of older generations are not visible (I12). */
  generation: number;
  /** Whether this package makes its generation the visible one of the tenant. */
  completesGeneration: boolean;
  columns: ColumnTable;
  parts: readonly StagedPart[];
  tenantColumn: string;
  partitionColumn: string | undefined;
}>;

/**
 * A part on this machine's disk, checked against its manifest; or, for a warehouse that reads it in the store itself,
 * its URL there (`gs://bucket/key`) as `path`.
 */
export type StagedPart = Readonly<{ entry: PartEntry; path: string; compression: Compression }>;

/** What became of a package. */
export type LoadReceipt = Readonly<{ tenant: TenantId; seq: number; loaded: number; rejected: number }>;

/** Schema changes a load made, for the receipt and for people. */
export type SchemaChange = ColumnChange;

export type BatchReceipt = Readonly<{ packages: readonly LoadReceipt[]; changes: readonly SchemaChange[] }>;

/** Hands out the rows of an older package again, where a column's new type needs its landed text (I14). */
export type ReopenPackage = (tenant: TenantId, seq: number) => Promise<PackageToLoad>;

/** A column of a table in the warehouse. */
export type WarehouseColumn = Readonly<{ name: string; type: string }>;

/** Which loads or rejects of a stream; newest first. */
export type HistoryFilter = Readonly<{
  tenant?: TenantId | undefined;
  /** One package. */
  seq?: number | undefined;
  limit: number;
  offset: number;
}>;

/** A package that was loaded, for people. */
export type LoadedPackage = Readonly<{
  tenant: TenantId;
  seq: number;
  loaded: number;
  rejected: number;
  generation: number;
  /** ISO 8601, UTC. */
  loadedAt: string;
}>;

/** A landed record that does not fit its table's types, for people. */
export type RejectedRecord = Readonly<{
  tenant: TenantId;
  seq: number;
  row: number | null;
  column: string | null;
  reason: string;
  /** Its beginning, as it was landed. `isCut`: it goes on. */
  record: string;
  isCut: boolean;
}>;

/** How a warehouse's SQL writes names and texts. */
export type SqlNaming = Readonly<{
  quoteName: (name: string) => string;
  quoteText: (text: string) => string;
}>;

/** Result of a query: columns and rows of values that JSON can hold (decimals and integers beyond ±2^53 as text). */
export type QueryResult = Readonly<{
  columns: readonly WarehouseColumn[];
  rows: readonly (readonly unknown[])[];
}>;

/** What a warehouse has asked of a service that counts and bills. */
export type ServiceUsage = Readonly<{
  loads: number;
  commits: number;
  queries: number;
  /** Requests of every kind, repeats included. */
  requests: number;
  bytesBilled: bigint;
  /** On demand, USD. */
  dollars: number;
}>;

/** One of a service's quotas. `limit` `null`: there is none, or it is the project's own. */
export type QuotaLine = Readonly<{ what: string; used: number; limit: number | null; note: string }>;

/** Some rows of a query. Cells are text in the forms that a dataset's columns are read from; nested ones are JSON. */
export type QueryPage = Readonly<{
  columns: readonly WarehouseColumn[];
  rows: readonly (readonly (string | null)[])[];
}>;

/** Count and order-free checksum of what a table holds for one tenant and package. */
export type TableChecksum = Readonly<{ tenant: TenantId; seq: number; rows: number; checksum: string }>;

/** What a dataset's table holds. */
export type PublishedDataset = Readonly<{ seq: number; version: string }>;

/** A version of a dataset on its way into its table. */
export type DatasetTable = Readonly<{
  dataset: string;
  /** Schema of the table, whose name is the dataset's. */
  schema: string;
  description: string;
  columns: readonly PublishedColumn[];
  /** Columns by which the rows are sorted. */
  sort: readonly string[];
  seq: number;
  version: string;
  rowCount: number;
  /** Parquet files on this machine's disk. */
  paths: readonly string[];
  /** An entry that the table may hold although the log has it no more: the landing was made anew. */
  replaces: number | undefined;
}>;

/** Who fills a stream's tables, where these are a share: a row of `_leat_shares`. */
export type ShareOwner = Readonly<{
  project: string;
  share: string;
  tenant: TenantId;
  /** What is shared, as JSON: rows of another declaration do not go on where these end. */
  declaration: string;
}>;

/** A statement that gives one row of `row_count` and `checksum` of what people see; `table` names it. */
export type CheckQuery = Readonly<{ table: string; sql: string }>;

/** What the customer's warehouse holds, and how the customer can see that it does. */
export type ShareReceipt = Readonly<{
  /** `schema.table`. */
  table: string;
  rows: number;
  /** Depends on the rows alone, not on their order. Compare those of one engine. */
  checksum: string;
  /** Gives both, in the customer's own warehouse. */
  query: string;
}>;

/** What a warehouse does for shares beside loading: its tables are a customer's, who has others there. */
export interface ShareTables {
  /** Who fills the stream's tables; `undefined`: nobody. Makes nothing. */
  readOwner(spec: StreamSpec): Promise<ShareOwner | undefined>;
  /**
   * Makes `owner` the one who fills them unless somebody does, in one transaction.
   *
   * @returns who fills them now.
   * @throws LeatError `SHARE_TABLE_TAKEN` when a table or view of one of their names is there, and nobody's share.
   */
  claim(spec: StreamSpec, owner: ShareOwner): Promise<ShareOwner>;
  /**
   * Puts the tables of `aside`, with their rows, ledger and owner, in the place of those of `spec`, in one transaction:
   * readers see the old rows or the new ones. `undefined`: it cannot, and a full load empties them first.
   */
  replace?(spec: StreamSpec, aside: StreamSpec): Promise<void>;
  /** Removes the stream's tables, ledger and owner, and what of leat's own is left empty by that. */
  remove(spec: StreamSpec): Promise<void>;
  /** How the customer can check what is there. */
  checkQueries(spec: StreamSpec): Promise<readonly CheckQuery[]>;
  /** What {@link keepReceipts} has kept, as text; `undefined`: nothing, since the tables were claimed or exchanged. */
  readReceipts(spec: StreamSpec): Promise<string | undefined>;
  /** Keeps receipts, so that a delivery without news need not count the rows again. */
  keepReceipts(spec: StreamSpec, receipts: string): Promise<void>;
}

/**
 * **warehouse** where loaded tables live; this port is of one that commits rows and ledger together.
 *
 * No method keeps the engine's file open after it has resolved.
 */
export interface Warehouse {
  /** For messages; no credentials. */
  readonly url: string;
  /** Which landed compression it reads. */
  readonly compressions: readonly Compression[];
  /**
   * Whether it reads parts of a store where they lie, so that they are not brought to this disk. `undefined`: none.
   */
  readsInPlace?(storeUrl: string, compression: Compression): boolean;
  /** How SQL for it writes names and texts, where that is not by double and single quotes. */
  readonly naming?: SqlNaming;
  /** Its random id; made by one atomic create and read back on first use (I18). */
  identity(): Promise<WarehouseId>;
  /** Ledger rows of a stream and tenant with `seq > afterSeq`, in the order of seq. */
  readLedger(
    spec: StreamSpec,
    tenant: TenantId,
    options?: { afterSeq?: number },
  ): Promise<readonly LedgerRow[]>;
  /** Newest ledger row per tenant of a stream. */
  readLedgerHeads(spec: StreamSpec): Promise<ReadonlyMap<TenantId, LedgerRow>>;
  /**
   * Compares the ledger with what is kept beside it, so that not all of it is read at every look. `undefined`: nothing is.
   *
   * @throws LeatError `LEDGER_MISMATCH`.
   */
  checkLedger?(spec: StreamSpec): Promise<void>;
  /**
   * Drops tables that defeated or dead loads of these streams have left. Safe beside running loads. `undefined`: none
   * can be left.
   *
   * @returns how many were dropped.
   */
  collectTables?(specs: readonly StreamSpec[], signal: AbortSignal): Promise<number>;
  /**
   * Loads packages in ONE transaction: schema changes, rows, rejects, ledger rows, materialised current rows, views.
   * All or nothing. The ledger rows are plain inserts (I11).
   *
   * @throws LeatError `LEDGER_MISMATCH` when rows of a package are there without its ledger row or the row is there
   *   with another hash or count; `SCHEMA_FROZEN`; `LOAD_FAILED`; `WAREHOUSE_LOCKED`; `WAREHOUSE_FULL`.
   *   A package that another process has loaded meanwhile with the same hash is left out of the batch and of the receipt.
   */
  load(
    spec: StreamSpec,
    packages: readonly PackageToLoad[],
    reopen: ReopenPackage,
    signal: AbortSignal,
  ): Promise<BatchReceipt>;
  /**
   * Ends what a load that died after its commit has left undone, so that what was committed is what people see. Asked
   * where a stream has packages and none was loaded now; costs next to nothing when nothing is left. `undefined`: the
   * transaction is all that a load does.
   */
  settle?(spec: StreamSpec): Promise<void>;
  /** Makes tables and views of a stream exist, empty if need be, so that queries work before the first load. */
  prepare(
    spec: StreamSpec,
    options: { tenantColumn: string; partitionColumn: string | undefined },
  ): Promise<void>;
  /** Name of a stream's current rows as SQL; `undefined`: the stream's in a schema called like its source. */
  currentName?(spec: StreamSpec): string;
  /** Name of a stream's landing table as SQL, every version of every record; `undefined`: its plain name in quotes. */
  landingName?(spec: StreamSpec): string;
  query(sql: string, options?: { signal?: AbortSignal; rowsMax?: number }): Promise<QueryResult>;
  /**
   * Rows of a query in pages, at least one, for datasets that are made of it. `undefined`: this warehouse's rows are read
   * another way, or not at all.
   */
  readPages?(sql: string, signal: AbortSignal): AsyncIterable<QueryPage>;
  /** What a query would read and cost; refuses what is no query. `undefined`: nobody is billed for queries. */
  estimate?(sql: string): Promise<Readonly<{ bytes: number; dollars: number }>>;
  /** What was asked of the service since the warehouse was opened. `undefined`: nobody counts. */
  usage?(): ServiceUsage;
  /** What everybody has taken of the service's daily quotas since then. `undefined`: there are none. */
  readQuotas?(sinceMs: number, signal: AbortSignal): Promise<readonly QuotaLine[]>;
  /** Checksums of the landing table per tenant and package: equal rows give equal checksums in any order of loading. */
  checksums(spec: StreamSpec): Promise<readonly TableChecksum[]>;
  /** Keys whose current row differs between `cursor` and `arrival` (I20): how many, and some of them. */
  currentDisagreements(
    spec: StreamSpec,
    options: { sampleMax: number },
  ): Promise<Readonly<{ count: number; sample: readonly string[] }>>;
  /**
   * Removes everything of a stream in one transaction: landing table, rejects, materialised rows, views, ledger rows,
   * so that a rebuild of one stream can begin from nothing. `undefined`: only whole warehouses can be rebuilt.
   */
  forget?(spec: StreamSpec): Promise<void>;
  /** Which version of a dataset its table holds; `undefined`: there is none. Set with `publishDataset`. */
  readDataset?(dataset: string): Promise<PublishedDataset | undefined>;
  /**
   * Replaces a dataset's table and its ledger row in ONE transaction. A table that holds a later entry of the log stays
   * as it is, unless that entry is the one to be replaced. `undefined`: this warehouse keeps no datasets.
   *
   * @returns what the table holds now.
   * @throws LeatError `CONFIG_INVALID` when the name belongs to something else; `PART_CORRUPT` when the files hold
   *   another number of rows.
   */
  publishDataset?(table: DatasetTable, signal: AbortSignal): Promise<PublishedDataset>;
  /** What was loaded of a stream, for people. `undefined`: this warehouse does not tell. */
  readLoads?(spec: StreamSpec, filter: HistoryFilter): Promise<readonly LoadedPackage[]>;
  /** Records of a stream that fit no type, for people. */
  readRejects?(spec: StreamSpec, filter: HistoryFilter): Promise<readonly RejectedRecord[]>;
  /** What shares need of it. `undefined`: it cannot be a share's target. */
  readonly shareTables?: ShareTables;
  /** Columns of a stream's table, without leat's own. */
  readColumns?(spec: StreamSpec): Promise<readonly WarehouseColumn[]>;
  close(): Promise<void>;
}
