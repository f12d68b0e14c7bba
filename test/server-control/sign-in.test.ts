/** Sign-in at a provider, behind Google's proxy, and what settings of these are refused. */
import { expect, test } from "vitest";
import { readConsoleAccess } from "../../src/cli/read-console-access.ts";
import { systemClock } from "../../src/cli/system-world.ts";
import { type OidcProvider, startOidcProvider } from "../fakes/oidc-provider.ts";
import { type ApiStand, withApi } from "./open-api.ts";

const token = "sixteen letters!";
const publicUrl = "https://leat.example.com/tools";
const roles = { LEAT_ADMINS: "ann@example.com", LEAT_VIEWERS: "@example.com, guest@elsewhere.org" };

const read = (environment: Record<string, string>) =>
  readConsoleAccess({
    environment,
    token: undefined,
    secrets: { resolve: async (reference) => environment[reference.slice("env:".length)] ?? "" },
    clock: systemClock,
    localName: "somebody",
  });

const settingsOf = (provider: OidcProvider): Record<string, string> => ({
  LEAT_OIDC_ISSUER: provider.url,
  LEAT_OIDC_CLIENT_ID: provider.clientId,
  LEAT_OIDC_CLIENT_SECRET: "env:CLIENT_SECRET",
  CLIENT_SECRET: provider.clientSecret,
  LEAT_PUBLIC_URL: publicUrl,
  ...roles,
});

const cookiesOf = (answer: { headers: Record<string, unknown> }): readonly string[] =>
  [answer.headers["set-cookie"]].flat().map((one) => String(one).split(";")[0]!);

/** Goes to the provider, and comes back as somebody. */
async function comeBack(
  { app }: ApiStand,
  provider: OidcProvider,
  claims: Readonly<Record<string, unknown>>,
  returnTo = "/runs?state=failed",
) {
  const begun = await app.inject({ url: `/api/session/oidc?return_to=${encodeURIComponent(returnTo)}` });
  const [cookie = ""] = cookiesOf(begun);
  const back = new URL(provider.signIn(String(begun.headers["location"]), claims));
  expect(back.href.startsWith(`${publicUrl}/api/session/oidc/callback?`)).toBe(true);
  const url = `${back.pathname.slice("/tools".length)}${back.search}`;
  return { url, cookie, answer: await app.inject({ url, headers: { cookie } }) };
}

test("somebody signs in at the provider, and has the role of their address", async () => {
  await using provider = await startOidcProvider();
  const access = await read(settingsOf(provider));
  await withApi(
    async (stand) => {
      const who = async (claims: Record<string, unknown>) => {
        const { answer } = await comeBack(stand, provider, claims);
        expect([answer.statusCode, answer.headers["location"]]).toEqual([303, "/tools/runs?state=failed"]);
        const [cookie = ""] = cookiesOf(answer);
        expect(cookie).toMatch(/^__Host-leat-session=/);
        const session = (await stand.app.inject({ url: "/api/session", headers: { cookie } })).json();
        const { statusCode } = await stand.app.inject({ url: "/api/runs", headers: { cookie } });
        return [session.user, session.role, statusCode];
      };
      expect(await who({ email: "Ann@Example.com" })).toEqual(["ann@example.com", "admin", 200]);
      expect(await who({ email: "bob@example.com" })).toEqual(["bob@example.com", "viewer", 200]);
      expect(await who({ email: "eve@example.com.evil.org" })).toEqual([null, null, 403]);
      const nobody = (await stand.app.inject({ url: "/api/session" })).json();
      expect(nobody).toMatchObject({ user: null, sign_in: { token: false, oidc: provider.url } });
    },
    { access, basePath: "/tools" },
  );
});

test("a sign-in that is forged, old, another's or elsewhere's is refused, and no token is told", async () => {
  await using provider = await startOidcProvider();
  const access = await read(settingsOf(provider));
  await withApi(
    async (stand) => {
      const email = "ann@example.com";
      const problem = async (claims: Record<string, unknown>) => {
        const { answer } = await comeBack(stand, provider, { email, ...claims });
        expect([answer.statusCode, answer.headers["set-cookie"], answer.json().code]).toEqual([
          403,
          undefined,
          "SIGN_IN_FAILED",
        ]);
        expect(answer.body).not.toContain("eyJ");
        return answer.json().detail;
      };
      expect(await problem({ isForged: true })).toContain("signature verification failed");
      expect(await problem({ nonce: "another" })).toContain('"nonce"');
      expect(await problem({ aud: "another-client" })).toContain('"aud"');
      expect(await problem({ iss: "https://evil.example.com" })).toContain('"iss"');
      expect(await problem({ exp: 1_700_000_000, iat: 1_600_000_000 })).toContain("expiration");
      expect(await problem({ email_verified: false })).toContain("does not vouch");
      expect(await problem({ email: undefined })).toContain("does not tell the address");
      const { url, cookie, answer } = await comeBack(stand, provider, { email });
      expect(answer.statusCode).toBe(303);
      const again = await stand.app.inject({ url, headers: { cookie } });
      expect([again.statusCode, again.json().detail]).toEqual([403, expect.stringContaining("400")]);
      const elsewhere = await stand.app.inject({ url });
      expect(elsewhere.json().detail).toContain("not begun here");
      const denied = await stand.app.inject({
        url: url.replace(/code=\w+/, "error=access_denied"),
        headers: { cookie },
      });
      expect(denied.json().detail).toContain("access_denied");
      for (const out of [
        "//evil.example.com",
        "https://evil.example.com",
        "/\\evil.example.com",
        "/\t/evil.example.com",
        "/\u0000/evil",
      ])
        expect((await comeBack(stand, provider, { email }, out)).answer.headers["location"], out).toBe(
          "/tools/",
        );
    },
    { access, basePath: "/tools" },
  );
});

