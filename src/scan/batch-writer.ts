/** Fills a batch's reused arrays, record by record. */
import type { RecordBatch } from "./record-batch.ts";
import type { ScanMemory } from "./scan-memory.ts";

const batchRecordsMax = 2048;

export class BatchWriter {
  readonly batch: RecordBatch;
  #fieldCount: number;
  /** Pairs of fields with equal paths: the second is copied from the first. */
  #twins: readonly (readonly [number, number])[];

  constructor(fields: readonly string[], bytes: Buffer, memory: ScanMemory) {
    this.#fieldCount = fields.length;
    this.#twins = fields.flatMap((path, field) => {
      const first = fields.indexOf(path);
      return first < field ? [[field, first] as const] : [];
    });
    this.batch = {
      count: 0,
      bytes,
      starts: memory.starts(batchRecordsMax),
      ends: memory.ends(batchRecordsMax),
      problems: memory.problems(batchRecordsMax),
      fieldStarts: memory.fieldStarts(batchRecordsMax * fields.length),
      fieldEnds: memory.fieldEnds(batchRecordsMax * fields.length),
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
    this.#add(start, end, 0);
    this.copyTwins(this.batch.count - 1);
  }

  /** Fills in the fields that are wanted twice, in the records from `from` on. */
  copyTwins(from: number): void {
    const { count, fieldStarts, fieldEnds } = this.batch;
    for (const [field, first] of this.#twins) {
      for (let base = from * this.#fieldCount; base < count * this.#fieldCount; base += this.#fieldCount) {
        fieldStarts[base + field] = fieldStarts[base + first]!;
        fieldEnds[base + field] = fieldEnds[base + first]!;
      }
    }
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
