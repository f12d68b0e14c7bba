/** Reads ranges of one REST stream for one tenant. */
import { LeatError } from "../../errors/leat-error.ts";
import { formatParameter, type ParameterFormat } from "../../model/cursor.ts";
import { isJsonObject, type JsonValue, readJsonPath } from "../../model/json-value.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { Page, PageSummary, RangeRequest, StreamReader } from "../../ports/source.ts";
import { expectRecords } from "../http/answer-check.ts";
import type { Answer, Exchange, PlannedRequest } from "../http/exchange.ts";
import { redactAddress, redactText } from "../http/redaction.ts";
import type { Lookups, Values } from "../http/template.ts";
import { envelopePaths } from "./check-pagination.ts";
import type { RestStream } from "./check-rest-stream.ts";
import { type Endpoint, type Parameter, planRequest } from "./endpoint.ts";
import { openPager, type PageStep } from "./pager.ts";
import type { FailedWhen } from "./rest-declaration.ts";

/** What a reader works with; `prepare` looks up the tenant's values, at the first request and not before. */
export type ReaderParts = Readonly<{
  stream: RestStream;
  /** The stream's endpoint with the source's headers. */
  endpoint: Endpoint;
  exchange: Exchange;
  lookups: Lookups;
  allowedOrigins: readonly string[];
  prepare: () => Promise<Readonly<{ baseUrl: string }>>;
  release: () => Promise<void>;
}>;

/**
 * Answers up to this size are parsed for `failedWhen` before anybody reads them: what reports a failure is short, and
 * would else be taken for an answer whose records are missing. Longer ones are judged by their envelope afterwards.
 */
const failureBytesMax = 16 * 1024;

