/** Sends one request over undici and hands over its answer: small ones whole, large ones as a stream. */
import type { Dispatcher } from "undici";
import { LeatError } from "../../errors/leat-error.ts";
import { decodeStream, decodeWhole, parseCodings } from "./decode-body.ts";

/** How long to wait for what, ms. */
export type Timeouts = Readonly<{
  /** Until connected, TLS included. */
  connectMs: number;
  /** From the request being sent to its answer's headers. */
  headersMs: number;
  /** Between two pieces of a body. */
  bodyMs: number;
}>;

/** A connection takes seconds at worst; a slow report may take most of a minute to be made. */
export const timeoutDefaults: Timeouts = Object.freeze({
  connectMs: 10_000,
  headersMs: 60_000,
  bodyMs: 60_000,
});

/**
 * Answers up to this size, decoded, are held whole: a broken one is fetched again before anybody has seen it. Ten times
 * a usual page; and with some pages on their way at once still no burden. Larger ones stream.
 */
export const wholeBytesMax: number = 8 * 1024 * 1024;
/** A streamed answer that is not read is held back at this many bytes. */
const aheadBytesMax = 1024 * 1024;
/** Of an error's body as much is kept as a message may need. */
const errorBytesMax = 64 * 1024;

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A request as it goes out, credentials included. */
export type WireRequest = Readonly<{
  method: "GET" | "POST";
  address: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  /** Hands the body over in its `Content-Encoding`. Default false. */
  isRaw?: boolean;
}>;

/** An answer with its encoding undone, unless the request `isRaw`. `stream`: read at most once; leaving its iteration ends the connection. */
export type WireAnswer = Readonly<{
  status: number;
  headers: Headers;
  body:
    | Readonly<{
        kind: "whole";
        bytes: Uint8Array;
        /** Lets the memory be used for another answer; nobody reads the bytes any more. */
        release?: () => void;
      }>
    | Readonly<{ kind: "stream"; chunks: AsyncIterable<Uint8Array>; abort: () => void }>;
  /** When the headers were there. */
  headersAtMs: number;
}>;

/** Connections to a partner, kept open between requests. */
export interface Transport {
  /** @throws LeatError `SOURCE_UNREACHABLE`, `SOURCE_TIMEOUT`, `SOURCE_TRUNCATED`; the signal's reason. */
  send(request: WireRequest, nowMs: () => number, signal: AbortSignal): Promise<WireAnswer>;
  close(): Promise<void>;
}

/**
 * Opens connections lazily, and loads undici with the first: a fifth of what a command that asks nobody takes to begin.
 * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured.
 */
export function openTransport(timeouts: Timeouts): Transport {
  let opening: Promise<Dispatcher> | undefined;
  const bodies = new SpareBodies();
  return {
    send: async (request, nowMs, signal) => {
      opening ??= openAgent(timeouts);
      return await sendOnce(await opening, bodies, request, nowMs, signal);
    },
    close: async () => (await opening)?.destroy(),
  };
}

async function openAgent(timeouts: Timeouts): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import("undici");
  return new EnvHttpProxyAgent({
    connect: { timeout: timeouts.connectMs },
    headersTimeout: timeouts.headersMs,
    bodyTimeout: timeouts.bodyMs,
    // Longer than the pause that a page's scan and write make; servers that close sooner say so.
    keepAliveTimeout: 30_000,
  });
}

