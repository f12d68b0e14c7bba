/**
 * The data API on a socket. Node's server reads requests; what asks for data goes straight to the API, which has its own
 * addresses; what a person or a supervisor looks at (pages, docs, health, metrics) goes through Fastify's router.
 *
 * Every request takes the same way, whatever answers it:
 *
 * | step | file |
 * |---|---|
 * | who asks | `client-address.ts` |
 * | may they | `admission.ts` |
 * | the answer | `../../serve/data-api.ts`, or a page |
 * | out, at the reader's pace | `send-answer.ts`, `slow-readers.ts` |
 * | counted, traced and logged | `serve-metrics.ts`, `request-span.ts`, `access-log.ts` |
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import fastify, { type FastifyInstance, type FastifyServerFactoryHandler } from "fastify";
import type { Logger } from "pino";
import type { ApiAnswer } from "../../serve/api-answer.ts";
import type { DataApi } from "../../serve/data-api.ts";
import { addressLengthMax } from "../../serve/query-string.ts";
import { AccessLog } from "./access-log.ts";
import { type AdmissionRules, Admissions, type KeyBook } from "./admission.ts";
import { type HeaderBlock, noHeaders, toHeaderBlock } from "./answer-head.ts";
import { type CorsRules, DataHeaders } from "./answer-headers.ts";
import { clientAddress, isLoopback, type TrustedProxies } from "./client-address.ts";
import { Exchange, type ExchangeBooks } from "./exchange.ts";
import { addPages, answerUnreadable, type PagePorts } from "./pages/add-pages.ts";
import type { PageProblem } from "./pages/ask-api.ts";
import { beginPage, isAlwaysOpen, isPageRequest } from "./pages/page-exchange.ts";
import { answerProblem } from "./pages/problem-page.ts";
import { refuse, refuseUnreadable } from "./refusal.ts";
import { RequestSpans } from "./request-span.ts";
import { openRouteLabels } from "./route-label.ts";
import { sendAnswer } from "./send-answer.ts";
import { ServeMetrics } from "./serve-metrics.ts";
import { type SlowReaderLimits, SlowReaders, slowReaderDefaults } from "./slow-readers.ts";

/** What the host stands on. */
export type DataHostPorts = Readonly<{
  api: DataApi;
  /** Keys and their use; `undefined` where keys are not looked at. */
  keys: KeyBook | undefined;
  log: Logger;
  /** What pages need beside the API. */
  pages: Pick<PagePorts, "assets" | "sqlEngine">;
  /** The wall clock, for rates and expiry. */
  nowMs: () => number;
}>;

/** How the host behaves. */
export type DataHostOptions = Readonly<{
  admission: AdmissionRules;
  proxies: TrustedProxies;
  cors: CorsRules;
  /** Whether every request is logged, or only those that failed on our side. */
  logsEveryRequest: boolean;
  /** Whether `/metrics` answers. */
  showsMetrics: boolean;
  slowReaders?: Partial<SlowReaderLimits> | undefined;
  /** Connections at once, of all clients. Default 10,000: some 20 KB each. */
  connectionsMax?: number | undefined;
  /** Connections of one address at once; this machine's own and declared proxies are not counted. Default 500. */
  connectionsOfAddressMax?: number | undefined;
}>;

/** The host, not yet listening. */
export type DataHost = Readonly<{
  app: FastifyInstance;
  server: Server;
  /** From now on `/ready` says no, and connections are closed after the answer they wait for. */
  beginStopping(): void;
  /** Frees timers and counters. After the server was closed. */
  dispose(): Promise<void>;
}>;

/** Time for the head of a request, and for all of it, ms: nobody types them by hand. */
const headTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** A connection without a request is kept this long, ms: longer than the minute that proxies keep theirs. */
const idleTimeoutMs = 72_000;
/** Largest head of a request, bytes. */
const headBytesMax = 16 * 1024;
/** Header fields of one request. */
const headersMax = 100;
/** Largest body that is read and thrown away, bytes; requests here have none. */
const bodyBytesMax = 16 * 1024;
const connectionsDefault = { all: 10_000, ofAddress: 500 } as const;

/** Builds the host. `serveData` listens. */
export async function createDataHost(ports: DataHostPorts, options: DataHostOptions): Promise<DataHost> {
  const host = new Host(ports, options);
  addPages(host.app, host.pagePorts);
  await host.app.ready();
  return host;
}

