import assert from "node:assert/strict";
import { type ColumnTable, foldColumns } from "../model/column-kinds.ts";
import { type CursorValue, minCursor } from "../model/cursor.ts";
import { isJsonObject } from "../model/json-value.ts";
import { printRecordSelector, type RecordSelector } from "../model/record-selector.ts";
import type { Page, PageSummary } from "../ports/source.ts";
import type { RecordBatch, RecordScanner, ScanEnd } from "../scan/record-batch.ts";
import { BatchCursors } from "./batch-cursors.ts";
import type { Boundary } from "./boundary.ts";
import { type MutableCounts, zeroCounts } from "./extract-counts.ts";
import { type Known, KnownRecords } from "./known-records.ts";
import { quarantineLine } from "./quarantine-line.ts";
import {
  type LandingTarget,
  type MissingRecords,
  OrderBrokenSignal,
  type QuarantineReason,
  type RangeContext,
  type ReadPage,
} from "./range-context.ts";
import { isUsable, moveCursor, runningNext, type SourceTime, startToSend } from "./range-plan.ts";
import { RecordCopies } from "./record-copies.ts";
import { RecordFields, wantedFields } from "./record-fields.ts";
import { PassFingerprint } from "./record-hash.ts";
import { spliceRow } from "./row-splice.ts";

/** Bytes worth a batch: within one, records that its end puts below the running `next` are not hashed at all. */
const scannedBytesMin = 1024 * 1024;

/** Hashes of the records received last, by which a page that steps back finds its place (I16). */
const recentMax = 4096;

export class RangeLander {
  readonly #context: RangeContext;
  readonly #fields: RecordFields;
  readonly #known: KnownRecords;
  readonly #copies: RecordCopies;
  readonly #fingerprint = new PassFingerprint();
  #target: LandingTarget;
  #scanner: RecordScanner | undefined;
  #selector: RecordSelector | undefined;
  #cursor: CursorValue | undefined;
  /** For integers: the least that the source's greatest value can have been at the first answer. */
  #atFirstAnswer: CursorValue | undefined;
  #greatestSeen: CursorValue | undefined;
  #lastValue: number | CursorValue | undefined;
  #lastRecord: Buffer | undefined;
  #recent: string[] = [];
  readonly #values = new BatchCursors();
  /** The last page did not meet what came before it. */
  #isSteppingBack = false;
  counts: MutableCounts = zeroCounts();
  columns: ColumnTable = new Map();
  /** A page in which the selector found nothing; an error, once the source has not recognised it as one of its own. */
  missing: MissingRecords | undefined;
  /** Why records went to quarantine: how many, and where the first of each stood. */
  readonly reasons: Map<string, QuarantineReason> = new Map();
  pages = 0;
  /** Whether the order was asked for in every request so far, and so was checked. */
  isSorted = true;
  rowNumber: number;
  receivedBytes = 0;

