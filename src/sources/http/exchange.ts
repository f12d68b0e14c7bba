/** A request and its answer: credentials, rate limit, retries, redirects, and what each failure means. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { JsonValue } from "../../model/json-value.ts";
import type { SourceClock } from "../../ports/source.ts";
import type { Clock, Random } from "../../ports/world.ts";
import { type AnswerFault, beginningOf, type Expected, expectRecords } from "./answer-check.ts";
import { type Credential, makeCredential, type TokenStore } from "./authenticator.ts";
import type { Auth } from "./check-auth.ts";
import { acceptEncoding } from "./decode-body.ts";
import { encodePair } from "./query-pair.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import { redactAddress, redactText } from "./redaction.ts";
import { backoffMs, isRetryableStatus, parseRetryAfter, type RetryBudget } from "./retry-policy.ts";
import type { Lookups } from "./template.ts";
import type { Headers, Transport, WireAnswer, WireRequest } from "./transport.ts";

/** A request without its credentials. */
export type PlannedRequest = Readonly<{
  method: "GET" | "POST";
  address: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  /** Hands the body over in its `Content-Encoding`. */
  isRaw?: boolean;
  /** Goes to somebody else's address: without credentials and the source's own headers. */
  isAnonymous?: boolean;
  /** Query parameters that hold secrets. */
  secretParams: ReadonlySet<string>;
}>;

/** An answer, good and not yet read. */
export type Answer = Readonly<{
  status: number;
  headers: Headers;
  /** Where it came from in the end, for relative links. */
  address: string;
  /** The same for people. */
  at: string;
  clock: SourceClock | undefined;
  body: WireAnswer["body"];
}>;

/** What an exchange works with. */
export type ExchangeParts = Readonly<{
  transport: Transport;
  clock: Clock;
  random: Random;
  limiter: RateLimiter;
  retry: RetryBudget;
  auth: Auth;
  tokens: TokenStore;
  lookups: Lookups;
  /** Told before a wait that people would wonder about. */
  warn: (message: string) => void;
}>;

/** Partners that move things within their house do it in a step or two. */
const redirectsMax = 5;
/** Shorter waits are not worth a line. */
const tellWaitMs = 5_000;

/** What is sent, but for the credential. */
type SentRequest = Omit<PlannedRequest, "secretParams">;

const noCredential: Credential = { headers: {}, query: undefined, token: undefined };
const tokenAnswer: Expected = expectRecords("json", []);

/** One try: an answer, or what went wrong and whether another try may help. */
type Try =
  | Readonly<{ answer: Answer }>
  | Readonly<{ error: LeatError; isTransient: boolean; waitMs?: number | undefined }>
  | Readonly<{ movedTo: string }>
  | Readonly<{ refusedToken: string; error: LeatError }>;

export class Exchange {
  readonly #parts: ExchangeParts;
  #requestCount = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Requests sent, retries and token requests included. */
  get requestCount(): number {
    return this.#requestCount;
  }

  /** Fetches. An answer of 204, or of one of `emptyStatuses`, has an empty body and that status. */
  async fetch(request: PlannedRequest, expected: Expected, signal: AbortSignal): Promise<Answer> {
    const { lookups, auth } = this.#parts;
    const secretParams = new Set(request.secretParams);
    if (auth.type === "apiKey" && auth.in === "query") secretParams.add(auth.name);
    const authorise = () => this.#credential(signal);
    const describe = (address: string) =>
      `${request.method} ${redactAddress(address, secretParams, lookups.secrets)}`;
    return this.#withRetries(request, authorise, describe, expected, signal);
  }

