/**
 * The stateless HTTP app: one sync of one stream and tenant per request. All that it knows is in landing and warehouse,
 * so that any number of copies may run, be killed and be started again.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { chooseStream } from "../sync/choose.ts";
import { type LogOptions, openLogger } from "./logger.ts";
import { sendProblem } from "./problem.ts";
import { type AnswerOptions, answerSyncs } from "./sync/answer-sync.ts";
import { type AuthOptions, checkCallers } from "./sync/authenticate.ts";
import { readTrace, type TraceFields } from "./sync/delivery.ts";
import { addWorkRoutes, type WorkPorts, workPaths } from "./sync/work-routes.ts";
import { requestHint } from "./sync-request.ts";

/** What the app is made of. `readTenants` is called for every request, so that a new tenant needs no restart. */
export type SyncAppPorts = WorkPorts &
  Readonly<{
    log: LogOptions;
    auth: AuthOptions;
    /** Trace of the request that something is done for: lines that a sync logs on its way belong to it. */
    trace: TraceStore;
  }>;

/** How the app behaves. `softDeadlineMs`: extracts stop at a safe point so long after their request came; else never. */
export type SyncAppOptions = AnswerOptions &
  Readonly<{
    /** Id of the project on Google Cloud, by which logs name traces. */
    cloudProject: string | undefined;
  }>;

/** Where the trace of the request at hand is kept. */
export type TraceStore = AsyncLocalStorage<TraceFields>;

/** Makes such a place. What it holds is the `mixin` of the app's logger. */
export const openTraceStore = (): TraceStore => new AsyncLocalStorage<TraceFields>();

/** The app, not yet listening. */
export type SyncApp = Readonly<{
  app: FastifyInstance;
  /** From now on requests are refused with 503 and `/ready` says no. */
  refuseRequests(): void;
  /** Asks the running syncs to stop at their next safe point. */
  interruptRuns(): void;
}>;

/** Syncs running or waiting at once; a scheduler that sends more is told to come again. */
const requestsMax = 256;
/** Largest body; options take some dozens of bytes. */
const bodyBytesMax = 64 * 1024;

/** Longest name of a source or stream in an address, as it is sent: fastify's own 100 are fewer than names may have. */
const nameLengthMax = 2000;

