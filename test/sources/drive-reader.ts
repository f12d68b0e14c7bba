/** Reads a stream as the extract stage does; what the scanner found is compared with what parsing finds. */
import assert from "node:assert/strict";
import { isJsonObject, type JsonValue } from "../../src/model/json-value.ts";
import type { RecordSelector } from "../../src/model/record-selector.ts";
import type {
  Page,
  PageSummary,
  RangeRequest,
  Source,
  StreamReader,
  Tenant,
} from "../../src/ports/source.ts";
import { openScanner } from "../../src/scan/open-scanner.ts";
import { type TestWorld, testTenant, testWorld } from "./test-world.ts";

export type PageRead = Readonly<{ page: Page; records: readonly JsonValue[]; text: string }>;
export type RangeRead = Readonly<{ pages: PageRead[]; records: JsonValue[]; requestCount: number }>;

const wholeRange: RangeRequest = { start: undefined, end: undefined, partition: undefined };

/** Opens a stream, reads one range to its end and closes it. */
export async function readStream(
  source: Source,
  stream: string,
  options: { tenant?: Tenant; world?: TestWorld; range?: Partial<RangeRequest>; signal?: AbortSignal } = {},
): Promise<RangeRead> {
  const reader = await source.open(stream, options.tenant ?? testTenant(), options.world ?? testWorld());
  try {
    return await readRange(reader, { ...wholeRange, ...options.range }, options.signal);
  } finally {
    await reader.close();
  }
}

/** Reads one range; each page is parsed and answered with its summary. */
export async function readRange(
  reader: StreamReader,
  range: RangeRequest = wholeRange,
  signal: AbortSignal = new AbortController().signal,
  judge: (page: Page, records: readonly JsonValue[]) => boolean = () => false,
): Promise<RangeRead> {
  const pages: PageRead[] = [];
  const records: JsonValue[] = [];
  const reading = reader.read(range, signal);
  for (let step = await reading.next(); step.done !== true; ) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of step.value.body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const found: JsonValue[] = [];
    const envelope = scan(text, step.value.selector, found);
    const isMismatch = judge(step.value, found);
    pages.push({ page: step.value, records: found, text });
    if (!isMismatch) records.push(...found);
    const summary = { ...scanAsExtract(step.value.selector, chunks), isMismatch };
    assert.equal(summary.recordCount, found.length);
    assert.deepEqual(summary.envelope, envelope);
    step = await reading.next(summary);
  }
  return { pages, records, requestCount: reader.requestCount };
}

/** The summary that the real scanner gives. */
function scanAsExtract(
  selector: RecordSelector,
  chunks: readonly Uint8Array[],
): Omit<PageSummary, "isMismatch"> {
  const scanner = openScanner({ selector, fields: [], reserved: [] });
  let lastRecord: Uint8Array | undefined;
  const takeAll = () => {
    for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
      const last = batch.count - 1;
      if (last >= 0) lastRecord = Buffer.from(batch.bytes.subarray(batch.starts[last], batch.ends[last]));
    }
  };
  for (const chunk of chunks) {
    scanner.push(chunk);
    takeAll();
  }
  const { envelope, recordCount } = scanner.end();
  takeAll();
  return { recordCount, envelope, lastRecord };
}

function scan(text: string, selector: RecordSelector, found: JsonValue[]): JsonValue | undefined {
  if (selector.form === "lines") {
    for (const line of text.split("\n")) if (line.trim() !== "") found.push(JSON.parse(line) as JsonValue);
    return undefined;
  }
  const walk = (value: JsonValue, depth: number): JsonValue => {
    const step = selector.steps[depth];
    if (step === undefined) {
      found.push(value);
      return value;
    }
    if (step === "each") {
      if (!Array.isArray(value)) throw new Error("no array where the selector says");
      if (depth < selector.steps.length - 1) return value.map((inner: JsonValue) => walk(inner, depth + 1));
      found.push(...(value as JsonValue[])); // Array.isArray does not narrow a readonly array.
      return [];
    }
    if (!isJsonObject(value) || !Object.hasOwn(value, step.key))
      throw new Error(`no "${step.key}" where the selector says`);
    return { ...value, [step.key]: walk(value[step.key]!, depth + 1) };
  };
  return walk(JSON.parse(text) as JsonValue, 0);
}
