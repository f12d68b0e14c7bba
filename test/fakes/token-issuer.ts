/**
 * Who gives tokens on Google Cloud: the metadata server, which a service asks for its own access token, and the issuer of
 * identity tokens, whose certificates are public.
 *
 * @see https://docs.cloud.google.com/compute/docs/metadata/querying-metadata
 */
import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type FakeServer, startFake } from "./fake-server.ts";

/** Claims of an identity token; what is left out is right. */
export type Claims = Partial<
  Readonly<{ aud: string; email: string; email_verified: boolean; iss: string; iat: number; exp: number }>
>;

/** A running issuer. */
export interface TokenIssuer extends FakeServer {
  /** `host:port`, as `GCE_METADATA_HOST` names it. */
  readonly metadataHost: string;
  readonly certificatesUrl: string;
  /** The access token that it gives. */
  readonly accessToken: string;
  /** Signs an identity token, with a key of its own or another. */
  sign(claims: Claims, how?: Readonly<{ isForged?: boolean; keyId?: string }>): string;
}

/** Account that tokens are of. */
export const callerEmail = "caller@my-project.iam.gserviceaccount.com";

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function signWith(key: KeyObject, claims: object, keyId: string): string {
  const signed = `${encode({ alg: "RS256", kid: keyId, typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
}

/** Starts an issuer. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  const options = { modulusLength: 2048 } as const;
  const own = generateKeyPairSync("rsa", options);
  const other = generateKeyPairSync("rsa", options);
  const accessToken = "ya29.access-token-of-the-service";
  const metadata = { "metadata-flavor": "Google" };
  const fake = await startFake(({ path }) => {
    if (path === "/certs") {
      // Google shows certificates; a verifier takes a public key in their place.
      const body = { "key-1": own.publicKey.export({ type: "spki", format: "pem" }) };
      return { status: 200, body, headers: { "cache-control": "public, max-age=3600" } };
    }
    if (path.startsWith("/computeMetadata/v1/instance/service-accounts/default/token")) {
      const body = { access_token: accessToken, expires_in: 3600, token_type: "Bearer" };
      return { status: 200, body, headers: metadata };
    }
    if (path.startsWith("/computeMetadata/v1/project/project-id")) {
      return { status: 200, body: "my-project", headers: metadata };
    }
    if (path.startsWith("/computeMetadata/v1/instance/service-accounts/default/email")) {
      return { status: 200, body: "sync@my-project.iam.gserviceaccount.com", headers: metadata };
    }
    if (path.startsWith("/computeMetadata/v1/universe")) {
      return { status: 200, body: "googleapis.com", headers: metadata };
    }
    if (path === "/computeMetadata/v1/instance" || path === "/computeMetadata/v1/instance/") {
      return { status: 200, body: {}, headers: metadata };
    }
    return { status: 404, body: "not found", headers: metadata };
  });
  return {
    ...fake,
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    metadataHost: fake.url.slice("http://".length),
    certificatesUrl: `${fake.url}/certs`,
    accessToken,
    sign(claims, { isForged = false, keyId = "key-1" } = {}) {
      const nowSeconds = Math.floor(Date.now() / 1000); // The library that verifies has the system's clock.
      const full = {
        iss: "https://accounts.google.com",
        aud: "https://app.example",
        email: callerEmail,
        email_verified: true,
        iat: nowSeconds - 10,
        exp: nowSeconds + 3000,
        ...claims,
      };
      return signWith(isForged ? other.privateKey : own.privateKey, full, keyId);
    },
  };
}
