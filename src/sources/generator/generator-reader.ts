/** Reads ranges of a stream whose pages code of the project yields. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { formatParameter } from "../../model/cursor.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type {
  Page,
  PageSummary,
  RangeRequest,
  SourceClock,
  StreamReader,
  Tenant,
} from "../../ports/source.ts";
import type { Secrets } from "../../ports/world.ts";
import { toJsonText } from "../stream-declaration/json-text.ts";
import type { GeneratedPage, GeneratorStreamDeclaration, PagesContext } from "./source-declaration.ts";

/** Pages that are arrays are written as one, whatever `records` says of the others. */
const arraySelector: RecordSelector = { form: "json", steps: ["each"], isSingle: false };

export type GeneratorParts = Readonly<{
  spec: StreamSpec;
  selector: RecordSelector;
  pages: GeneratorStreamDeclaration["pages"];
  tenant: Tenant;
  secrets: Secrets;
}>;

export class GeneratorReader implements StreamReader {
  readonly #parts: GeneratorParts;
  #pageCount = 0;

  constructor(parts: GeneratorParts) {
    this.#parts = parts;
  }

  /** Pages yielded: what each of them cost is known to the generator alone. */
  get requestCount(): number {
    return this.#pageCount;
  }

  async close(): Promise<void> {}

  async *read(range: RangeRequest, signal: AbortSignal): AsyncGenerator<Page, void, PageSummary> {
    const { spec, selector } = this.#parts;
    let clock: SourceClock | undefined;
    const sawTime = (time: Date): void => {
      clock = { dateMs: time.getTime(), requestMs: 0 };
    };
    const pages = this.#start({ ...this.#printRange(range), signal, sawTime });
    let isEnded = false;
    try {
      for (let page = 1; ; page++) {
        const step = await this.#call(signal, () => pages.next());
        if (step.done === true) {
          isEnded = true;
          return;
        }
        if (page > spec.bounds.pagesMax) {
          throw new LeatError("PAGES_ENDLESS", {
            message: `More than ${spec.bounds.pagesMax} pages came for one range (\`bounds.pagesMax\`).`,
            details: { option: "bounds.pagesMax", pagesMax: spec.bounds.pagesMax },
          });
        }
        this.#pageCount++;
        yield {
          body: oneChunk(toBytes(step.value, page)),
          selector: Array.isArray(step.value) ? arraySelector : selector,
          at: `${spec.source}.${spec.name} (page ${page})`,
          clock,
          isSorted: spec.isSorted,
        };
      }
    } finally {
      // The generator's own `finally` closes its connections; what it throws now would hide why we stop.
      if (!isEnded) await pages.return?.()?.then(undefined, () => {});
    }
  }

  #start(
    context: Pick<PagesContext, "start" | "end" | "partition" | "signal" | "sawTime">,
  ): AsyncIterator<GeneratedPage> {
    const { pages, tenant, secrets } = this.#parts;
    try {
      return pages({ ...context, tenant, secrets })[Symbol.asyncIterator]();
    } catch (cause) {
      throw wrap(cause);
    }
  }

  /** What the generator throws is its own; but a stop is a stop, and a LeatError says more than a wrapped one. */
  async #call<Value>(signal: AbortSignal, call: () => Promise<Value>): Promise<Value> {
    try {
      return await call();
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw isLeatError(cause) ? cause : wrap(cause);
    }
  }

  #printRange(range: RangeRequest): Pick<PagesContext, "start" | "end" | "partition"> {
    const { cursor } = this.#parts.spec;
    const plan = cursor?.range;
    const zone = cursor?.zone ?? "UTC";
    const { start, end, partition } = range;
    return {
      start:
        plan === undefined || start === undefined
          ? undefined
          : formatParameter(start, plan.startFormat, zone),
      end:
        plan === undefined || !plan.hasEnd || end === undefined
          ? undefined
          : formatParameter(end, plan.endFormat, zone),
      partition,
    };
  }
}

function wrap(cause: unknown): LeatError {
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new LeatError("EXTRACT_FAILED", { message: `The stream's own code threw ${said}`, cause });
}

function toBytes(page: GeneratedPage, number: number): Uint8Array {
  if (page instanceof Uint8Array) return page;
  if (typeof page === "string") return Buffer.from(page);
  if (!Array.isArray(page)) {
    throw new LeatError("EXTRACT_FAILED", {
      message: `Page ${number} is ${page === null ? "null" : `a ${typeof page}`}, not an array of records, text or bytes.`,
      hint: "Yield pages, not single records: `yield [record]`.",
    });
  }
  return Buffer.from(stringifyRecords(page, number));
}

/** A replacer makes JSON.stringify several times slower, so it is used only where a bigint stands in the way. */
function stringifyRecords(records: readonly object[], number: number): string {
  let text: string;
  try {
    text = JSON.stringify(records);
  } catch (cause) {
    try {
      text = toJsonText(records);
    } catch {
      throw new LeatError("EXTRACT_FAILED", { message: `Page ${number} cannot be written as JSON.`, cause });
    }
  }
  // Only a text with a null in it can hide a number that JSON has not.
  if (text.includes("null")) refuseLostNumbers(records, number);
  return text;
}

function refuseLostNumbers(records: readonly object[], number: number): void {
  for (const [index, record] of records.entries()) {
    const path = findLostNumber(record);
    if (path === undefined) continue;
    throw new LeatError("EXTRACT_FAILED", {
      message: `Record ${index + 1} of page ${number} has a number at "${path.join(".")}" that JSON cannot hold (NaN or Infinity).`,
      hint: "Leave the field out, or make it null or text.",
    });
  }
}

function findLostNumber(value: unknown): string[] | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : [];
  if (typeof value !== "object" || value === null || "toJSON" in value) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const path = findLostNumber(inner);
    if (path !== undefined) return [key, ...path];
  }
  return undefined;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
