/**
 * Sign-in at a provider of OpenID Connect: authorization code with PKCE. The provider's own words (its endpoints, its
 * keys) are read from its discovery document, so that any of them will do.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
 * @see https://www.rfc-editor.org/rfc/rfc9700.html on state, nonce and PKCE together
 */
import { hash, randomBytes } from "node:crypto";
import { z } from "zod";
import { LeatError } from "../../errors/leat-error.ts";
import type { Clock } from "../../ports/world.ts";

/** How long one answer of the provider is waited for, ms. */
const answerMs = 10_000;

/** How long its discovery document is kept, ms. */
const discoveryMs = 3_600_000;

/** Where and as whom people sign in. */
export type OidcOptions = Readonly<{
  /** The provider, as its tokens name it: `https://accounts.google.com`. */
  issuer: string;
  clientId: string;
  /** `undefined`: a public client, for which PKCE alone stands. */
  clientSecret: string | undefined;
  /** Where the provider leads back to. */
  redirectUrl: string;
  clock: Clock;
  /** Verifies signature, issuer, audience and times of an identity token by keys at this address. */
  verifyToken: (token: string, keysUrl: string) => Promise<Readonly<Record<string, unknown>>>;
}>;

/** What must be known again when the provider leads back. */
export type SignInState = Readonly<{ state: string; nonce: string; verifier: string }>;

/** A way to sign in. */
export interface OidcSignIn {
  readonly issuer: string;
  /** Where to send the browser, and what to keep until it comes back. */
  begin(): Promise<Readonly<{ url: string; kept: SignInState }>>;
  /**
   * Ends a sign-in.
   *
   * @returns the address that the provider vouches for.
   * @throws LeatError `SIGN_IN_FAILED`; no code or token is told.
   */
  finish(code: string, kept: SignInState): Promise<string>;
}

const discoverySchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});
type Discovery = z.infer<typeof discoverySchema>;

const tokensSchema = z.object({ id_token: z.string() });

const claimsSchema = z.object({
  nonce: z.string(),
  email: z.string().min(3),
  email_verified: z.union([z.boolean(), z.string()]).optional(),
});

const failed = (message: string, cause?: unknown): LeatError =>
  new LeatError("SIGN_IN_FAILED", { message, ...(cause !== undefined && { cause }) });

/** Opens the way. Nothing is asked before somebody signs in. */
export function openOidcSignIn(options: OidcOptions): OidcSignIn {
  const { issuer, clientId, clientSecret, redirectUrl, clock } = options;
  let known: Readonly<{ discovery: Discovery; readAtMs: number }> | undefined;

  const discover = async (): Promise<Discovery> => {
    if (known !== undefined && clock.nowMs() - known.readAtMs < discoveryMs) return known.discovery;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const parsed = discoverySchema.safeParse(await askJson(url, {}));
    if (!parsed.success) throw failed(`The provider ${issuer} does not describe itself at ${url}.`);
    if (parsed.data.issuer !== issuer)
      throw failed(`The provider at ${issuer} calls itself ${parsed.data.issuer}.`);
    known = { discovery: parsed.data, readAtMs: clock.nowMs() };
    return parsed.data;
  };

  const exchange = async (discovery: Discovery, code: string, verifier: string): Promise<string> => {
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUrl,
      code_verifier: verifier,
    });
    const headers: Record<string, string> = { "content-type": "application/x-www-form-urlencoded" };
    // What a provider does not say, it takes as the standard's default.
    const methods = discovery.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    if (clientSecret !== undefined && methods.includes("client_secret_basic")) {
      const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
      headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
    } else {
      form.set("client_id", clientId);
      if (clientSecret !== undefined) form.set("client_secret", clientSecret);
    }
    const answer = await askJson(discovery.token_endpoint, { method: "POST", headers, body: form });
    const parsed = tokensSchema.safeParse(answer);
    if (parsed.success) return parsed.data.id_token;
    throw failed(`The provider ${issuer} gave no identity token.`);
  };

  return {
    issuer,
    async begin() {
      const { authorization_endpoint: endpoint } = await discover();
      const random = (): string => randomBytes(32).toString("base64url");
      const kept = { state: random(), nonce: random(), verifier: random() };
      const url = new URL(endpoint);
      const asked = {
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUrl,
        scope: "openid email",
        state: kept.state,
        nonce: kept.nonce,
        code_challenge: hash("sha256", kept.verifier, "base64url"),
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
      return { url: url.href, kept };
    },
    async finish(code, kept) {
      const discovery = await discover();
      const token = await exchange(discovery, code, kept.verifier);
      const claims = claimsSchema.safeParse(await options.verifyToken(token, discovery.jwks_uri));
      if (!claims.success) throw failed(`The provider ${issuer} does not tell the address of who signs in.`);
      const { nonce, email, email_verified: isVerified } = claims.data;
      if (nonce !== kept.nonce) throw failed("The identity token belongs to another sign-in.");
      if (String(isVerified ?? true) !== "true")
        throw failed(`The provider ${issuer} does not vouch for the address ${email}.`);
      return email.toLowerCase();
    },
  };

  async function askJson(url: string, request: RequestInit): Promise<unknown> {
    try {
      const answer = await fetch(url, {
        ...request,
        redirect: "error",
        signal: AbortSignal.timeout(answerMs),
      });
      if (answer.ok) return await answer.json();
      // Not a word of its body: it may quote the code.
      throw failed(`The provider ${issuer} answered ${new URL(url).pathname} with ${answer.status}.`);
    } catch (cause) {
      if (cause instanceof LeatError) throw cause;
      throw failed(`The provider ${issuer} cannot be asked.`, cause);
    }
  }
}
