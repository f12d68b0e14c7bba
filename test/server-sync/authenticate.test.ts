/** Who may call: identity tokens as Google makes them, and keys. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTokenVerifier } from "../../src/google/open-token-verifier.ts";
import { type CheckCaller, checkCallers } from "../../src/server/sync/authenticate.ts";
import { callerEmail, startTokenIssuer, type TokenIssuer } from "../fakes/token-issuer.ts";

const audience = "https://app.example";
const other = "somebody@other-project.iam.gserviceaccount.com";
let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await startTokenIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const refusal = (check: CheckCaller, headers: Record<string, string>) =>
  check(headers).then(
    () => "taken",
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );

describe("oidc", () => {
  const open = async (certificatesUrl = issuer.certificatesUrl) =>
    checkCallers({
      mode: "oidc",
      callers: [callerEmail],
      verify: await openTokenVerifier({ audience, certificatesUrl }),
    });

  test("a caller with a token of Google for this app is taken, and the certificates are fetched once", async () => {
    const check = await open();
    const before = issuer.requests.length;
    expect(await refusal(check, bearer(issuer.sign({})))).toBe("taken");
    expect(await refusal(check, bearer(issuer.sign({})))).toBe("taken");
    expect(issuer.requests.length - before).toBe(1);
  });

  test.each([
    ["for another app", { aud: "https://other.example" }, "was issued for another audience"],
    ["that has expired", { iat: 1_700_000_000, exp: 1_700_003_600 }, "has expired"],
    ["of the future", { iat: 9_000_000_000, exp: 9_000_003_000 }, "cannot be read"],
    ["of another issuer", { iss: "https://evil.example" }, "comes from another issuer"],
    ["without a verified address", { email_verified: false }, "names no verified address"],
  ] as const)("a token %s is refused", async (_what, claims, reason) => {
    const told = await refusal(await open(), bearer(issuer.sign(claims)));
    expect(told).toMatch(/^CALLER_UNKNOWN/);
    expect(told).toContain(reason);
  });

  test("a token that somebody else has signed is refused, and never repeated", async () => {
    const token = issuer.sign({}, { isForged: true });
    const error = await (await open())(bearer(token)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "CALLER_UNKNOWN",
      message: expect.stringContaining("wrong signature"),
    });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(token.split(".")[1]);
    const unknownKey = issuer.sign({}, { isForged: true, keyId: "key-2" });
    expect(await refusal(await open(), bearer(unknownKey))).toContain("does not show");
  });

  test("a signature that was taken out is no signature here", async () => {
    const [head, claims] = issuer.sign({}).split(".");
    const token = `${head}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`;
    expect(await refusal(await open(), bearer(token))).toMatch(/^CALLER_UNKNOWN/);
  });

  test("a known stranger is forbidden", async () => {
    expect(await refusal(await open(), bearer(issuer.sign({ email: other })))).toBe(
      `CALLER_FORBIDDEN: ${other} may not call this app.`,
    );
  });

  test("without the issuer's certificates nobody is taken, and it says come again", async () => {
    const check = await open("http://127.0.0.1:1/certs");
    expect(await refusal(check, bearer(issuer.sign({})))).toMatch(/^CLOUD_UNAVAILABLE/);
  });

  test.each([
    {},
    { authorization: "Basic YTpi" },
    { authorization: "Bearer" },
  ])("%o has no token", async (headers) => {
    expect(await refusal(await open(), headers as Record<string, string>)).toBe(
      "CALLER_UNKNOWN: The request has no identity token.",
    );
  });
});

describe("iam", () => {
  const checked = (claims: Parameters<TokenIssuer["sign"]>[0] = {}) => {
    const [head, body] = issuer.sign(claims).split(".");
    return `${head}.${body}.SIGNATURE_REMOVED_BY_GOOGLE`;
  };
  const check = checkCallers({ mode: "iam", callers: [callerEmail] });

  test("who Cloud Run has checked is believed, in either header", async () => {
    expect(await refusal(check, bearer(checked()))).toBe("taken");
    const both = { ...bearer("the app's own"), "x-serverless-authorization": `Bearer ${checked()}` };
    expect(await refusal(check, both)).toBe("taken");
  });

  test("a token that nobody has checked is not", async () => {
    expect(await refusal(check, bearer(issuer.sign({})))).toContain("was not checked by Cloud Run");
    for (const token of ["a.b", "a.!.SIGNATURE_REMOVED_BY_GOOGLE", "a.bnVsbA.SIGNATURE_REMOVED_BY_GOOGLE"]) {
      expect(await refusal(check, bearer(token))).toMatch(/^CALLER_UNKNOWN/);
    }
  });

  test("of those that Cloud Run lets pass only the named ones may, where some are named", async () => {
    expect(await refusal(check, bearer(checked({ email: other })))).toMatch(/^CALLER_FORBIDDEN/);
    const all = checkCallers({ mode: "iam", callers: [] });
    expect(await refusal(all, bearer(checked({ email: other })))).toBe("taken");
  });
});

describe("apikey", () => {
  const check = checkCallers({ mode: "apikey", readKeys: async () => ["old-key", "new-key"] });

  test("any of the keys is taken, as a token or in the header for keys", async () => {
    expect(await refusal(check, bearer("old-key"))).toBe("taken");
    expect(await refusal(check, { "x-api-key": "new-key" })).toBe("taken");
  });

  test.each([
    [{}, "has no key"],
    [{ "x-api-key": "new-key " }, "is not one"],
    [{ "x-api-key": "" }, "is not one"],
  ] as const)("%o is refused", async (headers, reason) => {
    expect(await refusal(check, headers)).toContain(reason);
  });
});