  #credential(signal: AbortSignal): Promise<Credential> {
    const { auth, lookups, tokens, clock } = this.#parts;
    const fetchToken = (request: WireRequest): Promise<JsonValue> => this.#fetchToken(request, signal);
    return makeCredential(auth, lookups, tokens, clock, fetchToken, signal);
  }

  async #fetchToken(request: WireRequest, signal: AbortSignal): Promise<JsonValue> {
    const describe = (address: string) =>
      `POST ${redactAddress(address, new Set(), this.#parts.lookups.secrets)}`;
    const answer = await this.#withRetries(request, async () => noCredential, describe, tokenAnswer, signal);
    if (answer.body.kind === "whole") {
      try {
        return JSON.parse(Buffer.from(answer.body.bytes).toString("utf8")) as JsonValue; // JSON.parse gives nothing else.
      } catch {
        // Told below, as for an answer that is too large.
      }
    } else {
      answer.body.abort();
    }
    throw new LeatError("SOURCE_AUTH_FAILED", {
      message: `${answer.at} did not answer with a token.`,
      hint: "Compare `auth.tokenUrl` with the partner's documentation.",
    });
  }

  async #withRetries(
    request: SentRequest,
    authorise: () => Promise<Credential>,
    describe: (address: string) => string,
    expected: Expected,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { clock, retry, random, tokens, warn } = this.#parts;
    const startedAtMs = clock.nowMs();
    let redirects = 0;
    let isAway = request.isAnonymous === true;
    let sent: SentRequest = isAway ? { ...request, headers: ownHeaders(request) } : request;
    let hasRenewed = false;
    for (let tries = 1; ; ) {
      const credential = isAway ? noCredential : await authorise();
      const outcome = await this.#try(sent, credential, describe(sent.address), expected, signal);
      if ("answer" in outcome) return outcome.answer;
      if ("movedTo" in outcome) {
        if (++redirects > redirectsMax) {
          throw new LeatError("SOURCE_MOVED", {
            message: `${describe(request.address)} was redirected more than ${redirectsMax} times.`,
            details: { at: describe(sent.address) },
          });
        }
        isAway ||= new URL(outcome.movedTo).origin !== new URL(request.address).origin;
        sent = { ...sent, address: outcome.movedTo, headers: isAway ? ownHeaders(request) : request.headers };
        continue;
      }
      if ("refusedToken" in outcome) {
        tokens.forget(outcome.refusedToken);
        if (hasRenewed) throw outcome.error;
        hasRenewed = true;
        continue;
      }
      const spentMs = clock.nowMs() - startedAtMs;
      const waitMs = outcome.waitMs ?? backoffMs(tries, random.fraction());
      if (!outcome.isTransient || tries >= retry.tries || spentMs + waitMs > retry.totalMs) {
        throw giveUp(outcome.error, {
          at: describe(sent.address),
          tries,
          spentMs,
          waitMs,
          isTransient: outcome.isTransient,
        });
      }
      if (waitMs >= tellWaitMs) {
        warn(
          `${outcome.error.message} Trying again in ${Math.ceil(waitMs / 1000)} s (${tries + 1} of ${retry.tries}).`,
        );
      }
      tries++;
      await clock.sleep(waitMs, signal);
    }
  }

  async #try(
    request: SentRequest,
    credential: Credential,
    at: string,
    expected: Expected,
    signal: AbortSignal,
  ): Promise<Try> {
    const { transport, clock, limiter } = this.#parts;
    const giveBack = await limiter.acquire(clock, signal);
    const sentAtMs = clock.nowMs();
    let answer: WireAnswer;
    try {
      this.#requestCount++;
      answer = await transport.send(toWire(request, credential), () => clock.nowMs(), signal);
    } catch (error) {
      if (!isLeatError(error)) throw error; // The signal's reason.
      const message = `${at}: ${error.message}`;
      const { code, hint, retryable, cause } = error;
      return {
        error: new LeatError(code, { message, hint, retryable, cause, details: { at } }),
        isTransient: retryable,
      };
    } finally {
      giveBack();
    }
    return this.#judge(answer, request, credential, at, sentAtMs, expected);
  }

  #judge(
    answer: WireAnswer,
    request: SentRequest,
    credential: Credential,
    at: string,
    sentAtMs: number,
    expected: Expected,
  ): Try {
    const { status, headers, body } = answer;
    const secrets = this.#parts.lookups.secrets;
    const dateMs = Date.parse(one(headers["date"]) ?? "");
    const clock = Number.isNaN(dateMs) ? undefined : { dateMs, requestMs: answer.headersAtMs - sentAtMs };
    const good = (content: WireAnswer["body"]): Try => ({
      answer: { status, headers, address: request.address, at, clock, body: content },
    });
    if (status === 204 || expected.emptyStatuses.includes(status)) {
      return good({ kind: "whole", bytes: new Uint8Array(0) });
    }
    if (status >= 200 && status <= 299) {
      const contentType = one(headers["content-type"]) ?? "";
      const isWhole = body.kind === "whole";
      const check = (bytes: Uint8Array) =>
        locate(expected.check(bytes, { contentType, isWhole, secrets }), at);
      if (body.kind === "stream") {
        return good({ ...body, chunks: checkFirst(body.chunks, (bytes) => check(bytes)?.error) });
      }
      return check(body.bytes) ?? good(body);
    }
    if (status >= 300 && status <= 399) return this.#redirect(answer, request, at, expected);
    const beginning = body.kind === "whole" ? beginningOf(body.bytes, secrets) : "";
    const details = { at, status, ...(beginning === "" ? {} : { beginning }) };
    const waitMs = parseRetryAfter(headers["retry-after"], clock?.dateMs ?? this.#parts.clock.nowMs());
    // GitHub and others answer 403 for "too many", and say then when to come back.
    if (status === 429 || (status === 403 && waitMs !== undefined)) {
      const error = new LeatError("SOURCE_RATE_LIMITED", { message: `${at} answered ${status}.`, details });
      return { error, isTransient: true, waitMs };
    }
    const isRefused =
      status === 401 || status === 403 || (expected === tokenAnswer && status < 500 && status !== 408);
    if (isRefused) {
      const error = new LeatError("SOURCE_AUTH_FAILED", {
        message: `${at} answered ${status}: the credential was refused.${quote(beginning)}`,
        details,
      });
      if (status === 401 && credential.token !== undefined) return { refusedToken: credential.token, error };
      return { error, isTransient: false };
    }
    const isTransient = isRetryableStatus(status);
    const error = new LeatError("SOURCE_FAILED", {
      message: `${at} answered ${status}.${quote(beginning)}`,
      hint: isTransient
        ? undefined
        : "Compare the request with the partner's documentation; nothing was committed.",
      retryable: isTransient,
      details,
    });
    return { error, isTransient, waitMs };
  }

  /** Only a GET is followed, and to another origin only without the credential: it must not be carried away. */
  #redirect(answer: WireAnswer, request: SentRequest, at: string, expected: Expected): Try {
    const location = one(answer.headers["location"]);
    const target =
      location !== undefined && URL.canParse(location, request.address)
        ? new URL(location, request.address)
        : undefined;
    const from = new URL(request.address);
    const isLess = from.protocol === "https:" && target?.protocol !== "https:";
    const isAllowed =
      target?.origin === from.origin ||
      (expected.redirects === "anywhere" && !isLess && /^https?:$/.test(target?.protocol ?? ""));
    if (target !== undefined && request.method === "GET" && isAllowed) return { movedTo: target.href };
    const secrets = this.#parts.lookups.secrets;
    const where =
      target === undefined ? "nowhere" : redactText(`${target.origin}${target.pathname}`, secrets);
    const error = new LeatError("SOURCE_MOVED", {
      message: `${at} answered ${answer.status}: redirected to ${where}.`,
      hint:
        expected.redirects === "anywhere"
          ? undefined
          : "Correct the base URL or path of the stream; credentials are not sent after a redirect to elsewhere.",
      details: { at, status: answer.status, movedTo: where },
    });
    return { error, isTransient: false };
  }
}

