/** One request and what becomes of it: asked of the API, sent, counted, traced and logged. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Span } from "@opentelemetry/api";
import type { Logger } from "pino";
import type { ApiRequest } from "../../serve/api-answer.ts";
import type { AccessLog } from "./access-log.ts";
import type { RequestSpans } from "./request-span.ts";
import type { SendTools } from "./send-answer.ts";
import type { ServeMetrics } from "./serve-metrics.ts";
import type { SlowReaders } from "./slow-readers.ts";

/** Where requests are told of. */
export type ExchangeBooks = {
  readonly readers: SlowReaders;
  readonly metrics: ServeMetrics;
  readonly spans: RequestSpans;
  readonly accessLog: AccessLog;
  readonly log: Logger;
  readonly labelOf: (url: string) => string;
  /** Requests being answered. */
  activeRequests: number;
};

export class Exchange implements ApiRequest, SendTools {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly response: ServerResponse;
  /** Whose connection it came on, behind declared proxies. */
  readonly address: string;
  /** Whose key it showed. */
  keyId: string | undefined;
  readonly #books: ExchangeBooks;
  readonly #span: Span;
  readonly #startedAt: number;
  #signal: AbortSignal | undefined;

  constructor(books: ExchangeBooks, request: IncomingMessage, response: ServerResponse, address: string) {
    this.#startedAt = performance.now();
    this.#books = books;
    this.method = request.method ?? "GET";
    this.url = toOriginForm(request.url ?? "/");
    this.headers = request.headers;
    this.response = response;
    this.address = address;
    this.#span = books.spans.begin(this.method, this.headers);
    books.activeRequests++;
  }

  /** Made when somebody asks for it: a request that is answered at once has no use for one. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.response);
    return this.#signal;
  }

  get readers(): SlowReaders {
    return this.#books.readers;
  }

  onSent(bytes: number): void {
    const { metrics, spans, accessLog, labelOf } = this.#books;
    this.#books.activeRequests--;
    const ms = performance.now() - this.#startedAt;
    const { method, url, address, keyId } = this;
    const status = this.response.statusCode;
    const route = labelOf(url);
    metrics.count({ method, route, status, ms, bytes });
    spans.end(this.#span, { method, route, status });
    accessLog.tell({ method, url, status, ms, bytes, address, keyId });
  }

  onBroken(error: unknown): void {
    this.#books.log.warn({ err: error }, "an answer broke off");
  }
}

/** Path and query of an address that names the server as well, as clients write it to proxies. */
function toOriginForm(url: string): string {
  if (url.startsWith("/")) return url;
  const rest = /^https?:\/\/[^/?]*(.*)$/is.exec(url)?.[1];
  if (rest === undefined) return url;
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  // Also after an answer that was sent whole: then nobody listens any more.
  response.once("close", () => controller.abort());
  return controller.signal;
}
