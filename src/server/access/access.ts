/** Who may use the control API and the console: what `leat up` is told, and who a request is from. */
import { hash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { OidcSignIn } from "./oidc-sign-in.ts";
import type { Role } from "./route-roles.ts";
import type { Sessions } from "./sessions.ts";

/** A token that programs send, and people sign in with. */
export type AccessToken = Readonly<{ text: string; role: Role }>;

/** Reads the assertion that Google's Identity-Aware Proxy adds to a request: the address of who asks. */
export type ReadAssertion = (assertion: string) => Promise<string>;

/** Who may do what. With neither tokens nor a way to sign in, programs and pages of this machine may do everything. */
export type Access = Readonly<{
  tokens: readonly AccessToken[];
  /** Sign-in at a provider of OpenID Connect. */
  oidc: OidcSignIn | undefined;
  /** Set behind Google's Identity-Aware Proxy. */
  readAssertion: ReadAssertion | undefined;
  /** The role of an address that a provider vouches for; `undefined`: it may nothing. */
  roleOf: (email: string) => Role | undefined;
  /** Seals what browsers keep; `undefined` where nobody signs in. */
  sessions: Sessions | undefined;
  /** Where people reach the console, when that is not the address it listens on. */
  publicUrl: URL | undefined;
  /** Who acts where nobody signs in: the account of this machine. */
  localName: string;
}>;

/** Who a request is from. `by`: how that is known. */
export type Caller = Readonly<{ name: string; role: Role; by: "machine" | "token" | "session" | "proxy" }>;

/** Whether nobody has to show anything. */
export const isOpen = ({ tokens, oidc, readAssertion }: Access): boolean =>
  tokens.length === 0 && oidc === undefined && readAssertion === undefined;

/** Header in which the proxy vouches for who asks. */
export const assertionHeader = "x-goog-iap-jwt-assertion";

/** Whether two secrets are equal, in a time that tells nothing of where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => Buffer.from(hash("sha256", text), "hex");
  return timingSafeEqual(digest(one), digest(other));
}

/** What a request brings as `Authorization: Bearer …`; `undefined`: nothing. */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** The token that a text is; all are compared, so that the time tells nothing. */
export function findToken(access: Access, text: string): AccessToken | undefined {
  return access.tokens.filter((token) => isSameSecret(token.text, text))[0];
}

/** Longest name that a caller may give itself, in characters. */
export const actorLengthMax = 100;

const callers = new WeakMap<FastifyRequest, Caller>();

/** Remembers who a request is from, for `callerOf`. */
export const rememberCaller = (request: FastifyRequest, caller: Caller): void =>
  void callers.set(request, caller);

/** Who a request is from; `undefined` on routes that are open. */
export const callerOf = (request: FastifyRequest): Caller | undefined => callers.get(request);

/** Who does it, for the record. A token says only that its bearer may: who that is, the request says itself. */
export function actorOf(request: FastifyRequest): string {
  const caller = callerOf(request);
  if (caller !== undefined && caller.by !== "token") return caller.name;
  const named = request.headers["x-leat-user"];
  if (typeof named === "string" && named !== "") return named.slice(0, actorLengthMax);
  return caller?.name ?? "api";
}

/** Finds out who a request is from. @throws LeatError `TOKEN_REFUSED`, `SIGN_IN_NEEDED`, `ROLE_MISSING`. */
export async function identify(access: Access, request: FastifyRequest): Promise<Caller> {
  if (isOpen(access)) return { name: access.localName, role: "admin", by: "machine" };
  const brought = bearerOf(request);
  if (brought !== undefined) {
    const token = findToken(access, brought);
    if (token !== undefined) return { name: "api", role: token.role, by: "token" };
    throw new LeatError("TOKEN_REFUSED", { message: "The request's token is not the right one." });
  }
  const assertion = request.headers[assertionHeader];
  if (access.readAssertion !== undefined && typeof assertion === "string") {
    const name = await access.readAssertion(assertion);
    return { name, role: roleOrRefuse(access, name), by: "proxy" };
  }
  const session = access.sessions?.read(request.headers.cookie);
  if (session === "expired") {
    throw new LeatError("SIGN_IN_NEEDED", { message: "The session is over." });
  }
  if (session !== undefined) {
    const role = session.role ?? roleOrRefuse(access, session.name);
    return { name: session.name, role, by: "session" };
  }
  if (access.tokens.length > 0 && access.oidc === undefined)
    throw new LeatError("TOKEN_REFUSED", { message: "The request has no token." });
  throw new LeatError("SIGN_IN_NEEDED", { message: "Nobody is signed in." });
}

function roleOrRefuse(access: Access, name: string): Role {
  const role = access.roleOf(name);
  if (role !== undefined) return role;
  throw new LeatError("ROLE_MISSING", {
    message: `${name} is signed in, and has no role here.`,
    hint: "Ask for the address to be added to LEAT_VIEWERS, LEAT_OPERATORS or LEAT_ADMINS.",
  });
}
