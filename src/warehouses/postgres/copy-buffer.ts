/**
 * Rows in the binary form of COPY (PostgreSQL documentation, COPY, "Binary Format"), put together in pieces of a bounded
 * size. The server reads a row of it in two thirds of the time that it takes for text, and nothing has to be escaped.
 */
import { chunksAheadMax } from "./postgres-session.ts";

/** Bytes of a piece: large enough that sending costs little, small enough that a few of them are no matter. */
const pieceBytes = 256 * 1024;

/**
 * Shortest piece whose memory is used again, bytes. A socket answers to one that is longer than its own buffer (16 KiB,
 * since Node 22 64 KiB) only when the system has taken all of it; a shorter one may lie there unsent.
 */
const reusedBytesMin = 128 * 1024;

/** The signature, no flags, no extension. */
const header = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");

/** What stands for the length of a value that is null, and for the number of columns after the last row. */
const none = -1;

/** Bytes of a number, its length before it, beside its digits; and of the count that a row begins with. */
export const cellBytesMin = 16;
const rowHeadBytes = 2;

const digitZero = 0x30;
const minus = 0x2d;
const point = 0x2e;

/** What marks a negative `numeric`. */
const negativeSign = 0x4000;

/** Decimal digits of one digit of `numeric`. */
const digitsOfGroup = 4;

/** Integers of up to so many digits are exact as doubles. */
const safeDigits = 15;

const bits32 = 2 ** 32;

