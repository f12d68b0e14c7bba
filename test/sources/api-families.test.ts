/** Each family of recorded answers, served as its README states and read from a declaration alone. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { JsonValue } from "../../src/model/json-value.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { testTenant, testWorld } from "./test-world.ts";

function readFixture<Shape>(path: string): Shape {
  const url = new URL(`../fixtures/api-payloads/${path}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as Shape; // Fixtures have the shapes that the tests name.
}

type GithubExchange = Readonly<{
  path: string;
  reqheaders: Readonly<Record<string, string>>;
  response: JsonValue;
  headers: Readonly<Record<string, string>>;
}>;

/** Serves recorded exchanges by path and query, with links pointing to this server. */
async function serveGithub(exchanges: readonly GithubExchange[]): Promise<Partner> {
  const partner = await startPartner((request, response) => {
    const match = exchanges.find((exchange) => exchange.path === request.url);
    if (match === undefined || request.headers.authorization !== match.reqheaders["authorization"]) {
      return answerJson(response, { message: "Not Found" }, { status: 404 });
    }
    const link = match.headers["link"]?.replaceAll("https://api.github.com", partner.origin);
    answerJson(response, match.response, {
      headers: link === undefined ? {} : { link, date: new Date().toUTCString() },
    });
  });
  return partner;
}

const githubAuth = { type: "apiKey", name: "authorization", value: "token {tenant.token}" } as const;
const githubTenant = testTenant({ token: "env:GITHUB_TOKEN" });
const githubSecrets = { "env:GITHUB_TOKEN": "0000000000000000000000000000000000000001" };

test("GitHub: five pages by Link headers, of which four are elsewhere than the first, give 13 issues", async () => {
  const exchanges = readFixture<GithubExchange[]>("github/paginate-issues.json");
  await using partner = await serveGithub(exchanges);
  const source = rest({
    name: "github",
    baseUrl: partner.origin,
    auth: githubAuth,
    headers: { accept: "application/vnd.github.v3+json" },
    streams: {
      issues: {
        path: "/repos/octokit-fixture-org/paginate-issues/issues",
        params: { per_page: 3 },
        primaryKey: "id",
        pagination: { type: "linkHeader" },
      },
    },
  });
  const read = await readStream(source, "issues", {
    tenant: githubTenant,
    world: testWorld({ secrets: githubSecrets }),
  });
  expect(read.pages.map((page) => page.records.length)).toEqual([3, 3, 3, 3, 1]);
  expect(read.records).toEqual(exchanges.flatMap((exchange) => exchange.response));
  expect(partner.requests.map((request) => request.url)).toEqual(exchanges.map((exchange) => exchange.path));
  expect(partner.requests[0]?.headers.accept).toBe("application/vnd.github.v3+json");
});

test("GitHub search: the envelope's items, one page where there is no Link", async () => {
  const exchanges = readFixture<GithubExchange[]>("github/search-issues.json");
  await using partner = await serveGithub(exchanges);
  const source = rest({
    name: "github",
    baseUrl: partner.origin,
    auth: githubAuth,
    streams: {
      found: {
        path: "/search/issues",
        params: { q: "sesame repo:octokit-fixture-org/search-issues" },
        records: "items",
        primaryKey: "id",
        failedWhen: { path: "incomplete_results", equals: true },
        pagination: { type: "linkHeader" },
      },
    },
  });
  const read = await readStream(source, "found", {
    tenant: githubTenant,
    world: testWorld({ secrets: githubSecrets }),
  });
  expect(read.records).toHaveLength(2);
  expect(partner.requests.map((request) => request.url)).toEqual([exchanges[0]?.path]);
});

type Cassette = readonly Readonly<{
  request: Readonly<{ method: string; url: string; body: string }>;
  response: Readonly<{ body: { [key: string]: JsonValue } }>;
}>[];

