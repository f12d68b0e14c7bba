/** Which request follows which: one pager reads one range. Pure but for what it remembers. */
import { createHash } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { type JsonValue, readJsonPath } from "../../model/json-value.ts";
import type { Stability } from "../../model/stream.ts";
import type { PageSummary } from "../../ports/source.ts";
import { findLink } from "../http/link-header.ts";
import type { Values } from "../http/template.ts";
import type { Headers } from "../http/transport.ts";
import { parseExactJson } from "../stream-declaration/json-text.ts";
import type { CountedPagination, Pagination, Sent } from "./check-pagination.ts";
import type { Parameter } from "./endpoint.ts";

/** One page to fetch. Steps with the same `id` are the same request. */
export type PageStep = Readonly<{
  id: string;
  values: Values;
  parameters: readonly Parameter[];
  /** The address that the partner gave; it replaces path and parameters. */
  address: string | undefined;
  /** How many records it steps back into its predecessor (I16). */
  overlap: number;
}>;

/** What a pager sees of an answer that has been read. */
export type PageSeen = Readonly<{ headers: Headers; address: string; summary: PageSummary }>;

export interface Pager {
  first(): PageStep;
  /** What follows a page that has been read; `undefined`: nothing. */
  next(step: PageStep, seen: PageSeen): PageStep | undefined;
  /** Steps that will follow `step` if the partner's total stays what it was, nearest first. */
  ahead(step: PageStep, countMax: number): PageStep[];
}

/** Checks and completes an address that the partner gave. Throws when it leads away from the partner. */
export type ResolveNext = (link: string, from: string) => string;

const firstStep: PageStep = { id: "first", values: {}, parameters: [], address: undefined, overlap: 0 };

/** Opens a pager for one range. @param passesMax - steps back before `SOURCE_UNSTABLE`. */
export function openPager(
  pagination: Pagination,
  stability: Stability,
  passesMax: number,
  resolveNext: ResolveNext,
): Pager {
  switch (pagination.type) {
    case "single":
      return { first: () => firstStep, next: () => undefined, ahead: () => [] };
    case "linkHeader":
      return linkPager(resolveNext, (seen) => findLink(seen.headers["link"], pagination.rel));
    case "nextUrl":
      return linkPager(resolveNext, (seen) => readToken(seen.summary.envelope, pagination.path));
    case "cursorToken":
      return tokenPager(pagination, (seen) => nextToken(pagination, seen));
    case "lastId":
      return tokenPager(pagination, (seen) => lastId(pagination, seen));
    case "pageNumber":
    case "offset":
      return stability === "overlap"
        ? new OverlappingPager(pagination, passesMax)
        : new CountedPager(pagination, stability);
  }
}

/** A link or token that comes twice would go round for ever. Remembers hashes: tokens may be long and many. */
class SeenOnce {
  readonly #seen = new Set<string>();

  check(token: string, what: string): void {
    const hash = createHash("sha1").update(token).digest("base64");
    if (!this.#seen.has(hash)) {
      this.#seen.add(hash);
      return;
    }
    throw new LeatError("PAGES_ENDLESS", {
      message: `The partner gave the same ${what} twice: its pages go round.`,
      hint: "Compare the pagination of the stream with the partner's documentation.",
    });
  }
}

function linkPager(resolveNext: ResolveNext, find: (seen: PageSeen) => string | undefined): Pager {
  const once = new SeenOnce();
  return {
    first: () => firstStep,
    next: (_, seen) => {
      const link = find(seen);
      if (link === undefined) return undefined;
      const address = resolveNext(link, seen.address);
      once.check(address, "next link");
      return { ...firstStep, id: address, address };
    },
    ahead: () => [],
  };
}

function tokenPager(sent: Sent, find: (seen: PageSeen) => string | undefined): Pager {
  const once = new SeenOnce();
  return {
    first: () => firstStep,
    next: (_, seen) => {
      const token = find(seen);
      if (token === undefined) return undefined;
      once.check(token, sent.value === "token" ? "token or last id" : sent.value);
      return { ...firstStep, id: token, values: { token }, parameters: toParameters(sent, token) };
    },
    ahead: () => [],
  };
}

function nextToken(
  pagination: Extract<Pagination, { type: "cursorToken" }>,
  seen: PageSeen,
): string | undefined {
  const { path, header, hasMorePath } = pagination;
  const { envelope } = seen.summary;
  const inHeader = header === undefined ? undefined : [seen.headers[header.toLowerCase()]].flat()[0];
  const token = path === undefined ? inHeader || undefined : readToken(envelope, path);
  const hasMore = hasMorePath === undefined ? undefined : readJsonPath(envelope, hasMorePath);
  if (hasMore === false) return undefined;
  if (hasMore === true && token === undefined) {
    throw new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `The partner says that there is more ("${hasMorePath}" is true), but gives no token at "${path ?? header}".`,
      hint: "Compare the pagination of the stream with an answer of the partner.",
    });
  }
  return token;
}

