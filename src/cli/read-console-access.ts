/** Who may use the console and the control API, as options and environment say. */
import { randomBytes } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { Clock, Secrets } from "../ports/world.ts";
import type { Access, AccessToken, ReadAssertion } from "../server/access/access.ts";
import type { OidcSignIn } from "../server/access/oidc-sign-in.ts";
import type { Role } from "../server/access/route-roles.ts";
import { Sessions } from "../server/access/sessions.ts";
import type { Invocation } from "./invocation.ts";

type Environment = Invocation["environment"];

/** What access is made of. */
export type AccessSettings = Readonly<{
  environment: Environment;
  /** `--token`: reference of the token that may do everything. */
  token: string | undefined;
  secrets: Secrets;
  clock: Clock;
  localName: string;
}>;

/** Variables that hold a token each, and what it lets its bearer do. */
const tokenVariables: readonly (readonly [string, Role])[] = [
  ["LEAT_TOKEN", "admin"],
  ["LEAT_TOKEN_OPERATOR", "operator"],
  ["LEAT_TOKEN_VIEWER", "viewer"],
];

/** Variables that list addresses, the greater role first. */
const addressVariables: readonly (readonly [string, Role])[] = [
  ["LEAT_ADMINS", "admin"],
  ["LEAT_OPERATORS", "operator"],
  ["LEAT_VIEWERS", "viewer"],
];

/** Who signs the assertions of Google's Identity-Aware Proxy, and where its keys are. */
const proxyIssuer = "https://cloud.google.com/iap";
const proxyKeys = "https://www.gstatic.com/iap/verify/public_key-jwk";

/**
 * Reads who may do what.
 *
 * `LEAT_TOKEN`, `LEAT_TOKEN_OPERATOR`, `LEAT_TOKEN_VIEWER`: tokens. `LEAT_OIDC_ISSUER`, `LEAT_OIDC_CLIENT_ID`,
 * `LEAT_OIDC_CLIENT_SECRET` (a reference): a provider to sign in at. `LEAT_IAP_AUDIENCE`: behind Google's proxy.
 * `LEAT_ADMINS`, `LEAT_OPERATORS`, `LEAT_VIEWERS`: addresses, or `@example.com` for all of a domain. `LEAT_PUBLIC_URL`:
 * where people reach the console.
 *
 * @throws LeatError `CONFIG_INVALID` naming the variable; `SECRET_MISSING`.
 */
export async function readConsoleAccess(settings: AccessSettings): Promise<Access> {
  const { environment, clock } = settings;
  const tokens = await readTokens(settings);
  const publicUrl = readPublicUrl(environment);
  const roleOf = readRoles(environment);
  const isSecure = publicUrl?.protocol === "https:";
  const clientSecret = await readClientSecret(settings);
  const oidc = await openOidc(settings, { publicUrl, clientSecret });
  const readAssertion = await openAssertions(environment, clock);
  if (oidc !== undefined || readAssertion !== undefined) needRoles(environment);
  // Whoever changes a token or the provider's secret ends the sessions that it began. A public client has no secret:
  // then this process makes one up, and sessions end with it.
  const own = [...tokens.map(({ text }) => text), ...(clientSecret === undefined ? [] : [clientSecret])];
  const sealedBy = own.length === 0 ? [randomBytes(32).toString("hex")] : own;
  const needsSessions = tokens.length > 0 || oidc !== undefined;
  return {
    tokens,
    oidc,
    readAssertion,
    roleOf,
    sessions: needsSessions ? new Sessions(JSON.stringify(sealedBy), clock, isSecure) : undefined,
    publicUrl,
    localName: settings.localName,
  };
}

/** Characters of a token: whoever tries a thousand a second has no hope then. */
const tokenLengthMin = 16;

async function readTokens({ environment, token, secrets }: AccessSettings): Promise<readonly AccessToken[]> {
  const tokens: AccessToken[] = [];
  for (const [variable, role] of tokenVariables) {
    const named = variable === "LEAT_TOKEN" ? token : undefined;
    const reference = named ?? (environment[variable] ? `env:${variable}` : undefined);
    if (reference !== undefined) tokens.push({ text: await secrets.resolve(reference), role });
  }
  const weak = tokens.find(({ text }) => text.length < tokenLengthMin);
  if (weak !== undefined)
    throw invalid(
      `The token of the role ${weak.role} has fewer than ${tokenLengthMin} characters.`,
      "Make one that nobody guesses: openssl rand -hex 16.",
    );
  const texts = new Set(tokens.map(({ text }) => text));
  if (texts.size < tokens.length)
    throw invalid("Two of the tokens are equal.", "Give each role a token of its own.");
  return tokens;
}

