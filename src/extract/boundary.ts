/**
 * The boundary: what was landed last for each key, as far back as the next range will read again (PROTOCOL I5).
 *
 * An open-addressing table over one buffer, 64 bytes an entry: a stream that is read whole keeps an entry for every
 * record, where JavaScript's Map takes some 200 bytes. Keys and contents are 128 bits of SHA-256 (docs/decisions/006).
 *
 * With a primary key an entry is key → hash of the newest landed bytes. Without one the key is the content's hash and
 * `count` says how often it was landed within the range, so that genuine twins survive.
 */
import assert from "node:assert/strict";
import type { CursorValue } from "../model/cursor.ts";

/** Bytes of a hash. */
export const hashBytes = 16;

const entryBytes = 64;
const entryWords = entryBytes / 4;
const contentAt = 16;
const cursorAt = 32;
const partitionAt = 40;
const countAt = 44;
const flagsAt = 48;

/** The value stored for "no usable cursor": such an entry is never trimmed. */
const noCursor = -(2n ** 63n);

const flagOwn = 1;

/** What the table knows of a key. */
export type BoundaryEntry = Readonly<{
  /** 128-bit hash of the newest landed bytes; for keyless streams the key itself. */
  content: Uint8Array;
  cursor: CursorValue | undefined;
  partition: number;
  count: number;
  /** Landed by this run, not by one before. */
  isOwn: boolean;
}>;

/** A table of boundary entries. */
export class Boundary {
  #entries: Buffer;
  /** The same memory: keys are compared four bytes at a time, without a view of each. */
  #words: Int32Array;
  #used = 0;
  #slots: Int32Array;

  constructor(capacity = 16) {
    this.#entries = allocateEntries(capacity);
    this.#words = wordsOf(this.#entries);
    this.#slots = new Int32Array(slotsFor(capacity)).fill(-1);
  }

  /** Entries that are there. */
  get size(): number {
    return this.#used;
  }

  /** Looks a key up. */
  get(key: Uint8Array): BoundaryEntry | undefined {
    const index = this.#find(key);
    return index < 0 ? undefined : this.#read(index);
  }

  /** Sets what is known of a key. */
  set(key: Uint8Array, entry: BoundaryEntry): void {
    assert(key.byteLength === hashBytes && entry.content.byteLength === hashBytes, "hashes have 16 bytes");
    let index = this.#find(key);
    if (index < 0) {
      this.#grow();
      index = this.#used++;
      this.#entries.set(key, index * entryBytes);
      this.#insertSlot(index);
    }
    this.#write(index, entry);
  }