/** Builds the app. Try it with `app.inject(...)`; `serveSyncApp` listens. */
export function createSyncApp(ports: SyncAppPorts, options: SyncAppOptions): SyncApp {
  const interrupt = new AbortController();
  let isRefusing = false;
  let running = 0;
  const { redact, trace } = ports;
  const checkCaller = checkCallers(ports.auth);
  const logger: FastifyBaseLogger = openLogger(ports.log);
  const answer = answerSyncs(ports, options);
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // The hook below writes one line, not two.
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: nameLengthMax },
    exposeHeadRoutes: false, // A HEAD would sync.
    return503OnClosing: false, // The hook below answers with a problem document.
    frameworkErrors: (error, _request, reply) => {
      void sendProblem(reply, new LeatError("USAGE", { message: error.message, hint: requestHint }), {
        redact,
        status: 400,
      });
    },
  });

  app.removeAllContentTypeParsers();
  // Schedulers send JSON as application/octet-stream, and an empty body with any type.
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    if (body === "") return done(null, undefined);
    try {
      done(null, JSON.parse(body.toString()));
    } catch {
      done(new LeatError("USAGE", { message: "The body is not JSON.", hint: requestHint }), undefined);
    }
  });

  app.addHook("onRequest", (request, _reply, done) => {
    trace.run(readTrace(request.headers, options.cloudProject), done);
  });
  app.addHook("onRequest", async (request, reply) => {
    if (!isRefusing || request.url === "/live") return;
    const message = "This copy of the app is stopping.";
    sendProblem(reply, new LeatError("INTERRUPTED", { message, hint: "Send the request again." }), {
      redact,
    });
    await reply;
  });
  app.addHook("onRequest", async (request, reply) => {
    if (isHealth(request.url)) return;
    try {
      await checkCaller(request.headers);
    } catch (error) {
      const failure = toLeatError(error);
      request.log.warn({ err: failure }, failure.message);
      if (failure.code === "CALLER_UNKNOWN") reply.header("www-authenticate", "Bearer");
      sendProblem(reply, failure, { redact });
      await reply;
    }
  });
  app.addHook("onSend", async (_request, reply) => {
    // A caller that keeps its connection would hold up the stop until it lets go.
    if (isRefusing) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    const facts = describeRequest(request, reply, ports.log.isGoogleCloud);
    request.log[isHealth(request.url) ? "debug" : "info"](facts, "request");
  });

  app.get("/live", async () => ({ status: "live" }));
  app.get("/ready", async (_request, reply) => {
    try {
      ports.readTenants(); // Broken tenants: no request could be served.
    } catch (error) {
      return sendProblem(reply, toLeatError(error), { redact, status: 503 });
    }
    return { status: "ready" };
  });

  addWorkRoutes(app, ports, interrupt.signal);

  const handle = async (
    request: FastifyRequest,
    reply: FastifyReply,
    name: string,
  ): Promise<FastifyReply> => {
    if (isReserved(request.url)) return refuseUnknown(ports, request, reply); // The right method has its route.
    if (running >= requestsMax) {
      const message = `${running} syncs are running or waiting.`;
      return sendProblem(reply, new LeatError("BUSY", { message }), { redact, status: 503 });
    }
    running++;
    try {
      return await answer({ request, reply, name, signal: interrupt.signal });
    } finally {
      running--;
    }
  };
  app.route<{ Params: { stream: string } }>({
    method: ["GET", "POST"],
    url: "/:stream",
    handler: (request, reply) => handle(request, reply, request.params.stream),
  });
  app.route<{ Params: { source: string; stream: string } }>({
    method: ["GET", "POST"],
    url: "/:source/:stream",
    handler: (request, reply) => handle(request, reply, `${request.params.source}.${request.params.stream}`),
  });

  app.setNotFoundHandler((request, reply) => refuseUnknown(ports, request, reply));
  app.setErrorHandler((error, request, reply) => {
    const failure = toLeatError(error);
    request.log[failure.code === "INTERNAL" ? "error" : "warn"]({ err: error }, failure.message);
    sendProblem(reply, failure, { redact });
  });
  return {
    app,
    refuseRequests: () => {
      isRefusing = true;
    },
    interruptRuns: () => {
      interrupt.abort(new LeatError("INTERRUPTED", { message: "This copy of the app is stopping." }));
    },
  };
}

const pathOf = (url: string): string => url.split("?")[0]!;

/** Whether it is a supervisor's question. */
const isHealth = (url: string): boolean => pathOf(url) === "/live" || pathOf(url) === "/ready";

/** Whether it is no stream; a stream of that name is asked for with its source. */
const isReserved = (url: string): boolean => isHealth(url) || workPaths.has(pathOf(url));

/** A request for the log; in Cloud Logging the status and latency then stand in the line's head. */
function describeRequest(request: FastifyRequest, reply: FastifyReply, isGoogleCloud: boolean): object {
  const { method } = request;
  const path = pathOf(request.url);
  const status = reply.statusCode;
  const ms = Math.round(reply.elapsedTime);
  const httpRequest = { requestMethod: method, requestUrl: path, status, latency: `${ms / 1000}s` };
  return { method, path, status, ms, ...(isGoogleCloud && { httpRequest }) };
}

/** No route: a known stream was asked with another method, or there is no such stream. */
function refuseUnknown(ports: SyncAppPorts, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { redact } = ports;
  const path = pathOf(request.url);
  try {
    const names = path.slice(1).split("/").map(decodeURIComponent);
    if (!isReserved(path)) chooseStream(ports.project, names.join("."));
  } catch (error) {
    return sendProblem(reply, toLeatError(error), { redact, status: 404 });
  }
  const allow = isHealth(path) ? "GET" : workPaths.has(path) ? "POST" : "GET, POST";
  const message = `${request.method} means nothing here.`;
  reply.header("allow", allow);
  return sendProblem(reply, new LeatError("USAGE", { message, hint: `Use ${allow}.` }), {
    redact,
    status: 405,
  });
}

/** What a handler threw, or what fastify refused, as a LeatError. */
function toLeatError(error: unknown): LeatError {
  if (error instanceof LeatError) return error;
  if (isLeatError(error)) return new LeatError((error as LeatError).code, error);
  const said = error instanceof Error ? error.message : String(error);
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) return new LeatError("USAGE", { message: said, hint: requestHint });
  return new LeatError("INTERNAL", { message: `Unexpected: ${said}`, cause: error });
}
