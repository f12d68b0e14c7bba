/**
 * Sign-in at a provider of OpenID Connect: authorization code with PKCE, state and nonce. The provider's own words (its
 * endpoints, its keys) are read from its discovery document, so that any of them will do.
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
 */
import type { Configuration, IDToken, UserInfoResponse } from "openid-client";
import { LeatError } from "../../errors/leat-error.ts";
import type { Clock } from "../../ports/world.ts";

/** How long one answer of the provider is waited for, s. */
const answerSeconds = 10;

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
   * @param query - what the provider has added to the address that it leads back to.
   * @returns the address that the provider vouches for.
   * @throws LeatError `SIGN_IN_FAILED`; no code or token is told.
   */
  finish(query: URLSearchParams, kept: SignInState): Promise<string>;
}

type Client = typeof import("openid-client");

const failed = (message: string): LeatError => new LeatError("SIGN_IN_FAILED", { message });

/**
 * Opens the way. The provider is asked when somebody signs in first.
 *
 * @throws LeatError `DEPENDENCY_MISSING`.
 */
export async function openOidcSignIn(options: OidcOptions): Promise<OidcSignIn> {
  const client = await importClient();
  const { issuer, redirectUrl, clock } = options;
  let known: Readonly<{ configuration: Configuration; readAtMs: number }> | undefined;

  const configure = async (): Promise<Configuration> => {
    if (known !== undefined && clock.nowMs() - known.readAtMs < discoveryMs) return known.configuration;
    const configuration = await discover(client, options);
    known = { configuration, readAtMs: clock.nowMs() };
    return configuration;
  };

  /** Words of the library are told, what it has seen is not: there are codes and tokens in it. */
  const asked = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await call();
    } catch (error) {
      if (error instanceof LeatError) throw error;
      throw failed(`Signing in at ${issuer} failed: ${describe(error)}.`);
    }
  };

  return {
    issuer,
    begin: () =>
      asked(async () => {
        const configuration = await configure();
        const kept = {
          state: client.randomState(),
          nonce: client.randomNonce(),
          verifier: client.randomPKCECodeVerifier(),
        };
        const url = client.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUrl,
          scope: "openid email",
          state: kept.state,
          nonce: kept.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
          code_challenge_method: "S256",
        });
        return { url: url.href, kept };
      }),
    finish: (query, kept) =>
      asked(async () => {
        const configuration = await configure();
        const tokens = await client.authorizationCodeGrant(
          configuration,
          new URL(`${redirectUrl}?${query}`),
          {
            pkceCodeVerifier: kept.verifier,
            expectedState: kept.state,
            expectedNonce: kept.nonce,
            idTokenExpected: true,
          },
        );
        const claims = tokens.claims();
        if (claims === undefined) throw failed(`The provider ${issuer} gave no identity token.`);
        const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
        // Some providers put the address nowhere else.
        const isAsked = typeof claims["email"] !== "string" && hasMore;
        const told = isAsked
          ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : claims;
        return readAddress(issuer, told);
      }),
  };
}

async function discover(client: Client, options: OidcOptions): Promise<Configuration> {
  const { issuer, clientId, clientSecret } = options;
  const url = new URL(issuer);
  const isLocal = url.protocol === "http:"; // Settings let it be so on this machine alone.
  const found = await client.discovery(url, clientId, undefined, client.None(), {
    timeout: answerSeconds,
    execute: isLocal ? [client.allowInsecureRequests] : [],
  });
  const server = found.serverMetadata();
  // What a provider does not say, it takes as the standard's default.
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const authentication =
    clientSecret === undefined
      ? client.None()
      : methods.includes("client_secret_basic")
        ? client.ClientSecretBasic(clientSecret)
        : client.ClientSecretPost(clientSecret);
  const configuration = new client.Configuration(server, clientId, undefined, authentication);
  configuration.timeout = answerSeconds;
  if (isLocal) client.allowInsecureRequests(configuration);
  client.enableNonRepudiationChecks(configuration); // Signatures are verified, not the connection trusted.
  return configuration;
}

function readAddress(issuer: string, told: IDToken | UserInfoResponse): string {
  const { email, email_verified: isVerified } = told;
  if (typeof email !== "string" || !email.includes("@"))
    throw failed(`The provider ${issuer} does not tell the address of who signs in.`);
  if (String(isVerified ?? true) !== "true")
    throw failed(`The provider ${issuer} does not vouch for the address ${email}.`);
  return email.toLowerCase();
}

/** The library's sentence, which quotes nothing of a token, and what a provider's refusal is called in the standard. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "for no known reason";
  const named = "error" in error && /^[a-z_]{1,60}$/.test(String(error.error)) ? ` (${error.error})` : "";
  const answer = error.cause instanceof Response ? error.cause : error;
  const status = "status" in answer && typeof answer.status === "number" ? `, status ${answer.status}` : "";
  const said = error.cause instanceof Error ? error.cause : error; // What it stumbled over; the first says only that.
  return `${said.message.replace(/[.\s]+$/, "")}${named}${status}`;
}

async function importClient(): Promise<Client> {
  try {
    return await import("openid-client");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Signing in at a provider needs the package openid-client.",
      hint: "Run: npm install openid-client",
      cause,
    });
  }
}
