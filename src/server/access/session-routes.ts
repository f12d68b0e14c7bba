/** Signing in and out. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { Clock } from "../../ports/world.ts";
import { answers, flag, orNull, record, text } from "../control/answer-schemas.ts";
import { type Access, actorLengthMax, findToken, identify, isOpen } from "./access.ts";
import { refuseOrigin } from "./guard-requests.ts";
import { roles } from "./route-roles.ts";

/** How long a sign-in at a provider may take, ms. */
const signInMs = 10 * 60_000;

const stateSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  endsAtMs: z.number(),
});

const sessionAnswer = {
  ...record({
    user: orNull(text),
    role: orNull({ enum: roles }),
    is_open: flag,
    can_sign_out: flag,
    sign_in: record({ token: flag, oidc: orNull(text) }),
    problem: orNull(text),
  }),
  description:
    "Who is signed in and what they may. `user` null: nobody; `sign_in` then says how: by a token, or at a provider.",
};

type SessionPorts = Readonly<{ access: Access; clock: Clock; basePath: string }>;

export function addSessionRoutes(app: FastifyInstance, ports: SessionPorts): void {
  const { access, clock, basePath } = ports;
  const { sessions, oidc } = access;
  const tags = ["session"];
  const common = { tags, security: [] };
  const ways = { token: access.tokens.length > 0 && sessions !== undefined, oidc: oidc?.issuer ?? null };

  app.get(
    "/session",
    { schema: { ...common, summary: "Who is signed in, and how to.", response: answers(sessionAnswer) } },
    async (request, reply) => {
      reply.header("cache-control", "no-store");
      try {
        const caller = await identify(access, request);
        return {
          user: caller.name,
          role: caller.role,
          is_open: isOpen(access),
          can_sign_out: caller.by === "session",
          sign_in: ways,
          problem: null,
        };
      } catch (error) {
        if (!isLeatError(error)) throw error;
        const isTold = error.code === "ROLE_MISSING" || request.headers.authorization !== undefined;
        return {
          user: null,
          role: null,
          is_open: false,
          can_sign_out: sessions?.read(request.headers.cookie) !== undefined,
          sign_in: ways,
          problem: isTold || error.message === "The session is over." ? error.message : null,
        };
      }
    },
  );

  app.post<{ Body: { token: string; name?: string } }>(
    "/session",
    {
      schema: {
        ...common,
        summary: "Sign in with a token; the answer sets a cookie.",
        body: {
          type: "object",
          additionalProperties: false,
          required: ["token"],
          properties: {
            token: { type: "string", minLength: 1, maxLength: 4096 },
            name: {
              type: "string",
              minLength: 1,
              maxLength: actorLengthMax,
              description: "Who signs in, for the record.",
            },
          },
        },
        response: answers(record({ user: text, role: { enum: roles } })),
      },
    },
    async (request, reply) => {
      refuseOrigin(access, request);
      if (sessions === undefined)
        throw new LeatError("NOT_SUPPORTED", { message: "Nobody has to sign in here." });
      const token = findToken(access, request.body.token);
      if (token === undefined) {
        throw new LeatError("TOKEN_REFUSED", {
          message: "The token is not the right one.",
          hint: "It is the value of LEAT_TOKEN where `leat up` runs.",
        });
      }
      const user = request.body.name ?? token.role;
      reply.header("set-cookie", sessions.begin(user, token.role));
      return { user, role: token.role };
    },
  );

  app.delete(
    "/session",
    {
      schema: {
        ...common,
        summary: "End the session of the cookie.",
        response: answers(record({ signed_out: flag })),
      },
    },
    async (request, reply) => {
      refuseOrigin(access, request);
      if (sessions !== undefined) reply.header("set-cookie", sessions.end(request.headers.cookie));
      return { signed_out: sessions !== undefined };
    },
  );

  app.get<{ Querystring: { return_to: string } }>(
    "/session/oidc",
    {
      schema: {
        ...common,
        summary: "Sign in at the provider; leads there.",
        querystring: {
          type: "object",
          properties: {
            return_to: { type: "string", maxLength: 2000, default: "/", description: "An address here." },
          },
        },
      },
    },
    async (request, reply) => {
      const { sealed, provider } = needOidc();
      const { url, kept } = await provider.begin();
      const state = {
        ...kept,
        returnTo: ownAddress(request.query.return_to),
        endsAtMs: clock.nowMs() + signInMs,
      };
      reply.header("set-cookie", sealed.cookie("leat-sign-in", sealed.seal("sign-in", state), signInMs));
      return reply.header("cache-control", "no-store").redirect(url, 303);
    },
  );

  app.get<{ Querystring: { state?: string } }>(
    "/session/oidc/callback",
    {
      schema: {
        ...common,
        summary: "Where the provider leads back to.",
        querystring: {
          type: "object",
          properties: {
            code: { type: "string", maxLength: 4096 },
            state: { type: "string", maxLength: 200 },
            error: { type: "string", maxLength: 200 },
            iss: { type: "string", maxLength: 1000 },
          },
        },
      },
    },
    async (request, reply) => {
      const { sealed, provider } = needOidc();
      const cookie = sealed.find("leat-sign-in", request.headers.cookie);
      const parsed = stateSchema.safeParse(sealed.unseal("sign-in", cookie));
      const { state } = request.query;
      const isOurs = parsed.success && parsed.data.state === state && parsed.data.endsAtMs > clock.nowMs();
      if (!isOurs) throw new LeatError("SIGN_IN_FAILED", { message: "This sign-in was not begun here." });
      const query = new URLSearchParams(request.url.split("?")[1] ?? "");
      const name = await provider.finish(query, parsed.data);
      reply.header("set-cookie", [
        sealed.begin(name, undefined),
        sealed.cookie("leat-sign-in", "", 0), // A code is good once.
      ]);
      return reply.header("cache-control", "no-store").redirect(`${basePath}${parsed.data.returnTo}`, 303);
    },
  );

  function needOidc() {
    if (oidc !== undefined && sessions !== undefined) return { provider: oidc, sealed: sessions };
    throw new LeatError("NOT_SUPPORTED", { message: "No provider is set up to sign in at." });
  }
}

/**
 * An address of this server: whoever signs in must not be led to another's. Browsers leave out tabs and line ends, and
 * take a backslash for a slash, so that neither may stand in it.
 */
function ownAddress(asked: string): string {
  const isOwn = /^\/(?!\/)/.test(asked) && !/[\\\s]/.test(asked) && !/\p{Cc}/u.test(asked);
  return isOwn ? asked : "/";
}
