/**
 * Port: what serving asks of an engine that holds dataset versions, and of whoever knows which versions there are.
 * Engines are implemented under `warehouses/`, in a process of their own: a query must never block or end the server.
 */
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { PackLayout } from "../model/serving-pack.ts";

/** One line of a dataset's list of versions. */
export type VersionEntry = Readonly<{
  version: string;
  seq: number;
  rowCount: number;
  builtAt: string;
  /** False once its files were deleted. */
  isKept: boolean;
}>;

/** The published versions of datasets. */
export interface PublishedDatasets {
  /** Number of the newest entry of the log; `undefined`: nothing was published. Cheap: it is asked every few seconds. */
  newestSeq(dataset: string): Promise<number | undefined>;
  /** An entry of the log that exists. */
  readEntry(dataset: string, seq: number): Promise<DatasetManifest>;
  /** All entries, newest first. */
  listVersions(dataset: string): Promise<readonly VersionEntry[]>;
}

/** How a value is compared. Comparisons are never true of null; `isnull` alone finds it. */
export const filterOperators = [
  "eq",
  "ne",
  "lt",
  "lte",
  "gt",
  "gte",
  "in",
  "like",
  "isnull",
  "between",
] as const;
export type FilterOperator = (typeof filterOperators)[number];

/** A condition on a column. All filters of a query hold. Values are canonical texts of the column's type. */
export type QueryFilter = Readonly<{ column: string; operator: FilterOperator; values: readonly string[] }>;

/** Nulls come last in both directions; rows that compare equal keep the version's order. */
export type QuerySort = Readonly<{ column: string; isDescending: boolean }>;

/** Which rows, in which order. */
export type RowSelection = Readonly<{ filters: readonly QueryFilter[]; sort: readonly QuerySort[] }>;

export type RowsQuery = RowSelection &
  Readonly<{
    /** Row after which the page begins, in the order of `sort`; `undefined`: from the first. */
    afterRow: number | undefined;
    /** Rows that are left out before the page begins. */
    skip: number;
    limit: number;
    /** Whether the number of all matching rows is wanted as well: it costs another pass. */
    wantsTotal: boolean;
  }>;

/** Numbers of rows in the version's order, from 0. */
export type RowsFound = Readonly<{ rows: Uint32Array; total: number | undefined }>;

export const dateParts = ["year", "quarter", "month", "week", "day", "hour", "minute"] as const;
export type DatePart = (typeof dateParts)[number];

/** What groups are made by: a column, or the beginning of the year, month … that its value is in. */
export type QueryGroup = Readonly<{ name: string; column: string; part: DatePart | undefined }>;

/** A number (or for `min` and `max` a value) told of each group. */
export type QueryMeasure = Readonly<
  { name: string } & (
    | { measure: "count"; column: string | undefined }
    | { measure: "sum" | "avg" | "min" | "max"; column: string }
    /** Interpolated; `share` 0…1. */
    | { measure: "quantile"; column: string; share: number }
  )
>;

export type AggregateQuery = Readonly<{
  filters: readonly QueryFilter[];
  groups: readonly QueryGroup[];
  measures: readonly QueryMeasure[];
  /** By names of groups and measures; groups decide what is left undecided. */
  sort: readonly Readonly<{ name: string; isDescending: boolean }>[];
  offset: number;
  limit: number;
}>;

/** A small table: the JSON text of each cell, by column. */
export type QueryTable = Readonly<{
  columns: readonly Readonly<{ name: string; type: string; cells: readonly string[] }>[];
  rowCount: number;
  /** Rows that there would be without a limit. */
  total: number;
}>;

export type FacetQuery = Readonly<{ filters: readonly QueryFilter[]; column: string; limit: number }>;

/** The commonest values of a column, and how many different ones there are. */
export type Facet = Readonly<{
  values: readonly Readonly<{ value: string; count: number }>[];
  distinct: number;
}>;

/** Which of the selected rows; as in a {@link RowsQuery}. */
export type RowsPage = Readonly<{ afterRow: number | undefined; skip: number; limit: number }>;

/** A file of rows or groups. `rows`: numbers of rows, 4 bytes each, little-endian. */
export type FileQuery = Readonly<{ format: "parquet" | "arrow" }> &
  Readonly<
    | {
        select: "rows";
        selection: RowSelection;
        columns: readonly string[];
        page: RowsPage | undefined;
      }
    | { select: "groups"; query: AggregateQuery }
  >;

/** A version to be made ready. */
export type VersionToLoad = Readonly<{
  /** What its queries name it by. */
  id: string;
  manifest: DatasetManifest;
  /** Its parts on this machine's disk, checked, in order. */
  paths: readonly string[];
  /** Orders beside the version's own in which rows are looked up. */
  orders: readonly (readonly string[])[];
  /** Largest pack, bytes. */
  packBytesMax: number;
  /** Where the engine keeps what it makes of it; exists, and is the version's own. */
  folder: string;
}>;

/** The beginning of a version, read before the rest is. */
export type HeadToRead = Readonly<{
  manifest: DatasetManifest;
  /** Its first part on this machine's disk, checked. */
  path: string;
  rowsMax: number;
}>;

/** A pack of a version's first rows alone, in which every row has its own fragments. */
export type HeadPack = Readonly<{ bytes: Uint8Array; layout: PackLayout }>;

/** Where the pack of a loaded version lies. The caller may delete the file once it has read it. */
export type LoadedPack = Readonly<{ path: string; layout: PackLayout }>;

/**
 * An engine for queries over versions.
 *
 * @throws LeatError `QUERY_BUSY` when too many wait, `QUERY_TIMEOUT`, `QUERY_MEMORY` and `QUERY_ENGINE_LOST` when a
 *   query was ended, `INTERRUPTED` by its signal. In each case later queries work.
 */
export interface DatasetQueryEngine {
  /** Makes ready for the first call, which starts what it needs otherwise. */
  start(): Promise<void>;
  /** @throws LeatError `DATASET_TOO_LARGE`, `PART_CORRUPT` when a part is not what the manifest says. */
  load(version: VersionToLoad, signal: AbortSignal): Promise<LoadedPack>;
  /** Reads the first rows, whatever else goes on; fewer than were asked for where they are large. */
  readHead(head: HeadToRead, signal: AbortSignal): Promise<HeadPack>;
  findRows(id: string, query: RowsQuery, signal: AbortSignal): Promise<RowsFound>;
  /** Writes all matching row numbers to a file; how many. */
  writeRowNumbers(id: string, selection: RowSelection, path: string, signal: AbortSignal): Promise<number>;
  aggregate(id: string, query: AggregateQuery, signal: AbortSignal): Promise<QueryTable>;
  facet(id: string, query: FacetQuery, signal: AbortSignal): Promise<Facet>;
  /** Writes a file; its size is known when the promise resolves. */
  writeFile(id: string, query: FileQuery, path: string, signal: AbortSignal): Promise<void>;
  /** Forgets a version; its queries have ended. */
  drop(id: string): Promise<void>;
  close(): Promise<void>;
}
