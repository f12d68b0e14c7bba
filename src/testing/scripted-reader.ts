/**
 * Reads a {@link ScriptedPartner} through an API of a chosen kind: how ranges select, how pages follow each other, in
 * which order, with which clock. Each request looks at the data of its own instant, so that data change between pages.
 */
import assert from "node:assert/strict";
import { LeatError } from "../errors/leat-error.ts";
import { type CursorValue, roundDown, roundUp, stepUp } from "../model/cursor.ts";
import { parseRecordSelector, type RecordSelector } from "../model/record-selector.ts";
import type { CursorSpec, RangeSpec, StreamSpec } from "../model/stream.ts";
import type { Page, PageSummary, RangeRequest, StreamReader } from "../ports/source.ts";
import type { Clock } from "../ports/world.ts";
import type { PartnerRecord, ScriptedPartner } from "./scripted-partner.ts";

/** What kind of API the partner has. */
export type PartnerApi = Readonly<{
  pageSize: number;
  /**
   * `single`: all in one answer. `token`: a cursor token over a snapshot taken at the first page. `keyset`: each page
   * begins behind its predecessor's last record by (cursor, id). `offset`: by position. `overlap`: by position, each
   * page stepping back by one record. `total`: by position, with the total compared on the first and the last page.
   */
  paging: "single" | "token" | "keyset" | "offset" | "overlap" | "total";
  /**
   * `cursor`: by (cursor, id), missing values first. `arrival`: in the order in which records were first shown.
   * `mixed`: an order of its own, always the same. `broken`: by cursor, but that a few records stand elsewhere.
   */
  order: "cursor" | "arrival" | "mixed" | "broken";
  /** Whether a record at the start is in the answer, or only later ones: by exact value, or by the parameter's unit. */
  start: "at" | "after" | "after-unit";
  /** Up to which value an answer goes: below the end, up to it, or through the whole unit that it names. */
  end: "before" | "at" | "whole-unit";
  /** Whether records without a value are in every answer to a range; else in none that has a start or an end. */
  showsMissing: boolean;
  sendsDate: boolean;
  form: "array" | "items" | "lines";
}>;

/** What stands between a reader and the network; each call may wait or throw. */
export type ReaderGate = (what: string) => Promise<void>;

/** How a scripted reader is opened. */
export type ScriptedReaderOptions = Readonly<{
  partner: ScriptedPartner;
  api: PartnerApi;
  spec: StreamSpec;
  clock: Clock;
  /** Called when a request leaves and when its answer comes back. Default: nothing stands between. */
  gate?: ReaderGate;
  /** Whether the answer now being sent breaks off in the middle. Default: never. */
  breaksOff?: () => boolean;
}>;

const selectors: Readonly<Record<PartnerApi["form"], RecordSelector>> = {
  array: parseRecordSelector(""),
  items: parseRecordSelector("data.items"),
  lines: parseRecordSelector("lines"),
};

/** Opens a reader; the pages it yields are built when they are asked for. */
export function openScriptedReader(options: ScriptedReaderOptions): StreamReader {
  const { partner, api, spec, clock } = options;
  const gate = options.gate ?? (async () => {});
  let requestCount = 0;

  /** One request: the records that `choose` takes of what is visible, and how many there are in all. */
  async function ask(
    request: RangeRequest,
    at: string,
    choose: (all: readonly PartnerRecord[]) => readonly PartnerRecord[],
  ): Promise<Readonly<{ page: Page; records: readonly PartnerRecord[]; total: number }>> {
    requestCount++;
    const sentAtMs = clock.nowMs();
    await gate(`request ${at}`);
    const all = order(select(partner.visible(), request, spec, api), api);
    const records = choose(all);
    // A server stamps its answer after it has looked at its data: only the time of the request bounds when it looked.
    await gate(`answer ${at}`);
    const dateMs = Math.floor(partner.nowMs() / 1000) * 1000;
    const isBroken = options.breaksOff?.() ?? false;
    const page: Page = {
      body: bodyOf(records, api, isBroken),
      selector: selectors[api.form],
      at,
      clock: api.sendsDate ? { dateMs, requestMs: clock.nowMs() - sentAtMs } : undefined,
      isSorted: spec.isSorted,
    };
    return { page, records, total: all.length };
  }

  async function* read(request: RangeRequest, signal: AbortSignal): AsyncGenerator<Page, void, PageSummary> {
    checkRange(request, spec);
    let position = 0;
    let snapshot: readonly PartnerRecord[] | undefined;
    let last: PartnerRecord | undefined;
    let firstTotal: number | undefined;
    let overlap = 0;
    for (let number = 1; ; number++) {
      signal.throwIfAborted();
      const at = `GET /${spec.name} page ${number}`;
      const from = position - overlap;
      const limit = api.pageSize + overlap; // Stepping back does not make a page's news fewer.
      const { page, records, total } = await ask(request, at, (all) => {
        if (api.paging === "single") return all;
        if (api.paging === "keyset") return all.filter((r) => isBehind(r, last)).slice(0, api.pageSize);
        if (api.paging === "token") snapshot ??= all;
        return (snapshot ?? all).slice(from, from + limit);
      });
      const summary = yield { ...page, ...(overlap > 0 ? { overlap } : {}) };
      assert.equal(summary.recordCount, records.length, "the reader of a page takes all of its records");
      if (api.paging === "single") return;
      if (api.paging === "overlap") {
        if (summary.isMismatch) {
          // At the beginning there is nothing further back: all is read again, which only keys can tell from news.
          if (from === 0 && spec.primaryKey.length === 0) throw moved(at);
          if (from === 0) position = 0;
          overlap = Math.min(position, overlap * 2);
          continue;
        }
        position = from + records.length;
        if (records.length < limit) return;
        overlap = 1;
        continue;
      }
      if (api.paging === "total") {
        firstTotal ??= total;
        if (records.length < api.pageSize && firstTotal !== total) throw unstable(at, firstTotal, total);
      }
      position += records.length;
      last = records.at(-1) ?? last;
      if (records.length < api.pageSize) return;
    }
  }

  return {
    read,
    get requestCount() {
      return requestCount;
    },
    close: async () => {},
  };
}