export class RestReader implements StreamReader {
  readonly #parts: ReaderParts;
  #isClosed = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  get requestCount(): number {
    return this.#parts.exchange.requestCount;
  }

  async check(): Promise<void> {
    await this.#parts.prepare();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parts.release();
  }

  async *read(range: RangeRequest, signal: AbortSignal): AsyncGenerator<Page, void, PageSummary> {
    const { stream, exchange, endpoint, lookups } = this.#parts;
    const { baseUrl } = await this.#parts.prepare();
    const { values, parameters } = this.#rangeValues(range);
    const { bounds, stability, isSorted } = stream.spec;
    const pager = openPager(stream.pagination, stability, bounds.passesMax, (link, from) =>
      this.#resolveNext(link, from, baseUrl),
    );
    const expected = expectRecords(stream.selector.form, stream.emptyStatuses);
    const plan = (step: PageStep): PlannedRequest =>
      planRequest(
        endpoint,
        baseUrl,
        { ...values, ...step.values },
        [...parameters, ...step.parameters],
        lookups,
        step.address,
      );
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const ahead = new Map<string, Promise<Answer>>();
    const fetch = (step: PageStep): Promise<Answer> => exchange.fetch(plan(step), expected, either);
    let open: Answer | undefined;
    try {
      let step: PageStep | undefined = pager.first();
      for (let page = 1; step !== undefined; page++) {
        if (page > bounds.pagesMax) throw endless(bounds.pagesMax);
        const pending = ahead.get(step.id) ?? fetch(step);
        ahead.delete(step.id);
        for (const next of pager.ahead(step, stream.concurrency - 1)) {
          if (ahead.has(next.id)) continue;
          const answer = fetch(next);
          answer.catch(() => {}); // Thrown when its turn comes; until then it is nobody's.
          ahead.set(next.id, answer);
        }
        const answer = await pending;
        open = answer;
        const at = `${answer.at} (page ${page})`;
        const body = toBody(answer, stream.selector);
        this.#checkFailed(
          answer.body.kind === "whole" && body === answer.body ? answer.body.bytes : undefined,
          at,
        );
        const summary: PageSummary = yield {
          body: body.kind === "whole" ? oneChunk(body.bytes) : body.chunks,
          selector: stream.selector,
          at,
          clock: answer.clock,
          overlap: step.overlap,
          isSorted,
        };
        if (body.kind === "stream")
          body.abort(); // Does nothing when it was read to its end.
        else body.release?.();
        open = undefined;
        this.#checkEnvelope(summary.envelope, at);
        this.#checkKept(summary, at);
        step = pager.next(step, { headers: answer.headers, address: answer.address, summary });
      }
    } catch (error) {
      throw locateLinks(error, lookups);
    } finally {
      if (open?.body.kind === "stream") open.body.abort();
      stop.abort(new Error("The range is no longer read."));
      await discard(ahead.values());
    }
  }

  #rangeValues(range: RangeRequest): { values: Values; parameters: Parameter[] } {
    const { spec, start, end, sort } = this.#parts.stream;
    const plan = spec.cursor?.range;
    const zone = spec.cursor?.zone ?? "UTC";
    const from = plan === undefined ? undefined : toValue(range.start, plan.startFormat, zone);
    const to = plan === undefined || !plan.hasEnd ? undefined : toValue(range.end, plan.endFormat, zone);
    const parameters: Parameter[] = [];
    if (start !== undefined && from !== undefined)
      parameters.push({ name: start.param, in: start.in, value: from });
    if (end !== undefined && to !== undefined) parameters.push({ name: end.param, in: end.in, value: to });
    if (sort !== undefined) parameters.push(sort);
    return { values: { partition: range.partition, "cursor.start": from, "cursor.end": to }, parameters };
  }

  /** Credentials go with every request, so a link may only lead where the declaration says. */
  #resolveNext(link: string, from: string, baseUrl: string): string {
    const target = URL.canParse(link, from) ? new URL(link, from) : undefined;
    const origin = new URL(baseUrl).origin;
    if (
      target !== undefined &&
      (target.origin === origin || this.#parts.allowedOrigins.includes(target.origin))
    ) {
      target.hash = "";
      return target.href;
    }
    const where = redactAddress(target?.href ?? link, new Set(), this.#parts.lookups.secrets);
    throw new LeatError("SOURCE_MOVED", {
      message: `The next link leads away from ${origin}: ${where}`,
      hint: "Add the link's origin to `allowedOrigins` of the source if its credential may be sent there.",
      details: { link: where },
    });
  }

  #checkFailed(bytes: Uint8Array | undefined, at: string): void {
    const { failedWhen, selector } = this.#parts.stream;
    if (
      failedWhen === undefined ||
      bytes === undefined ||
      bytes.length > failureBytesMax ||
      selector.form === "lines"
    )
      return;
    let answer: JsonValue;
    try {
      answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonValue; // JSON.parse gives nothing else.
    } catch {
      return; // The scanner says where it is wrong.
    }
    this.#checkEnvelope(emptyRecords(answer, selector), at);
  }

  /** What is beside the records may be too large to be kept; taken for empty, it would end the pages too early. */
  #checkKept({ envelope, isMismatch }: PageSummary, at: string): void {
    const { selector, pagination, failedWhen } = this.#parts.stream;
    const isNeeded = failedWhen !== undefined || Object.keys(envelopePaths(pagination)).length > 0;
    if (envelope !== undefined || isMismatch || selector.form === "lines" || !isNeeded) return;
    throw new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `${at}: what stands beside the records is too large to be looked at for the next page.`,
      hint: "Compare `records` of the stream with the answer: most of it should be records.",
      details: { at },
    });
  }

  #checkEnvelope(envelope: JsonValue | undefined, at: string): void {
    const { failedWhen } = this.#parts.stream;
    if (failedWhen === undefined || envelope === undefined) return;
    const reason = failureReason(failedWhen, envelope);
    if (reason === undefined) return;
    const clean = redactText(reason, this.#parts.lookups.secrets);
    throw new LeatError("SOURCE_FAILED", {
      message: `${at} answered that it failed: ${clean}`,
      details: { at, reason: clean },
    });
  }
}