function toWire(request: SentRequest, credential: Credential): WireRequest {
  const { query } = credential;
  const headers = { "accept-encoding": acceptEncoding, ...request.headers, ...credential.headers };
  const address = query === undefined ? request.address : withParam(request.address, query.name, query.value);
  const { method, body, isRaw = false } = request;
  return { method, address, headers, body, isRaw };
}

/** Headers that say nothing of who asks: all that goes to another origin than the one asked. */
const plainHeaders: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "if-modified-since",
  "if-none-match",
  "user-agent",
]);

const ownHeaders = ({ headers }: SentRequest): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => plainHeaders.has(name)));

/** Sets a parameter and leaves the rest of the address as it was written. */
function withParam(address: string, name: string, value: string): string {
  const pair = encodePair(name, value);
  const [, before = address, query] = /^([^?]*)\?(.*)$/s.exec(address) ?? [];
  if (query === undefined) return `${address}?${pair}`;
  const others = query
    .split("&")
    .filter((each) => each !== "" && each.split("=", 1)[0] !== encodeURIComponent(name));
  return `${before}?${[...others, pair].join("&")}`;
}

async function* checkFirst(
  chunks: AsyncIterable<Uint8Array>,
  check: (bytes: Uint8Array) => LeatError | undefined,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && chunk.length > 0) {
      const error = check(chunk);
      if (error !== undefined) throw error;
      isFirst = false;
    }
    yield chunk;
  }
}

function locate(fault: AnswerFault | undefined, at: string): AnswerFault | undefined {
  if (fault === undefined) return undefined;
  const { code, message, hint, retryable, details, cause } = fault.error;
  const error = new LeatError(code, {
    message: `${at}: ${message}`,
    hint,
    retryable,
    cause,
    details: { at, ...details },
  });
  return { error, isTransient: fault.isTransient };
}

type End = Readonly<{ at: string; tries: number; spentMs: number; waitMs: number; isTransient: boolean }>;

/** The last error, with how long it was tried. */
function giveUp(error: LeatError, end: End): LeatError {
  if (!end.isTransient) return error;
  const { code, message, hint, retryable, details, cause } = error;
  const tried = end.tries === 1 ? "once" : `${end.tries} times in ${(end.spentMs / 1000).toFixed(1)} s`;
  return new LeatError(code, {
    message: `${message} Tried ${tried}.`,
    hint,
    retryable,
    cause,
    details: { at: end.at, tries: end.tries, spentMs: end.spentMs, nextWaitMs: end.waitMs, ...details },
  });
}

function quote(beginning: string): string {
  return beginning === "" ? "" : ` It says: ${beginning}`;
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
