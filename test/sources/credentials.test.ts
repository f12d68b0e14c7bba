/** Every kind of credential, its renewal, and that none is ever shown. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { Source } from "../../src/ports/source.ts";
import type { AuthDeclaration } from "../../src/sources/http/access-declaration.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import type { RestDeclaration } from "../../src/sources/rest/rest-declaration.ts";
import { readRange, readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { FakeClock, testTenant, testWorld } from "./test-world.ts";

const declare = (partner: Partner, auth: AuthDeclaration, more: Partial<RestDeclaration> = {}): Source =>
  rest({
    name: "api",
    baseUrl: partner.origin,
    auth,
    streams: { items: { path: "/items", pagination: { type: "linkHeader" } } },
    ...more,
  });

const secrets = {
  "env:KEY": "s3cret-k+y/1",
  "env:KEY_414": "tenant-s3cret",
  "file:/run/token": "file-t0ken",
};
const tenant = testTenant({ apiKey: "env:KEY_414", user: "anna" });

test.each<[string, AuthDeclaration, Record<string, string | undefined>, string]>([
  ["none", { type: "none" }, { authorization: undefined }, "/items"],
  [
    "basic",
    { type: "basic", username: "{tenant.user}", password: "{tenant.apiKey}" },
    { authorization: `Basic ${Buffer.from("anna:tenant-s3cret").toString("base64")}` },
    "/items",
  ],
  ["bearer", { type: "bearer", token: "file:/run/token" }, { authorization: "Bearer file-t0ken" }, "/items"],
  [
    "API key in a header",
    { type: "apiKey", name: "X-Api-Key", value: "env:KEY" },
    { "x-api-key": "s3cret-k+y/1" },
    "/items",
  ],
  [
    "API key in a header with a word before it",
    { type: "apiKey", name: "authorization", value: "Token {env:KEY}" },
    { authorization: "Token s3cret-k+y/1" },
    "/items",
  ],
  [
    "API key in the query",
    { type: "apiKey", name: "key", value: "env:KEY", in: "query" },
    {},
    "/items?key=s3cret-k%2By%2F1",
  ],
])("%s", async (_, auth, headers, url) => {
  await using partner = await startPartner((_request, response) => answerJson(response, []));
  await readStream(declare(partner, auth), "items", { tenant, world: testWorld({ secrets }) });
  expect(partner.requests[0]?.url).toBe(url);
  for (const [name, value] of Object.entries(headers)) expect(partner.requests[0]?.headers[name]).toBe(value);
});

const oauth = (partner: Partner): AuthDeclaration => ({
  type: "oauth2ClientCredentials",
  tokenUrl: `${partner.origin}/oauth/token`,
  clientId: "client-1",
  clientSecret: "env:KEY",
  scope: "read:all",
});

/** An API whose tokens are `token-1`, `token-2`…; `isGood` says which it takes. */
const startOauth = (isGood: (token: string, request: number) => boolean, expiresIn: unknown = 3600) => {
  let tokens = 0;
  let requests = 0;
  return startPartner((request, response) => {
    if (request.path === "/oauth/token") {
      return answerJson(response, {
        access_token: `token-${++tokens}`,
        token_type: "Bearer",
        expires_in: expiresIn,
      });
    }
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    if (isGood(token, ++requests)) answerJson(response, [{ id: requests }]);
    else answerJson(response, { error: "invalid_token" }, { status: 401 });
  });
};

test("OAuth2: a token is fetched with a form, once for all streams of a tenant", async () => {
  await using partner = await startOauth(() => true);
  const source = declare(partner, oauth(partner));
  const world = testWorld({ secrets });
  await Promise.all([readStream(source, "items", { world }), readStream(source, "items", { world })]);
  await readStream(source, "items", { world });
  const asked = partner.requests.filter((request) => request.path === "/oauth/token");
  expect(asked).toHaveLength(1);
  expect(asked[0]?.method).toBe("POST");
  expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
    grant_type: "client_credentials",
    client_id: "client-1",
    client_secret: "s3cret-k+y/1",
    scope: "read:all",
  });
});

