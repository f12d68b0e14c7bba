/** What HTTP promises: tags, 304, HEAD, lengths, parts of files, codings. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deathsApi, deathsRows, deathsSchema } from "./deaths-api.ts";
import { type Answered, openTestApi, type TestApi } from "./open-test-api.ts";

let api: TestApi;
let short: string;
beforeAll(async () => {
  api = await openTestApi(deathsApi, { bakeBytesMax: 2 ** 30 });
  const { version } = await api.published.publish("deaths", deathsSchema, deathsRows(100));
  short = version.slice(0, 16);
  await api.refresh();
  await api.api.settled();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const rowCount = 100 * 24;
/** An address of each kind. */
const addresses = [
  "/",
  "/openapi.json",
  "/year/2018/geo_code/E00000007",
  "/area/E00000001.csv",
  "/datasets",
  "/datasets/deaths",
  "/datasets/deaths/versions",
  "/datasets/deaths/rows?year=2018&limit=3",
  "/datasets/deaths/rows?sort=-deaths&limit=3",
  "/datasets/deaths/rows.parquet?limit=3",
  "/datasets/deaths/facets?columns=year",
  "/datasets/deaths/aggregate?by=year&values=sum(deaths)",
  "/datasets/deaths/export.csv",
  "/datasets/deaths/export.ndjson",
  "/datasets/deaths/export.json",
  "/datasets/deaths/export.parquet",
  "/datasets/deaths/export.arrow",
];

describe("tags", () => {
  test("every address has one, and answers 304 to whoever shows it", async () => {
    const tags = new Set<string>();
    for (const url of addresses) {
      const first = await api.get(url);
      expect(first.status, url).toBe(200);
      const tag = first.headers.get("etag")!;
      expect(tag, url).toMatch(/^"[^"]+"$/);
      tags.add(tag);
      const again = await api.get(url, { "if-none-match": `"other", ${tag}` });
      expect([again.status, again.bytes.length], url).toEqual([304, 0]);
      expect(again.headers.get("etag")).toBe(tag);
      expect(again.headers.get("cache-control")).toBe(first.headers.get("cache-control"));
      expect(again.headers.get("vary")).toBe(first.headers.get("vary"));
      expect((await api.get(url, { "if-none-match": '"other"' })).status, url).toBe(200);
    }
    expect(tags.size).toBe(addresses.length);
  });

  test("need not be known: whoever wants nothing that there is gets 304, and of what is not there the reason", async () => {
    for (const url of addresses) {
      const [first, again] = [await api.get(url), await api.get(url, { "if-none-match": " * " })];
      expect([again.status, again.bytes.length], url).toEqual([304, 0]);
      for (const name of ["etag", "cache-control", "vary"])
        expect(again.headers.get(name), `${url} ${name}`).toBe(first.headers.get(name));
      expect((await api.get(url, { "if-none-match": "*" }, "HEAD")).status, url).toBe(304);
    }
    for (const [url, status] of [
      ["/year/2018/geo_code/E99", 404],
      ["/datasets/deaths/rows?limit=0", 400],
    ] as const)
      expect((await api.get(url, { "if-none-match": "*" })).status, url).toBe(status);
    // A tag goes before a part.
    const part = await api.get("/datasets/deaths/export.csv", { range: "bytes=0-9", "if-none-match": "*" });
    expect(part.status).toBe(304);
  });

  test("are different for another format, coding and version of the same address", async () => {
    const url = "/datasets/deaths/rows?limit=1000";
    const tagOf = async (headers: Readonly<Record<string, string>>): Promise<string> =>
      (await api.get(url, headers)).headers.get("etag")!;
    const tags = await Promise.all([
      tagOf({}),
      tagOf({ accept: "text/csv" }),
      tagOf({ "accept-encoding": "gzip" }),
      tagOf({ "accept-encoding": "br" }),
    ]);
    expect(new Set(tags).size).toBe(4);
    await api.published.publish("deaths", deathsSchema, deathsRows(100, 1));
    await api.refresh();
    await api.api.settled();
    expect(await tagOf({})).not.toBe(tags[0]);
    expect((await api.get(url, { "if-none-match": tags[0]! })).status).toBe(200);
    expect((await api.get(`/v/${short}${url}`)).headers.get("cache-control")).toContain("immutable");
  });

  test("moving addresses may be kept for a minute, permanent ones for a year, problems not at all", async () => {
    const cacheOf = async (url: string): Promise<string | undefined> =>
      (await api.get(url)).headers.get("cache-control");
    expect(await cacheOf("/datasets/deaths")).toBe("public, max-age=60, stale-while-revalidate=600");
    expect(await cacheOf(`/v/${short}/datasets/deaths`)).toBe("public, max-age=31536000, immutable");
    expect(await cacheOf("/datasets/birds")).toBe("no-store");
  });
});

