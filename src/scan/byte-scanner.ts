/**
 * Cuts an answer into records where they stand, byte for byte, and never parses one.
 *
 * Bytes are copied in pieces into one buffer. Records that lie in it whole are read at once; for one that is cut by
 * the piece's end, its end is looked for first ({@link RecordEnd}), and it is read when all of it is there. The result
 * does not depend on how the answer was cut.
 */
import assert from "node:assert/strict";
import { LeatError } from "../errors/leat-error.ts";
import type { ColumnTable } from "../model/column-kinds.ts";
import { BatchWriter } from "./batch-writer.ts";
import { markLength } from "./byte-order-mark.ts";
import { ColumnFold } from "./column-fold.ts";
import { EnvelopeWalker } from "./envelope-walker.ts";
import { isBlank, isTokenEnd } from "./json-bytes.ts";
import { KeyTrie } from "./key-trie.ts";
import { PieceBuffer } from "./piece-buffer.ts";
import { problemOfOther } from "./problem-of-other.ts";
import {
  codeOf,
  type RecordBatch,
  type RecordScanner,
  type ScanEnd,
  type ScanOptions,
} from "./record-batch.ts";
import { RecordEnd } from "./record-end.ts";
import { RecordValidator } from "./record-validator.ts";
import type { RowReader } from "./row-reader.ts";
import { limitsOf, type ScanLimits } from "./scan-limits.ts";
import { plainMemory } from "./scan-memory.ts";
import type { ScanPhase } from "./scan-phase.ts";

const invalidJson = codeOf("invalid-json");
const tooLarge = codeOf("too-large");

export class ByteScanner implements RecordScanner {
  #selector: ScanOptions["selector"];
  #isLines: boolean;
  #limits: ScanLimits;
  #columns: ColumnFold;
  #validator: RecordValidator;
  #recordEnd: RecordEnd;
  #walker: EnvelopeWalker | undefined;
  #writer: BatchWriter;
  #batch: RecordBatch;
  #buffer: PieceBuffer;
  #rows: RowReader | undefined;
  #at = 0;
  #phase: ScanPhase = "start";
  #recordCount = 0;
  /** Set while the end of the record at `#at` is looked for; `#isTooLarge`: its middle has been let go. */
  #isSearching = false;
  #isTooLarge = false;
  #recordOffset = 0; // Of that record, in the answer.
  /** Thrown by the next `take`. */
  #failure: unknown;

