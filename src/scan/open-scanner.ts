/**
 * The scanner in plain TypeScript: cuts an answer into records where they stand, byte for byte, and never parses one.
 *
 * Bytes are copied in pieces into one buffer. Records that lie in it whole are read at once; for one that is cut by
 * the piece's end, its end is looked for first ({@link RecordEnd}), and it is read when all of it is there. The result
 * does not depend on how the answer was cut.
 */
import assert from "node:assert/strict";
import { LeatError } from "../errors/leat-error.ts";
import type { ColumnTable } from "../model/column-kinds.ts";
import { BatchWriter } from "./batch-writer.ts";
import { ColumnFold } from "./column-fold.ts";
import { EnvelopeWalker } from "./envelope-walker.ts";
import { isBlank, isTokenEnd } from "./json-bytes.ts";
import { KeyTrie } from "./key-trie.ts";
import { PieceBuffer } from "./piece-buffer.ts";
import {
  codeOf,
  type OpenScanner,
  type RecordBatch,
  type RecordScanner,
  type ScanEnd,
  type ScanOptions,
} from "./record-batch.ts";
import { RecordEnd } from "./record-end.ts";
import { RecordValidator } from "./record-validator.ts";

const depthMaxDefault = 512;
const recordBytesMaxDefault = 16 * 1024 * 1024;
const envelopeBytesMaxDefault = 1024 * 1024;
/** How much of a record that is too large is kept, to show what it was. */
const tooLargeKeptBytes = 64 * 1024;

const notAnObject = codeOf("not-an-object");
const invalidJson = codeOf("invalid-json");
const tooLarge = codeOf("too-large");
const scalarPattern = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** What comes next in the document. */
type Phase =
  | "start" // The first bytes, where a byte order mark may be.
  | "envelope"
  | "firstRecord" // A record or `]`.
  | "record"
  | "single" // The document's or place's only record.
  | "afterRecord" // A comma or `]`.
  | "line" // JSON Lines: a record or a blank line,
  | "afterLine"; // and what is left of its line.

class ByteScanner implements RecordScanner {
  #options: ScanOptions;
  #isLines: boolean;
  #recordBytesMax: number;
  #keptBytesMax: number;
  #columns = new ColumnFold();
  #validator: RecordValidator;
  #recordEnd: RecordEnd;
  #walker: EnvelopeWalker | undefined;
  #writer: BatchWriter;
  #batch: RecordBatch;

  #buffer = new PieceBuffer();
  #at = 0;
  #phase: Phase = "start";
  #recordCount = 0;
  /** Set while the end of the record at `#at` is looked for; `#isTooLarge`: its middle has been let go. */
  #isSearching = false;
  #isTooLarge = false;
  /** Offset in the answer of that record. */
  #recordOffset = 0;
  /** Thrown by the next `take`. */
  #failure: unknown;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#isLines = options.selector.form === "lines";
    this.#recordBytesMax = options.recordBytesMax ?? recordBytesMaxDefault;
    this.#keptBytesMax = Math.min(tooLargeKeptBytes, this.#recordBytesMax);
    this.#validator = new RecordValidator(new KeyTrie(options, this.#columns), this.#columns, {
      depthMax: options.depthMax ?? depthMaxDefault,
      isLineBound: this.#isLines,
    });
    this.#recordEnd = new RecordEnd(this.#isLines);
    this.#writer = new BatchWriter(options.fields, this.#buffer.bytes);
    this.#batch = this.#writer.batch;
    this.#validator.fieldStarts = this.#batch.fieldStarts;
    this.#validator.fieldEnds = this.#batch.fieldEnds;
    this.#validator.attach(this.#buffer.bytes);
    this.restart();
  }

  restart(): void {
    const { selector } = this.#options;
    this.#walker =
      selector.form === "lines"
        ? undefined
        : new EnvelopeWalker(selector, this.#options.envelopeBytesMax ?? envelopeBytesMaxDefault, {
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

  /** A byte order mark at the very beginning is no part of the document. */
  #skipMark(): boolean {
    const mark = [0xef, 0xbb, 0xbf];
    for (const [i, byte] of mark.entries()) {
      if (i === this.#buffer.length) return false;
      if (this.#buffer.bytes[i] !== byte) {
        this.#phase = this.#isLines ? "line" : "envelope";
        return true;
      }
    }
    this.#at = mark.length;
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
      if (c === 0x7b) {
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
    if (this.#isTooLarge) this.#reject(start, start + this.#keptBytesMax, tooLarge, end);
    else if (end - start > this.#recordBytesMax) {
      this.#reject(start, start + this.#keptBytesMax, tooLarge, end);
    } else if (c !== 0x7b || this.#phase === "afterLine") {
      this.#reject(start, this.#trimmed(start, end), this.#problemOfOther(start, end, c), end);
    } else if (this.#validate(start) === end) this.#accept(start, end);
    else this.#reject(start, this.#trimmed(start, end), this.#validator.problem, end);
    return true;
  }

  #validate(start: number): number {
    this.#validator.fieldBase = this.#writer.clearFields();
    return this.#validator.validate(start);
  }

  #accept(start: number, end: number): void {
    if (end - start > this.#recordBytesMax) {
      this.#reject(start, start + this.#keptBytesMax, tooLarge, end);
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

  /** What is wrong with a value that is no object. Arrays and strings are not looked into. */
  #problemOfOther(start: number, end: number, c: number): number {
    if (this.#phase === "afterLine") return invalidJson;
    if (c === 0x5b || c === 0x22) return notAnObject;
    const text = Buffer.from(this.#buffer.bytes.subarray(start, end)).toString("latin1");
    return scalarPattern.test(text) ? notAnObject : invalidJson;
  }

  #trimmed(start: number, end: number): number {
    let trimmed = end;
    while (trimmed > start + 1 && isBlank(this.#buffer.bytes[trimmed - 1]!)) trimmed -= 1;
    return trimmed;
  }

  /** Lets the middle go of a record that has become too large to be held. */
  #letGo(start: number): void {
    if (!this.#isTooLarge && this.#buffer.length - start <= this.#recordBytesMax) return;
    this.#isTooLarge = true;
    const kept = start + this.#keptBytesMax;
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
    throw new LeatError("SOURCE_TRUNCATED", {
      message: `The answer ended in the middle, after byte ${offset}.`,
      details: { offset, recordCount: this.#recordCount },
    });
  }

  #isFound(): boolean {
    return this.#walker?.isFound ?? this.#recordCount + this.#batch.count > 0;
  }
}

/** Opens the scanner in plain TypeScript. One serves one answer after the other (`restart`). */
export const openScanner: OpenScanner = (options) => new ByteScanner(options);