/** A token as text. Missing, null, false and "" are the end. */
function readToken(envelope: JsonValue | undefined, path: string): string | undefined {
  const value = readJsonPath(envelope, path);
  if (value === undefined || value === null || value === false || value === "") return undefined;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new LeatError("SOURCE_SHAPE_CHANGED", {
    message: `The answer's "${path}" is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}, not a link or token.`,
    hint: "Compare the pagination of the stream with an answer of the partner.",
  });
}

function lastId(pagination: Extract<Pagination, { type: "lastId" }>, seen: PageSeen): string | undefined {
  const { field, hasMorePath } = pagination;
  const { lastRecord, envelope } = seen.summary;
  const hasMore = hasMorePath === undefined ? undefined : readJsonPath(envelope, hasMorePath);
  if (hasMore === false) return undefined;
  if (lastRecord === undefined) {
    if (hasMore !== true) return undefined;
    throw new LeatError("PAGES_ENDLESS", {
      message: `The partner says that there is more ("${hasMorePath}" is true) after a page without records.`,
    });
  }
  // The one record of a page that is parsed; exact, because ids may be beyond 2^53.
  const record = parseExactJson(Buffer.from(lastRecord).toString("utf8")) as JsonValue; // JSON gives nothing else.
  const id = readJsonPath(record, field);
  if ((typeof id === "string" && id !== "") || typeof id === "number") return String(id);
  throw new LeatError("SOURCE_SHAPE_CHANGED", {
    message: `The last record has no "${field}" to go on from.`,
    hint: "Compare `pagination.field` of the stream with a record of the partner.",
  });
}

function toParameters(sent: Sent, value: string | number): Parameter[] {
  return sent.param === undefined ? [] : [{ name: sent.param, in: sent.in, value }];
}

/** What numbered pages have in common: the request of a position, the end of the sequence, one that stands still. */
function countedStep(pagination: CountedPagination, position: number, overlap: number): PageStep {
  const { size, sizeParam, value, in: place } = pagination;
  const parameters = toParameters(pagination, position);
  if (sizeParam !== undefined && size !== undefined)
    parameters.push({ name: sizeParam, in: place, value: size });
  return {
    id: `${position}-${overlap}`,
    values: { [value]: position, size },
    parameters,
    address: undefined,
    overlap,
  };
}

/** Whether the answer itself says that it is the last. `received`: records up to its end; `undefined`: it does not say. */
function saysLast(
  pagination: CountedPagination,
  summary: PageSummary,
  received: number,
  pages: number,
): boolean | undefined {
  const { totalPath, totalPagesPath, hasMorePath, endsWhenShort, size } = pagination;
  const hasMore = hasMorePath === undefined ? undefined : readJsonPath(summary.envelope, hasMorePath);
  if (hasMore === false) return true;
  const total = readTotal(summary.envelope, totalPath);
  if (total !== undefined && received >= total) return true;
  const totalPages = readTotal(summary.envelope, totalPagesPath);
  if (totalPages !== undefined && pages >= totalPages) return true;
  if (endsWhenShort && size !== undefined && summary.recordCount < size) return true;
  return summary.recordCount === 0 ? true : undefined;
}

/** A count in an answer, also written as text; a path that is not there is a fault, since it was declared. */
function readTotal(envelope: JsonValue | undefined, path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  const value = readJsonPath(envelope, path);
  const total = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof total === "number" && Number.isFinite(total)) return total;
  throw new LeatError("SOURCE_SHAPE_CHANGED", {
    message: `The answer has no count at "${path}".`,
    hint: "Compare the pagination of the stream with an answer of the partner.",
  });
}

/** A partner that does not know the parameter answers with the first page for ever. */
class StandstillGuard {
  #last: Buffer | undefined;
  #count = 0;
  #repeats = 0;

  check({ lastRecord, recordCount }: PageSummary, parameter: string): void {
    const isSame =
      lastRecord !== undefined && recordCount === this.#count && this.#last?.equals(lastRecord) === true;
    this.#repeats = isSame ? this.#repeats + 1 : 0;
    this.#last = lastRecord === undefined ? undefined : Buffer.from(lastRecord);
    this.#count = recordCount;
    if (this.#repeats < standstillPages) return;
    throw new LeatError("PAGES_ENDLESS", {
      message: `${standstillPages + 1} pages one after the other ended with the same record: the partner seems not to know "${parameter}".`,
      hint: "Compare the pagination of the stream with the partner's documentation.",
    });
  }
}

/** Equal twins may end two pages, and an insertion may shift a record from one page's end to the next's. */
const standstillPages = 3;

class CountedPager implements Pager {
  readonly #pagination: CountedPagination;
  readonly #isSettled: boolean;
  readonly #guard = new StandstillGuard();
  #pages = 0;
  #received = 0;
  /** What the first page said; every later one must say the same where the range is to be settled (I16). */
  #total: number | undefined;
  #totalPages: number | undefined;
  #stride: number | undefined;

  constructor(pagination: CountedPagination, stability: Stability) {
    this.#pagination = pagination;
    this.#isSettled = stability === "settled";
  }