async function sendOnce(
  agent: Dispatcher,
  bodies: SpareBodies,
  request: WireRequest,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<WireAnswer> {
  signal.throwIfAborted();
  const { origin, pathname, search } = new URL(request.address);
  const receiver = new Receiver(bodies, nowMs, signal);
  try {
    agent.dispatch(
      {
        origin,
        path: pathname + search,
        method: request.method,
        headers: { ...request.headers },
        body: request.body ?? null,
      },
      receiver,
    );
  } catch (error) {
    receiver.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)));
  }
  const { status, headers, raw, headersAtMs } = await receiver.answer;
  if (status < 200 || status > 299) {
    return {
      status,
      headers,
      headersAtMs,
      body: { kind: "whole", bytes: await decodeErrorBody(raw, headers) },
    };
  }
  const codings = request.isRaw === true ? [] : parseCodings(headers["content-encoding"]);
  if (codings === undefined) {
    if (raw.kind === "stream") raw.abort();
    throw new LeatError("SOURCE_NOT_JSON", {
      message: `The answer is encoded as "${[headers["content-encoding"]].flat().join(", ")}", which leat does not know.`,
      hint: `Set the header accept-encoding of the source to "identity".`,
      retryable: false,
    });
  }
  if (raw.kind === "stream") {
    const chunks = codings.length === 0 ? raw.chunks : mapErrors(decodeStream(raw.chunks, codings));
    return { status, headers, headersAtMs, body: { kind: "stream", chunks, abort: raw.abort } };
  }
  if (codings.length === 0) return { status, headers, headersAtMs, body: raw };
  const bytes = await decodeWhole(raw.bytes, codings, wholeBytesMax).catch((error: unknown) => {
    throw toLeatError(error);
  });
  if (bytes !== undefined) raw.release?.();
  if (bytes !== undefined) return { status, headers, headersAtMs, body: { kind: "whole", bytes } };
  const chunks = mapErrors(decodeStream(oneChunk(raw.bytes), codings));
  return { status, headers, headersAtMs, body: { kind: "stream", chunks, abort: () => {} } };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* mapErrors(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw toLeatError(error);
  }
}

async function decodeErrorBody(raw: RawBody, headers: Headers): Promise<Uint8Array> {
  if (raw.kind === "stream") {
    raw.abort();
    return new Uint8Array(0);
  }
  // Only for a message: what cannot be decoded says nothing, and the status is what counts.
  const codings = parseCodings(headers["content-encoding"]) ?? [];
  return (await decodeWhole(raw.bytes, codings, wholeBytesMax).catch(() => undefined)) ?? new Uint8Array(0);
}

type RawBody = WireAnswer["body"];
type RawAnswer = Readonly<{ status: number; headers: Headers; raw: RawBody; headersAtMs: number }>;

/** Bodies of some pages at once, kept for the next: half a megabyte of new memory costs as much as reading it does. */
const spareBodiesMax = 4;

/** Memory of bodies that have been read, to be used again. */
class SpareBodies {
  #spare: Buffer[] = [];

  /** Memory of at least `bytes`, not much more, with anything in it. */
  take(bytes: number): Buffer {
    const at = this.#spare.findIndex((body) => body.length >= bytes && body.length <= bytes * 4);
    return at < 0 ? Buffer.allocUnsafeSlow(bytes + (bytes >> 2)) : this.#spare.splice(at, 1)[0]!; // It was found.
  }