function moved(at: string): LeatError {
  return new LeatError("SOURCE_UNSTABLE", { message: `${at}: records moved between pages.` });
}

function unstable(at: string, first: number, last: number): LeatError {
  return new LeatError("SOURCE_UNSTABLE", {
    message: `${at}: the total was ${first} on the first page and ${last} on the last.`,
  });
}

/** Holds the caller to what a partner would refuse: values that its parameters cannot express, spans too long. */
function checkRange(request: RangeRequest, spec: StreamSpec): void {
  const { cursor } = spec;
  const range = cursor?.range;
  const { start, end } = request;
  if (cursor === undefined || range === undefined) {
    assert.ok(
      start === undefined && end === undefined,
      "a stream without a range parameter is asked for no range",
    );
    return;
  }
  const isSent = (value: CursorValue, format: RangeSpec["startFormat"]): boolean =>
    cursor.format === "integer" || roundDown(value, format, cursor.zone) === value;
  assert.ok(
    start === undefined || isSent(start, range.startFormat),
    `start ${start} is not a parameter's value`,
  );
  assert.ok(end === undefined || range.hasEnd, "an end is sent only where the API has one");
  assert.ok(end === undefined || isSent(end, range.endFormat), `end ${end} is not a parameter's value`);
  if (range.spanMax !== undefined) {
    assert.ok(start !== undefined && end !== undefined, "an API with a longest span needs both ends");
    assert.ok(end - start <= range.spanMax, `the span ${end - start} is longer than ${range.spanMax}`);
  }
}

function select(
  records: readonly PartnerRecord[],
  request: RangeRequest,
  spec: StreamSpec,
  api: PartnerApi,
): PartnerRecord[] {
  const { start, end, partition = "" } = request;
  const { cursor } = spec;
  return records.filter((record) => {
    if (record.partition !== partition) return false;
    if (cursor?.range === undefined || (start === undefined && end === undefined)) return true;
    if (record.cursor === undefined) return api.showsMissing;
    const range = cursor.range;
    return (
      (start === undefined || isFrom(record.cursor, start, range, cursor, api)) &&
      (end === undefined || isUpTo(record.cursor, end, range, cursor, api))
    );
  });
}

function isFrom(
  value: CursorValue,
  start: CursorValue,
  range: RangeSpec,
  cursor: CursorSpec,
  api: PartnerApi,
) {
  if (api.start === "at") return value >= start;
  if (api.start === "after" || cursor.format === "integer") return value > start;
  return value >= stepUp(start, range.startFormat, cursor.zone);
}

function isUpTo(value: CursorValue, end: CursorValue, range: RangeSpec, cursor: CursorSpec, api: PartnerApi) {
  if (api.end === "before") return value < end;
  if (api.end === "at" || cursor.format === "integer") return value <= end;
  return value < roundUp(end + 1n, range.endFormat, cursor.zone);
}

function order(records: PartnerRecord[], api: PartnerApi): PartnerRecord[] {
  switch (api.order) {
    case "arrival":
      return records;
    case "cursor":
      return records.sort(compare);
    case "mixed":
      return records.sort((a, b) => scatter(a.id) - scatter(b.id) || compare(a, b));
    case "broken": {
      const isAstray = (record: PartnerRecord): boolean => scatter(record.text) % 8 === 0;
      const sorted = records.toSorted(compare);
      return [...sorted.filter((r) => !isAstray(r)), ...sorted.filter(isAstray)];
    }
  }
}

function compare(a: PartnerRecord, b: PartnerRecord): number {
  if (a.cursor !== b.cursor) {
    if (a.cursor === undefined) return -1;
    if (b.cursor === undefined) return 1;
    return a.cursor < b.cursor ? -1 : 1;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

const isBehind = (record: PartnerRecord, last: PartnerRecord | undefined): boolean =>
  last === undefined || compare(record, last) > 0;

function scatter(text: string): number {
  let mixed = 17;
  for (let index = 0; index < text.length; index++)
    mixed = (Math.imul(mixed, 31) + text.charCodeAt(index)) | 0;
  return mixed >>> 0;
}

async function* bodyOf(
  records: readonly PartnerRecord[],
  api: PartnerApi,
  isBroken: boolean,
): AsyncGenerator<Uint8Array, void> {
  const texts = records.map((record) => record.text);
  const text =
    api.form === "lines"
      ? texts.map((line) => `${line}\n`).join("")
      : api.form === "array"
        ? `[${texts.join(",")}]`
        : `{"data":{"items":[${texts.join(",")}]}}`;
  const bytes = new TextEncoder().encode(text);
  const middle = bytes.length >> 1;
  yield bytes.slice(0, middle);
  if (isBroken) throw new LeatError("SOURCE_TRUNCATED", { message: `The answer ended at byte ${middle}.` });
  yield bytes.slice(middle);
}
