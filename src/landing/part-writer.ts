/**
 * Rows → landed parts of one run and intended seq. Rows are copied into a block; a full block becomes a frame
 * (zstd, gzip) or plain bytes of the open part; a full part is committed and the next one begins.
 *
 * What belongs to a range that may still be dropped (an *attempt*) is kept apart from what is confirmed: the
 * attempt's rows stay in the block, or, when they outgrow it, go to parts of their own. `drop` takes them back.
 */
import assert from "node:assert/strict";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ColumnTable } from "../model/column-kinds.ts";
import type { Compression, PartEntry } from "../model/manifest.ts";
import type { ObjectStore, ObjectWriter } from "../ports/object-store.ts";
import { type Crc32c, openCrc32c } from "./crc32c.ts";
import { compressFrame } from "./zstd-frames.ts";

const compressMember = promisify(gzip);

/** PROTOCOL, bounds: a part rolls at 64 MiB uncompressed or 100,000 records. */
const partPlainBytesMax = 64 * 1024 * 1024;
const partRecordsMax = 100_000;

/** A frame's plain size: large enough to compress well, small enough that three in flight are nothing. */
const blockBytes = 1024 * 1024;

/** Most packages hold some rows, many none: a block begins small and grows to its full size by doubling. */
const firstBlockBytes = 16 * 1024;

/** Blocks being compressed while the next is filled: one for the other core, one waiting. */
const blocksInFlightMax = 2;

type OpenPart = {
  key: string;
  writer: ObjectWriter;
  checksum: Crc32c;
  bytes: number;
  plainBytes: number;
  records: number;
  exactColumns: Set<string>;
  isOfAttempt: boolean;
};

/** Where a writer puts its parts. */
export type PartWriterOptions = Readonly<{
  store: ObjectStore;
  compression: Compression;
  /** Key of part `number`; numbers count up from `firstNumber` and are not used again after a drop. */
  keyOf: (number: number) => string;
}>;