/** Collects rows. Room is made once for each row, so that writing a cell tests nothing. */
export class CopyBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(pieceBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #rowStart = 0;
  readonly #full: Buffer[] = [];
  /** Pieces that were taken, oldest first. New memory for each would have the collector run every hundred of them. */
  readonly #taken: Buffer[] = [];

  constructor() {
    this.#at = header.copy(this.#bytes);
    this.#rowStart = this.#at;
  }

  /** Begins a row of so many cells and at most `bytesMax` bytes. */
  beginRow(cells: number, bytesMax: number): void {
    this.#makeRoom(bytesMax + rowHeadBytes);
    this.#rowStart = this.#at;
    this.#view.setInt16(this.#at, cells);
    this.#at += rowHeadBytes;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    if (this.#at > 0) this.#full.push(this.#bytes.subarray(0, this.#at));
    const isSpare = bytes <= pieceBytes && this.#taken.length > chunksAheadMax;
    this.#bytes = isSpare
      ? Buffer.from(this.#taken.shift()!.buffer)
      : Buffer.allocUnsafeSlow(Math.max(pieceBytes, bytes));
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = 0;
  }

  /** Throws away what was written of the row. */
  dropRow(): void {
    this.#at = this.#rowStart;
  }

  /** Pieces that are full. Each keeps its bytes until {@link chunksAheadMax} more were asked for. */
  *takeFull(): Generator<Buffer> {
    for (let piece = this.#full.shift(); piece !== undefined; piece = this.#full.shift()) {
      yield piece;
      const isReused = piece.length >= reusedBytesMin && piece.buffer.byteLength === pieceBytes;
      if (isReused) this.#taken.push(piece);
    }
  }

  /** All that is left, and the end of the rows. */
  *takeRest(): Generator<Buffer> {
    this.#makeRoom(rowHeadBytes);
    this.#view.setInt16(this.#at, none);
    this.#full.push(this.#bytes.subarray(0, this.#at + rowHeadBytes));
    yield* this.#full.splice(0);
  }

  /** Cells that are written as they are, their lengths before them. */
  writeCells(cells: Uint8Array): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < cells.length; i += 1) bytes[at++] = cells[i]!;
    this.#at = at;
  }

  writeNull(): void {
    this.#view.setInt32(this.#at, none);
    this.#at += 4;
  }

  /** Text, or JSON as text. */
  writeBytes(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    const length = end - start;
    this.#view.setInt32(this.#at, length);
    let at = this.#at + 4;
    if (length > 64) bytes.set(from.subarray(start, end), at);
    else for (let i = start; i < end; i += 1) bytes[at++] = from[i]!;
    this.#at += 4 + length;
  }

  /** Any text without U+0000. */
  writeText(text: string): void {
    const length = this.#bytes.write(text, this.#at + 4, "utf8");
    this.#view.setInt32(this.#at, length);
    this.#at += 4 + length;
  }

  writeBoolean(value: boolean): void {
    this.#view.setInt32(this.#at, 1);
    this.#bytes[this.#at + 4] = value ? 1 : 0;
    this.#at += 5;
  }

  /** Days since 2000-01-01. */
  writeDate(days: number): void {
    this.#view.setInt32(this.#at, 4);
    this.#view.setInt32(this.#at + 4, days);
    this.#at += 8;
  }

  writeDouble(value: number): void {
    this.#view.setInt32(this.#at, 8);
    this.#view.setFloat64(this.#at + 4, value);
    this.#at += 12;
  }

  /** 64 bits of a whole number that a double keeps exactly. */
  writeWhole(value: number): void {
    const high = Math.floor(value / bits32);
    this.#view.setInt32(this.#at, 8);
    this.#view.setInt32(this.#at + 4, high);
    this.#view.setUint32(this.#at + 8, value - high * bits32);
    this.#at += 12;
  }

  writeBigint(value: bigint): void {
    this.#view.setInt32(this.#at, 8);
    this.#view.setBigInt64(this.#at + 4, value);
    this.#at += 12;
  }

  /** 64 bits of digits, with a minus before them at most; they fit. */
  writeDigits(from: Uint8Array, start: number, end: number): void {
    if (end - start > safeDigits) {
      this.writeBigint(BigInt(Buffer.from(from.subarray(start, end)).toString("latin1")));
      return;
    }
    const isNegative = from[start] === minus;
    let value = 0;
    for (let at = isNegative ? start + 1 : start; at < end; at += 1)
      value = value * 10 + from[at]! - digitZero;
    this.writeWhole(isNegative ? -value : value);
  }

  /** A `numeric` of digits with at most a minus before and a point between them: groups of four about the point. */
  writeNumeric(from: Uint8Array, start: number, end: number): void {
    const first = from[start] === minus ? start + 1 : start;
    let pointAt = first;
    while (pointAt < end && from[pointAt] !== point) pointAt += 1;
    const wholeGroups = Math.ceil((pointAt - first) / digitsOfGroup);
    const groups = wholeGroups + Math.ceil(Math.max(0, end - pointAt - 1) / digitsOfGroup);
    const view = this.#view;
    const cell = this.#at;
    const digitsAt = cell + 12;
    let at = digitsAt;
    let endOfDigits = at; // Behind the last group that is not zero.
    let weight = 0;
    for (let group = 0; group < groups; group += 1) {
      const before = group - wholeGroups;
      const groupAt = pointAt + before * digitsOfGroup + (before < 0 ? 0 : 1);
      let value = 0;
      for (let i = groupAt; i < groupAt + digitsOfGroup; i += 1)
        value = value * 10 + (i < first || i >= end ? 0 : from[i]! - digitZero);
      if (value === 0 && at === digitsAt) continue;
      if (at === digitsAt) weight = -before - 1;
      view.setUint16(at, value);
      at += 2;
      if (value !== 0) endOfDigits = at;
    }
    const digitBytes = endOfDigits - digitsAt;
    view.setInt32(cell, 8 + digitBytes);
    view.setInt16(cell + 4, digitBytes / 2);
    view.setInt16(cell + 6, weight);
    view.setUint16(cell + 8, digitBytes > 0 && first > start ? negativeSign : 0);
    view.setUint16(cell + 10, Math.max(0, end - pointAt - 1)); // Digits behind the point.
    this.#at = endOfDigits;
  }
}
