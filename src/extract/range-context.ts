/** What one range is landed with, and what it may say of itself. */
import type { PartWriter } from "../landing/part-writer.ts";
import type { PartitionState } from "../model/manifest.ts";
import type { RecordSelector } from "../model/record-selector.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { PageSummary } from "../ports/source.ts";
import type { RecordScanner } from "../scan/record-batch.ts";
import type { Boundary } from "./boundary.ts";
import type { SentRange } from "./range-plan.ts";
import type { RowPrefix } from "./row-splice.ts";

/** Records in quarantine for one reason, and where the first of them stood. */
export type QuarantineReason = Readonly<{ count: number; first: string }>;

/** An answer without records where they should be: where that was, and which keys are there instead. */
export type MissingRecords = Readonly<{ at: string; selector: string; keys: readonly string[] }>;

/** What a range is landed with. The writers' attempt has begun. */
export type RangeContext = Readonly<{
  spec: StreamSpec;
  partition: Readonly<{ value: string; number: number; state: PartitionState }>;
  range: SentRange;
  /** The boundary as of the start of the range; only read. */
  base: Boundary;
  openScanner: (selector: RecordSelector) => RecordScanner;
  /** Whether everything landed in the range must be remembered: it may be committed before `next` moves. */
  remembersAll: boolean;
  /** Whether the order of the source may be relied on, and so must be checked. */
  checksOrder: boolean;
}>;

/** The package that a range's rows go to; another one after a commit in the middle of the range. */
export type LandingTarget = Readonly<{
  rows: PartWriter;
  quarantine: PartWriter;
  prefix: RowPrefix;
  firstRowNumber: number;
}>;

/** Thrown when the source broke the order that leat asked for (I7); the run deals with it. */
export class OrderBrokenSignal extends Error {}

/** A page that has been read to its end. */
export type ReadPage = Readonly<{
  /** What the source needs to know to go on. */
  summary: PageSummary;
  /** Lands what has been read and not landed; to be called before another page is. `undefined`: there is nothing. */
  landRest: (() => Promise<void>) | undefined;
}>;
