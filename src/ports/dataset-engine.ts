/** Port: the scratch space in which a dataset's rows are typed, checked, sorted and written. Implemented under `warehouses/`. */

import type { DatasetLineage, PublishedColumn, StreamLineage } from "../model/dataset-manifest.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { DatasetRule, DatasetSpec } from "./dataset.ts";

/** Where a row came from: which input (in the order of release), which row of it, and what its reader told of the place. */
export type RowPlace = Readonly<{ input: number; row: number; place: string | null }>;

/** Values that are not what their column's type or checks ask for. */
export type ColumnViolation = Readonly<{
  column: string;
  /** What is wrong with each of them: `is no whole number`, `is more than 100`. */
  problem: string;
  count: number;
  samples: readonly (RowPlace & Readonly<{ value: string | null }>)[];
}>;

/** Two rows of one input with one key. */
export type DuplicateKey = Readonly<{ key: JsonObject; places: readonly RowPlace[] }>;

/** What became of rows with one key. */
export type SettledKeys = Readonly<{
  duplicates: Readonly<{ count: number; samples: readonly DuplicateKey[] }>;
  /** By input: rows that were read, new keys, other values, equal values. */
  inputs: readonly Readonly<{
    input: number;
    rows: number;
    added: number;
    restated: number;
    repeated: number;
  }>[];
  columns: Readonly<Record<string, number>>;
  samples: readonly Readonly<{
    key: JsonObject;
    column: string;
    before: JsonValue;
    after: JsonValue;
    from: number;
    to: number;
  }>[];
}>;

/** What a query over the warehouse gave. */
export type QueryFacts = Readonly<{
  rowCount: number;
  /** What the warehouse held when it was run. */
  streams: readonly StreamLineage[];
  datasets: DatasetLineage["datasets"];
}>;

/** What a rule has found. `note` is for people: the bound, the newest value. */
export type RuleFinding = Readonly<{
  checked: number;
  skipped: number;
  failed: number;
  /** What is wrong beside single rows: too few of them, nothing to check, too old. */
  problem: string | null;
  note: string | null;
  samples: readonly JsonObject[];
}>;

/** What a rule may compare with. */
export type RuleContext = Readonly<{
  nowMs: number;
  /** Rows of the version before; `undefined`: there is none. */
  previousRows: number | undefined;
  /** Parquet files of the newest version of the dataset that a `references` rule names. */
  references: (dataset: string) => Promise<readonly string[]>;
}>;

/** A Parquet file that was written. */
export type WrittenPart = Readonly<{ path: string; rows: number }>;

/**
 * One build's scratch space. Its methods are called in the order in which they stand here.
 *
 * Rows are text until `readTypes`: a staged row is a line of NDJSON with the members `n` (its number in the input), `p`
 * (what its reader told of its place, or null) and `v0`, `v1`, … (a column's value as text, or null).
 */
export interface DatasetScratch {
  addStaged(input: number, path: string): Promise<void>;
  /** Runs a query over the warehouse, read-only; its columns become the dataset's by name. */
  addQuery(input: number): Promise<QueryFacts>;
  /** Reads texts as their columns' types and runs the columns' checks on every row. */
  readTypes(): Promise<readonly ColumnViolation[]>;
  /** Leaves one row a key: of one input's as the dataset says, of several inputs' the last. */
  settleKeys(): Promise<SettledKeys>;
  /** Sorts, and names what is there: the hash of the rows' canonical text in their order. */
  arrange(): Promise<Readonly<{ rowCount: number; rowsHash: string }>>;
  runRule(rule: DatasetRule, context: RuleContext): Promise<RuleFinding>;
  /** Writes the rows as Parquet: equal rows give equal bytes. */
  writeParts(folder: string): Promise<readonly WrittenPart[]>;
}

/** A version's rows on this machine's disk. */
export type VersionFiles = Readonly<{
  paths: readonly string[];
  columns: readonly PublishedColumn[];
  key: readonly string[];
}>;

/** A row that differs between two versions. */
export type RowChange = Readonly<{
  change: "added" | "removed" | "changed";
  key: JsonObject;
  /** Of a changed row its changed cells, else all that are not of the key. */
  cells: Readonly<Record<string, Readonly<{ before: JsonValue; after: JsonValue }>>>;
}>;

/** What differs between two versions. */
export type VersionDiff = Readonly<{
  added: number;
  removed: number;
  changed: number;
  unchanged: number;
  /** Changed cells by column, of columns that both have. */
  columns: Readonly<Record<string, number>>;
  samples: readonly RowChange[];
}>;

/** Builds datasets and compares their versions. */
export interface DatasetEngine {
  /** Gives `work` a scratch space in `folder`, and throws it away afterwards. */
  withScratch<Result>(
    spec: DatasetSpec,
    folder: string,
    signal: AbortSignal,
    work: (scratch: DatasetScratch) => Promise<Result>,
  ): Promise<Result>;
  /** Compares two versions by the key of the later one. */
  compareVersions(
    before: VersionFiles,
    after: VersionFiles,
    options: Readonly<{ folder: string; samplesMax: number }>,
    signal: AbortSignal,
  ): Promise<VersionDiff>;
}
