/** The control API: what the console and other programs see and do of flows, streams and datasets; and the console itself. */
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance } from "fastify";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { guardRequests } from "../access/guard-requests.ts";
import { addSessionRoutes } from "../access/session-routes.ts";
import { answerUi, isUiRequest } from "../console/answer-ui.ts";
import { sendProblem } from "../problem.ts";
import { addAlertRoutes } from "./alert-routes.ts";
import { addAnswerSchemas } from "./answer-schemas.ts";
import { addBulkRoutes } from "./bulk-routes.ts";
import type { ControlPorts } from "./control-ports.ts";
import { addDataRoutes } from "./data-routes.ts";
import { addDatasetRoutes } from "./dataset-routes.ts";
import { addEventRoutes } from "./event-routes.ts";
import { addFileRoutes } from "./file-routes.ts";
import { addFlowRoutes } from "./flow-routes.ts";
import { addHomeRoutes } from "./home-routes.ts";
import { addHookRoutes } from "./hook-routes.ts";
import { addLineageRoutes } from "./lineage-routes.ts";
import { addLiveRoutes } from "./live-routes.ts";
import { addLoadRoutes } from "./load-routes.ts";
import { addLogRoutes } from "./log-routes.ts";
import { addRowRoutes } from "./row-routes.ts";
import { addRunRoutes } from "./run-routes.ts";
import { addSecretRoutes } from "./secret-routes.ts";
import { addSetupRoutes } from "./setup-routes.ts";
import { addTenantRoutes } from "./tenant-routes.ts";

/** Largest body: parameters of a run, or a webhook's. */
const bodyBytesMax = 512 * 1024;

/** Longest name within an address, characters as they are sent: a tenant's may be in any script. */
const paramLengthMax = 6000;

/** Faults of one request that are told. */
const faultsMax = 20;

const description =
  "Flows, runs, schedules, workers, streams and datasets of a leat project. Requests bring a token as `Authorization: Bearer ...`, or the cookie of who has signed in; those that change something are written down as events of the kind `audit`. Failures are problem documents (RFC 9457) with leat's error codes.";

/** Builds the app. Try it with `app.inject(...)`; `serveControl` listens. */
export async function createControlApp(ports: ControlPorts): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: paramLengthMax },
    frameworkErrors: (error, _request, reply) => {
      const failure = new LeatError("USAGE", {
        message: "The address cannot be read: % begins two hexadecimal digits of UTF-8.",
        cause: error,
      });
      sendProblem(reply, failure, { redact: ports.redact });
    },
    // A proxy may leave the path that it leads here by, or take it away.
    rewriteUrl: ({ url = "/" }) => withoutBase(url, ports.ui.basePath),
    forceCloseConnections: true, // Streams of lines would hold up the stop for ever.
    ajv: { customOptions: { allErrors: true, removeAdditional: false, coerceTypes: "array" } },
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: `leat: ${ports.project.name}`, version: ports.version, description },
      ...(ports.ui.basePath !== "" && { servers: [{ url: ports.ui.basePath }] }),
      components: {
        securitySchemes: {
          token: { type: "http", scheme: "bearer" },
          session: {
            type: "apiKey",
            in: "cookie",
            name: ports.access.sessions?.cookieName ?? "leat-session",
          },
        },
      },
      security: [{ token: [] }, { session: [] }],
    },
    // Records by their own names, not by numbers.
    refResolver: {
      buildLocalReference: (json, _base, _fragment, at) => String(json["$id"] ?? `Answer${at}`),
    },
  });
  addAnswerSchemas(app);
  app.setErrorHandler((error, _request, reply) => {
    const failure = toLeatError(error);
    if (failure.code === "INTERNAL") ports.onProblem(error);
    const isOversize = error instanceof Error && "statusCode" in error && error.statusCode === 413;
    return sendProblem(reply, failure, { redact: ports.redact, ...(isOversize && { status: 413 }) });
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (isUiRequest(request) && (await answerUi(request, reply, ports.ui))) return reply;
    const message = `There is nothing at ${request.method} ${request.url.split("?")[0]}.`;
    const failure = new LeatError("USAGE", { message, hint: "See /api/openapi.json for what there is." });
    return sendProblem(reply, failure, { redact: ports.redact, status: 404 });
  });
  const { access, ledger, redact } = ports;
  guardRequests(app, { access, ledger, redact, isPage: isUiRequest });
  app.get("/live", { schema: { hide: true } }, async () => ({ status: "live" }));
  await app.register(
    async (api) => {
      api.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
      addSessionRoutes(api, {
        access: ports.access,
        clock: ports.clock,
        basePath: ports.ui.basePath,
      });
      addHomeRoutes(api, ports);
      addLiveRoutes(api, ports);
      addFlowRoutes(api, ports);
      addEventRoutes(api, ports);
      addRunRoutes(api, ports);
      addBulkRoutes(api, ports);
      addLogRoutes(api, ports);
      addDataRoutes(api, ports);
      addTenantRoutes(api, ports);
      addFileRoutes(api, ports);
      addDatasetRoutes(api, ports);
      addSecretRoutes(api, ports);
      addSetupRoutes(api, ports);
      addAlertRoutes(api, ports);
      addRowRoutes(api, ports);
      addLoadRoutes(api, ports);
      addLineageRoutes(api, ports);
      addHookRoutes(api, ports);
    },
    { prefix: "/api" },
  );
  return app;
}

const withoutBase = (url: string, base: string): string => {
  if (base === "" || !url.startsWith(base)) return url;
  const rest = url.slice(base.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : url;
};

type Invalid = Readonly<{
  validation: readonly Readonly<{ instancePath: string; message?: string; params: object }>[];
  validationContext?: string;
}>;

const isInvalid = (error: unknown): error is Error & Invalid =>
  error instanceof Error && "validation" in error && Array.isArray(error.validation);

function toLeatError(error: unknown): LeatError {
  if (isLeatError(error)) return error;
  if (isInvalid(error)) {
    const faults = error.validation.slice(0, faultsMax).map(({ instancePath, message, params }) => {
      const inside = instancePath.replaceAll("/", ".").slice(1);
      const extra = "additionalProperty" in params ? String(params.additionalProperty) : undefined;
      const path = [error.validationContext, inside, extra].filter(Boolean).join(".");
      return { path, problem: extra === undefined ? (message ?? "is wrong") : "is unknown" };
    });
    const listed = faults.map(({ path, problem }) => `${path} ${problem}`).join("; ");
    return new LeatError("USAGE", {
      message: `The request has faults: ${listed}.`,
      hint: "See /api/openapi.json for what it may hold.",
      details: { faults },
    });
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  const message = error instanceof Error ? error.message : String(error);
  if (status >= 400 && status < 500) return new LeatError("USAGE", { message });
  return new LeatError("INTERNAL", { message: "The request failed.", cause: error });
}
