/** Rows in the text form of COPY, put together in pieces of a bounded size. */

import { chunksAheadMax } from "./postgres-session.ts";

/** Bytes of a piece: large enough that sending costs little, small enough that a few of them are no matter. */
const pieceBytes = 256 * 1024;

/**
 * Shortest piece whose memory is used again, bytes. A socket answers to one that is longer than its own buffer (16 KiB,
 * since Node 22 64 KiB) only when the system has taken all of it; a shorter one may lie there unsent.
 */
const reusedBytesMin = 128 * 1024;

const tab = 0x09;
const lineFeed = 0x0a;
const backslash = 0x5c;

/** Collects rows. Room is made once for each row, so that writing a cell tests nothing. */
export class CopyBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(pieceBytes);
  #at = 0;
  #rowStart = 0;
  readonly #full: Buffer[] = [];
  /** Pieces that were taken, oldest first. New memory for each would have the collector run every hundred of them. */
  readonly #taken: Buffer[] = [];

  /** Begins a row of at most `bytesMax` bytes. */
  beginRow(bytesMax: number): void {
    if (this.#at + bytesMax > this.#bytes.length) {
      if (this.#at > 0) this.#full.push(this.#bytes.subarray(0, this.#at));
      const isSpare = bytesMax <= pieceBytes && this.#taken.length > chunksAheadMax;
      this.#bytes = isSpare
        ? Buffer.from(this.#taken.shift()!.buffer)
        : Buffer.allocUnsafeSlow(Math.max(pieceBytes, bytesMax));
      this.#at = 0;
    }
    this.#rowStart = this.#at;
  }

  /** Throws away what was written of the row. */
  dropRow(): void {
    this.#at = this.#rowStart;
  }

  endRow(): void {
    this.#bytes[this.#at - 1] = lineFeed; // In place of the last cell's tab.
  }

  /** Pieces that are full. Each keeps its bytes until {@link chunksAheadMax} more were asked for. */
  *takeFull(): Generator<Buffer> {
    for (let piece = this.#full.shift(); piece !== undefined; piece = this.#full.shift()) {
      yield piece;
      const isReused = piece.length >= reusedBytesMin && piece.buffer.byteLength === pieceBytes;
      if (isReused) this.#taken.push(piece);
    }
  }

  /** What is left, at the end. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(pieceBytes);
    this.#at = 0;
    this.#rowStart = 0;
    return rest;
  }

  /** Bytes that are written as they are; what ends their cell is the last of them. */
  writeCells(cells: Uint8Array): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < cells.length; i += 1) bytes[at++] = cells[i]!;
    this.#at = at;
  }

  /** `\N`. */
  writeNull(): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = backslash;
    bytes[this.#at++] = 0x4e;
    bytes[this.#at++] = tab;
  }

  /** Bytes without anything to escape. */
  writePlain(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    if (end - start > 64) {
      bytes.set(from.subarray(start, end), at);
      at += end - start;
    } else for (let i = start; i < end; i += 1) bytes[at++] = from[i]!;
    bytes[at] = tab;
    this.#at = at + 1;
  }

  /** Bytes of JSON text: no control characters but tabs between tokens. */
  writeJson(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = start; i < end; i += 1) {
      const c = from[i]!;
      if (c === backslash) bytes[at++] = backslash;
      if (c === tab || c === 0x0d) {
        bytes[at++] = backslash;
        bytes[at++] = c === tab ? 0x74 : 0x72;
      } else bytes[at++] = c;
    }
    bytes[at] = tab;
    this.#at = at + 1;
  }

  /** Any text without U+0000. */
  writeText(text: string): void {
    this.writeEscaped(escapeCopyText(text));
  }

  /** Text that {@link escapeCopyText} has made; its tabs end cells. */
  writeEscaped(escaped: string): void {
    this.#at += this.#bytes.write(escaped, this.#at, "utf8");
    this.#bytes[this.#at++] = tab;
  }
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as COPY reads it. */
export function escapeCopyText(text: string): string {
  return text.replace(/[\\\n\r\t]/g, (sign) => escapes[sign]!);
}