/** Writes parts. One caller at a time; every method must be awaited. */
export class PartWriter {
  readonly #options: PartWriterOptions;
  #number = 0;
  #block: Buffer = Buffer.allocUnsafe(firstBlockBytes);
  #filled = 0;
  #blockRecords = 0;
  /** Where the attempt's rows begin in the block; `undefined` while there is no attempt. */
  #mark: { filled: number; records: number } | undefined;
  #plainBytesBefore = 0;
  #part: OpenPart | undefined;
  #blockExact = new Set<string>();
  #confirmed: PartEntry[] = [];
  #ofAttempt: PartEntry[] = [];
  #writing: Promise<void> = Promise.resolve();
  #inFlight = 0;
  /** Blocks that have been written and may be filled again: new memory costs more than copying rows into it. */
  readonly #spare: Buffer[] = [];
  /** Full parts being made durable while the next is filled; a disk takes a second for one. */
  #commits: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  constructor(options: PartWriterOptions) {
    this.#options = options;
  }

  /** Plain bytes confirmed or in the attempt, since the writer was made. */
  plainBytes = 0;

  /** From here on rows belong to an attempt: `confirm` or `drop` follows. */
  beginAttempt(): void {
    assert(this.#mark === undefined, "one attempt at a time");
    this.#mark = { filled: this.#filled, records: this.#blockRecords };
    this.#plainBytesBefore = this.plainBytes;
  }

  /** What rows are written into; another one after `room` and `makeRoom`. */
  get block(): Buffer {
    return this.#block;
  }

  /**
   * Room for one row. Write into `block` from the returned offset, then call `added`.
   *
   * @param bytes - the most that the row can take, its line end included.
   * @returns -1: there is none.
   */
  room(bytes: number): number {
    const needed = this.#filled + bytes;
    if (needed > this.#block.length && needed <= blockBytes) this.#growBlock(needed);
    return needed <= this.#block.length ? this.#filled : -1;
  }

  #growBlock(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(needed, this.#block.length * 4)));
    this.#block.copy(larger, 0, 0, this.#filled);
    this.#block = larger;
  }

  /** Empties the block so that at least `bytes` fit; call when `room` had none. */
  async makeRoom(bytes: number): Promise<void> {
    await this.#flushBlock();
    if (this.#block.length < bytes) this.#block = Buffer.allocUnsafe(bytes);
  }

  /** Says that a row now ends at `end` in `block`. */
  added(end: number): void {
    this.plainBytes += end - this.#filled;
    this.#filled = end;
    this.#blockRecords++;
  }

  /** Says which columns of the rows added since the last call hold numbers that do not survive a double. */
  noteExact(columns: ColumnTable): void {
    for (const [key, seen] of columns) {
      if (!seen.hasExactNumbers) continue;
      this.#blockExact.add(key);
      // Rows of the same page may have gone to the part already; a column too many is only read with more care.
      this.#part?.exactColumns.add(key);
      for (const list of [this.#ofAttempt, this.#confirmed]) noteLast(list, key);
    }
  }

  /** The attempt's rows are now as good as the others. */
  async confirm(): Promise<void> {
    assert(this.#mark !== undefined, "no attempt to confirm");
    this.#mark = undefined;
    if (this.#part !== undefined) this.#part.isOfAttempt = false;
    this.#confirmed.push(...this.#ofAttempt);
    this.#ofAttempt = [];
  }

  /** The attempt's rows were never written: what is on disk of them is orphaned or aborted. No attempt: nothing. */
  async drop(): Promise<void> {
    if (this.#mark === undefined) return;
    this.plainBytes = this.#plainBytesBefore;
    await this.#settle();
    if (this.#part?.isOfAttempt) {
      await this.#part.writer.abort();
      this.#part = undefined;
      this.#filled = 0;
      this.#blockRecords = 0;
    } else if (this.#ofAttempt.length > 0) {
      this.#filled = 0;
      this.#blockRecords = 0;
    } else {
      this.#filled = this.#mark.filled;
      this.#blockRecords = this.#mark.records;
    }
    this.#ofAttempt = [];
    this.#mark = undefined;
  }

  /** Commits what is open and returns all confirmed parts, in order. The writer then begins anew. */
  async finish(): Promise<readonly PartEntry[]> {
    assert(this.#mark === undefined, "an attempt is still open");
    await this.#flushBlock();
    await this.#closePart();
    await this.#commits;
    const parts = this.#confirmed;
    this.#confirmed = [];
    return parts;
  }

  /** Leaves nothing open; for the ways out. */
  async abort(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#commits.catch(() => {});
    await this.#part?.writer.abort();
    this.#part = undefined;
  }

  async #flushBlock(): Promise<void> {
    const mark = this.#mark;
    if (mark !== undefined && this.#part?.isOfAttempt !== true && this.#ofAttempt.length === 0) {
      // The attempt outgrows the block: confirmed rows go to their part, the attempt gets parts of its own.
      if (mark.filled > 0) await this.#writeBlock(this.#block.subarray(0, mark.filled), mark.records, false);
      // Whatever fails from here on, `drop` must not find them in the block again.
      this.#block = this.#block.subarray(mark.filled);
      this.#filled -= mark.filled;
      this.#blockRecords -= mark.records;
      this.#mark = { filled: 0, records: 0 };
      await this.#closePart();
    }
    if (this.#filled > 0) {
      await this.#writeBlock(this.#block.subarray(0, this.#filled), this.#blockRecords, mark !== undefined);
    }
    this.#block = this.#spare.pop() ?? Buffer.allocUnsafe(blockBytes);
    this.#filled = 0;
    this.#blockRecords = 0;
    this.#blockExact = new Set();
    if (this.#mark !== undefined) this.#mark = { filled: 0, records: 0 };
  }

  async #writeBlock(plain: Buffer, records: number, isOfAttempt: boolean): Promise<void> {
    if (plain.length === 0) return;
    this.#part ??= await this.#openPart(isOfAttempt);
    const part = this.#part;
    part.plainBytes += plain.length;
    part.records += records;
    for (const column of this.#blockExact) part.exactColumns.add(column);
    const block = this.#block;
    const isWhole = block.length === blockBytes && plain.length === this.#filled;
    const encoded = this.#encode(plain);
    encoded.catch(() => {}); // Awaited in the chain below, which may already have failed.
    this.#inFlight++;
    const before = this.#writing;
    this.#writing = before.then(async () => {
      const bytes = await encoded;
      part.checksum.update(bytes);
      part.bytes += bytes.byteLength;
      await part.writer.write(bytes);
      this.#inFlight--;
      if (isWhole) this.#spare.push(block);
    });
    this.#writing.catch((error: unknown) => {
      this.#failure = { error };
    });
    if (this.#inFlight >= blocksInFlightMax) await before;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (part.plainBytes >= partPlainBytesMax || part.records >= partRecordsMax) await this.#closePart();
  }

  #encode(plain: Buffer): Promise<Uint8Array> {
    switch (this.#options.compression) {
      case "zstd":
        return compressFrame(plain);
      case "gzip":
        return compressMember(plain, { level: 1 });
      case "none":
        return Promise.resolve(plain);
    }
  }

  async #openPart(isOfAttempt: boolean): Promise<OpenPart> {
    const key = this.#options.keyOf(++this.#number);
    const writer = await this.#options.store.openWriter(key);
    const checksum = openCrc32c();
    return {
      key,
      writer,
      checksum,
      bytes: 0,
      plainBytes: 0,
      records: 0,
      exactColumns: new Set(),
      isOfAttempt,
    };
  }

  async #closePart(): Promise<void> {
    await this.#settle();
    const part = this.#part;
    if (part === undefined) return;
    this.#part = undefined;
    await this.#commits; // One part is being committed while another is filled, never more.
    this.#commits = part.writer.commit(); // Named for this run alone: what exists is our own, its answer lost.
    this.#commits.catch((error: unknown) => {
      this.#failure = { error };
    });
    const entry: PartEntry = {
      key: part.key,
      bytes: part.bytes,
      plainBytes: part.plainBytes,
      records: part.records,
      crc32c: part.checksum.digest(),
      exactColumns: [...part.exactColumns].sort(),
    };
    (part.isOfAttempt ? this.#ofAttempt : this.#confirmed).push(entry);
  }

  async #settle(): Promise<void> {
    await this.#writing;
  }
}

function noteLast(parts: PartEntry[], column: string): void {
  const last = parts.at(-1);
  if (last === undefined || last.exactColumns.includes(column)) return;
  parts[parts.length - 1] = { ...last, exactColumns: [...last.exactColumns, column].sort() };
}
