/** What extract must know of a record, by the extents that the scanner found: key, cursor, what it is equal to. */
import type { CursorValue } from "../model/cursor.ts";
import type { CursorSpec, StreamSpec } from "../model/stream.ts";
import { type RecordBatch, recordProblems } from "../scan/record-batch.ts";
import { parseCursorToken } from "./cursor-token.ts";
import { type Extents, hashKey, hashRecord } from "./record-hash.ts";

/** Fields that the scanner must find, in the order that {@link RecordFields} expects: key, cursor, volatile. */
export function wantedFields(spec: StreamSpec): readonly string[] {
  const cursor = spec.cursor === undefined ? [] : [spec.cursor.field];
  return [...spec.primaryKey, ...cursor, ...spec.volatileFields];
}

/** `null`, the only token that begins with this letter. */
const letterN = 0x6e;

/** Reads the wanted fields of batches of one stream and partition. */
export class RecordFields {
  readonly keyCount: number;
  readonly #count: number;
  readonly #cursor: CursorSpec | undefined;
  readonly #partition: string;

  constructor(spec: StreamSpec, partition: string) {
    this.keyCount = spec.primaryKey.length;
    this.#count = wantedFields(spec).length;
    this.#cursor = spec.cursor;
    this.#partition = partition;
  }

  /** Why a record cannot be a row of this stream. */
  problem(batch: RecordBatch, i: number): string | undefined {
    const problem = batch.problems[i] ?? 0;
    if (problem !== 0) return recordProblems[problem];
    for (let field = 0; field < this.keyCount; field++) {
      const start = batch.fieldStarts[i * this.#count + field] ?? -1;
      if (start < 0 || batch.bytes[start] === letterN) return "missing-key"; // `null` is no key.
    }
    return undefined;
  }

  /** The cursor's value, as a number where that is exact; `undefined`: none, or none of the declared format. */
  cursor(batch: RecordBatch, i: number): number | CursorValue | undefined {
    const cursor = this.#cursor;
    if (cursor === undefined) return undefined;
    const at = i * this.#count + this.keyCount;
    const start = batch.fieldStarts[at] ?? -1;
    return parseCursorToken(batch.bytes, start, batch.fieldEnds[at] ?? -1, cursor.format, cursor.zone);
  }

  /** Hash of the record's key within its partition. */
  keyHash(batch: RecordBatch, i: number): Buffer {
    return hashKey(this.#partition, batch.bytes, this.#extents(batch, i, 0, this.keyCount));
  }

  /** Hash of the record's bytes, volatile values left out. */
  contentHash(batch: RecordBatch, i: number): Buffer {
    const first = this.keyCount + (this.#cursor === undefined ? 0 : 1);
    const volatile = first === this.#count ? [] : this.#extents(batch, i, first, this.#count);
    return hashRecord(batch.bytes, batch.starts[i] ?? 0, batch.ends[i] ?? 0, volatile);
  }

  /** The same as a key, for streams without one: equal records of two partitions are not each other's twins. */
  contentKey(batch: RecordBatch, i: number): Buffer {
    const content = this.contentHash(batch, i);
    return this.#partition === "" ? content : hashKey(this.#partition, content, [[0, content.length]]);
  }

  /** Apart from the keys of rows: once the reason is mended the same bytes are a row that has never been landed. */
  quarantineKey(content: Buffer): Buffer {
    return hashKey(`quarantine:${this.#partition}`, content, [[0, content.length]]);
  }

  #extents(batch: RecordBatch, i: number, from: number, to: number): Extents {
    const extents: [number, number][] = [];
    for (let field = from; field < to; field++) {
      const at = i * this.#count + field;
      extents.push([batch.fieldStarts[at] ?? -1, batch.fieldEnds[at] ?? -1]);
    }
    return extents;
  }
}
