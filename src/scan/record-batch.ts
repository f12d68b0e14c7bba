/**
 * What the scanner makes of bytes: batches of records as extents in a buffer, with what extract and load must know of
 * each without ever parsing it into JavaScript values.
 */
import type { ColumnTable } from "../model/column-kinds.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { RecordSelector } from "../model/record-selector.ts";

/** Why a record cannot be a row (quarantine). */
export type RecordProblem =
  | "invalid-utf8"
  | "duplicate-key"
  | "lone-surrogate"
  | "not-an-object"
  | "too-deep"
  | "invalid-json"
  | "too-large"
  | "reserved-column";

/** Problem codes as the batch stores them: 0 is none, else the index here. */
export const recordProblems: readonly (RecordProblem | "none")[] = [
  "none",
  "invalid-utf8",
  "duplicate-key",
  "lone-surrogate",
  "not-an-object",
  "too-deep",
  "invalid-json",
  "too-large",
  "reserved-column",
];

/** The stored code of a problem. */
export function codeOf(problem: RecordProblem): number {
  return recordProblems.indexOf(problem);
}

/** What to look for in each record. */
export type ScanOptions = Readonly<{
  selector: RecordSelector;
  /** Dotted paths whose value's extents are wanted, in this order: key fields first, then the cursor. */
  fields: readonly string[];
  /** Top-level names that a record must not have (decoded): leat's own columns. Case-insensitive (ASCII). */
  reserved: readonly string[];
  /** Deepest nesting of a record; deeper is `too-deep`. Default 512: engines and parsers fail at some thousands. */
  depthMax?: number;
  /** Largest record in bytes; default 16 MiB. Larger is `too-large`: its first 64 KiB are kept, the rest is skipped. */
  recordBytesMax?: number;
  /** Largest envelope kept; default 1 MiB. */
  envelopeBytesMax?: number;
}>;

/**
 * Up to some thousands of records. All arrays are reused by the scanner: valid until its next call.
 *
 * `bytes.subarray(starts[i], ends[i])` is record i as received, but that CR and LF between tokens are blanks (they
 * would end the line of NDJSON). A record with a problem has its extent too, as far as it could be held; its bytes may
 * be anything, line feeds within a broken string included, and it has no fields.
 */
export type RecordBatch = {
  count: number;
  bytes: Buffer;
  starts: Int32Array;
  ends: Int32Array;
  /** Index into {@link recordProblems}. */
  problems: Uint8Array;
  /** Extent of wanted field f of record i at index `i * fields.length + f`: the raw token (strings with quotes), or -1 where missing. `null` is a token. */
  fieldStarts: Int32Array;
  fieldEnds: Int32Array;
};

/** What is left when a document has ended. */
export type ScanEnd = Readonly<{
  /**
   * The document with every selected array replaced by `[]`; `undefined` for JSON Lines or above the bound. A single
   * record (`$`) stays in it. Numbers that do not survive a double are their text, so that a token is sent back exactly.
   */
  envelope: JsonValue | undefined;
  recordCount: number;
  /** Whether the selector's place was there at least once (an empty array is; a missing key is not). */
  isFound: boolean;
}>;

/**
 * Scans one answer. Feed chunks in order; after each `push`, take batches until there is none; then `end`.
 *
 * A syntax error in the envelope, or one that makes it unclear where a record ends, throws `SOURCE_NOT_JSON`
 * (with the beginning of the answer, 200 characters at most, when nothing was found yet), an answer that ends in the
 * middle `SOURCE_TRUNCATED`, both with the byte offset; a place of another type than the selector needs is
 * `SOURCE_SHAPE_CHANGED`. Records before a failure are handed out first. Problems inside a record whose end is clear
 * only mark the record. In JSON Lines a line feed ends any record, and what follows a value on its line is a record
 * with the problem `invalid-json`; a last line without its end must be a whole value that is no bare number.
 */
export interface RecordScanner {
  push(chunk: Uint8Array): void;
  /** The next complete records, or `undefined` when more bytes are needed. */
  take(): RecordBatch | undefined;
  /**
   * Whether the document pushed so far is whole and has been scanned to its end, the batch taken last being its last:
   * `end()` may be called at once, and that batch stays valid. Says no where it cannot know (JSON Lines).
   */
  readonly isComplete: boolean;
  /** Ends the document; call after the last batch was taken. */
  end(): ScanEnd;
  /** Kinds of the columns of all records without problem so far, decoded keys. Folded over the scanner's life. */
  columns(): ColumnTable;
  /** Forgets the kinds seen so far: `columns()` then tells of later records only. */
  resetColumns(): void;
  /** Ready for another document with the same options; kinds of columns are kept. */
  restart(): void;
}

/** The one function behind which scanners are replaced: plain TypeScript now, a faster one later. */
export type OpenScanner = (options: ScanOptions) => RecordScanner;