  constructor(context: RangeContext, target: LandingTarget) {
    this.#context = context;
    this.#target = target;
    this.#fields = new RecordFields(context.spec, context.partition.value);
    this.#known = new KnownRecords(
      context.base,
      context.partition.number,
      context.spec.currentBy === "arrival",
    );
    this.#copies = new RecordCopies(wantedFields(context.spec).length, context.spec.primaryKey.length);
    this.#cursor = context.partition.state.cursor;
    this.#atFirstAnswer = context.partition.state.scannedTo;
    this.rowNumber = target.firstRowNumber;
  }

  /** From here on rows go to another package; what was counted has been taken over by the commit. */
  continueInto(target: LandingTarget): void {
    this.#target = target;
    this.rowNumber = target.firstRowNumber;
    this.counts = zeroCounts();
    this.columns = new Map();
  }

  /** The cursor with what this range has received. */
  get cursor(): CursorValue | undefined {
    return this.#cursor;
  }

  /** Greatest usable value received, counted or not (integers only); the next run may count up to it. */
  get greatestSeen(): CursorValue | undefined {
    return this.#greatestSeen;
  }

  get fingerprint(): string {
    return this.#fingerprint.print();
  }

  /** What this range has landed. */
  get overlay(): Boundary {
    this.#hashCopies();
    return this.#known.overlay;
  }

  /** Reads a page; lands it, but for what the caller may land while the next page is on its way. */
  async land(page: Page, time: SourceTime): Promise<ReadPage> {
    this.pages++;
    if (page.isSorted !== true) this.isSorted = false;
    // A page that steps back, perhaps to the very beginning, is below what came last: that breaks no promise.
    if (this.#isSteppingBack || (page.overlap ?? 0) > 1) this.#lastValue = undefined;
    this.#isSteppingBack = false;
    return page.overlap
      ? this.#landOverlapping(page, page.overlap, time)
      : this.#landBody(page, page.body, time, 0);
  }

  async #landBody(
    page: Page,
    body: AsyncIterable<Uint8Array>,
    time: SourceTime,
    skipFirst: number,
  ): Promise<ReadPage> {
    const scanner = this.#openScanner(page);
    let toSkip = skipFirst;
    let waitingBytes = 0;
    const land = async (batch: RecordBatch) => {
      toSkip -= await this.#landBatch(page, scanner, batch, time, toSkip);
    };
    const landScanned = async () => {
      for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) await land(batch);
      waitingBytes = 0;
    };
    for await (const chunk of body) {
      this.receivedBytes += chunk.byteLength;
      waitingBytes += chunk.byteLength;
      scanner.push(chunk);
      if (waitingBytes >= scannedBytesMin) await landScanned();
    }
    for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
      if (scanner.isComplete) {
        const last = batch;
        this.#keepLast(last);
        return { summary: this.#summarize(page, scanner.end()), landRest: () => land(last) };
      }
      await land(batch);
    }
    const end = scanner.end();
    await landScanned();
    return { summary: this.#summarize(page, end), landRest: undefined };
  }

  #summarize(page: Page, end: ScanEnd): PageSummary {
    if (!end.isFound) {
      const keys = isJsonObject(end.envelope) ? Object.keys(end.envelope) : [];
      this.missing ??= { at: page.at, selector: printRecordSelector(page.selector), keys };
    }
    const lastRecord = end.recordCount === 0 ? undefined : this.#lastRecord;
    return { recordCount: end.recordCount, envelope: end.envelope, lastRecord, isMismatch: false };
  }

  /** I16: the page must begin with, or after stepping back further hold, a record that came before, byte for byte. */
  async #landOverlapping(page: Page, overlap: number, time: SourceTime): Promise<ReadPage> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of page.body) chunks.push(Buffer.from(chunk));
    const found = this.#findAnchor(page, chunks, overlap);
    this.#isSteppingBack = found.anchor < 0;
    if (found.anchor < 0) {
      this.receivedBytes += chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
      const { recordCount } = found;
      const lastRecord = this.#lastRecord;
      return {
        summary: { recordCount, envelope: undefined, lastRecord, isMismatch: true },
        landRest: undefined,
      };
    }
    return this.#landBody(page, replay(chunks), time, overlap === 1 ? 1 : 0);
  }

  #findAnchor(
    page: Page,
    chunks: readonly Uint8Array[],
    overlap: number,
  ): { anchor: number; recordCount: number } {
    const scanner = this.#openScanner(page);
    const wanted = new Set(overlap === 1 ? this.#recent.slice(-1) : this.#recent);
    let anchor = -1;
    let recordCount = 0;
    const look = () => {
      for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
        for (let i = 0; i < batch.count; i++, recordCount++) {
          if (overlap === 1 && recordCount > 0) continue;
          if (wanted.has(this.#fields.contentHash(batch, i).toString("latin1"))) anchor = recordCount;
        }
      }
    };
    for (const chunk of chunks) {
      scanner.push(chunk);
      look();
    }
    scanner.end();
    look();
    scanner.resetColumns(); // The page is scanned again, or not landed at all.
    return { anchor, recordCount };
  }

  #openScanner(page: Page): RecordScanner {
    if (this.#scanner === undefined || this.#selector !== page.selector) {
      this.#scanner = this.#context.openScanner(page.selector);
      this.#selector = page.selector;
    }
    this.#scanner.restart();
    return this.#scanner;
  }

  async #landBatch(
    page: Page,
    scanner: RecordScanner,
    batch: RecordBatch,
    time: SourceTime,
    skipFirst: number,
  ): Promise<number> {
    const skipped = Math.min(skipFirst, batch.count);
    const { cursor } = this.#context.spec;
    this.#readCursors(page, batch, time, skipped);
    this.#known.floor = this.#floor();
    this.#hashCopies();
    for (let i = 0; i < batch.count; i++) {
      this.counts.received++;
      if (i < skipped) {
        this.counts.repeated++;
        continue;
      }
      const problem = this.#fields.problem(batch, i);
      if (problem !== undefined) {
        await this.#quarantine(page, batch, i, problem);
        continue;
      }
      if (this.#isKnown(batch, i)) continue;
      if (!this.#write(batch, i)) {
        await this.#target.rows.makeRoom(this.#rowBytes(batch, i));
        assert(this.#write(batch, i), "a block has room for a row after makeRoom");
      }
      if (cursor !== undefined && !this.#values.has(i)) this.counts.unusableCursor++;
    }
    this.#remember(batch);
    const seen = scanner.columns();
    this.#target.rows.noteExact(seen);
    this.columns = foldColumns([this.columns, seen]);
    scanner.resetColumns();
    this.#known.trim();
    return skipped;
  }

  /** Usable values of the batch; moves the cursor and checks the order. */
  #readCursors(page: Page, batch: RecordBatch, time: SourceTime, skipped: number): void {
    const { spec, checksOrder } = this.#context;
    const { cursor } = spec;
    this.#values.begin(batch.count);
    if (cursor === undefined) return;
    let greatest: number | CursorValue | undefined;
    for (let i = 0; i < batch.count; i++) {
      if (batch.problems[i] !== 0) continue;
      const parsed = this.#fields.cursor(batch, i);
      if (parsed === undefined || !isUsable(cursor, parsed, time)) continue;
      this.#values.set(i, parsed);
      if (this.#fields.problem(batch, i) !== undefined) continue;
      if (greatest === undefined || parsed > greatest) greatest = parsed;
      if (!checksOrder || page.isSorted !== true || i < skipped) continue;
      if (this.#lastValue !== undefined && parsed < this.#lastValue) {
        throw new OrderBrokenSignal(`${page.at}: a record's cursor is below its predecessor's`);
      }
      this.#lastValue = parsed;
    }
    if (greatest !== undefined) this.#cursor = moveCursor(this.#cursor, this.#countable(BigInt(greatest)));
  }

  /**
   * I3 for integers, which have no T0: what becomes visible while pages are read may be below a number that a later page
   * shows. It is not below what was there at the first answer, less the lag; and there were at least the first page's
   * greatest and what earlier runs have seen (`scannedTo`). Values count up to that: each increment is read twice, and
   * dropped once. Not where pages come in the cursor's order and nothing late, from a snapshot, or in agreeing passes.
   */
  #countable(greatest: CursorValue): CursorValue | undefined {
    const { checksOrder, spec } = this.#context;
    const { cursor, stability } = spec;
    if (cursor?.format !== "integer") return greatest;
    this.#greatestSeen = moveCursor(this.#greatestSeen, greatest);
    const isInOrder = checksOrder && this.isSorted; // No more, once it was broken.
    const isShifting = !isInOrder && (stability === "overlap" || stability === "settled");
    if (stability === "passes" || (!isShifting && cursor.lag === 0n)) return greatest;
    if (this.pages === 1) this.#atFirstAnswer = moveCursor(this.#atFirstAnswer, greatest);
    return this.#atFirstAnswer === undefined ? undefined : minCursor(greatest, this.#atFirstAnswer);
  }

  /** Below it nothing needs to be remembered; `undefined`: everything must be. */
  #floor(): CursorValue | undefined {
    const { spec, partition, range, remembersAll } = this.#context;
    if (remembersAll) return undefined;
    return startToSend(
      spec.cursor,
      runningNext(spec.cursor, { ...partition.state, cursor: this.#cursor }, range),
    );
  }

  async #quarantine(page: Page, batch: RecordBatch, i: number, problem: string): Promise<void> {
    const { quarantine } = this.#target;
    const content = this.#fields.contentHash(batch, i);
    const known = this.#known.lookUpQuarantined(this.#fields.quarantineKey(content), content);
    if (known !== "new") {
      this.#count(known);
      return;
    }
    const seen = this.reasons.get(problem) ?? {
      count: 0,
      first: `${page.at}, record ${this.counts.received}`,
    };
    this.reasons.set(problem, { ...seen, count: seen.count + 1 });
    const record = batch.bytes.subarray(batch.starts[i], batch.ends[i]);
    const line = quarantineLine({ problem, at: page.at, index: this.counts.received - 1, record });
    let at = quarantine.room(line.length);
    if (at < 0) {
      await quarantine.makeRoom(line.length);
      at = quarantine.room(line.length);
    }
    assert(at >= 0, "a block has room for a line after makeRoom");
    line.copy(quarantine.block, at);
    quarantine.added(at + line.length);
    this.counts.quarantined++;
  }

  #isKnown(batch: RecordBatch, i: number): boolean {
    if (this.#known.mayForget && this.#values.isBelow(i, this.#known.floor)) return false;
    const value = this.#values.get(i);
    const fields = this.#fields;
    const mayWait = fields.keyCount > 0 && value !== undefined && this.#known.floor !== undefined;
    if (mayWait && this.#known.isEmpty && this.#copies.add(batch, i, value)) return false;
    this.#hashCopies();
    const known =
      fields.keyCount > 0
        ? this.#known.lookUpKey(fields.keyHash(batch, i), () => fields.contentHash(batch, i), value)
        : this.#known.lookUpContent(fields.contentKey(batch, i), value);
    this.#count(known);
    return known === "skipped" || known === "repeated";
  }

  /** Makes the copies known that the running `next` has not passed meanwhile. */
  #hashCopies(): void {
    this.#copies.take(this.#known.floor, (batch, i, value) => {
      const fields = this.#fields;
      this.#known.lookUpKey(fields.keyHash(batch, i), () => fields.contentHash(batch, i), value);
    });
  }

  #count(known: Known): void {
    if (known === "skipped") this.counts.boundarySkipped++;
    else if (known === "repeated") this.counts.repeated++;
    else if (known === "restated") this.counts.restated++;
  }

  #rowBytes(batch: RecordBatch, i: number): number {
    return (batch.ends[i] ?? 0) - (batch.starts[i] ?? 0) + this.#target.prefix.bytesMax;
  }

  /** Writes a row; false when the block has no room. Not async: it is called once a record. */
  #write(batch: RecordBatch, i: number): boolean {
    const { rows, prefix } = this.#target;
    const at = rows.room(this.#rowBytes(batch, i));
    if (at < 0) return false;
    const { bytes, starts, ends } = batch;
    rows.added(spliceRow(rows.block, at, prefix, this.rowNumber++, bytes, starts[i] ?? 0, ends[i] ?? 0));
    this.counts.landed++;
    return true;
  }

  /** Keeps the last record, for last-id paging. */
  #keepLast(batch: RecordBatch): void {
    const last = batch.count - 1;
    this.#lastRecord = Buffer.from(batch.bytes.subarray(batch.starts[last], batch.ends[last]));
  }

  /** Keeps the last record, and the hashes that overlap and passes need. */
  #remember(batch: RecordBatch): void {
    if (batch.count === 0) return;
    const { stability } = this.#context.spec;
    this.#keepLast(batch);
    if (stability !== "overlap" && stability !== "passes") return;
    for (let i = 0; i < batch.count; i++) {
      const content = this.#fields.contentHash(batch, i);
      if (stability === "passes") this.#fingerprint.add(content);
      else this.#recent.push(content.toString("latin1"));
    }
    if (this.#recent.length > recentMax) this.#recent = this.#recent.slice(-recentMax / 2);
  }
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
