/**
 * A provider of OpenID Connect: signs in whomever a test names, once for each code, and looks at what the standard says
 * that a provider must look at (PKCE, the client's secret, where it leads back to).
 *
 * @see https://openid.net/specs/openid-connect-core-1_0.html
 */
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { type FakeServer, startFake } from "./fake-server.ts";

/** A running provider. */
export interface OidcProvider extends FakeServer {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly keysUrl: string;
  /**
   * What a browser does at the address that it was led to: somebody signs in, and is led back.
   *
   * @param claims - of the identity token, over those that are right.
   * @returns the address that it is led back to.
   */
  signIn(url: string, claims: Readonly<Record<string, unknown>>): string;
  /** A token by this provider's key, or by a forger's of the same name. */
  sign(
    claims: Readonly<Record<string, unknown>>,
    how?: Readonly<{ isForged?: boolean; isEcdsa?: boolean }>,
  ): string;
}

type Code = Readonly<{ challenge: string; redirectUrl: string; claims: Readonly<Record<string, unknown>> }>;

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts a provider. */
export async function startOidcProvider(): Promise<OidcProvider> {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const clientId = "leat-console";
  const clientSecret = "a secret/with:signs";
  const codes = new Map<string, Code>();
  const sign: OidcProvider["sign"] = (claims, { isForged, isEcdsa } = {}) => {
    const nowS = Math.floor(Date.now() / 1000);
    const usual = {
      iss: fake.url,
      aud: clientId,
      sub: "1",
      iat: nowS,
      exp: nowS + 300,
      email_verified: true,
    };
    const head = isEcdsa === true ? { alg: "ES256", kid: "ec" } : { alg: "RS256", kid: "rsa" };
    const signed = `${encode({ typ: "JWT", ...head })}.${encode({ ...usual, ...claims })}`;
    const key: KeyObject =
      isEcdsa === true ? ec.privateKey : isForged === true ? other.privateKey : rsa.privateKey;
    const signature = createSign("SHA256")
      .update(signed)
      .sign({ key, dsaEncoding: "ieee-p1363" }, "base64url");
    return `${signed}.${signature}`;
  };
  const fake = await startFake(({ path, body, headers }) => {
    if (path === "/.well-known/openid-configuration") {
      return {
        status: 200,
        body: {
          issuer: fake.url,
          authorization_endpoint: `${fake.url}/authorize?tenant=1`,
          token_endpoint: `${fake.url}/token`,
          jwks_uri: `${fake.url}/keys`,
        },
      };
    }
    if (path === "/keys") {
      const keys = [
        { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa", use: "sig" },
        { ...ec.publicKey.export({ format: "jwk" }), kid: "ec", use: "sig" },
        { kty: "unheard-of", kid: "odd" },
      ];
      return { status: 200, body: { keys } };
    }
    if (path !== "/token") return { status: 404 };
    const form = body as Record<string, string>; // A form, as the standard has it.
    const code = codes.get(form["code"] ?? "");
    codes.delete(form["code"] ?? "");
    // Each half is written as in a form, and then both together in base64 (RFC 6749, 2.3.1).
    const basic = Buffer.from(headers.authorization?.replace("Basic ", "") ?? "", "base64").toString();
    const pair = basic.split(":").map((half) => decodeURIComponent(half.replaceAll("+", " ")));
    const isRight =
      code !== undefined &&
      pair[0] === clientId &&
      pair[1] === clientSecret &&
      form["redirect_uri"] === code.redirectUrl &&
      createHash("sha256")
        .update(form["code_verifier"] ?? "")
        .digest("base64url") === code.challenge;
    if (!isRight) return { status: 400, body: { error: "invalid_grant", error_description: form["code"] } };
    const { isForged, ...claims } = code.claims;
    return {
      status: 200,
      body: {
        token_type: "Bearer",
        access_token: "of-no-use",
        id_token: sign(claims, { isForged: isForged === true }),
      },
    };
  });
  return Object.assign(fake, {
    clientId,
    clientSecret,
    keysUrl: `${fake.url}/keys`,
    sign,
    signIn(url: string, claims: Readonly<Record<string, unknown>>) {
      const asked = new URL(url);
      const ask = (name: string): string => asked.searchParams.get(name) ?? "";
      if (
        ask("client_id") !== clientId ||
        ask("code_challenge_method") !== "S256" ||
        ask("scope") !== "openid email"
      )
        throw new Error(`the provider does not know what ${url} asks for`);
      const code = randomBytes(8).toString("hex");
      codes.set(code, {
        challenge: ask("code_challenge"),
        redirectUrl: ask("redirect_uri"),
        claims: { nonce: ask("nonce"), ...claims },
      });
      const back = new URL(ask("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", ask("state"));
      return back.href;
    },
  });
}
