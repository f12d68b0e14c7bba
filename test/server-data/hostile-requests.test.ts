/** Requests as an attacker writes them, over a real socket: each has an answer that explains, and the next is served. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestHost, type TestHost } from "./open-test-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await openTestHost({ bakeBytesMax: 2 ** 20 });
  await host.test.api.settled();
});
afterAll(() => host[Symbol.asyncDispose]());

const statusesOf = (answers: string): readonly number[] =>
  [...answers.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
const ask = async (head: string): Promise<readonly number[]> => statusesOf(await host.raw(head));
const close = "Host: x\r\nConnection: close\r\n\r\n";
const csv = "/datasets/deaths/export.csv";

describe("what two servers could read in two ways", () => {
  test.each([
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ["two lengths", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"],
    ["a length that is a sum", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nabcde"],
    ["a blank before the colon", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nabcde"],
    [
      "chunks under another name",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a word for the version", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
    ["a line feed in a header", "GET / HTTP/1.1\r\nHost: x\r\nX: a\nb: c\rd\r\n\r\n"],
  ])("%s: refused, and nothing of it is taken for a second request", async (_, request) => {
    const statuses = await ask(request);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(statuses[0]).toBeLessThan(506);
    expect(statuses[0]).not.toBe(500);
  });

  test("a body that nobody asked for is not the next request", async () => {
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const answers = await host.raw(
      `GET /live HTTP/1.1\r\nHost: x\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}GET /live HTTP/1.1\r\n${close}`,
    );
    expect(statusesOf(answers)).toEqual([200, 200]);
    expect(answers).not.toContain("smuggled");
  });

  test("many requests at once are answered in their order", async () => {
    const years = [2018, 2019, 2018, 2019];
    const requests = years.map((year) => `GET /year/${year}/geo_code/E00000001 HTTP/1.1\r\nHost: x\r\n\r\n`);
    const answers = await host.raw(`${requests.join("")}GET ${csv} HTTP/1.1\r\n${close}`);
    expect([...answers.matchAll(/"year":(\d+)/g)].map(([, year]) => Number(year))).toEqual(years);
    expect(statusesOf(answers)).toEqual([200, 200, 200, 200, 200]);
  });
});

describe("addresses", () => {
  test("that name the server, as for a proxy, are those of their path", async () => {
    const named = await host.raw(`GET http://x/datasets/deaths/rows?limit=1 HTTP/1.1\r\n${close}`);
    expect(named).toContain('"total":120');
    expect(await ask(`GET HTTP://x HTTP/1.1\r\n${close}`)).toEqual([200]);
    expect(await ask(`GET http://x/live HTTP/1.1\r\n${close}`)).toEqual([200]);
    expect(await ask(`OPTIONS * HTTP/1.1\r\n${close}`)).toEqual([204]);
    expect(await ask(`GET * HTTP/1.1\r\n${close}`)).toEqual([400]);
  });

  test.each([
    ["/datasets/deaths/rows?geo_code=%00", 200],
    ["/datasets/deaths/rows?geo_name.like=%25%00%25", 200],
    ["/datasets/deaths/rows?geo_name=%ED%A0%80", 400],
    ["/datasets/deaths/rows?geo_name=%C0%AF", 400],
    ["/datasets/deaths/rows?geo_name=%", 400],
    ["/datasets/deaths/rows?geo_name=%u0041", 400],
    ["/datasets/deaths%2Frows", 404],
    ["/datasets/../datasets/deaths", 404],
    ["/datasets/%2e%2e/%2e%2e/etc/passwd", 404],
    ["/%2F%2Fdatasets", 404],
    ["//datasets/deaths", 404],
    ["/datasets/deaths/parts/..%2Fpack.parquet", 404],
    ["/datasets/__proto__", 404],
    ["/datasets/deaths/rows?__proto__=1", 400],
    ["/datasets/deaths/rows?constructor.eq=1", 400],
    ["/datasets/deaths/rows?toString=1", 400],
    ["/datasets/deaths/rows?limit=1e2", 400],
    ["/datasets/deaths/rows?limit=%2B5", 400],
    ["/datasets/deaths/rows?limit=%EF%BC%95", 400],
    ["/datasets/deaths/rows?limit=-1", 400],
    ["/datasets/deaths/rows?limit=99999999999999999999", 400],
    ["/datasets/deaths/rows?deaths.gt=5&deaths.lt=3", 200],
    ["/datasets/deaths/rows?deaths.between=5,3", 200],
    ["/datasets/deaths/rows?deaths=99999999999999999999999999999999999999", 200],
    ["/datasets/deaths/rows?geo_code='%20OR%201=1--", 200],
    ["/datasets/deaths/rows?geo_name.like='%20UNION%20SELECT%20*%20FROM%20duckdb_settings()--", 200],
    ["/datasets/deaths/rows?sort=deaths;DROP%20TABLE%20rows", 400],
    ["/datasets/deaths/rows?columns=*", 400],
    ["/datasets/deaths/aggregate?by=month.year');--", 400],
    ["/datasets/deaths/aggregate?values=sum(deaths)%20FROM%20x", 400],
    ["/datasets/deaths/facets?columns=geo_code&limit=0", 400],
    [`/datasets/deaths/rows?${"geo_code=x&".repeat(201)}`, 400],
    [`/${"a/".repeat(3000)}`, 404],
    [`/datasets/deaths/rows?geo_code=${"%61".repeat(10_000 / 4)}`, 400],
  ])("%s", async (url, status) => {
    const answers = await host.raw(`GET ${url} HTTP/1.1\r\n${close}`);
    expect(statusesOf(answers), answers.slice(0, 1000)).toEqual([status]);
    if (status >= 400) expect(answers).toContain("application/problem+json");
    // Nothing of the server itself.
    expect(answers).not.toMatch(/node:internal|\/tmp\/|\.ts:\d|SELECT|rows\.duckdb/);
  });
});

describe("parts, tags and codings at their edges", () => {
  const part = async (range: string, more: Readonly<Record<string, string>> = {}): Promise<Response> =>
    await host.get(csv, { "accept-encoding": "identity", range, ...more });

  test.each([
    ["bytes=0-0", 206],
    ["Bytes=0-0", 206],
    ["bytes=-1", 206],
    ["bytes=-999999999", 206],
    ["bytes=0-999999999999999", 206],
    ["bytes=5-2", 200],
    ["bytes=0-1,3-4", 200],
    ["bytes=-", 200],
    ["bytes=a-b", 200],
    ["bytes=0x1-2", 200],
    ["items=0-1", 200],
    [`bytes=${"0".repeat(3000)}1-2`, 200],
    ["bytes=999999999-", 416],
    ["bytes=-0", 416],
  ])("Range: %s", async (range, status) => {
    const answer = await part(range);
    const length = (await answer.arrayBuffer()).byteLength;
    expect([answer.status, length], range).toEqual([status, length]);
    if (status < 400) expect(Number(answer.headers.get("content-length"))).toBe(length);
  });

  test("a part of a compressed answer is one of the plain one, and HEAD says how long a part is", async () => {
    const whole = Buffer.from(await (await host.get(csv, { "accept-encoding": "identity" })).arrayBuffer());
    const coded = await host.get(csv, { "accept-encoding": "gzip", range: "bytes=10-19" });
    expect([coded.status, coded.headers.get("content-encoding")]).toEqual([206, null]);
    expect(Buffer.from(await coded.arrayBuffer()).equals(whole.subarray(10, 20))).toBe(true);
    const head = await fetch(host.url + csv, {
      method: "HEAD",
      headers: { range: "bytes=0-0", "accept-encoding": "identity" },
    });
    expect([head.status, head.headers.get("content-length")]).toEqual([206, "1"]);
  });

  test("a tag counts only as it was given", async () => {
    const answer = await host.get("/year/2018/geo_code/E00000001");
    const tag = answer.headers.get("etag")!;
    const url = "/year/2018/geo_code/E00000001";
    for (const [shown, status] of [
      [tag, 304],
      [`W/${tag}`, 304],
      [`"x", ${tag}`, 304],
      ["*", 304],
      [`x${tag.slice(1, -1)}x`, 200],
      [tag.slice(1, -1), 200],
      [`${tag.slice(0, -1)}0"`, 200],
    ] as const)
      expect((await host.get(url, { "if-none-match": shown })).status, shown).toBe(status);
  });

  test.each([
    ["application/json;q=0", 406],
    ["image/png", 406],
    ["text/*", 200],
    ["*/*;q=0", 406],
    [`text/csv${";a=b".repeat(2000)}`, 200],
    [`${"image/png,".repeat(1000)}*/*`, 406],
    [",,;;=,q", 406],
  ])("Accept: %s", async (accept, status) => {
    expect((await host.get("/datasets/deaths/rows", { accept })).status).toBe(status);
  });

  test.each([
    ["gzip;q=0"],
    ["*"],
    ["identity;q=0"],
    ["zstd;q=nan"],
    ["br,".repeat(3000)],
  ])("Accept-Encoding: %s", async (coding) => {
    const answer = await host.get("/datasets/deaths/rows", { "accept-encoding": coding });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { total: number }).total).toBe(120);
  });
});

