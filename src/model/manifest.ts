/** **load package** a sealed set of landed files with its manifest, the unit of load and replay. */
import type { ColumnTable } from "./column-kinds.ts";
import type { CursorValue } from "./cursor.ts";
import type { RunId, TenantId } from "./ids.ts";

/** Written by this version; older ones must stay readable for ever, newer ones are refused by name. */
export const manifestFormatVersion = 1;

/** `closed`: the tenant is offboarded; its log goes on from here. `forget`: named parts may be gone (I15). */
export type ManifestKind = "data" | "empty" | "state-edit" | "closed" | "forget";

/** Encoding of a landed file; named by its ending `.ndjson`, `.ndjson.zst` (frames), `.ndjson.gz` (members). */
export type Compression = "none" | "zstd" | "gzip";

/** **part** one landed file, as its manifest names it. */
export type PartEntry = Readonly<{
  key: string;
  /** Bytes as stored. */
  bytes: number;
  /** Bytes of NDJSON before compression. */
  plainBytes: number;
  records: number;
  /** CRC32C of the stored bytes, 8 hex digits. */
  crc32c: string;
  /** Columns of this part holding numbers that do not survive a double, at any depth. */
  exactColumns: readonly string[];
}>;

/** A landed file of leat's own (state, boundary): no records of the source. */
export type FileEntry = Readonly<{ key: string; bytes: number; crc32c: string }>;

/** A landed file as the source had it: the bytes that a record of a stream of files tells of. */
export type RawFileEntry = Readonly<{ key: string; bytes: number; crc32c: string; sha256: string }>;

/** I10: received = landed + boundarySkipped + repeated + quarantined. */
export type ExtractCounts = Readonly<{
  received: number;
  landed: number;
  boundarySkipped: number;
  repeated: number;
  quarantined: number;
  /** Of the landed: same key and cursor as before with other bytes (I5). */
  restated: number;
  /** Of the landed: no usable cursor (I3). */
  unusableCursor: number;
}>;

/** **state** what must outlive a run: where one partition of a stream stands. The partition of a stream without partitions is `""`. */
export type PartitionState = Readonly<{
  /** Greatest usable value landed (I3); `undefined`: none yet. */
  cursor: CursorValue | undefined;
  /** Everything before it was asked for and received (I8). */
  scannedTo: CursorValue | undefined;
  /** Where the next range begins, inclusive; `undefined`: no start until a first range has completed. */
  next: CursorValue | undefined;
  /** From where the boundary is complete; `undefined`: from the beginning. */
  since: CursorValue | undefined;
}>;

/** What a run starts from. Large ones (partitions, boundary) are a landed file that the manifest names. */
export type StateSummary = Readonly<{
  /** The partition `""`, or for a partitioned stream the least `next` and greatest cursor, for people. */
  main: PartitionState;
  partitionCount: number;
  boundaryCount: number;
  /** Files known, in a stream of files; such a state has no partitions and no boundary. */
  fileCount?: number | undefined;
  /** Inline when small: the same text that the file would hold. */
  inline: string | undefined;
  file: FileEntry | undefined;
}>;

/**
 * **generation** one full refresh of a stream (I12); here, which one the run belongs to. `number` is the seq of the generation's first manifest, 0 before any
 * refresh. `open`: this manifest's rows are invisible until `completed`. `visible`: ordinary manifests after.
 */
export type Generation = Readonly<{
  number: number;
  state: "visible" | "open" | "completed";
  runId: RunId | undefined;
}>;

/** Who changed a state by hand, when and why (I19). */
export type StateEdit = Readonly<{ who: string; at: string; why: string; landedBefore: "missing" | "again" }>;

/** **manifest** one entry of a log. Creating it is the commit (I2); it is never changed. */
export type Manifest = Readonly<{
  formatVersion: number;
  source: string;
  stream: string;
  tenant: TenantId;
  seq: number;
  runId: RunId;
  /** Seq of the newest manifest of kind `data` before this one; 0: none. */
  previousDataSeq: number;
  kind: ManifestKind;
  idempotencyKey: string | undefined;
  /** Whether the run has done all it was asked to (I17). */
  isFinal: boolean;
  generation: Generation;
  /** The generation that readers see after this manifest, and how many records it has landed in all. */
  visible: Readonly<{ number: number; records: number }>;
  before: PartitionState;
  state: StateSummary;
  /** False once the source broke the order that leat asked for (I7). */
  isOrdered: boolean;
  /** Newest final idempotency keys, newest last, at most {@link doneKeysMax}. */
  doneKeys: readonly string[];
  /** Newest seq of the parent stream whose records have become partitions; 0: none. */
  parentSeq: number;
  parts: readonly PartEntry[];
  quarantine: readonly PartEntry[];
  /** Raw files landed by this run; streams of files only, absent before there were such. */
  files?: readonly RawFileEntry[] | undefined;
  columns: ColumnTable;
  counts: ExtractCounts;
  /** Name of the tenant's column in the rows. */
  tenantColumn: string;
  /** Name of the partition's column in the rows. */
  partitionColumn: string | undefined;
  /** The source's clock at the first answer (T0), ms since the epoch; `undefined`: it named none. */
  sourceClockMs: number | undefined;
  /** ISO 8601, UTC. */
  startedAt: string;
  committedAt: string;
  edit: StateEdit | undefined;
  /** Seqs whose parts this manifest declares gone (kind `forget`). */
  forgets: readonly number[];
}>;

/** How many final idempotency keys a log remembers: more than a scheduler's retries of any one day. */
export const doneKeysMax = 64;
