/** Who may use the control API, and the record of who changed something. */
import { hash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { ControlPorts } from "./control-ports.ts";

/** Whether two secrets are equal, in a time that tells nothing of where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => Buffer.from(hash("sha256", text), "hex");
  return timingSafeEqual(digest(one), digest(other));
}

/** What a request brings as `Authorization: Bearer …`; `undefined`: nothing. */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Refuses requests without the token, and writes down those that change something, before they do. */
export function guardRequests(app: FastifyInstance, ports: ControlPorts): void {
  app.addHook("onRequest", async (request) => {
    if (!isGuarded(request)) return;
    if (ports.token === undefined) return refuseStrangers(request);
    const brought = bearerOf(request);
    if (brought !== undefined && isSameSecret(brought, ports.token)) return;
    throw new LeatError("TOKEN_REFUSED", {
      message:
        brought === undefined ? "The request has no token." : "The request's token is not the right one.",
    });
  });
  app.addHook("preHandler", async (request) => {
    if (request.method === "GET" || request.method === "HEAD" || !isGuarded(request)) return;
    await ports.ledger.appendEvent({
      kind: "audit",
      subject: `${request.method} ${request.url.split("?")[0]}`,
      runId: null,
      data: { by: actorOf(request), address: request.ip },
      dedupKey: null,
    });
  });
}

/** Routes that need no token: a supervisor's, and webhooks, which have secrets of their own. */
const openRoutes: ReadonlySet<string | undefined> = new Set(["/live", "/api/hooks/:id"]);

/** By the route that was found, and not by the address, of which there are many ways to write the same. */
const isGuarded = (request: FastifyRequest): boolean => !openRoutes.has(request.routeOptions.url);

/** Longest name that a caller may give itself, in characters. */
const actorLengthMax = 100;

/** Who a request says that it is from; the token says only that it may. */
export function actorOf(request: FastifyRequest): string {
  const named = request.headers["x-leat-user"];
  return typeof named === "string" && named !== "" ? named.slice(0, actorLengthMax) : "api";
}

/**
 * Without a token, only programs and pages of this machine are let in: a page of somebody else's in this machine's
 * browser could send requests here, too.
 */
function refuseStrangers(request: FastifyRequest): void {
  const isLocal = (host: string): boolean => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host);
  const { origin } = request.headers;
  const from = origin === undefined ? undefined : URL.canParse(origin) ? new URL(origin).host : "";
  if (isLocal(request.headers.host ?? "") && (from === undefined || isLocal(from))) return;
  throw new LeatError("TOKEN_REFUSED", {
    message: "The request comes from another site.",
    hint: "Set LEAT_TOKEN for `leat up`, and send it as `Authorization: Bearer ...`.",
  });
}