test("what the router of pages cannot read is answered and counted like everything else", async () => {
  const html = { accept: "text/html" };
  for (const [url, status] of [
    ["/datasets/%FF", 400],
    ["/datasets/%", 400],
    ["/sql/%C0%AF", 400],
    [`/datasets/${"x".repeat(500)}`, 404],
    ["/docs/nothing", 404],
  ] as const) {
    const answer = await host.get(url, html);
    expect(answer.status, url).toBe(status);
    expect(answer.headers.get("content-security-policy"), url).toContain("default-src 'none'");
    await answer.text();
  }
  for (const url of ["/docs", "/", "/live"]) {
    const headers = { ...html, "content-type": "application/xml" };
    const posted = await fetch(host.url + url, { method: "POST", headers, body: "<a/>" });
    expect([posted.status, posted.headers.get("allow")], url).toEqual([405, "GET, HEAD"]);
    await posted.text();
  }
  const active = async (): Promise<string | undefined> =>
    /^http_server_active_requests\S* (\d+)/m.exec(await (await host.get("/metrics")).text())?.[1];
  await expect.poll(active, { timeout: 20_000 }).toBe("1"); // The one that asks.
});

test("HEAD and OPTIONS say the same of every kind of address, without a body", async () => {
  for (const url of ["/", "/datasets/deaths/rows", csv, "/docs", "/live", "/openapi.json", "/nothing"]) {
    const [get, head] = [await host.get(url), await fetch(host.url + url, { method: "HEAD" })];
    await get.arrayBuffer();
    expect([head.status, (await head.arrayBuffer()).byteLength], url).toEqual([get.status, 0]);
    const options = await host.raw(`OPTIONS ${url} HTTP/1.1\r\nOrigin: https://a.example\r\n${close}`);
    expect(statusesOf(options), url).toEqual([204]);
    expect(options.toLowerCase()).toContain("allow: get, head, options");
  }
});

test("afterwards it serves as before, and has logged no fault of its own", async () => {
  expect((await host.get("/year/2018/geo_code/E00000001")).status).toBe(200);
  expect(host.logged.filter(({ level, status }) => Number(level) >= 50 || Number(status) >= 500)).toEqual([]);
  expect(host.test.events.filter(({ type }) => type === "failed")).toEqual([]);
});
