/** What a shared table is filled with: the tenant's packages of a stream, or its rows of a dataset's newest version. */
import type { LeatError } from "../errors/leat-error.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { LedgerRow } from "../ports/warehouse.ts";

/** What would move. */
export type PlannedRows = Readonly<{ packages: number; rows: number }>;

/** What has moved. `seq`: the newest package that is there. */
export type MovedRows = Readonly<{
  packages: number;
  rows: number;
  rejected: number;
  seq: number;
  error: LeatError | undefined;
}>;

/** One tenant's rows of one stream or dataset, on their way into one table. */
export interface TableRows {
  /** The table as the customer's warehouse knows it. */
  readonly target: StreamSpec;
  /** Names and types of the columns, where they are known before rows are; part of the declaration. */
  readonly schema: readonly (readonly [string, string])[] | undefined;
  /** Whether the newest package holds every row, so that what is there must be exactly that. */
  readonly isWhole: boolean;
  /**
   * Whether there is anything to share.
   *
   * @throws {@link LeatError} `SHARE_COLUMN_MISSING` when a column is named that is nowhere.
   */
  check(): Promise<boolean>;
  /** Whether a target that has loaded up to `loaded` may lack something. @throws as {@link plan}. */
  hasNews(loaded: LedgerRow): Promise<boolean>;
  /** What a target lacks that has loaded up to `loaded`. @throws {@link LeatError} `LOG_REWRITTEN`. */
  plan(loaded: LedgerRow | undefined, signal: AbortSignal): Promise<PlannedRows>;
  /** Moves what a target lacks. @param into - `target`, or the same table aside. */
  load(into: StreamSpec, signal: AbortSignal): Promise<MovedRows>;
}