describe("HEAD and lengths", () => {
  test("HEAD says what GET would, without the body", async () => {
    for (const url of [...addresses, "/datasets/birds", "/year/x/geo_code/y"]) {
      const [get, head] = [await api.get(url), await api.get(url, {}, "HEAD")];
      expect(head.bytes.length, url).toBe(0);
      expect(head.status, url).toBe(get.status);
      expect([...head.headers], url).toEqual([...get.headers]);
    }
  });

  test("whole answers state their length, full exports among them", async () => {
    for (const url of addresses) {
      const { headers, bytes } = await api.get(url);
      expect(headers.get("content-length"), url).toBe(String(bytes.length));
    }
  });

  test("other methods are refused with those that are not", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get"]) {
      const { status, headers } = await api.get("/datasets", {}, method);
      expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });
});

describe("parts of files", () => {
  const url = "/datasets/deaths/export.parquet";

  const part = async (range: string, more: Readonly<Record<string, string>> = {}): Promise<Answered> =>
    await api.get(url, { range, ...more });

  test("are the bytes that were asked for, from the beginning, the middle and the end", async () => {
    const { bytes, headers } = await api.get(url);
    expect(headers.get("accept-ranges")).toBe("bytes");
    for (const [range, from, to] of [
      ["bytes=0-3", 0, 4],
      ["bytes=10-19", 10, 20],
      ["bytes=-8", bytes.length - 8, bytes.length],
      [`bytes=${bytes.length - 1}-`, bytes.length - 1, bytes.length],
      ["bytes=5-999999999", 5, bytes.length],
      ["bytes=-999999999", 0, bytes.length],
    ] as const) {
      const found = await part(range);
      expect(found.status, range).toBe(206);
      expect(found.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/${bytes.length}`);
      expect(found.headers.get("content-length")).toBe(String(to - from));
      expect(found.bytes.equals(bytes.subarray(from, to)), range).toBe(true);
    }
  });

  test("beyond the file are refused with its size", async () => {
    const { bytes } = await api.get(url);
    const found = await part(`bytes=${bytes.length}-`);
    expect([found.status, found.headers.get("content-range")]).toEqual([416, `bytes */${bytes.length}`]);
    expect((await part("bytes=-0")).status).toBe(416);
  });

  test("what cannot be read as a part, several parts, and parts of another version give the whole", async () => {
    for (const range of ["bytes=a-b", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=9-2x"])
      expect((await part(range)).status, range).toBe(200);
    const { headers } = await api.get(url);
    expect((await part("bytes=0-3", { "if-range": headers.get("etag")! })).status).toBe(206);
    expect((await part("bytes=0-3", { "if-range": '"older"' })).status).toBe(200);
  });

  test("of exports that were made beforehand and of published parts can be asked for as well", async () => {
    const csv = await api.get("/datasets/deaths/export.csv", { range: "bytes=0-7" });
    expect([csv.status, csv.text]).toEqual([206, "geo_code"]);
    const { parts } = (await api.get("/datasets/deaths")).json<{ parts: { url: string; bytes: number }[] }>();
    const tail = await api.get(parts[0]!.url, { range: "bytes=-4" });
    expect([tail.status, tail.text]).toEqual([206, "PAR1"]);
    expect(tail.headers.get("cache-control")).toContain("immutable");
  });
});

describe("codings", () => {
  const decoders = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync } as const;

  test("are those that the client takes, and hold the same bytes", async () => {
    for (const url of [
      "/datasets/deaths/rows?limit=2000",
      "/datasets/deaths/rows.csv?sort=deaths&limit=900",
    ]) {
      const plain = await api.get(url, { "accept-encoding": "identity" });
      expect(plain.headers.has("content-encoding")).toBe(false);
      expect(plain.headers.get("vary")).toContain("accept-encoding");
      for (const [coding, decode] of Object.entries(decoders)) {
        const coded = await api.get(url, { "accept-encoding": `${coding}, other;q=0.5` });
        expect(coded.headers.get("content-encoding"), coding).toBe(coding);
        expect(coded.headers.get("content-length")).toBe(String(coded.bytes.length));
        expect(coded.bytes.length).toBeLessThan(plain.bytes.length / 3);
        expect(decode(coded.bytes).equals(plain.bytes), coding).toBe(true);
        const shown = { "accept-encoding": coding, "if-none-match": coded.headers.get("etag")! };
        expect((await api.get(url, shown)).status).toBe(304);
      }
    }
  });

  test("of exports are made beforehand, and Parquet is not compressed again", async () => {
    const plain = await api.get("/datasets/deaths/export.csv");
    for (const coding of ["zstd", "gzip"] as const) {
      const coded = await api.get("/datasets/deaths/export.csv", { "accept-encoding": coding });
      expect(coded.headers.get("content-encoding")).toBe(coding);
      expect(decoders[coding](coded.bytes).equals(plain.bytes)).toBe(true);
    }
    const parquet = await api.get("/datasets/deaths/export.parquet", { "accept-encoding": "gzip" });
    expect(parquet.headers.has("content-encoding")).toBe(false);
  });

  test("a coding with quality zero is not used, and the best liked one is", async () => {
    const url = "/datasets/deaths/rows?limit=2000";
    const codingOf = async (accepted: string): Promise<string | undefined> =>
      (await api.get(url, { "accept-encoding": accepted })).headers.get("content-encoding");
    expect(await codingOf("gzip;q=0, br;q=0.1")).toBe("br");
    expect(await codingOf("zstd;q=0.2, gzip;q=0.9")).toBe("gzip");
    expect(await codingOf("deflate, compress")).toBeUndefined();
  });

  test("small answers are not worth one", async () => {
    const answer = await api.get("/year/2018/geo_code/E00000007", { "accept-encoding": "gzip, br, zstd" });
    expect(answer.headers.has("content-encoding")).toBe(false);
  });
});

describe("formats", () => {
  test("are chosen by what Accept likes best, and by the ending before it", async () => {
    const typeOf = async (url: string, accept: string): Promise<string | undefined> =>
      (await api.get(url, { accept })).headers.get("content-type");
    const rows = "/datasets/deaths/rows";
    expect(await typeOf(rows, "text/html, */*;q=0.1")).toContain("application/json");
    expect(await typeOf(rows, "application/json;q=0.5, text/csv")).toContain("text/csv");
    expect(await typeOf(rows, "application/vnd.apache.arrow.file")).toContain("arrow");
    expect(await typeOf(`${rows}.csv`, "application/json")).toContain("text/csv");
    expect((await api.get(rows, { accept: "image/png" })).status).toBe(406);
  });

  test("exports hold every row, in every format", async () => {
    const lines = (await api.get("/datasets/deaths/export.ndjson")).text.trimEnd().split("\n");
    expect(lines.length).toBe(rowCount);
    expect((await api.get("/datasets/deaths/export.json")).json<unknown[]>()).toEqual(
      lines.map((line) => JSON.parse(line)),
    );
    const csv = (await api.get("/datasets/deaths/export.csv")).text.trimEnd().split("\r\n");
    expect(csv.length).toBe(rowCount + 1);
    expect(csv[0]).toBe("geo_code,geo_name,year,month,deaths");
  });
});