  give(body: Buffer): void {
    if (this.#spare.length === spareBodiesMax) this.#spare.shift();
    this.#spare.push(body);
  }
}

/**
 * Receives one answer. It settles `answer` when the body is complete, or when it has become too large to be held; from
 * then on it queues at most {@link aheadBytesMax} and makes the connection wait.
 */
class Receiver implements Dispatcher.DispatchHandler {
  readonly answer: Promise<RawAnswer>;
  readonly #settle: (answer: RawAnswer) => void;
  readonly #fail: (error: Error) => void;
  readonly #bodies: SpareBodies;
  readonly #nowMs: () => number;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#abort(toError(this.#signal.reason));

  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Headers = {};
  #headersAtMs = 0;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Where a body of known length is put together without a second copy. */
  #whole: Buffer | undefined;
  #wholeLength = 0;
  #isStreaming = false;
  #isEnded = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(bodies: SpareBodies, nowMs: () => number, signal: AbortSignal) {
    const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
    this.answer = promise;
    this.#settle = resolve;
    this.#fail = reject;
    this.#bodies = bodies;
    this.#nowMs = nowMs;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#error !== undefined) controller.abort(this.#error);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return; // 103 and the like announce an answer.
    this.#status = status;
    this.#headers = headers;
    this.#headersAtMs = this.#nowMs();
    const length = Number(headers["content-length"]);
    if (this.#isSuccess && length > wholeBytesMax) this.#startStreaming();
    else if (length > 0 && length <= wholeBytesMax) {
      this.#whole = this.#bodies.take(length);
      this.#wholeLength = length;
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#whole !== undefined) {
      if (this.#bytes + chunk.length <= this.#wholeLength) {
        this.#whole.set(chunk, this.#bytes);
        this.#bytes += chunk.length;
        return;
      }
      this.#chunks.push(this.#whole.subarray(0, this.#bytes)); // HTTP/2 does not enforce the length announced.
      this.#whole = undefined;
    }
    this.#bytes += chunk.length;
    if (!this.#isSuccess && this.#bytes > errorBytesMax) return;
    this.#chunks.push(chunk);
    if (this.#isStreaming) {
      this.#wake?.();
      if (this.#bytes > aheadBytesMax) controller.pause();
    } else if (this.#bytes > wholeBytesMax) {
      this.#startStreaming();
    }
  }

  onResponseEnd(): void {
    this.#isEnded = true;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#wake?.();
    if (this.#isStreaming) return;
    const whole = this.#whole;
    const raw: RawBody =
      whole === undefined
        ? { kind: "whole", bytes: this.#join() }
        : {
            kind: "whole",
            bytes: whole.subarray(0, this.#bytes),
            release: () => this.#bodies.give(whole),
          };
    this.#settle({ ...this.#head, raw });
  }

  onResponseError(_: unknown, error: Error): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    // What the signal says goes out as it is, so that a stop is told from a failure.
    this.#error = this.#signal.aborted ? toError(this.#signal.reason) : toLeatError(error, this.#status > 0);
    this.#wake?.();
    this.#fail(this.#error);
  }

  get #isSuccess(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get #head(): Pick<RawAnswer, "status" | "headers" | "headersAtMs"> {
    return { status: this.#status, headers: this.#headers, headersAtMs: this.#headersAtMs };
  }

  #join(): Uint8Array {
    const only = this.#chunks[0];
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }

  #startStreaming(): void {
    this.#isStreaming = true;
    const abort = () => this.#abort(new Error("The answer is no longer wanted."));
    this.#settle({ ...this.#head, raw: { kind: "stream", chunks: this.#drain(), abort } });
  }

  async *#drain(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const ready = this.#chunks;
        this.#chunks = [];
        this.#bytes = 0;
        for (const chunk of ready) yield chunk;
        if (this.#chunks.length > 0) continue;
        if (this.#error !== undefined) throw this.#error;
        if (this.#isEnded) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        this.#controller?.resume();
        await promise;
        this.#wake = undefined;
      }
    } finally {
      if (!this.#isEnded) this.#abort(new Error("The answer is no longer wanted."));
    }
  }

  #abort(reason: Error): void {
    if (this.#isEnded || this.#error !== undefined) return;
    this.#error = reason;
    this.#controller?.abort(reason);
    this.#wake?.();
    this.#fail(reason);
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Faults of a certificate do not go away by trying again. */
const certificateFault = /^(?:ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** What undici, the network or zlib say, as what it means. @param isBody - whether the answer had begun. */
function toLeatError(error: unknown, isBody = true): Error {
  if (error instanceof LeatError) return error;
  const cause = toError(error);
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (cause.name === "AbortError" && code !== "UND_ERR_ABORTED") return cause;
  if (/^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code) || code === "ETIMEDOUT") {
    const what =
      { UND_ERR_CONNECT_TIMEOUT: "connect", UND_ERR_HEADERS_TIMEOUT: "answer" }[code] ?? "go on sending";
    return new LeatError("SOURCE_TIMEOUT", { message: `The partner did not ${what} in time.`, cause });
  }
  if (/^(?:Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ZSTD_|ERR_ZSTD)/.test(code) || /zstd/i.test(cause.message)) {
    return new LeatError("SOURCE_TRUNCATED", {
      message: `The answer cannot be unpacked: ${cause.message}.`,
      cause,
    });
  }
  if (isBody) {
    return new LeatError("SOURCE_TRUNCATED", {
      message: "The connection broke off in the middle of the answer.",
      cause,
    });
  }
  return new LeatError("SOURCE_UNREACHABLE", {
    message: `The partner cannot be reached: ${code === "" ? cause.message : code}.`,
    retryable: !certificateFault.test(code),
    cause,
  });
}