function readPublicUrl(environment: Environment): URL | undefined {
  const text = environment["LEAT_PUBLIC_URL"] ?? "";
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === "") return url;
  throw invalid(`LEAT_PUBLIC_URL "${text}" is no address.`, "Write it such as https://leat.example.com.");
}

/** Roles by address; the greatest that is named counts. */
function readRoles(environment: Environment): (email: string) => Role | undefined {
  const lists = addressVariables.map(([variable, role]) => {
    const names = listOf(environment[variable]);
    const odd = names.find((name) => !/^[^\s@]*@[^\s@]+$/.test(name));
    if (odd !== undefined)
      throw invalid(`${variable}: "${odd}" is neither an address nor @domain.`, "Separate them by commas.");
    return { names: new Set(names), role };
  });
  return (email) => {
    const address = email.toLowerCase();
    const domain = address.slice(address.lastIndexOf("@"));
    return lists.find(({ names }) => names.has(address) || names.has(domain))?.role;
  };
}

function needRoles(environment: Environment): void {
  if (addressVariables.some(([variable]) => listOf(environment[variable]).length > 0)) return;
  throw invalid(
    "People can sign in, and nobody has a role.",
    "List addresses in LEAT_ADMINS, LEAT_OPERATORS or LEAT_VIEWERS; @example.com stands for a domain.",
  );
}

async function readClientSecret({ environment, secrets }: AccessSettings): Promise<string | undefined> {
  const reference = environment["LEAT_OIDC_CLIENT_SECRET"] ?? "";
  return reference === "" ? undefined : await secrets.resolve(reference);
}

async function openOidc(
  { environment, clock }: AccessSettings,
  { publicUrl, clientSecret }: Readonly<{ publicUrl: URL | undefined; clientSecret: string | undefined }>,
): Promise<OidcSignIn | undefined> {
  const issuer = environment["LEAT_OIDC_ISSUER"] ?? "";
  if (issuer === "") return undefined;
  const isLocal = (url: URL): boolean => ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || (url.protocol !== "https:" && !isLocal(url)))
    throw invalid(
      `LEAT_OIDC_ISSUER "${issuer}" is no https address.`,
      "Such as https://accounts.google.com.",
    );
  const clientId = environment["LEAT_OIDC_CLIENT_ID"] ?? "";
  if (clientId === "") throw invalid("LEAT_OIDC_CLIENT_ID is not set.", "The provider gives it to a client.");
  if (publicUrl === undefined)
    throw invalid(
      "LEAT_PUBLIC_URL is not set, and the provider must lead back there.",
      "Set it to the address that people use, such as https://leat.example.com.",
    );
  const { openOidcSignIn } = await import("../server/access/oidc-sign-in.ts");
  return await openOidcSignIn({
    issuer,
    clientId,
    clientSecret,
    redirectUrl: `${publicUrl.href.replace(/\/$/, "")}/api/session/oidc/callback`,
    clock,
  });
}

async function openAssertions(environment: Environment, clock: Clock): Promise<ReadAssertion | undefined> {
  const audience = environment["LEAT_IAP_AUDIENCE"] ?? "";
  if (audience === "") return undefined;
  const { openJwtVerifier } = await import("../google/open-jwt-verifier.ts");
  const verify = await openJwtVerifier(clock);
  const keysUrl = environment["LEAT_IAP_KEYS_URL"] || proxyKeys;
  return async (assertion) => {
    const { email } = await verify(assertion, { issuer: proxyIssuer, audience, keysUrl });
    if (typeof email === "string" && email !== "") return email.toLowerCase();
    throw new LeatError("SIGN_IN_FAILED", { message: "The proxy's assertion names no address." });
  };
}

/** Names between commas. */
const listOf = (text: string | undefined): readonly string[] =>
  (text ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");

const invalid = (message: string, hint: string): LeatError =>
  new LeatError("CONFIG_INVALID", { message, hint });
