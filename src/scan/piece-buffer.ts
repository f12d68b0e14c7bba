/** The one buffer that an answer passes through, piece by piece: what is still needed in front, the next piece behind. */

import type { ScanMemory } from "./scan-memory.ts";

/** Bytes taken from a chunk at once: small enough for a processor's cache, large enough for some hundred records. */
const pieceBytes = 1024 * 1024;
/** Room behind the last byte: a zero that ends every loop, and what is read four bytes at a time. */
const slackBytes = 64;
const beginningBytes = 200;

export class PieceBuffer {
  /** Replaced when it grows. Behind `length` stands a zero. */
  bytes: Buffer;
  length = 0;
  /** Offset in the answer of the first byte. */
  offset = 0;
  #chunks: Uint8Array[] = [];
  #chunkAt = 0;
  #beginning = Buffer.alloc(0);
  #memory: ScanMemory;

  constructor(memory: ScanMemory) {
    this.#memory = memory;
    this.bytes = memory.bytes(pieceBytes + slackBytes);
  }

  /** Whether nothing waits to be added. */
  get isDrained(): boolean {
    return this.#chunks.length === 0;
  }

  /** The answer's first 200 bytes, as far as they have come. */
  get beginning(): string {
    return this.#beginning.toString("utf8");
  }

  clear(): void {
    this.length = 0;
    this.offset = 0;
    this.#chunks = [];
    this.#chunkAt = 0;
    this.#beginning = Buffer.alloc(0);
  }

  /** Puts a chunk in line. It is read where it is until all of it has been added. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    if (this.#beginning.length < beginningBytes) {
      const missing = beginningBytes - this.#beginning.length;
      this.#beginning = Buffer.concat([this.#beginning, chunk.subarray(0, missing)]);
    }
  }

  /** Moves what stands at `from` and behind to the front and adds the next piece; false when there is none. */
  refill(from: number): boolean {
    if (this.#chunks.length === 0) return false;
    if (from > 0) {
      this.bytes.copyWithin(0, from, this.length);
      this.length -= from;
      this.offset += from;
    }
    // Small chunks together are one piece: a batch of many records costs less than many of few.
    for (let added = 0; added < pieceBytes; ) {
      const next = this.#chunks[0];
      if (next === undefined) break;
      const piece = next.subarray(this.#chunkAt, this.#chunkAt + pieceBytes - added);
      this.#reserve(this.length + piece.length);
      this.bytes.set(piece, this.length);
      this.length += piece.length;
      added += piece.length;
      this.#chunkAt += piece.length;
      if (this.#chunkAt === next.length) {
        this.#chunks.shift();
        this.#chunkAt = 0;
      }
    }
    this.bytes[this.length] = 0;
    return true;
  }

  /** Lets everything go from `length` on; what comes next still has its right offset, what is before no longer. */
  cutTo(length: number): void {
    this.offset += this.length - length;
    this.length = length;
  }

  #reserve(length: number): void {
    if (length + slackBytes <= this.bytes.length) return;
    const wider = this.#memory.bytes(Math.max(length + slackBytes, this.bytes.length * 2));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }
}