  constructor(options: ScanOptions, rows?: RowReader) {
    const memory = rows?.memory ?? plainMemory;
    this.#rows = rows;
    this.#columns = new ColumnFold(memory);
    this.#buffer = new PieceBuffer(memory);
    this.#selector = options.selector;
    this.#isLines = options.selector.form === "lines";
    this.#limits = limitsOf(options);
    const keys = new KeyTrie(options, this.#columns, memory);
    this.#validator = new RecordValidator(keys, this.#columns, {
      depthMax: this.#limits.depthMax,
      isLineBound: this.#isLines,
    });
    this.#recordEnd = new RecordEnd(this.#isLines);
    this.#writer = new BatchWriter(options.fields, this.#buffer.bytes, memory);
    this.#batch = this.#writer.batch;
    rows?.attach({ buffer: this.#buffer, keys, columns: this.#columns, writer: this.#writer });
    this.#validator.fieldStarts = this.#batch.fieldStarts;
    this.#validator.fieldEnds = this.#batch.fieldEnds;
    this.#validator.attach(this.#buffer.bytes);
    this.restart();
  }

  restart(): void {
    this.#walker =
      this.#selector.form === "lines"
        ? undefined
        : new EnvelopeWalker(this.#selector, this.#limits.envelopeBytesMax, {
            refuse: (what, at) => this.#refuse(what, at),
            beginning: () => this.#buffer.beginning,
          });
    this.#buffer.clear();
    this.#at = 0;
    this.#phase = "start";
    this.#recordCount = 0;
    this.#isSearching = false;
    this.#isTooLarge = false;
    this.#failure = undefined;
    this.#batch.count = 0;
  }

  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk);
  }

  take(): RecordBatch | undefined {
    const batch = this.#batch;
    batch.count = 0;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        this.#scan();
      } catch (failure) {
        // Records before it are handed out first, as they are when the answer comes in other pieces.
        this.#failure = failure;
      }
      // The buffer moves when bytes are added, so what was found is handed out first.
      if (batch.count > 0) {
        this.#recordCount += batch.count;
        return batch;
      }
      if (this.#failure === undefined && !this.#refill()) return undefined;
    }
  }

  get isComplete(): boolean {
    const isRead = this.#buffer.isDrained && this.#at === this.#buffer.length;
    return isRead && this.#failure === undefined && this.#walker?.isDone === true;
  }

  end(): ScanEnd {
    assert(this.#buffer.isDrained, "end() comes after the last batch was taken");
    const total = this.#buffer.offset + this.#buffer.length;
    if (this.#phase === "start" && this.#buffer.length > this.#at) this.#truncated(total);
    if (this.#walker === undefined) {
      if (this.#isSearching) this.#truncated(total);
      return { envelope: undefined, recordCount: this.#recordCount, isFound: true };
    }
    if (!this.#walker.isDone) {
      if (!this.#walker.isBegun) {
        throw new LeatError("SOURCE_NOT_JSON", {
          message: "The answer is empty.",
          details: { bytes: total },
        });
      }
      this.#truncated(total);
    }
    return {
      envelope: this.#walker.envelope(),
      recordCount: this.#recordCount,
      isFound: this.#walker.isFound,
    };
  }

  columns(): ColumnTable {
    return this.#columns.table();
  }

  resetColumns(): void {
    this.#columns.reset();
  }

  /** Reads what the buffer holds, until the batch is full or the rest needs more bytes. */
  #scan(): void {
    while (this.#at < this.#buffer.length && !this.#writer.isFull) {
      if (this.#readAhead()) continue;
      switch (this.#phase) {
        case "start":
          if (!this.#skipMark()) return;
          break;
        case "envelope":
          this.#walk();
          break;
        case "single":
          if (!this.#readRecord()) return;
          this.#leaveSingle();
          break;
        case "afterRecord":
          this.#separate();
          break;
        case "afterLine":
          if (!this.#endLine()) return;
          break;
        default:
          if (!this.#readNext()) return;
      }
    }
  }

  /** Lets the fast reader take the rows that it can; false where it took nothing. */
  #readAhead(): boolean {
    const rows = this.#rows;
    const phase = this.#phase;
    const isBehind = phase === "afterRecord" || phase === "afterLine";
    const isBefore = phase === "record" || phase === "firstRecord" || phase === "line";
    if (rows === undefined || this.#isSearching || !(isBehind || isBefore)) return false;
    const rowCount = rows.readRows(this.#at, isBehind);
    if (rows.at === this.#at) return false;
    this.#at = rows.at;
    if (rows.isBehind) this.#phase = this.#isLines ? "afterLine" : "afterRecord";
    else if (phase !== "firstRecord" || rowCount > 0) this.#phase = this.#isLines ? "line" : "record";
    return true;
  }

  #skipMark(): boolean {
    const length = markLength(this.#buffer.bytes, this.#buffer.length);
    if (length === undefined) return false;
    this.#at = length;
    this.#phase = this.#isLines ? "line" : "envelope";
    return true;
  }

  #walk(): void {
    const walker = this.#walker!;
    this.#at = walker.walk(this.#buffer.bytes, this.#at, this.#buffer.length);
    if (walker.stop === "array") this.#phase = "firstRecord";
    else if (walker.stop === "single") this.#phase = "single";
  }

  /** Reads the next record, or leaves the array where there is none; false when bytes ran out before. */
  #readNext(): boolean {
    if (!this.#isSearching) {
      const bytes = this.#buffer.bytes;
      let at = this.#at;
      while (at < this.#buffer.length && isBlank(bytes[at]!)) at += 1;
      this.#at = at;
      if (at === this.#buffer.length) return false;
      const c = bytes[at]!;
      if (this.#phase === "firstRecord" && c === 0x5d) {
        this.#leaveArray();
        return true;
      }
      if (c !== 0x7b) this.#expectRecord(c, at);
    }
    if (!this.#readRecord()) return false;
    this.#phase = this.#isLines ? "afterLine" : "afterRecord";
    return true;
  }

  /** Refuses what makes it unclear what the rest of the document is. */
  #expectRecord(c: number, at: number): void {
    const isBeginning = this.#isLines && !this.#isFound();
    if (isBeginning && !'["-0123456789tfn'.includes(String.fromCharCode(c)))
      this.#refuse("no JSON value", at);
    const isBracketOrBlank = isTokenEnd[c] === 1 && c !== 0x5b && c !== 0x22;
    if (!this.#isLines && isBracketOrBlank) this.#refuse("no record", at);
  }

  #leaveArray(): void {
    this.#at += 1;
    this.#walker!.recordsEnded();
    this.#phase = "envelope";
  }

  /** Behind a record of an array. */
  #separate(): void {
    const c = this.#buffer.bytes[this.#at]!;
    if (c === 0x5d) {
      this.#leaveArray();
      return;
    }
    if (c === 0x2c) this.#phase = "record";
    else if (!isBlank(c)) this.#refuse("no comma or closing bracket after a record", this.#at);
    this.#at += 1;
  }

  /** Behind a record of JSON Lines: what is left of the line, if it is more than blanks, is a record with a problem. */
  #endLine(): boolean {
    if (!this.#isSearching) {
      const c = this.#buffer.bytes[this.#at]!;
      if (isBlank(c)) {
        if (c === 0x0a) this.#phase = "line";
        this.#at += 1;
        return true;
      }
      this.#recordEnd.beginLine(this.#at);
      this.#isSearching = true;
    }
    return this.#readRecord();
  }

  #leaveSingle(): void {
    const { bytes, starts, ends, problems, count } = this.#batch;
    const isRow = problems[count - 1] === 0;
    this.#walker!.singleEnded(isRow ? bytes.subarray(starts[count - 1], ends[count - 1]) : undefined);
    this.#phase = "envelope";
  }

  /** Reads the record at `#at` into the batch; false when it is not all there yet. */
  #readRecord(): boolean {
    const start = this.#at;
    const c = this.#buffer.bytes[start]!;
    if (!this.#isSearching) {
      if (c === 0x7b && this.#rows?.isCutAt(start) !== true) {
        const end = this.#validate(start);
        if (end > 0) {
          this.#accept(start, end);
          return true;
        }
      }
      this.#recordEnd.begin(start, c);
      this.#isSearching = true;
      this.#isTooLarge = false;
      this.#recordOffset = this.#buffer.offset + start;
    }
    const end = this.#recordEnd.advance(this.#buffer.bytes, this.#buffer.length);
    // The buffer's offset may have moved since: the middle of the record may be gone.
    if (end === -2)
      this.#refuse("brackets that do not match in a record", this.#recordOffset - this.#buffer.offset);
    if (end === -1) {
      this.#letGo(start);
      return false;
    }
    this.#isSearching = false;
    if (this.#isTooLarge || end - start > this.#limits.recordBytesMax) {
      this.#reject(start, start + this.#limits.keptBytesMax, tooLarge, end);
    } else if (c !== 0x7b || this.#phase === "afterLine") {
      const isRest = this.#phase === "afterLine";
      const problem = isRest ? invalidJson : problemOfOther(this.#buffer.bytes, start, end);
      this.#reject(start, this.#trimmed(start, end), problem, end);
    } else if (this.#validateAll(start) === end) this.#accept(start, end);
    else this.#reject(start, this.#trimmed(start, end), this.#validator.problem, end);
    return true;
  }

  #validate(start: number): number {
    this.#validator.fieldBase = this.#writer.clearFields();
    return this.#validator.validate(start);
  }

  /** The same, of a record whose end has been found. */
  #validateAll(start: number): number {
    const end = this.#rows?.readRow(start) ?? -1;
    return end > 0 ? end : this.#validate(start);
  }

  #accept(start: number, end: number): void {
    if (end - start > this.#limits.recordBytesMax) {
      this.#reject(start, start + this.#limits.keptBytesMax, tooLarge, end);
      return;
    }
    this.#columns.commit();
    this.#writer.accept(start, end);
    this.#at = end;
  }

  /** A record that cannot be a row: none of its fields count, nor its columns. */
  #reject(start: number, end: number, problem: number, next: number): void {
    this.#writer.reject(start, end, problem);
    this.#at = next;
    this.#isTooLarge = false;
  }

  #trimmed(start: number, end: number): number {
    let trimmed = end;
    while (trimmed > start + 1 && isBlank(this.#buffer.bytes[trimmed - 1]!)) trimmed -= 1;
    return trimmed;
  }

  /** Lets the middle go of a record that has become too large to be held. */
  #letGo(start: number): void {
    if (!this.#isTooLarge && this.#buffer.length - start <= this.#limits.recordBytesMax) return;
    this.#isTooLarge = true;
    const kept = start + this.#limits.keptBytesMax;
    this.#buffer.cutTo(kept);
    this.#recordEnd.at = kept;
  }

  /** Adds the next piece behind what is still needed; false when there is none. */
  #refill(): boolean {
    const from = this.#at;
    if (!this.#buffer.refill(from)) return false;
    this.#recordEnd.at -= from;
    this.#at = 0;
    if (this.#batch.bytes !== this.#buffer.bytes) {
      this.#batch.bytes = this.#buffer.bytes;
      this.#validator.attach(this.#buffer.bytes);
    }
    return true;
  }

  #refuse(what: string, at: number): never {
    const offset = this.#buffer.offset + at;
    throw new LeatError("SOURCE_NOT_JSON", {
      message: `The answer is not JSON: ${what} at byte ${offset}.`,
      details: this.#isFound() ? { offset } : { offset, beginning: this.#buffer.beginning },
    });
  }

  #truncated(offset: number): never {
    const message = `The answer ended in the middle, after byte ${offset}.`;
    throw new LeatError("SOURCE_TRUNCATED", { message, details: { offset, recordCount: this.#recordCount } });
  }

  #isFound(): boolean {
    return this.#walker?.isFound ?? this.#recordCount + this.#batch.count > 0;
  }
}