test("Slack: a POST form with the cursor of the answer before, until it is empty, gives 100 + 56 channels", async () => {
  const [first, second] = readFixture<Cassette>("slack/conversations_list_paginated.json");
  await using partner = await startPartner((request, response) => {
    const match = [first, second].find((each) => sameForm(each!.request.body, request.body));
    answerJson(response, match?.response.body ?? { ok: false, error: "invalid_cursor" });
  });
  const source = rest({
    name: "slack",
    baseUrl: `${partner.origin}/api/`,
    auth: { type: "bearer", token: "{tenant.botToken}" },
    streams: {
      channels: {
        path: "conversations.list",
        method: "POST",
        body: { form: { limit: 100 } },
        records: "channels",
        primaryKey: "id",
        failedWhen: { path: "ok", equals: false, messagePath: "error" },
        pagination: { type: "cursorToken", path: "response_metadata.next_cursor", param: "cursor" },
      },
    },
  });
  const read = await readStream(source, "channels", { tenant: testTenant({ botToken: "xoxb-1" }) });
  expect(read.pages.map((page) => page.records.length)).toEqual([100, 56]);
  expect(partner.requests.map((request) => `${request.method} ${request.path}`)).toEqual([
    "POST /api/conversations.list",
    "POST /api/conversations.list",
  ]);
  expect(partner.requests[1]?.body).toBe("limit=100&cursor=dGVhbTpDMDE5Q1Y1RFdNUQ%3D%3D");
  expect(partner.requests[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
});

test("Slack: an answer of 200 that says it failed is a failure with its reason, not an empty page", async () => {
  await using partner = await startPartner((_, response) =>
    answerJson(response, { ok: false, error: "invalid_auth" }),
  );
  const source = rest({
    name: "slack",
    baseUrl: partner.origin,
    streams: {
      channels: {
        path: "conversations.list",
        records: "channels",
        failedWhen: { path: "ok", equals: false, messagePath: "error" },
        pagination: { type: "single" },
      },
    },
  });
  await expect(readStream(source, "channels")).rejects.toMatchObject({
    code: "SOURCE_FAILED",
    message: expect.stringContaining("invalid_auth"),
  });
});

test("Notion: start_cursor and has_more, four pages of one block", async () => {
  const cassette = readFixture<Cassette>("notion/paginated_block_children.json");
  await using partner = await startPartner((request, response) => {
    const match = cassette.find(
      (each) => new URL(each.request.url).pathname + new URL(each.request.url).search === request.url,
    );
    answerJson(response, match?.response.body ?? {}, { status: match === undefined ? 404 : 200 });
  });
  const source = rest({
    name: "notion",
    baseUrl: `${partner.origin}/v1`,
    headers: { "notion-version": "2021-08-16" },
    streams: {
      blocks: {
        path: "/blocks/{partition}/children",
        partitions: { perTenant: "pages", column: "page_id" },
        params: { page_size: 1 },
        records: "results",
        primaryKey: "id",
        pagination: {
          type: "cursorToken",
          path: "next_cursor",
          hasMorePath: "has_more",
          param: "start_cursor",
        },
      },
    },
  });
  const read = await readStream(source, "blocks", {
    range: { partition: "32af3324-ba02-4516-ae88-5728a4d569f4" },
  });
  expect(read.records).toEqual(cassette.flatMap((each) => each.response.body["results"]));
  expect(partner.requests).toHaveLength(4);
  expect(partner.requests[3]?.query.get("start_cursor")).toBe("a6cb4553-bdf1-4080-84fa-3e1bceba6912");
});

test("Notion: one page where has_more is false from the start", async () => {
  const [only] = readFixture<Cassette>("notion/databases_list_single_page.json");
  await using partner = await startPartner((_, response) => answerJson(response, only!.response.body));
  const source = rest({
    name: "notion",
    baseUrl: `${partner.origin}/v1`,
    streams: {
      databases: {
        path: "/databases",
        params: { page_size: 1 },
        records: "results",
        primaryKey: "id",
        pagination: {
          type: "cursorToken",
          path: "next_cursor",
          hasMorePath: "has_more",
          param: "start_cursor",
        },
      },
    },
  });
  const read = await readStream(source, "databases");
  expect(read.records).toHaveLength(1);
  expect(partner.requests.map((request) => request.url)).toEqual(["/v1/databases?page_size=1"]);
});

test("Shopify: page_info links, records under a root key or bare", async () => {
  const products = readFixture<JsonValue[]>("shopify/products.json");
  const orders = readFixture<{ orders: JsonValue[] }>("shopify/orders.json");
  await using partner = await startPartner((request, response) => {
    if (request.path.endsWith("/orders.json")) return answerJson(response, orders);
    const isSecond = request.query.get("page_info") === "two";
    const rel = isSecond ? "previous" : "next";
    const link = `<${partner.origin}/admin/api/2024-01/products.json?limit=2&page_info=${isSecond ? "one" : "two"}>; rel="${rel}"`;
    answerJson(response, isSecond ? products.slice(2) : products.slice(0, 2), { headers: { link } });
  });
  const source = rest({
    name: "shopify",
    baseUrl: `${partner.origin}/admin/api/2024-01`,
    auth: { type: "apiKey", name: "X-Shopify-Access-Token", value: "{tenant.token}" },
    streams: {
      products: {
        path: "/products.json",
        params: { limit: 2 },
        primaryKey: "id",
        pagination: { type: "linkHeader" },
      },
      orders: {
        path: "/orders.json",
        records: "orders",
        primaryKey: "id",
        pagination: { type: "linkHeader" },
      },
    },
  });
  const tenant = testTenant({ token: "shpat_1" });
  expect((await readStream(source, "products", { tenant })).records).toEqual(products);
  expect((await readStream(source, "orders", { tenant })).records).toEqual(orders.orders);
  expect(partner.requests.map((request) => request.url)).toEqual([
    "/admin/api/2024-01/products.json?limit=2",
    "/admin/api/2024-01/products.json?limit=2&page_info=two",
    "/admin/api/2024-01/orders.json",
  ]);
  expect(partner.requests.map((request) => request.headers["x-shopify-access-token"])).toEqual(
    Array(3).fill("shpat_1"),
  );
});

test("Airtable: an offset token at the root, absent at the end", async () => {
  const { bases } = readFixture<{ bases: JsonValue[] }>("airtable/Bases.json");
  const schema = readFixture<{ tables: JsonValue[] }>("airtable/BaseSchema.json");
  await using partner = await startPartner((request, response) => {
    if (request.path.endsWith("/tables")) return answerJson(response, schema);
    const isSecond = request.query.get("offset") === "itr/2";
    answerJson(
      response,
      isSecond ? { bases: bases.slice(1) } : { bases: bases.slice(0, 1), offset: "itr/2" },
    );
  });
  const pagination = { type: "cursorToken", path: "offset", param: "offset" } as const;
  const source = rest({
    name: "airtable",
    baseUrl: `${partner.origin}/v0/meta`,
    streams: {
      bases: { path: "/bases", records: "bases", primaryKey: "id", pagination },
      tables: {
        path: "/bases/{partition}/tables",
        parent: { stream: "bases", field: "id", column: "base_id" },
        records: "tables",
        primaryKey: "id",
        pagination,
      },
    },
  });
  expect((await readStream(source, "bases")).records).toEqual(bases);
  const tables = await readStream(source, "tables", { range: { partition: "appLkNDICXNqxSDhG" } });
  expect(tables.records).toEqual(schema.tables);
  expect(partner.requests.map((request) => request.url)).toEqual([
    "/v0/meta/bases",
    "/v0/meta/bases?offset=itr%2F2",
    "/v0/meta/bases/appLkNDICXNqxSDhG/tables",
  ]);
});

test.each([
  ["berry", 68],
  ["nature", 25],
  ["pokemon-habitat", 9],
])("PokeAPI: next is null after the whole list of %s, %i rows", async (kind, count) => {
  const list = readFixture<{ count: number; results: JsonValue[] }>(`pokeapi/${kind}_list.json`);
  await using partner = await startPartner((_, response) => answerJson(response, list));
  const read = await readStream(pokeapi(partner, kind), "list");
  expect(list.count).toBe(count);
  expect(read.records).toEqual(list.results);
  expect(partner.requests.map((request) => request.url)).toEqual([`/api/v2/${kind}/`]);
});

test("PokeAPI: relative next links are followed", async () => {
  const list = readFixture<{ results: JsonValue[] }>("pokeapi/berry_list.json");
  await using partner = await startPartner((request, response) => {
    const offset = Number(request.query.get("offset") ?? 0);
    const next = offset + 20 < 68 ? `/api/v2/berry/?offset=${offset + 20}&limit=20` : null;
    answerJson(response, { count: 68, next, results: list.results.slice(offset, offset + 20) });
  });
  const read = await readStream(pokeapi(partner, "berry"), "list");
  expect(read.records).toEqual(list.results);
  expect(partner.requests.map((request) => request.query.get("offset"))).toEqual([null, "20", "40", "60"]);
});

const pokeapi = (partner: Partner, kind: string) =>
  rest({
    name: "pokeapi",
    baseUrl: `${partner.origin}/api/v2`,
    streams: {
      list: {
        path: `/${kind}/`,
        records: "results",
        primaryKey: "name",
        pagination: { type: "nextUrl", path: "next" },
      },
    },
  });

function sameForm(a: string, b: string): boolean {
  const sort = (text: string) => [...new URLSearchParams(text)].map(String).sort();
  return JSON.stringify(sort(a)) === JSON.stringify(sort(b));
}