test("OAuth2: the client may show itself by Basic", async () => {
  await using partner = await startOauth(() => true);
  const auth = { ...oauth(partner), clientAuthentication: "basic" } as AuthDeclaration;
  await readStream(declare(partner, auth), "items", { world: testWorld({ secrets }) });
  const pair = Buffer.from(`client-1:${encodeURIComponent("s3cret-k+y/1")}`).toString("base64");
  expect(partner.requests[0]?.headers.authorization).toBe(`Basic ${pair}`);
  expect(partner.requests[0]?.body).not.toContain("client_secret");
});

test("OAuth2: a refused token is renewed once and the page asked for again", async () => {
  await using partner = await startOauth((token) => token === "token-2");
  const read = await readStream(declare(partner, oauth(partner)), "items", { world: testWorld({ secrets }) });
  expect(read.records).toEqual([{ id: 2 }]);
  expect(partner.requests.map((request) => request.path)).toEqual([
    "/oauth/token",
    "/items",
    "/oauth/token",
    "/items",
  ]);
});

test("OAuth2: a renewed token that is refused as well is SOURCE_AUTH_FAILED", async () => {
  await using partner = await startOauth(() => false);
  const reading = readStream(declare(partner, oauth(partner)), "items", { world: testWorld({ secrets }) });
  await expect(reading).rejects.toMatchObject({ code: "SOURCE_AUTH_FAILED", retryable: false });
  expect(partner.requests).toHaveLength(4);
});

test("OAuth2: a token is renewed before it ends", async () => {
  await using partner = await startOauth(() => true, "100");
  const clock = new FakeClock();
  const source = declare(partner, oauth(partner));
  const read = () => readStream(source, "items", { world: testWorld({ secrets, clock }) });
  await read();
  clock.advance(89_000);
  await read();
  expect(partner.requests.map((request) => request.headers.authorization).filter(Boolean)).toEqual([
    "Bearer token-1",
    "Bearer token-1",
  ]);
  clock.advance(2_000);
  await read();
  expect(partner.requests.at(-1)?.headers.authorization).toBe("Bearer token-2");
});

test.each([
  [
    "refuses",
    (response: Parameters<typeof answerJson>[0]) =>
      answerJson(response, { error: "invalid_client" }, { status: 400 }),
  ],
  [
    "answers without a token",
    (response: Parameters<typeof answerJson>[0]) => answerJson(response, { ok: true }),
  ],
])("OAuth2: a token address that %s is SOURCE_AUTH_FAILED", async (_, answer) => {
  await using partner = await startPartner((_request, response) => answer(response));
  const reading = readStream(declare(partner, oauth(partner)), "items", { world: testWorld({ secrets }) });
  await expect(reading).rejects.toMatchObject({ code: "SOURCE_AUTH_FAILED" });
  expect(partner.requests).toHaveLength(1);
});

test("secrets are looked up at the first request and not when a stream is opened", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, []));
  const world = testWorld({ secrets });
  const reader = await declare(partner, { type: "bearer", token: "env:KEY" }).open("items", tenant, world);
  expect(world.asked).toEqual([]);
  await readRange(reader);
  await reader.close();
  expect(world.asked).toEqual(["env:KEY"]);
});

/** Every place where something is told, as text. */
const everythingOf = (error: unknown) =>
  inspect(error, { depth: 20, showHidden: false }) + JSON.stringify(error);

