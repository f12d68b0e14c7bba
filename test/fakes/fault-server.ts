/**
 * An HTTP server on loopback that answers as a handler says, and that lets a test do to each exchange what networks do.
 * Vendors' dialects are handlers: `start-fake-gcs.ts`, `start-fake-s3.ts`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/**
 * What happens to an exchange:
 * - `before`: the connection breaks before the request takes effect. `after`: it took effect, and the answer is lost.
 * - `twice`: it takes effect twice, as when something between has tried again; the second answer is sent.
 * - `late`: the connection breaks, and the request takes effect after the next exchange has ended.
 * - `429`, `503`: the vendor's own refusals; nothing takes effect.
 * - `truncated`: the answer's body breaks off in the middle. `damaged`: its length is right, and a byte of it is not.
 * - `garbled`: a byte of the request is not what was sent.
 * - `silent`: it took effect, and no answer ever comes.
 */
export type Fault =
  | "before"
  | "after"
  | "twice"
  | "late"
  | "429"
  | "503"
  | "truncated"
  | "damaged"
  | "garbled"
  | "silent";

/** One exchange, as it is logged and as plans see it. */
export type Exchange = {
  /** From 1, in the order of arrival. */
  readonly number: number;
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  /** What is asked for in the dialect's words: `insert`, `list`, `complete`. */
  readonly verb: string;
  readonly userAgent: string;
  readonly requestBytes: number;
  fault: Fault | undefined;
  /** `undefined`: none was sent. */
  status: number | undefined;
};

/** Decides on each exchange before it is handled. May have side effects, such as killing the client. */
export type FaultPlan = (exchange: Exchange) => Fault | undefined;

export type FakeRequest = Readonly<{
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  /** Where this server is reached. */
  origin: string;
}>;

export type FakeAnswer = Readonly<{
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer | string;
}>;

/** A dialect. */
export type FakeDialect = Readonly<{
  handle: (request: FakeRequest) => FakeAnswer;
  verbOf: (request: FakeRequest) => string;
  /** How the vendor says these. */
  refusal: (status: 429 | 503) => FakeAnswer;
}>;

/** A running server. */
export type FaultServer = Readonly<{
  url: string;
  /** Every exchange since the start or the last `clearLog`. */
  log: readonly Exchange[];
  clearLog: () => void;
  /** Has exchanges from now on go wrong; `undefined`: none. */
  plan: (plan: FaultPlan | undefined) => void;
  /** Lets requests that are late take effect now. */
  settle: () => void;
  close: () => Promise<void>;
}>;

/** Larger requests are a mistake of the test. */
const requestBytesMax = 64 * 1024 * 1024;

export async function startFaultServer(dialect: FakeDialect): Promise<FaultServer> {
  const log: Exchange[] = [];
  const late: (() => void)[] = [];
  const sockets = new Set<Socket>();
  let plan: FaultPlan | undefined;
  let count = 0;
  let origin = "";

  const settle = (): void => {
    for (const effect of late.splice(0)) effect();
  };

  const answerOf = (request: FakeRequest): FakeAnswer => {
    try {
      return dialect.handle(request);
    } catch (error) {
      return { status: 500, body: `fake: ${error instanceof Error ? error.stack : String(error)}` };
    }
  };

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming, origin);
    const exchange: Exchange = {
      number: ++count,
      method: request.method,
      path: incoming.url ?? "",
      verb: dialect.verbOf(request),
      userAgent: request.headers["user-agent"] ?? "",
      requestBytes: request.body.length,
      fault: undefined,
      status: undefined,
    };
    log.push(exchange);
    const fault = plan?.(exchange);
    exchange.fault = fault;
    const hadLate = late.length;
    const cut = (): unknown => incoming.socket.destroy();
    if (fault === "before") cut();
    else if (fault === "late") {
      cut();
      late.push(() => void answerOf(request));
    } else if (fault === "429" || fault === "503")
      send(outgoing, exchange, dialect.refusal(fault === "429" ? 429 : 503));
    else {
      if (fault === "twice") answerOf(request);
      const answer = answerOf(fault === "garbled" ? { ...request, body: garble(request.body) } : request);
      if (fault === "after") cut();
      else if (fault === "truncated") sendHalf(outgoing, exchange, answer);
      else if (fault !== "silent") send(outgoing, exchange, fault === "damaged" ? damage(answer) : answer);
    }
    for (const effect of late.splice(0, hadLate)) effect();
  };

  const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    // A client that was killed takes its connection with it: nothing is to be told to anybody.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // It listens on a port.

  return {
    url: origin,
    log,
    clearLog: () => {
      log.length = 0;
      count = 0;
    },
    plan: (next) => {
      plan = next;
    },
    settle,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function readRequest(incoming: IncomingMessage, origin: string): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length; // Without an encoding a request yields Buffers.
    if (bytes > requestBytesMax) throw new Error("the request is too large for a fake");
    chunks.push(chunk as Buffer);
  }
  const url = new URL(incoming.url ?? "/", origin);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : value,
    ]),
  );
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks),
    origin,
  };
}

function send(outgoing: ServerResponse, exchange: Exchange, answer: FakeAnswer): void {
  const body = Buffer.from(answer.body ?? "");
  exchange.status = answer.status;
  // An answer to HEAD says how long the body would be.
  const length = answer.headers?.["content-length"] ?? String(body.length);
  outgoing.writeHead(answer.status, { ...answer.headers, "content-length": length });
  outgoing.end(exchange.method === "HEAD" ? undefined : body);
}

function sendHalf(outgoing: ServerResponse, exchange: Exchange, answer: FakeAnswer): void {
  const body = Buffer.from(answer.body ?? "");
  exchange.status = answer.status;
  outgoing.writeHead(answer.status, { ...answer.headers, "content-length": String(body.length) });
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy());
}

const damage = (answer: FakeAnswer): FakeAnswer => ({
  ...answer,
  body: garble(Buffer.from(answer.body ?? "")),
});

/** A copy with another byte in its middle. */
function garble(given: Buffer): Buffer {
  const body = Buffer.from(given);
  if (body.length > 0) body[body.length >> 1] = body[body.length >> 1]! ^ 0x20;
  return body;
}