class Host implements DataHost {
  readonly app: FastifyInstance;
  readonly server: Server;
  readonly pagePorts: PagePorts;
  readonly #ports: DataHostPorts;
  readonly #options: DataHostOptions;
  readonly #admissions: Admissions;
  readonly #headers: DataHeaders;
  readonly #books: ExchangeBooks;
  readonly #connections = new Map<string, number>();
  /** Connections whose last answer is being sent, though more may have been asked. */
  readonly #ending = new WeakSet<Duplex>();
  #isStopping = false;

  constructor(ports: DataHostPorts, options: DataHostOptions) {
    const { api, keys, log, nowMs } = ports;
    this.#ports = ports;
    this.#options = options;
    this.#admissions = new Admissions(options.admission, keys);
    this.#headers = new DataHeaders(options.cors);
    const readers = new SlowReaders({ ...slowReaderDefaults, ...options.slowReaders }, () =>
      performance.now(),
    );
    this.#books = {
      readers,
      metrics: new ServeMetrics({
        readers: () => readers.facts,
        datasets: () => api.states(),
        activeRequests: () => this.#books.activeRequests,
        nowMs,
      }),
      spans: new RequestSpans(),
      accessLog: new AccessLog(log, options.logsEveryRequest),
      log,
      labelOf: openRouteLabels(api.spec),
      activeRequests: 0,
    };
    this.pagePorts = {
      ...ports.pages,
      spec: api.spec,
      api,
      log,
      metrics: options.showsMetrics ? () => this.#books.metrics.print() : undefined,
      isStopping: () => this.#isStopping,
      needsKey: options.admission.keys === "required",
    };
    this.server = this.#openServer();
    const router: { handle?: FastifyServerFactoryHandler } = {};
    this.app = fastify({
      serverFactory: (given) => {
        router.handle = given;
        return this.server;
      },
      exposeHeadRoutes: false, // Each page answers HEAD itself.
      clientErrorHandler: () => {}, // `#openServer` has one; two would answer twice.
      routerOptions: { maxParamLength: addressLengthMax }, // The API says what is too long.
      frameworkErrors: (_error, request, reply) => {
        reply.hijack();
        void answerUnreadable(request.raw, this.pagePorts);
      },
      forceCloseConnections: false,
      return503OnClosing: false,
    });
    this.server.on("request", (request: IncomingMessage, response: ServerResponse) =>
      this.#take(request, response, () => router.handle?.(request, response)),
    );
  }

  beginStopping(): void {
    this.#isStopping = true;
  }

  async dispose(): Promise<void> {
    this.#books.readers.close();
    await this.#books.metrics.close();
  }

  #openServer(): Server {
    const server = createServer({
      maxHeaderSize: headBytesMax,
      headersTimeout: headTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: 2000,
      noDelay: true,
    });
    server.maxHeadersCount = headersMax;
    server.maxConnections = this.#options.connectionsMax ?? connectionsDefault.all;
    server.on("connection", (socket) => this.#countConnection(socket));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      // After a refusal that ends the connection nothing more is said, whatever else is on its way.
      if (this.#ending.has(socket)) return;
      if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
      else socket.end(refuseUnreadable(error.code));
    });
    return server;
  }

  /** One address must not take all connections that there are. */
  #countConnection(socket: Socket): void {
    const address = clientAddress(socket.remoteAddress, undefined, this.#options.proxies);
    if (isLoopback(address) || this.#options.proxies.has(address)) return;
    const count = (this.#connections.get(address) ?? 0) + 1;
    if (count > (this.#options.connectionsOfAddressMax ?? connectionsDefault.ofAddress)) {
      socket.destroy();
      return;
    }
    this.#connections.set(address, count);
    socket.once("close", () => {
      const left = (this.#connections.get(address) ?? 1) - 1;
      if (left === 0) this.#connections.delete(address);
      else this.#connections.set(address, left);
    });
  }

  /** One request, from its head to the end of its answer. @param page - hands it to Fastify. */
  #take(request: IncomingMessage, response: ServerResponse, page: () => void): void {
    const { remoteAddress } = request.socket;
    const forwarded = request.headers["x-forwarded-for"];
    const address = clientAddress(remoteAddress, forwarded, this.#options.proxies);
    const asked = new Exchange(this.#books, request, response, address);
    const refusal = this.#answerItself(asked);
    if (refusal !== undefined) this.#refuse(asked, refusal);
    else if (isRead(asked) && (isAlwaysOpen(asked.url) || isPageRequest(asked))) {
      request.url = asked.url; // For the router, which takes paths alone.
      beginPage(request, { asked, send: (answer) => this.#send(asked, answer, noHeaders) });
      page();
    } else {
      const answer = this.#ports.api.answer(asked);
      if (answer instanceof Promise)
        void answer.then((made) => this.#sendData(asked, made)); // It never rejects.
      else this.#sendData(asked, answer);
    }
  }

  #sendData(asked: Exchange, made: ApiAnswer): void {
    const answer = this.#options.admission.keys === "required" ? keepPrivate(made) : made;
    this.#send(asked, answer, this.#headers.of(asked.headers.origin));
  }

  #refuse(asked: Exchange, refusal: ApiAnswer): void {
    const { origin } = asked.headers;
    if (asked.method === "OPTIONS") this.#send(asked, refusal, this.#headers.ofPreflight(origin));
    else if (isPageRequest(asked))
      void this.#showRefusal(asked, refusal).then((shown) => this.#send(asked, shown, noHeaders));
    else this.#send(asked, refusal, this.#headers.of(origin));
  }

  #send(asked: Exchange, answer: ApiAnswer, own: HeaderBlock): void {
    const more = this.#isStopping ? toHeaderBlock([...own.list, "connection", "close"]) : own;
    try {
      sendAnswer(asked.response, answer, more, asked);
    } catch (error) {
      // A head that cannot be written is a fault of ours; nobody else's request must fail with it.
      this.#ports.log.error({ err: error, url: asked.url }, "an answer could not be sent");
      asked.response.destroy();
      asked.onSent(0);
    }
  }

  /** What never reaches the API: questions before the request (CORS), bodies, and those who may not ask now. */
  #answerItself(asked: Exchange): ApiAnswer | undefined {
    const { method, url, address, headers } = asked;
    if (method === "OPTIONS")
      return { status: 204, headers: ["allow", "GET, HEAD, OPTIONS"], body: undefined };
    if (hasLargeBody(headers)) {
      if (asked.response.socket !== null) this.#ending.add(asked.response.socket);
      const detail = "Send nothing but the address and the headers.";
      return refuse("body-not-wanted", detail, { headers: ["connection", "close"] });
    }
    if (this.#admissions.isOpen || isAlwaysOpen(url)) return undefined;
    const { authorization, "x-api-key": apiKey } = headers;
    const applicant = { address, authorization, apiKey: oneOf(apiKey) };
    const { refusal, keyId } = this.#admissions.decide(applicant, this.#ports.nowMs());
    asked.keyId = keyId;
    return refusal;
  }

  /** A refusal for people: the same status and headers around a page that says why. */
  async #showRefusal(asked: Exchange, refusal: ApiAnswer): Promise<ApiAnswer> {
    if (!(refusal.body instanceof Uint8Array)) return refusal;
    const problem = JSON.parse(Buffer.from(refusal.body).toString("utf8")) as PageProblem; // `refuse` has made it.
    const shown = await answerProblem(asked, this.pagePorts, problem);
    const told = new Set(["retry-after", "www-authenticate"]);
    const kept = refusal.headers.filter((_, at) => told.has(refusal.headers[at - (at % 2)]!));
    return { ...shown, headers: [...shown.headers, ...kept] };
  }
}

/** Nothing else is a page's business: the API says that only these mean something. */
const isRead = ({ method }: Exchange): boolean => method === "GET" || method === "HEAD";

/** Whether a request brings more than would be read and thrown away without a word. */
function hasLargeBody(headers: IncomingHttpHeaders): boolean {
  const length = headers["content-length"];
  return (
    headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) > bodyBytesMax)
  );
}

const oneOf = (value: string | readonly string[] | undefined): string | undefined =>
  value === undefined || typeof value === "string" ? value : value[0];

/** What was given to the holder of a key is not for caches on the way, which would give it to everybody. */
function keepPrivate(answer: ApiAnswer): ApiAnswer {
  const headers = answer.headers.map((text, at) =>
    at % 2 === 1 && answer.headers[at - 1] === "cache-control" ? text.replace("public", "private") : text,
  );
  return { ...answer, headers };
}
