/** A stream as every stage sees it: checked, complete, frozen. Made by `define*`, never by hand. */
import type { CursorFormat, CursorValue, ParameterFormat } from "./cursor.ts";

/** **write disposition** What a load does to rows of the same key. */
export type WriteDisposition = "append" | "merge" | "replace";

/** **contract** What happens when columns or kinds arrive that the stream has not had. */
export type SchemaContract = "evolve" | "freeze" | "discard";

/** A type that a person declared for a column; what is not declared is derived from the kinds seen. */
export type DeclaredType =
  | Readonly<{
      type: "text" | "bigint" | "double" | "boolean" | "date" | "timestamp" | "timestamptz" | "json";
    }>
  | Readonly<{ type: "decimal"; precision: number; scale: number }>;

/** **window** the span that one range of an extract reads. How it is asked for. */
export type RangeSpec = Readonly<{
  startFormat: ParameterFormat;
  /** Whether a record whose cursor equals the start parameter is in the answer. */
  isStartInclusive: boolean;
  /** Whether an end is sent as well. Without one the range is open and only moves the cursor (I8). */
  hasEnd: boolean;
  endFormat: ParameterFormat;
  /** Longest span that the API answers, measured after rounding, in cursor units; `undefined`: any. */
  spanMax: CursorValue | undefined;
}>;

/** How far a stream is landed, and by which field one knows. */
export type CursorSpec = Readonly<{
  /** Dotted path into the record. */
  field: string;
  format: CursorFormat;
  /** IANA zone of values and of `date` parameters written without one. */
  zone: string;
  /** Least usable value (I3); e.g. `0001-01-01` stands for "never" and is not usable. */
  minimum: CursorValue;
  /** Where the first range begins; `undefined`: no start is sent until the first range has completed (I8). */
  initial: CursorValue | undefined;
  /** Span to read again: commit delay, granularity and clock skew of the source. Cursor units, `>= 0` (I4). */
  lag: CursorValue;
  /** `undefined`: the API cannot select by the cursor; every run reads everything and the boundary drops the known. */
  range: RangeSpec | undefined;
}>;

/**
 * How a page sequence is known to be complete while data change (I16).
 * `trusted`: cursor tokens and next links. `overlap`: offset paging with a total sort; each page begins with its
 * predecessor's last record. `passes`: two consecutive passes must agree. `settled`: ranges end at `T0 - lag` and
 * the total is equal on the first and the last page.
 */
export type Stability = "trusted" | "overlap" | "passes" | "settled";

/** Upper bounds of one run; each is an error that names the option when it is reached. */
export type StreamBounds = Readonly<{
  /** Pages of one range of one partition. */
  pagesMax: number;
  /** Passes or steps back before `SOURCE_UNSTABLE`. */
  passesMax: number;
  /** Windows of one run and partition; a run that reaches it commits and says that more is waiting. */
  windowsMax: number;
  /** Greatest share of received records in quarantine before the run fails, `0..1`. */
  quarantineShareMax: number;
  /** Landed bytes (uncompressed) after which a completed window is committed. */
  checkpointBytes: number;
  /** Longest run of this stream, ms; also how long an announced refresh keeps others `BUSY`. */
  runMsMax: number;
  /** Full refreshes with less than this share of the records before are refused unless confirmed, `0..1`. */
  shrinkShareMin: number;
  /** Our clock and the source's may differ by this, ms. */
  clockToleranceMs: number;
}>;

/** **stream** one sequence of records in a source. */
export type StreamSpec = Readonly<{
  source: string;
  name: string;
  /** Dotted paths whose values together name a record; empty: records have no key. */
  primaryKey: readonly string[];
  cursor: CursorSpec | undefined;
  writeDisposition: WriteDisposition;
  contract: SchemaContract;
  columns: Readonly<Record<string, DeclaredType>>;
  /** Top-level fields left out when two records are compared (I5): request ids, "fetched at". */
  volatileFields: readonly string[];
  /** Whether leat sends a documented sort by the cursor, ascending (I6). */
  isSorted: boolean;
  /** Moves `next` within a range on the strength of that sort. A falsely declared order loses records at a death. */
  trustOrder: boolean;
  stability: Stability;
  /** `cursor`: greatest (cursor, package, row). `arrival`: greatest (package, row) (I20). */
  currentBy: "cursor" | "arrival";
  /** Top-level boolean or timestamp field that marks a record as deleted when true or not null; out of current. */
  deletedField: string | undefined;
  /** Keep the current rows in a real table, by delta. */
  isMaterialized: boolean;
  /** Keep no other version of a record than its newest, be that a deletion; only shares do (`keep: "current"`). */
  isCurrentOnly?: boolean | undefined;
  /** The landing table's name in the warehouse; default `<source>_<stream>`. */
  landingTable: string;
  /** What the stream is read per: the tenant's own list or the records of a parent stream; see `PartitionPlan`. */
  partitions: PartitionPlan | undefined;
  bounds: StreamBounds;
}>;

/** A stream read once per value; cursor, `next` and boundary are kept for each (as one landed file when large). */
export type PartitionPlan =
  | Readonly<{
      from: "tenant";
      /** Field of the tenant holding a list of text. */
      field: string;
      /** Column spliced in front of each record, holding the value; `undefined`: none. */
      column: string | undefined;
    }>
  | Readonly<{
      from: "stream";
      /** Parent stream of the same source and tenant. */
      stream: string;
      /** Top-level field of the parent record that names it. */
      field: string;
      column: string | undefined;
      /** `always`: every known parent in every run. `parent-changed`: only parents landed since the last run. */
      when: "always" | "parent-changed";
    }>;

/** Names that leat splices in front of a record; a record that has one of them is quarantined. */
export const leatColumns = {
  package: "_leat_package",
  row: "_leat_row",
  extractedAt: "_leat_extracted_at",
} as const;

/** Prefix that all of leat's own columns and tables begin with. */
export const leatPrefix = "_leat_";

/** Column holding a row's partition, for streams that have them: without it a row's state could not be found again. */
export function partitionColumn(spec: StreamSpec): string | undefined {
  return spec.partitions === undefined ? undefined : (spec.partitions.column ?? `${leatPrefix}partition`);
}
