/** What went wrong, for whoever asked: problem documents (RFC 9457) that name the parameter and what is allowed. */
import { codes } from "../errors/codes.ts";
import { isLeatError, type LeatError } from "../errors/leat-error.ts";
import { nearestName } from "../errors/nearest-name.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";

/** Kinds of problems: the status and title of each. Their names end the documents' `type`. */
export const problemKinds = {
  "invalid-address": { status: 400, title: "The address cannot be read." },
  "unknown-parameter": { status: 400, title: "There is no such parameter." },
  "invalid-parameter": { status: 400, title: "A parameter's value cannot be used." },
  "unknown-column": { status: 400, title: "The dataset has no such column." },
  "unknown-operator": { status: 400, title: "The column cannot be compared like this." },
  "invalid-cursor": { status: 400, title: "The cursor is not one of this query." },
  // Of the host, which documents and clients know as well.
  "invalid-request": { status: 400, title: "The request cannot be read." },
  "key-missing": { status: 401, title: "A key is needed here." },
  "key-invalid": { status: 401, title: "The key is not valid." },
  "body-not-wanted": { status: 413, title: "Requests here have no body." },
  "rate-limited": { status: 429, title: "Too many requests came from you." },
  "quota-used-up": { status: 429, title: "The key's requests of the day are used up." },
  "unknown-path": { status: 404, title: "There is nothing at this address." },
  "unknown-dataset": { status: 404, title: "There is no such dataset." },
  "unknown-version": { status: 404, title: "The dataset has no such version." },
  "unknown-format": { status: 404, title: "There is no such format here." },
  "no-rows": { status: 404, title: "No row has these values." },
  "method-not-allowed": { status: 405, title: "Only GET and HEAD mean something here." },
  "not-acceptable": { status: 406, title: "None of the accepted formats is there." },
  "version-gone": { status: 410, title: "The version is not kept any more." },
  "address-too-long": { status: 414, title: "The address is too long." },
  "range-not-satisfiable": { status: 416, title: "The file has no such part." },
  internal: { status: 500, title: "Something is wrong on our side." },
  busy: { status: 503, title: "Too much is asked at once." },
  "query-too-large": { status: 503, title: "The query took more time or memory than it may." },
  "not-ready": { status: 503, title: "The dataset is not ready." },
} as const;

export type ProblemKind = keyof typeof problemKinds;

/** Values listed in a document; of more only some are. */
const allowedMax = 50;
/** Longest piece of a request that is repeated in a document, characters. */
const echoedMax = 100;

/** What a document says beside its kind. */
export type ProblemFacts = Readonly<{
  detail: string;
  parameter?: string | undefined;
  value?: string | undefined;
  /** What could stand there instead. */
  allowed?: readonly JsonValue[] | undefined;
  /** The allowed name that is nearest to what was written. */
  near?: string | undefined;
  retryAfterSeconds?: number | undefined;
  headers?: readonly string[] | undefined;
}>;

/** Thrown where a request is found wanting, and answered in one place. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly kind: ProblemKind;
  readonly facts: ProblemFacts;

  constructor(kind: ProblemKind, facts: ProblemFacts) {
    super(facts.detail);
    this.kind = kind;
    this.facts = facts;
  }

  get status(): number {
    return problemKinds[this.kind].status;
  }

  /** The document. */
  toJSON(): JsonObject {
    const { status, title } = problemKinds[this.kind];
    const { detail, parameter, value, allowed, near } = this.facts;
    return {
      type: `urn:leat:problem:${this.kind}`,
      title,
      status,
      detail,
      ...(parameter !== undefined && { parameter: shorten(parameter) }),
      ...(value !== undefined && { value: shorten(value) }),
      ...(near !== undefined && { near }),
      ...(allowed !== undefined && { allowed: allowed.slice(0, allowedMax) }),
      ...(allowed !== undefined && allowed.length > allowedMax && { allowedCount: allowed.length }),
    };
  }
}

/** A piece of a request, for a message: whole when short. */
export const shorten = (text: string): string => {
  const whole = text.toWellFormed(); // A cut, or a stray half of a pair, must not make the document invalid.
  return whole.length <= echoedMax
    ? whole
    : `${whole.slice(0, echoedMax).toWellFormed()}… (${whole.length} characters)`;
};

/** A name that is not known, with the known ones and the nearest. */
export function unknownName(
  kind: ProblemKind,
  what: string,
  typed: string,
  known: readonly string[],
  parameter?: string,
): Problem {
  const near = nearestName(typed, known);
  const suggestion = near === undefined ? "" : ` Did you mean "${near}"?`;
  return new Problem(kind, {
    detail: `There is no ${what} "${shorten(typed)}".${suggestion}`,
    parameter,
    value: parameter === undefined ? undefined : typed,
    allowed: known,
    near,
  });
}

/** Seconds after which a server that has too much to do may be asked again. */
const busySeconds = 2;
const loadingSeconds = 5;

/** Whatever was thrown, as a problem. Of errors that are ours nothing but their kind is told to strangers. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (!isLeatError(error))
    return new Problem("internal", { detail: "An unexpected error; it has been logged." });
  const { code } = error as LeatError; // By its shape.
  const detail = codes[code]?.meaning ?? "An unexpected error; it has been logged.";
  switch (code) {
    case "QUERY_BUSY":
    case "QUERY_ENGINE_LOST":
    case "INTERRUPTED":
      return new Problem("busy", { detail, retryAfterSeconds: busySeconds });
    case "QUERY_TIMEOUT":
    case "QUERY_MEMORY":
      return new Problem("query-too-large", {
        detail: `${detail} ${codes[code].hint}`,
        retryAfterSeconds: busySeconds,
      });
    case "QUERY_OVERFLOW":
      return new Problem("invalid-parameter", {
        detail: `${detail} ${codes[code].hint}`,
        parameter: "values",
      });
    case "STORE_UNREADABLE":
    case "STORE_DENIED":
    case "STORE_MISSING":
    case "PART_MISSING":
    case "PART_CORRUPT":
    case "VERSION_REFUSED":
    case "DATASET_TOO_LARGE":
      return new Problem("not-ready", { detail, retryAfterSeconds: loadingSeconds });
    default:
      return new Problem("internal", { detail: "An unexpected error; it has been logged." });
  }
}
