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
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import fastify, { type FastifyInstance, type FastifyServerFactoryHandler } from "fastify";
import type { Logger } from "pino";
import type { ApiAnswer } from "../../serve/api-answer.ts";
import type { DataApi } from "../../serve/data-api.ts";
import { AccessLog } from "./access-log.ts";
import { type AdmissionRules, Admissions, type KeyBook } from "./admission.ts";
import { type CorsRules, DataHeaders } from "./answer-headers.ts";
import { clientAddress, isLoopback, type TrustedProxies } from "./client-address.ts";
import { HostRequest } from "./host-request.ts";
import { addPages, type PagePorts } from "./pages/add-pages.ts";
import type { PageProblem } from "./pages/ask-api.ts";
import { beginPage, isAlwaysOpen, isPageRequest } from "./pages/page-exchange.ts";
import { answerProblem } from "./pages/problem-page.ts";
import { refuse, refuseUnreadable } from "./refusal.ts";
import { beginSpan, endSpan } from "./request-span.ts";
import { openRouteLabels } from "./route-label.ts";
import { type SendTools, sendAnswer } from "./send-answer.ts";
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
  readonly #readers: SlowReaders;
  readonly #metrics: ServeMetrics;
  readonly #accessLog: AccessLog;
  readonly #labelOf: (url: string) => string;
  readonly #connections = new Map<string, number>();
  #active = 0;
  #isStopping = false;

  constructor(ports: DataHostPorts, options: DataHostOptions) {
    const { api, keys, log, nowMs } = ports;
    this.#ports = ports;
    this.#options = options;
    this.#admissions = new Admissions(options.admission, keys);
    this.#headers = new DataHeaders(options.cors);
    this.#readers = new SlowReaders({ ...slowReaderDefaults, ...options.slowReaders }, () =>
      performance.now(),
    );
    this.#metrics = new ServeMetrics({
      readers: () => this.#readers.facts,
      datasets: () => api.states(),
      activeRequests: () => this.#active,
      nowMs,
    });
    this.#accessLog = new AccessLog(log, options.logsEveryRequest);
    this.#labelOf = openRouteLabels(api.spec);
    this.pagePorts = {
      ...ports.pages,
      spec: api.spec,
      api,
      log,
      metrics: options.showsMetrics ? () => this.#metrics.print() : undefined,
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
    this.#readers.close();
    await this.#metrics.close();
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
    const startedAt = performance.now();
    const span = beginSpan(request);
    const { headers } = request;
    const asked = new HostRequest(request, response);
    const address = clientAddress(
      request.socket.remoteAddress,
      headers["x-forwarded-for"],
      this.#options.proxies,
    );
    this.#active++;
    const who: { keyId: string | undefined } = { keyId: undefined };
    const tools: SendTools = {
      readers: this.#readers,
      onSent: (bytes) => {
        this.#active--;
        const ms = performance.now() - startedAt;
        const { method, url } = asked;
        const status = response.statusCode;
        const route = this.#labelOf(url);
        this.#metrics.count({ method, route, status, ms, bytes });
        endSpan(span, { method, route, status });
        this.#accessLog.tell({ method, url, status, ms, bytes, address, keyId: who.keyId });
      },
      onBroken: (error) => this.#ports.log.warn({ err: error }, "an answer broke off"),
    };
    const send = (answer: ApiAnswer, own: readonly string[]): void =>
      sendAnswer(response, answer, this.#isStopping ? [...own, "connection", "close"] : own, tools);
    const dataHeaders = (): readonly string[] => this.#headers.of(headers.origin);
    const own = this.#answerItself(asked, request, address, who);
    if (own !== undefined && isPageRequest(asked))
      void this.#showRefusal(asked, own).then((shown) => send(shown, []));
    else if (own !== undefined)
      send(own, asked.method === "OPTIONS" ? this.#headers.ofPreflight(headers.origin) : dataHeaders());
    else if (isAlwaysOpen(asked.url) || isPageRequest(asked)) {
      beginPage(request, { asked, send: (answer) => send(answer, []) });
      page();
    } else {
      const sendData = (made: ApiAnswer): void =>
        send(this.#options.admission.keys === "required" ? keepPrivate(made) : made, dataHeaders());
      const answer = this.#ports.api.answer(asked);
      if (answer instanceof Promise)
        void answer.then(sendData); // It never rejects.
      else sendData(answer);
    }
  }

  /** What never reaches the API: questions before the request (CORS), bodies, and those who may not ask now. */
  #answerItself(
    { method, url }: HostRequest,
    request: IncomingMessage,
    address: string,
    who: { keyId: string | undefined },
  ): ApiAnswer | undefined {
    if (method === "OPTIONS")
      return { status: 204, headers: ["allow", "GET, HEAD, OPTIONS"], body: undefined };
    if (hasLargeBody(request)) {
      const detail = "Send nothing but the address and the headers.";
      return refuse("body-not-wanted", detail, { headers: ["connection", "close"] });
    }
    if (isAlwaysOpen(url)) return undefined;
    const { authorization, "x-api-key": apiKey } = request.headers;
    const applicant = { address, authorization, apiKey: oneOf(apiKey) };
    const { refusal, keyId } = this.#admissions.decide(applicant, this.#ports.nowMs());
    who.keyId = keyId;
    return refusal;
  }

  /** A refusal for people: the same status and headers around a page that says why. */
  async #showRefusal(asked: HostRequest, refusal: ApiAnswer): Promise<ApiAnswer> {
    if (!(refusal.body instanceof Uint8Array)) return refusal;
    const problem = JSON.parse(Buffer.from(refusal.body).toString("utf8")) as PageProblem; // `refuse` has made it.
    const shown = await answerProblem(asked, this.pagePorts, problem);
    const told = new Set(["retry-after", "www-authenticate"]);
    const kept = refusal.headers.filter((_, at) => told.has(refusal.headers[at - (at % 2)]!));
    return { ...shown, headers: [...shown.headers, ...kept] };
  }
}

/** Whether a request brings more than would be read and thrown away without a word. */
function hasLargeBody({ headers }: IncomingMessage): boolean {
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