/** Gives a failure's reason, or `undefined` when the answer is good. */
export function failureReason(failedWhen: FailedWhen, envelope: JsonValue): string | undefined {
  if (typeof failedWhen === "function") {
    try {
      return failedWhen(envelope);
    } catch (cause) {
      throw new LeatError("EXTRACT_FAILED", { message: "The stream's `failedWhen` threw.", cause });
    }
  }
  const { path, messagePath } = failedWhen;
  const found = readJsonPath(envelope, path);
  const same = (wanted: JsonValue) => JSON.stringify(found) === JSON.stringify(wanted);
  const isFailed =
    failedWhen.equals !== undefined
      ? same(failedWhen.equals)
      : failedWhen.notEquals !== undefined
        ? !same(failedWhen.notEquals)
        : (found !== undefined && found !== null) === failedWhen.exists;
  if (!isFailed) return undefined;
  const message = messagePath === undefined ? undefined : readJsonPath(envelope, messagePath);
  const shown = message ?? found;
  return typeof shown === "string" ? shown : `"${path}" is ${JSON.stringify(found)}`;
}

/** The answer with every array of records empty: what the scanner calls the envelope. */
function emptyRecords(value: JsonValue, selector: RecordSelector): JsonValue {
  if (selector.form === "lines") return value;
  const walk = (inner: JsonValue, depth: number): JsonValue => {
    const step = selector.steps[depth];
    if (step === undefined) return inner;
    if (step === "each") {
      if (!Array.isArray(inner)) return inner;
      return depth === selector.steps.length - 1 ? [] : inner.map((item: JsonValue) => walk(item, depth + 1));
    }
    if (!isJsonObject(inner) || !Object.hasOwn(inner, step.key)) return inner;
    return { ...inner, [step.key]: walk(inner[step.key]!, depth + 1) };
  };
  return walk(value, 0);
}

/** An answer without content says that there are no records; the reader is given the shortest answer that says so. */
function toBody(answer: Answer, selector: RecordSelector): Answer["body"] {
  if (
    answer.body.kind === "stream" ||
    (answer.status >= 200 && answer.status <= 299 && answer.status !== 204)
  ) {
    return answer.body;
  }
  if (selector.form === "lines") return { kind: "whole", bytes: new Uint8Array(0) };
  let empty: JsonValue = [];
  const each = selector.steps.indexOf("each");
  const keys = each < 0 ? selector.steps : selector.steps.slice(0, each);
  for (const step of [...keys].reverse()) if (step !== "each") empty = { [step.key]: empty };
  return { kind: "whole", bytes: Buffer.from(JSON.stringify(empty)) };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Numbers stay numbers, for JSON bodies. */
function toValue(
  value: bigint | undefined,
  format: ParameterFormat,
  zone: string,
): string | bigint | undefined {
  if (value === undefined) return undefined;
  const text = formatParameter(value, format, zone);
  return format === "integer" || format === "epoch-s" || format === "epoch-ms" ? BigInt(text) : text;
}

async function discard(answers: Iterable<Promise<Answer>>): Promise<void> {
  for (const result of await Promise.allSettled(answers)) {
    if (result.status === "fulfilled" && result.value.body.kind === "stream") result.value.body.abort();
  }
}

function endless(pagesMax: number): LeatError {
  return new LeatError("PAGES_ENDLESS", {
    message: `More than ${pagesMax} pages came for one range (\`bounds.pagesMax\`).`,
    details: { option: "bounds.pagesMax", pagesMax },
  });
}

/** What a pager quotes comes from the partner, which may repeat a credential. */
function locateLinks(error: unknown, lookups: Lookups): unknown {
  if (!(error instanceof LeatError)) return error;
  const message = redactText(error.message, lookups.secrets);
  if (message === error.message) return error;
  const { code, hint, retryable, details, cause } = error;
  return new LeatError(code, { message, hint, retryable, details, cause });
}
