/** What one extract is asked to do, and what it says when it has ended. */
import type { CursorValue } from "../model/cursor.ts";
import type { Compression, ExtractCounts, PartitionState } from "../model/manifest.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { FileReader, StreamReader, Tenant } from "../ports/source.ts";
import type { Clock, Progress, Random } from "../ports/world.ts";
import type { OpenScanner } from "../scan/record-batch.ts";

/** The world of an extract. */
export type ExtractPorts = Readonly<{
  store: ObjectStore;
  clock: Clock;
  random: Random;
  progress: Progress;
  openScanner: OpenScanner;
}>;

/**
 * `incremental`: what is new since `next`. `backfill`: a range that moves neither cursor nor `next` (I8), half-open
 * `[from, to)`. `refresh`: a new generation of everything (I12).
 */
export type ExtractMode =
  | Readonly<{ kind: "incremental" }>
  | Readonly<{ kind: "backfill"; from: CursorValue; to: CursorValue }>
  | Readonly<{ kind: "refresh"; confirmShrink: boolean }>;

/** One extract: one stream, one tenant, one run id. */
export type ExtractJob = Readonly<{
  spec: StreamSpec;
  tenant: Tenant;
  reader: StreamReader;
  mode: ExtractMode;
  /** Name of the tenant's column in landed rows. */
  tenantColumn: string;
  compression: Compression;
  /** A scheduler's name for this delivery; when it is done already, nothing is fetched (I17). */
  idempotencyKey: string | undefined;
  /** Stop at the next safe point when the clock reaches this, ms; `undefined`: at the stream's `runMsMax`. */
  softDeadlineMs: number | undefined;
}>;

/** One extract of a stream of files. */
export type FilesJob = Omit<ExtractJob, "reader"> & Readonly<{ reader: FileReader }>;

/** What a commit must know of a job, whatever is read. */
export type CommitJob = Pick<
  ExtractJob,
  "spec" | "tenant" | "tenantColumn" | "compression" | "idempotencyKey"
>;

/** How an extract ended. Failures are thrown as LeatError with source, stream, tenant and run in `details`. */
export type ExtractOutcome = Readonly<{
  /** `unchanged`: nothing new and no state moved, so no manifest was made. `already-done`: the idempotency key was. */
  status: "committed" | "unchanged" | "already-done";
  /** Seqs of the manifests this run created. */
  seqs: readonly number[];
  counts: ExtractCounts;
  before: PartitionState;
  after: PartitionState;
  requests: number;
  pages: number;
  /** Received body bytes after decoding, and landed NDJSON bytes before compression. */
  receivedBytes: number;
  landedBytes: number;
  /** The run ended at a bound or deadline with windows left to do: run again. */
  hasMore: boolean;
  /** Known files that the source had no more; set for streams of files that were looked through to the end. */
  missingFiles?: number | undefined;
}>;

/** Runs one extract of files. Implemented in `extract-files.ts`. */
export type ExtractFiles = (
  ports: ExtractPorts,
  job: FilesJob,
  signal: AbortSignal,
) => Promise<ExtractOutcome>;

/** Runs one extract. Implemented in `extract-stream.ts`. */
export type ExtractStream = (
  ports: ExtractPorts,
  job: ExtractJob,
  signal: AbortSignal,
) => Promise<ExtractOutcome>;
