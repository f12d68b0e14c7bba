/** Fills a batch's reused arrays, record by record. */
import type { RecordBatch } from "./record-batch.ts";

const batchRecordsMax = 2048;

export class BatchWriter {
  readonly batch: RecordBatch;
  #fieldCount: number;
  /** Pairs of fields with equal paths: the second is copied from the first. */
  #twins: readonly (readonly [number, number])[];

  constructor(fields: readonly string[], bytes: Uint8Array) {
    this.#fieldCount = fields.length;
    this.#twins = fields.flatMap((path, field) => {
      const first = fields.indexOf(path);
      return first < field ? [[field, first] as const] : [];
    });
    this.batch = {
      count: 0,
      bytes,
      starts: new Int32Array(batchRecordsMax),
      ends: new Int32Array(batchRecordsMax),
      problems: new Uint8Array(batchRecordsMax),
      fieldStarts: new Int32Array(batchRecordsMax * fields.length),
      fieldEnds: new Int32Array(batchRecordsMax * fields.length),
    };
  }

  get isFull(): boolean {
    return this.batch.count === batchRecordsMax;
  }

  /** Empties the fields of the next record; returns the place of the first. */
  clearFields(): number {
    const { count, fieldStarts, fieldEnds } = this.batch;
    const base = count * this.#fieldCount;
    for (let at = base; at < base + this.#fieldCount; at += 1) {
      fieldStarts[at] = -1;
      fieldEnds[at] = -1;
    }
    return base;
  }

  /** A row, whose fields have been filled in. */
  accept(start: number, end: number): void {
    const { count, fieldStarts, fieldEnds } = this.batch;
    const base = count * this.#fieldCount;
    for (const [field, first] of this.#twins) {
      fieldStarts[base + field] = fieldStarts[base + first]!;
      fieldEnds[base + field] = fieldEnds[base + first]!;
    }
    this.#add(start, end, 0);
  }

  /** A record that cannot be a row: it has no fields. */
  reject(start: number, end: number, problem: number): void {
    this.clearFields();
    this.#add(start, end, problem);
  }

  #add(start: number, end: number, problem: number): void {
    const { batch } = this;
    batch.starts[batch.count] = start;
    batch.ends[batch.count] = end;
    batch.problems[batch.count] = problem;
    batch.count += 1;
  }
}
