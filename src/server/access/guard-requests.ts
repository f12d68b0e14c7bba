/** Lets in who may, and writes down who changed something. */
import assert from "node:assert/strict";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { Ledger } from "../../ports/ledger.ts";
import { type Access, actorOf, callerOf, identify, isOpen, rememberCaller } from "./access.ts";
import { mayAct, type RouteRole, routeRoles } from "./route-roles.ts";

/** What the guard works with. */
export type GuardPorts = Readonly<{
  access: Access;
  ledger: Ledger;
  redact: (text: string) => string;
  /** Whether a request asks for a file or page of the console, which are everybody's. */
  isPage: (request: FastifyRequest) => boolean;
}>;

const isRead = ({ method }: FastifyRequest): boolean => method === "GET" || method === "HEAD";

/**
 * Refuses requests of those who may not, and writes down those that change something, before they do.
 *
 * By the route that was found, and not by the address, of which there are many ways to write the same.
 */
export function guardRequests(app: FastifyInstance, ports: GuardPorts): void {
  const { access } = ports;
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat())
      assert(routeRoles.has(`${one} ${url}`), `the route ${one} ${url} has its role in route-roles.ts`);
  });
  app.addHook("onRequest", async (request) => {
    const needs = roleFor(request, ports);
    const { url } = request.routeOptions;
    if (isOpen(access) && (needs !== "open" || url?.startsWith("/api/session"))) refuseStrangers(request);
    if (needs === "open") return;
    const caller = await identify(access, request);
    rememberCaller(request, caller);
    if (!mayAct(caller.role, needs)) {
      throw new LeatError("ROLE_MISSING", {
        message: `This needs the role ${needs}; ${caller.name} is ${caller.role}.`,
        details: { needs, has: caller.role },
      });
    }
    // A browser adds cookies to whatever page asks; a token it adds to none.
    if (caller.by !== "token" && caller.by !== "machine" && !isRead(request)) refuseOrigin(access, request);
  });
  app.addHook("preHandler", async (request) => {
    if (isRead(request) || roleFor(request, ports) === "open") return;
    await ports.ledger.appendEvent({
      kind: "audit",
      subject: `${request.method} ${request.url.split("?")[0]}`,
      runId: null,
      data: {
        by: actorOf(request),
        role: callerOf(request)?.role ?? null,
        address: request.ip,
        ...describeBody(request, ports.redact),
      },
      dedupKey: null,
    });
  });
}

/** Characters of a request's body that are written down. */
const bodyLengthMax = 2000;

/** What was asked for, for the record. Of secrets not a word: what is written there is the secret itself. */
function describeBody(
  request: FastifyRequest,
  redact: (text: string) => string,
): Readonly<{ body?: string }> {
  const { url } = request.routeOptions;
  const hasNone = request.body === undefined || request.body === null;
  if (hasNone || url?.startsWith("/api/secrets")) return {};
  return { body: redact(JSON.stringify(request.body)).slice(0, bodyLengthMax) };
}

/** Addresses that lead nowhere are nobody's business but of those who may look around. */
function roleFor(request: FastifyRequest, { isPage }: GuardPorts): RouteRole {
  if (request.is404) return isPage(request) ? "open" : "viewer";
  const { url } = request.routeOptions;
  const role = routeRoles.get(`${request.method} ${url}`);
  assert(role !== undefined, `the route ${request.method} ${url} has a role`);
  return role;
}

/**
 * A page of another site must not write in the name of who is signed in here. Browsers say with each such request where
 * it comes from; one that does not say is none of a browser that can be trusted to keep cookies.
 */
export function refuseOrigin(access: Access, request: FastifyRequest): void {
  const { origin, host } = request.headers;
  const from = origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined;
  const own = access.publicUrl === undefined ? host : access.publicUrl.host;
  if (from !== undefined && from === own) return;
  throw new LeatError("ORIGIN_REFUSED", {
    message: `A change was asked for by ${origin === undefined ? "a page that does not say where it is from" : "a page of another site"}.`,
    hint:
      access.publicUrl === undefined
        ? "Where a proxy stands in front, set LEAT_PUBLIC_URL to the address that people use."
        : `Open the console at ${access.publicUrl.origin}.`,
  });
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