test("a provider that is away is told, and the sign-in can be tried again", async () => {
  await using provider = await startOidcProvider();
  const access = await read(settingsOf(provider));
  await withApi(
    async (stand) => {
      provider.faults.push({ status: 503 });
      const away = await stand.app.inject({ url: "/api/session/oidc" });
      expect([away.statusCode, away.json().detail]).toEqual([403, expect.stringContaining("503")]);
      expect((await stand.app.inject({ url: "/api/session/oidc" })).statusCode).toBe(303);
    },
    { access, basePath: "/tools" },
  );
});

test("behind Google's proxy its signed word counts, and a header without it does not", async () => {
  await using provider = await startOidcProvider();
  const audience = "/projects/1/global/backendServices/2";
  const access = await read({ LEAT_IAP_AUDIENCE: audience, LEAT_IAP_KEYS_URL: provider.keysUrl, ...roles });
  await withApi(
    async (stand) => {
      const word = (claims: object, isEcdsa = true) =>
        provider.sign(
          { iss: "https://cloud.google.com/iap", aud: audience, email: "ann@example.com", ...claims },
          { isEcdsa },
        );
      const ask = async (headers: Record<string, string>, method: "GET" | "POST" = "GET") => {
        const url = method === "GET" ? "/api/runs" : "/api/schedules/letters/pause";
        const answer = await stand.app.inject({
          method,
          url,
          headers: { host: "leat.example.com", ...headers },
        });
        return [answer.statusCode, answer.json().code];
      };
      const header = "x-goog-iap-jwt-assertion";
      expect(await ask({ [header]: word({}) })).toEqual([200, undefined]);
      expect(await ask({})).toEqual([401, "SIGN_IN_NEEDED"]);
      expect(await ask({ "x-goog-authenticated-user-email": "accounts.google.com:ann@example.com" })).toEqual(
        [401, "SIGN_IN_NEEDED"],
      );
      expect(await ask({ [header]: word({ aud: "/projects/9" }) })).toEqual([403, "SIGN_IN_FAILED"]);
      expect(await ask({ [header]: word({ iss: provider.url }) })).toEqual([403, "SIGN_IN_FAILED"]);
      expect(await ask({ [header]: `${word({})}x` })).toEqual([403, "SIGN_IN_FAILED"]);
      expect(await ask({ [header]: "nonsense" })).toEqual([403, "SIGN_IN_FAILED"]);
      expect(await ask({ [header]: word({ email: "eve@evil.org" }) })).toEqual([403, "ROLE_MISSING"]);
      expect(await ask({ [header]: word({}) }, "POST")).toEqual([403, "ORIGIN_REFUSED"]);
      expect(await ask({ [header]: word({}), origin: "https://leat.example.com" }, "POST")).toEqual([
        200,
        undefined,
      ]);
    },
    { access },
  );
});

test("settings that let in nobody, or everybody, are refused with the variable's name", async () => {
  await using provider = await startOidcProvider();
  const right = settingsOf(provider);
  const problem = async (change: Record<string, string>) =>
    read({ ...right, ...change }).then(
      () => "nothing",
      (error: Error) => error.message,
    );
  expect(await problem({})).toBe("nothing");
  expect(await problem({ LEAT_OIDC_ISSUER: "http://accounts.example.com" })).toContain("LEAT_OIDC_ISSUER");
  expect(await problem({ LEAT_OIDC_CLIENT_ID: "" })).toContain("LEAT_OIDC_CLIENT_ID");
  expect(await problem({ LEAT_PUBLIC_URL: "" })).toContain("LEAT_PUBLIC_URL");
  expect(await problem({ LEAT_PUBLIC_URL: "leat.example.com" })).toContain("LEAT_PUBLIC_URL");
  expect(await problem({ LEAT_ADMINS: "", LEAT_VIEWERS: "" })).toContain("nobody has a role");
  expect(await problem({ LEAT_ADMINS: "ann" })).toContain("LEAT_ADMINS");
  expect(await problem({ LEAT_ADMINS: "@" })).toContain("LEAT_ADMINS");
  expect(await problem({ LEAT_TOKEN: token, LEAT_TOKEN_VIEWER: token })).toContain("equal");
  expect(await problem({ LEAT_TOKEN_OPERATOR: token.slice(1) })).toContain("16 characters");
});

test("nobody but the process can seal a session of a public client, and servers of one secret take each other's", async () => {
  const open = async (change: Record<string, string>) =>
    (await read({ LEAT_OIDC_CLIENT_ID: "leat-console", LEAT_PUBLIC_URL: publicUrl, ...roles, ...change }))
      .sessions;
  const issuer = "https://accounts.example.com";
  const takes = async (one: Record<string, string>, other: Record<string, string>) => {
    const [sealer, reader] = await Promise.all([open(one), open(other)]);
    return reader?.read(sealer?.begin("ann@example.com", "admin").split(";")[0]) !== undefined;
  };
  const isPublic = { LEAT_OIDC_ISSUER: issuer };
  expect(await takes(isPublic, isPublic)).toBe(false);
  const secret = {
    ...isPublic,
    LEAT_OIDC_CLIENT_SECRET: "env:CLIENT_SECRET",
    CLIENT_SECRET: "a client's secret",
  };
  expect(await takes(secret, secret)).toBe(true);
  expect(await takes(secret, { ...secret, CLIENT_SECRET: "another" })).toBe(false);
  expect(await takes({ LEAT_TOKEN: token }, { LEAT_TOKEN: token })).toBe(true);
  expect(await takes({ LEAT_TOKEN: token }, { LEAT_TOKEN: token, LEAT_TOKEN_VIEWER: `${token}v` })).toBe(
    false,
  );
});