test.each<[string, AuthDeclaration]>([
  ["a query key", { type: "apiKey", name: "key", value: "env:KEY", in: "query" }],
  ["a header key", { type: "apiKey", name: "x-key", value: "env:KEY" }],
  ["a bearer token", { type: "bearer", token: "env:KEY" }],
  ["a password", { type: "basic", username: "u", password: "env:KEY" }],
])("%s is in no page's place and no error, even when the partner repeats it", async (_, auth) => {
  await using partner = await startPartner((request, response, count) => {
    const said = `you sent ${request.url} and ${request.headers.authorization} ${secrets["env:KEY"]}`;
    if (count === 1) {
      const link = `<${partner.origin}/items?page=2&access_token=s3cret-k%2By%2F1&key=other>; rel="next"`;
      return answerJson(response, [{ id: 1 }], { headers: { link } });
    }
    answerJson(response, { error: said }, { status: 422 });
  });
  const source = declare(partner, auth);
  const places: string[] = [];
  const world = testWorld({ secrets });
  const reader = await source.open("items", tenant, world);
  const error = await readRange(reader, undefined, undefined, (page) => {
    places.push(page.at);
    return false;
  }).catch((caught: unknown) => caught);
  await reader.close();
  const told = everythingOf(error) + places.join() + JSON.stringify(world.events);
  expect(error).toMatchObject({ code: "SOURCE_FAILED" });
  expect(told).not.toContain("s3cret");
  expect(told).not.toContain(Buffer.from("u:s3cret-k+y/1").toString("base64"));
  expect(places).toEqual([expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/items \(page 1\)$/)]);
  expect(partner.requests[1]?.url).toContain("page=2");
  // The partner's links repeat the key's parameter under its own name.
  const isQueryKey = auth.type === "apiKey" && auth.in === "query";
  const shown = `GET ${partner.origin}/items?page=2&access_token=***&key=${isQueryKey ? "***" : "other"} answered 422`;
  expect((error as Error).message.slice(0, shown.length)).toBe(shown);
});

test("a tenant's secret in a parameter is not shown, other parameters are", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, [], { status: 404 }));
  const source = rest({
    name: "api",
    baseUrl: partner.origin,
    streams: {
      items: {
        path: "/items",
        params: { token: "{tenant.apiKey}", state: "open" },
        pagination: { type: "single" },
      },
    },
  });
  const error = await readStream(source, "items", { tenant, world: testWorld({ secrets }) }).catch(
    (caught) => caught,
  );
  expect(partner.requests[0]?.url).toBe("/items?token=tenant-s3cret&state=open");
  expect(error.message).toMatch(/\/items\?token=\*\*\*&state=open answered 404/);
  expect(everythingOf(error)).not.toContain("tenant-s3cret");
});

test("a redirect to another origin is not followed, and no credential is sent there", async () => {
  await using elsewhere = await startPartner((_, response) => answerJson(response, []));
  await using partner = await startPartner((_, response) =>
    response.writeHead(302, { location: `${elsewhere.origin}/items` }).end(),
  );
  const reading = readStream(declare(partner, { type: "bearer", token: "env:KEY" }), "items", {
    world: testWorld({ secrets }),
  });
  await expect(reading).rejects.toMatchObject({
    code: "SOURCE_MOVED",
    message: expect.stringContaining(elsewhere.origin),
  });
  expect(elsewhere.requests).toHaveLength(0);
});

test("a next link to another origin is refused, unless the origin is allowed", async () => {
  await using elsewhere = await startPartner((_, response) => answerJson(response, [{ id: 2 }]));
  await using partner = await startPartner((_, response) =>
    answerJson(response, [{ id: 1 }], {
      headers: { link: `<${elsewhere.origin}/items?page=2>; rel="next"` },
    }),
  );
  const auth = { type: "bearer", token: "env:KEY" } as const;
  const world = testWorld({ secrets });
  await expect(readStream(declare(partner, auth), "items", { world })).rejects.toMatchObject({
    code: "SOURCE_MOVED",
    hint: expect.stringContaining("allowedOrigins"),
  });
  expect(elsewhere.requests).toHaveLength(0);
  const allowing = declare(partner, auth, { allowedOrigins: [elsewhere.origin] });
  expect((await readStream(allowing, "items", { world })).records).toEqual([{ id: 1 }, { id: 2 }]);
});
