/** Two scanners side by side over the same answers: everything that they hand out must be equal. */
import assert from "node:assert/strict";
import { isLeatError } from "../../src/errors/leat-error.ts";
import type { RecordBatch, RecordScanner, ScanOptions } from "../../src/scan/record-batch.ts";

/** Answers that one scanner reads one after the other, each cut into chunks of these sizes, used over and over. */
export type ScanCase = Readonly<{
  options: ScanOptions;
  documents: readonly Readonly<{ bytes: Uint8Array; sizes: readonly number[] }>[];
}>;

export type ScannerPair = Readonly<{ plain: RecordScanner; fast: RecordScanner }>;

/** @returns how many records were read. @throws AssertionError where the scanners differ. */
export function compareScanners({ plain, fast }: ScannerPair, { options, documents }: ScanCase): number {
  let records = 0;
  for (const [index, { bytes, sizes }] of documents.entries()) {
    if (index > 0) {
      plain.restart();
      fast.restart();
    }
    records += compareDocument({ plain, fast }, options.fields.length, cut(bytes, sizes));
    // Entries, so that the order of the columns counts too.
    assert.deepEqual([...fast.columns()], [...plain.columns()], `columns after document ${index}`);
    if (index % 3 === 2) {
      plain.resetColumns();
      fast.resetColumns();
    }
  }
  return records;
}

function compareDocument(pair: ScannerPair, fieldCount: number, chunks: Iterable<Uint8Array>): number {
  let records = 0;
  for (const chunk of chunks) {
    pair.plain.push(chunk);
    pair.fast.push(chunk);
    for (;;) {
      const expected = attempt(() => pair.plain.take());
      const found = attempt(() => pair.fast.take());
      assert.deepEqual(found.failure, expected.failure);
      if (expected.failure !== undefined) return records;
      assert.equal(found.result === undefined, expected.result === undefined, "a batch, or none");
      if (expected.result === undefined || found.result === undefined) break;
      compareBatches(found.result, expected.result, fieldCount);
      records += expected.result.count;
    }
  }
  assert.deepEqual(
    attempt(() => pair.fast.end()),
    attempt(() => pair.plain.end()),
  );
  return records;
}

function compareBatches(found: RecordBatch, expected: RecordBatch, fieldCount: number): void {
  const { count } = expected;
  assert.equal(found.count, count, "records in a batch");
  assert.deepEqual(found.problems.subarray(0, count), expected.problems.subarray(0, count), "problems");
  assert.deepEqual(found.starts.subarray(0, count), expected.starts.subarray(0, count), "starts");
  assert.deepEqual(found.ends.subarray(0, count), expected.ends.subarray(0, count), "ends");
  const fields = count * fieldCount;
  assert.deepEqual(found.fieldStarts.subarray(0, fields), expected.fieldStarts.subarray(0, fields), "fields");
  assert.deepEqual(
    found.fieldEnds.subarray(0, fields),
    expected.fieldEnds.subarray(0, fields),
    "fields' ends",
  );
  for (let i = 0; i < count; i += 1) {
    const extent = [expected.starts[i]!, expected.ends[i]!] as const;
    const isSame = Buffer.compare(found.bytes.subarray(...extent), expected.bytes.subarray(...extent)) === 0;
    assert.ok(isSame, `bytes of record ${i}`);
  }
}

type Attempt<Result> = { result?: Result; failure?: unknown };

/** What a call gave, or what a user would see of its failure. */
function attempt<Result>(call: () => Result): Attempt<Result> {
  try {
    return { result: call() };
  } catch (failure) {
    if (!isLeatError(failure)) throw failure;
    const { code, message, details } = failure;
    return { failure: { code, message, details } };
  }
}

/** Each chunk in memory of its own, spoilt as soon as the next is asked for. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const chunk = new Uint8Array(bytes.subarray(at, at + sizes[i % sizes.length]!));
    at += chunk.length;
    yield chunk;
    chunk.fill(0x58);
  }
}
