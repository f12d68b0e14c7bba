/** The place in a scanner where a faster reader of rows goes: it works on the scanner's own tables. */
import type { BatchWriter } from "./batch-writer.ts";
import type { ColumnFold } from "./column-fold.ts";
import type { KeyTrie } from "./key-trie.ts";
import type { PieceBuffer } from "./piece-buffer.ts";
import type { ScanMemory } from "./scan-memory.ts";

/** The parts of a scanner that hold what it has read and learnt. */
export type ScanTables = Readonly<{
  buffer: PieceBuffer;
  keys: KeyTrie;
  columns: ColumnFold;
  writer: BatchWriter;
}>;

/**
 * Reads rows: records without a problem. Whatever it leaves, for whatever reason, is read by the scanner itself, so
 * that with or without it, and however much it leaves, the result is the same.
 */
export interface RowReader {
  /** Where the scanner that uses this reader must keep its tables. */
  readonly memory: ScanMemory;
  /** Where the last `readRows` ended, and whether that is behind a record: a comma or a line's end comes next. */
  readonly at: number;
  readonly isBehind: boolean;
  /** Told once, before anything else. */
  attach(tables: ScanTables): void;
  /**
   * Adds the rows that stand at `at` and behind it to the batch, until one is left or the batch is full.
   *
   * @param isBehind - `at` is behind a record.
   * @returns how many were added; their kinds are committed.
   */
  readRows(at: number, isBehind: boolean): number;
  /** Reads one record into the place of the batch's next, not committed; the position behind it, or -1. */
  readRow(at: number): number;
  /** Whether the last `readRows` left the record at `at` because bytes ran out in it. A hint. */
  isCutAt(at: number): boolean;
}
