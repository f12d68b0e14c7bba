/**
 * Copies of records that are not hashed yet: those of the newest batch at or above the running `next`.
 *
 * When the next batch comes, most of them lie below it: the next run will not see them again, and nothing of them
 * needs to be known. Hashing key and content of such records costs more than scanning the whole page.
 */
import type { CursorValue } from "../model/cursor.ts";
import type { RecordBatch } from "../scan/record-batch.ts";

/** A run whose records all lie within the lag gains nothing: beyond this they are hashed as they come. */
const copiedBytesMax = 256 * 1024;
const copiesMax = 1024;

export class RecordCopies {
  readonly #fieldCount: number;
  readonly #keyCount: number;
  readonly #keys = new Set<string>();
  readonly #values: CursorValue[] = [];
  #batch: RecordBatch | undefined;
  #filled = 0;

  /** @param keyCount - the first of `fieldCount` wanted fields are the key's. */
  constructor(fieldCount: number, keyCount: number) {
    this.#fieldCount = fieldCount;
    this.#keyCount = keyCount;
  }

  /** Copies a record; false when there is no room, or when one of the same key is there. */
  add(batch: RecordBatch, i: number, value: CursorValue): boolean {
    this.#batch ??= emptyBatch(this.#fieldCount);
    const copies = this.#batch;
    const [start, end] = [batch.starts[i] ?? 0, batch.ends[i] ?? 0];
    if (copies.count === copiesMax || this.#filled + end - start > copiedBytesMax) return false;
    const key = this.#keyText(batch, i);
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const to = copies.count++;
    const moved = this.#filled - start;
    this.#filled += batch.bytes.copy(copies.bytes, this.#filled, start, end);
    copies.starts[to] = start + moved;
    copies.ends[to] = end + moved;
    for (let field = 0; field < this.#fieldCount; field++) {
      const [from, at] = [i * this.#fieldCount + field, to * this.#fieldCount + field];
      const fieldStart = batch.fieldStarts[from] ?? -1;
      copies.fieldStarts[at] = fieldStart < 0 ? -1 : fieldStart + moved;
      copies.fieldEnds[at] = fieldStart < 0 ? -1 : (batch.fieldEnds[from] ?? -1) + moved;
    }
    this.#values.push(value);
    return true;
  }

  /** Hands each copy at or above the floor out, in the order they came, and forgets them all. */
  take(
    floor: CursorValue | undefined,
    each: (batch: RecordBatch, i: number, value: CursorValue) => void,
  ): void {
    const copies = this.#batch;
    if (copies === undefined || copies.count === 0) return;
    for (const [i, value] of this.#values.entries()) {
      if (floor === undefined || value >= floor) each(copies, i, value);
    }
    copies.count = 0;
    this.#filled = 0;
    this.#values.length = 0;
    this.#keys.clear();
  }

  /** The raw tokens of the key; two fields are told apart by their lengths. */
  #keyText(batch: RecordBatch, i: number): string {
    let text = "";
    for (let field = 0; field < this.#keyCount; field++) {
      const at = i * this.#fieldCount + field;
      const token = batch.bytes.toString("latin1", batch.fieldStarts[at], batch.fieldEnds[at]);
      text += this.#keyCount === 1 ? token : `${token.length}:${token}`;
    }
    return text;
  }
}

const emptyBatch = (fieldCount: number): RecordBatch => ({
  count: 0,
  bytes: Buffer.allocUnsafe(copiedBytesMax),
  starts: new Int32Array(copiesMax),
  ends: new Int32Array(copiesMax),
  problems: new Uint8Array(copiesMax),
  fieldStarts: new Int32Array(copiesMax * fieldCount),
  fieldEnds: new Int32Array(copiesMax * fieldCount),
});
