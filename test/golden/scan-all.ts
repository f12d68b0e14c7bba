/**
 * Runs the scanner over a whole answer and copies everything out of its reused buffers, for tests to compare.
 *
 * The scanner that all stages use and the plain one must agree, whatever the answer: each test here is one of both.
 */
import { deepStrictEqual } from "node:assert/strict";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { parseRecordSelector } from "../../src/model/record-selector.ts";
import { openPlainScanner, openScanner } from "../../src/scan/open-scanner.ts";
import {
  type RecordProblem,
  type RecordScanner,
  recordProblems,
  type ScanEnd,
  type ScanOptions,
} from "../../src/scan/record-batch.ts";

/** A record's bytes as text, what is wrong with it, and the raw text of each wanted field. */
export type ScannedRecord = Readonly<{
  text: string;
  problem: RecordProblem | "none";
  fields: readonly (string | undefined)[];
}>;

export type Scanned = Readonly<{
  records: readonly ScannedRecord[];
  end: ScanEnd | undefined;
  /** Code and message of the failure that ended the scan. */
  error: string | undefined;
  columns: Readonly<Record<string, unknown>>;
}>;

export type ScanAllOptions = Partial<Omit<ScanOptions, "selector">>;

/** A scanner for `selector`, nothing wanted and nothing reserved unless said. */
export function openFor(selector: string, options: ScanAllOptions = {}): RecordScanner {
  return openScanner(complete(selector, options));
}

/** @param sizes - bytes of the chunks, used over and over; one number for chunks of equal size. */
export function scanAll(
  input: Uint8Array | string,
  selector: string,
  sizes: number | readonly number[] = Number.POSITIVE_INFINITY,
  options: ScanAllOptions = {},
): Scanned {
  const fieldCount = options.fields?.length ?? 0;
  const found = scanWith(openFor(selector, options), input, sizes, fieldCount);
  const plain = openPlainScanner(complete(selector, options));
  deepStrictEqual(found, scanWith(plain, input, sizes, fieldCount), "the plain scanner finds something else");
  return found;
}

function complete(selector: string, options: ScanAllOptions): ScanOptions {
  return { selector: parseRecordSelector(selector), fields: [], reserved: [], ...options };
}

/** The same with a scanner that may have read other documents before. */
export function scanWith(
  scanner: RecordScanner,
  input: Uint8Array | string,
  sizes: number | readonly number[],
  fieldCount: number,
): Scanned {
  const bytes = typeof input === "string" ? Buffer.from(input, "utf8") : input;
  const records: ScannedRecord[] = [];
  let end: ScanEnd | undefined;
  let error: string | undefined;
  try {
    for (const chunk of cut(bytes, typeof sizes === "number" ? [sizes] : sizes)) {
      scanner.push(chunk);
      drain(scanner, fieldCount, records);
    }
    end = scanner.end();
  } catch (failure) {
    if (!isLeatError(failure)) throw failure;
    error = `${failure.code} ${failure.message}`;
  }
  return { records, end, error, columns: Object.fromEntries(scanner.columns()) };
}

function drain(scanner: RecordScanner, fieldCount: number, records: ScannedRecord[]): void {
  for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
    const text = (start: number, end: number) =>
      Buffer.from(batch!.bytes.subarray(start, end)).toString("utf8");
    for (let i = 0; i < batch.count; i += 1) {
      const fields = Array.from({ length: fieldCount }, (_, field) => {
        const at = i * fieldCount + field;
        return batch!.fieldStarts[at]! < 0 ? undefined : text(batch!.fieldStarts[at]!, batch!.fieldEnds[at]!);
      });
      const problem = recordProblems[batch.problems[i]!]!;
      records.push({ text: text(batch.starts[i]!, batch.ends[i]!), problem, fields });
    }
  }
}

/** Each chunk in memory of its own, as a socket's may be, and spoilt as soon as the next is asked for. */
function* cut(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = Math.min(bytes.length - at, sizes[i % sizes.length]!);
    const chunk = new Uint8Array(bytes.subarray(at, at + size));
    yield chunk;
    chunk.fill(0x58);
    at += size;
  }
}