  first(): PageStep {
    return countedStep(this.#pagination, this.#pagination.first, 0);
  }

  next(step: PageStep, seen: PageSeen): PageStep | undefined {
    const { summary } = seen;
    const pagination = this.#pagination;
    this.#pages++;
    this.#received += summary.recordCount;
    const total = readTotal(summary.envelope, pagination.totalPath);
    const totalPages = readTotal(summary.envelope, pagination.totalPagesPath);
    if (this.#pages === 1) {
      this.#total = total;
      this.#totalPages = totalPages;
      this.#stride = summary.recordCount;
    } else if (this.#isSettled && (total !== this.#total || totalPages !== this.#totalPages)) {
      throw new LeatError("SOURCE_UNSTABLE", {
        message: `The partner counted ${describeTotal(this.#total, this.#totalPages)} on the first page and ${describeTotal(total, totalPages)} on page ${this.#pages}.`,
        hint: "Raise `cursor.lag` of the stream so that ranges end where the partner's data have come to rest.",
      });
    }
    if (saysLast(pagination, summary, this.#received, this.#pages) === true) return undefined;
    this.#guard.check(summary, pagination.param ?? `{${pagination.value}}`);
    return countedStep(pagination, this.#following(step, summary.recordCount), 0);
  }

  ahead(step: PageStep, countMax: number): PageStep[] {
    const stride = this.#stride;
    if (stride === undefined || stride === 0 || this.#pages === 0) return [];
    const pagesLeft = Math.min(
      this.#totalPages === undefined ? Number.POSITIVE_INFINITY : this.#totalPages - this.#pages,
      this.#total === undefined
        ? Number.POSITIVE_INFINITY
        : Math.ceil((this.#total - this.#received) / stride),
    );
    if (pagesLeft === Number.POSITIVE_INFINITY) return [];
    const steps: PageStep[] = [];
    // `step` itself is one of the pages left.
    for (let at = step; steps.length < Math.min(countMax, pagesLeft - 1); ) {
      at = countedStep(this.#pagination, this.#following(at, stride), 0);
      steps.push(at);
    }
    return steps;
  }

  #following(step: PageStep, count: number): number {
    const position = Number(step.values[this.#pagination.value]);
    return this.#pagination.type === "pageNumber" ? position + 1 : position + count;
  }
}

function describeTotal(total: number | undefined, pages: number | undefined): string {
  return total === undefined ? `${pages} pages` : `${total} records`;
}

/**
 * Offset paging over a sort: each page begins with a record that came before. Where it does not, something before it was
 * deleted, and the pager steps back, four times as far each time, until it does (I16).
 */
class OverlappingPager implements Pager {
  readonly #pagination: CountedPagination;
  readonly #passesMax: number;
  readonly #guard = new StandstillGuard();
  /** Offset behind the last record that was taken. */
  #reached = 0;
  #stepsBack = 0;
  #restarts = 0;
  #pages = 0;

  constructor(pagination: CountedPagination, passesMax: number) {
    this.#pagination = pagination;
    this.#passesMax = passesMax;
  }

  first(): PageStep {
    return countedStep(this.#pagination, 0, 0);
  }

  next(step: PageStep, seen: PageSeen): PageStep | undefined {
    const { summary } = seen;
    const offset = Number(step.values[this.#pagination.value]);
    this.#pages++;
    // An empty page cannot show that it meets what came before: records before it are gone.
    const isMismatch = step.overlap > 0 && (summary.isMismatch || summary.recordCount === 0);
    if (isMismatch) return this.#stepBack(step, offset);
    // After a step back the numbering has shifted, and how much of the page is new cannot be told from it.
    const isNew = this.#stepsBack > 0 || summary.recordCount > step.overlap;
    this.#stepsBack = 0;
    this.#reached = offset + summary.recordCount;
    // A page that is only its overlap is what an empty one is without.
    if (!isNew || saysLast(this.#pagination, summary, this.#reached, this.#pages) === true) return undefined;
    this.#guard.check(summary, this.#pagination.param ?? "{offset}");
    return countedStep(this.#pagination, this.#reached - 1, 1);
  }

  ahead(): PageStep[] {
    return [];
  }

  #stepBack(step: PageStep, offset: number): PageStep {
    const further = Math.min(this.#reached, step.overlap * stepBackFactor);
    const target = Math.max(0, Math.min(offset, this.#reached - further));
    if (target === 0) this.#restarts++;
    if (++this.#stepsBack > this.#passesMax || this.#restarts > this.#passesMax) {
      throw new LeatError("SOURCE_UNSTABLE", {
        message: `Stepping back ${this.#passesMax} times did not meet what had been read before.`,
        hint: "Use a quieter hour, or raise `bounds.passesMax` of the stream.",
      });
    }
    // From the very beginning there is nothing to overlap with: what came before is dropped as repeated.
    return countedStep(this.#pagination, target, target === 0 ? 0 : further);
  }
}

/** Few deletions are met by the first step; many by the third. */
const stepBackFactor = 4;
