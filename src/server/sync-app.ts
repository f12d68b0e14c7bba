/**
 * The stateless HTTP app: one sync of one stream and tenant per request. All that it knows is in landing and warehouse,
 * so that any number of copies may run, be killed and be started again.
 */
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import { chooseStream, chooseTenants } from "../sync/choose.ts";
import { chooseMode } from "../sync/choose-mode.ts";
import { printItem } from "../sync/print-item.ts";
import { itemError, type SyncItem, type SyncPorts } from "../sync/sync-job.ts";
import { syncProject } from "../sync/sync-project.ts";
import { type LogOptions, openLogger } from "./logger.ts";
import { sendProblem } from "./problem.ts";
import { readSyncRequest, requestHint } from "./sync-request.ts";

/** What the app is made of. */
export type SyncAppPorts = Readonly<{
  project: Project;
  /** Called for every request, so that a new tenant needs no restart. */
  readTenants: () => readonly Tenant[];
  sync: SyncPorts;
  /** Takes secrets out of text. */
  redact: (text: string) => string;
  log: LogOptions;
}>;

/** How the app behaves. */
export type SyncAppOptions = Readonly<{
  /** Ask extracts to stop at the next safe point this long after their request came, ms; `undefined`: never. */
  softDeadlineMs: number | undefined;
}>;

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

/** Builds the app. Try it with `app.inject(...)`; `serveSyncApp` listens. */
export function createSyncApp(ports: SyncAppPorts, options: SyncAppOptions): SyncApp {
  const interrupt = new AbortController();
  let isRefusing = false;
  let running = 0;
  const { redact } = ports;
  const logger: FastifyBaseLogger = openLogger(ports.log);
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // The hook below writes one line, not two.
    bodyLimit: bodyBytesMax,
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

  app.addHook("onRequest", async (request, reply) => {
    if (!isRefusing || request.url === "/live") return;
    const message = "This copy of the app is stopping.";
    sendProblem(reply, new LeatError("INTERRUPTED", { message, hint: "Send the request again." }), {
      redact,
    });
    await reply;
  });
  app.addHook("onSend", async (_request, reply) => {
    // A caller that keeps its connection would hold up the stop until it lets go.
    if (isRefusing) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    const path = pathOf(request.url);
    const facts = {
      method: request.method,
      path,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
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

  const handle = async (
    request: FastifyRequest,
    reply: FastifyReply,
    name: string,
  ): Promise<FastifyReply> => {
    if (isHealth(request.url)) return refuseUnknown(ports, request, reply); // A POST: GETs have their routes.
    if (running >= requestsMax) {
      const message = `${running} syncs are running or waiting.`;
      return sendProblem(reply, new LeatError("BUSY", { message }), { redact, status: 503 });
    }
    running++;
    try {
      return await answer(ports, options, { request, reply, name, signal: interrupt.signal });
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

type Asked = Readonly<{ request: FastifyRequest; reply: FastifyReply; name: string; signal: AbortSignal }>;

const pathOf = (url: string): string => url.split("?")[0]!;

/** Whether it is a supervisor's question and not a stream; a stream of that name is asked for with its source. */
const isHealth = (url: string): boolean => pathOf(url) === "/live" || pathOf(url) === "/ready";

/** Runs one sync and answers with what it did. */
async function answer(ports: SyncAppPorts, options: SyncAppOptions, asked: Asked): Promise<FastifyReply> {
  const { request, reply, redact } = { ...asked, redact: ports.redact };
  const { clock } = ports.sync;
  const startedAtMs = clock.nowMs();
  const stream = chooseStream(ports.project, asked.name);
  const wanted = readSyncRequest(request);
  const known = ports.readTenants();
  if (wanted.tenantId === undefined && known.length > 1) {
    throw new LeatError("USAGE", {
      message: "The option tenant_id is missing.",
      hint: `Say for which tenant, such as ?tenant_id=${encodeURIComponent(known[0]!.id)}.`,
    });
  }
  const tenants = chooseTenants(known, wanted.tenantId === undefined ? [] : [wanted.tenantId]);
  const mode = readMode(() => chooseMode(stream.spec, wanted.mode, startedAtMs));
  const { items } = await syncProject(
    ports.sync,
    {
      streams: [stream],
      tenants,
      steps: "both",
      modeOf: () => mode,
      tenantColumn: ports.project.tenantColumn,
      idempotencyKey: wanted.idempotencyKey,
      softDeadlineMs: options.softDeadlineMs === undefined ? undefined : startedAtMs + options.softDeadlineMs,
      conflictRetriesMax: 0, // The caller is told and comes again: the scheduler decides on retries, not both.
      roundsMax: 1, // Likewise: `has_more` says that another request is due.
    },
    asked.signal,
  );
  const item: SyncItem = items[0]!; // One stream, one tenant.
  const error = itemError(item);
  const result = { ...printItem(item), duration_ms: Math.round(clock.nowMs() - startedAtMs) };
  if (error === undefined) {
    request.log.info(result, "synced");
    return reply.send(result);
  }
  const level = error.code === "INTERNAL" ? "error" : "warn";
  request.log[level]({ ...result, err: error }, error.message);
  return sendProblem(reply, error, { redact, members: { result } });
}

/** A range that cannot be read is the caller's fault here, not the partner's. */
function readMode<T>(choose: () => T): T {
  try {
    return choose();
  } catch (error) {
    if (!isLeatError(error)) throw error;
    const { message, hint } = error as LeatError; // By its shape.
    throw new LeatError("USAGE", { message, hint });
  }
}

/** No route: a known stream was asked with another method, or there is no such stream. */
function refuseUnknown(ports: SyncAppPorts, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { redact } = ports;
  const path = pathOf(request.url);
  try {
    const names = path.slice(1).split("/").map(decodeURIComponent);
    if (!isHealth(path)) chooseStream(ports.project, names.join("."));
  } catch (error) {
    return sendProblem(reply, toLeatError(error), { redact, status: 404 });
  }
  const allow = isHealth(path) ? "GET" : "GET, POST";
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