  /** Every entry, in the order they came; the key is a copy. */
  *[Symbol.iterator](): Generator<readonly [Uint8Array, BoundaryEntry]> {
    for (let index = 0; index < this.#used; index++) {
      yield [this.#keyAt(index), this.#read(index)];
    }
  }

  /** A table of the entries that `keep` says yes to. */
  filter(keep: (entry: BoundaryEntry, key: Uint8Array) => boolean): Boundary {
    const kept = new Boundary(Math.max(16, this.#used));
    for (let index = 0; index < this.#used; index++) {
      if (keep(this.#read(index), this.#keyAt(index))) kept.#append(this.#entries, index * entryBytes);
    }
    return kept;
  }

  /** A table of the same entries. */
  clone(): Boundary {
    const copy = new Boundary(Math.max(16, this.#used));
    for (let index = 0; index < this.#used; index++) copy.#append(this.#entries, index * entryBytes);
    return copy;
  }

  /** Adds an entry of another table, whose key is not in this one. */
  #append(entries: Buffer, at: number): void {
    this.#grow();
    entries.copy(this.#entries, this.#used * entryBytes, at, at + entryBytes);
    this.#insertSlot(this.#used++);
  }

  #keyAt(index: number): Buffer {
    const at = index * entryBytes;
    return Buffer.from(this.#entries.subarray(at, at + hashBytes));
  }

  #find(key: Uint8Array): number {
    const [a, b, c, d] = [wordAt(key, 0), wordAt(key, 4), wordAt(key, 8), wordAt(key, 12)];
    const mask = this.#slots.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] ?? -1;
      if (index < 0) return -1;
      const at = index * entryWords;
      const words = this.#words;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return index;
    }
  }

  #read(index: number): BoundaryEntry {
    const at = index * entryBytes;
    const cursor = this.#entries.readBigInt64LE(at + cursorAt);
    return {
      content: Buffer.from(this.#entries.subarray(at + contentAt, at + contentAt + hashBytes)),
      cursor: cursor === noCursor ? undefined : cursor,
      partition: this.#entries.readInt32LE(at + partitionAt),
      count: this.#entries.readInt32LE(at + countAt),
      isOwn: (this.#entries.readInt32LE(at + flagsAt) & flagOwn) !== 0,
    };
  }

  #write(index: number, entry: BoundaryEntry): void {
    const at = index * entryBytes;
    this.#entries.set(entry.content, at + contentAt);
    // Integers that need more than 64 bits are kept like records without a value: safe, and never trimmed.
    const cursor = entry.cursor ?? noCursor;
    this.#entries.writeBigInt64LE(BigInt.asIntN(64, cursor) === cursor ? cursor : noCursor, at + cursorAt);
    this.#entries.writeInt32LE(entry.partition, at + partitionAt);
    this.#entries.writeInt32LE(entry.count, at + countAt);
    this.#entries.writeInt32LE(entry.isOwn ? flagOwn : 0, at + flagsAt);
  }

  #grow(): void {
    if ((this.#used + 1) * entryBytes > this.#entries.length) {
      const larger = allocateEntries((this.#entries.length / entryBytes) * 2);
      this.#entries.copy(larger);
      this.#entries = larger;
      this.#words = wordsOf(larger);
    }
    if ((this.#used + 1) * 2 <= this.#slots.length) return;
    this.#slots = new Int32Array(this.#slots.length * 2).fill(-1);
    for (let index = 0; index < this.#used; index++) this.#insertSlot(index);
  }

  #insertSlot(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#words[index * entryWords] ?? 0) & mask;
    while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }

  /** The entries as bytes: key, content, cursor (int64), partition and count (int32), 48 bytes each. */
  encode(): Buffer {
    const bytes = Buffer.alloc(this.#used * storedBytes);
    let to = 0;
    for (let index = 0; index < this.#used; index++) {
      const at = index * entryBytes;
      this.#entries.copy(bytes, to, at, at + storedBytes);
      to += storedBytes;
    }
    return bytes;
  }

  /** The reverse of {@link encode}: entries that a run before has landed. */
  static decode(bytes: Buffer): Boundary {
    assert(bytes.length % storedBytes === 0, "a stored boundary has 48 bytes an entry");
    const boundary = new Boundary(Math.max(16, bytes.length / storedBytes));
    for (let at = 0; at < bytes.length; at += storedBytes) {
      const cursor = bytes.readBigInt64LE(at + cursorAt);
      boundary.set(bytes.subarray(at, at + hashBytes), {
        content: bytes.subarray(at + contentAt, at + contentAt + hashBytes),
        cursor: cursor === noCursor ? undefined : cursor,
        partition: bytes.readInt32LE(at + partitionAt),
        count: bytes.readInt32LE(at + countAt),
        isOwn: false,
      });
    }
    return boundary;
  }
}

const storedBytes = 48;

/** Never from Node's pool, where it could begin at an odd place. */
const allocateEntries = (capacity: number): Buffer => Buffer.from(new ArrayBuffer(capacity * entryBytes));

const wordsOf = (entries: Buffer): Int32Array => new Int32Array(entries.buffer);

/** In the processor's order, little-endian everywhere that Node runs on: it only has to be the same for all. */
const wordAt = (key: Uint8Array, at: number): number =>
  (key[at] ?? 0) | ((key[at + 1] ?? 0) << 8) | ((key[at + 2] ?? 0) << 16) | ((key[at + 3] ?? 0) << 24);

const slotsFor = (capacity: number) => 2 ** Math.ceil(Math.log2(Math.max(32, capacity * 2 + 2)));
