/** What strangers send: an answer that explains, or a right one; never a fault of ours, never more than was published. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemKinds } from "../../src/serve/problem.ts";
import { deathsApi, deathsRows, deathsSchema } from "./deaths-api.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi(deathsApi);
  await api.published.publish("deaths", deathsSchema, deathsRows(30));
  await api.refresh();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const rows = "/datasets/deaths/rows";

type Told = Readonly<{
  type: string;
  value?: string;
  status: number;
  title: string;
  detail: string;
  parameter?: string;
  allowed?: unknown[];
  near?: string;
}>;

async function refusalOf(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Told> {
  const answer = await api.get(url, headers);
  expect(answer.headers.get("content-type"), url).toContain("application/problem+json");
  const told = answer.json<Told>();
  expect(told.status).toBe(answer.status);
  expect(told.type, url).toMatch(/^urn:leat:problem:/);
  return told;
}

const kindOf = ({ type }: Told): string => type.replace("urn:leat:problem:", "");

describe("each kind of fault is named, with what could stand there", () => {
  test.each([
    ["/datasets/death", 404, "unknown-dataset", { near: "deaths", allowed: ["deaths"] }],
    ["/nothing/here", 404, "unknown-path", {}],
    ["/datasets/deaths/row", 404, "unknown-path", { near: "rows" }],
    [`${rows}?geo_cod=E1`, 400, "unknown-parameter", { parameter: "geo_cod", near: "geo_code" }],
    [`${rows}?geo_cod.eq=E1`, 400, "unknown-column", { near: "geo_code" }],
    [`${rows}?columns=geo_code,moth`, 400, "unknown-column", { parameter: "columns", near: "month" }],
    [`${rows}?sort=-yaer`, 400, "unknown-column", { parameter: "sort", near: "year" }],
    [`${rows}?deaths.greater=3`, 400, "unknown-operator", { parameter: "deaths.greater" }],
    [`${rows}?deaths.like=3`, 400, "unknown-operator", { parameter: "deaths.like" }],
    [`${rows}?deaths.gte=many`, 400, "invalid-parameter", { parameter: "deaths.gte", value: "many" }],
    [`${rows}?month=2018-02-30`, 400, "invalid-parameter", { parameter: "month" }],
    [`${rows}?month.between=2018-01-01`, 400, "invalid-parameter", { parameter: "month.between" }],
    [`${rows}?geo_name.isnull=perhaps`, 400, "invalid-parameter", { parameter: "geo_name.isnull" }],
    [`${rows}?limit=ten`, 400, "invalid-parameter", { parameter: "limit" }],
    [`${rows}?limit=1&limit=2`, 400, "invalid-parameter", { parameter: "limit" }],
    [`${rows}?cursor=abc`, 400, "invalid-cursor", { parameter: "cursor" }],
    [`${rows}?geo_name=%FF`, 400, "invalid-address", {}],
    [
      `${rows}.xml`,
      404,
      "unknown-format",
      { value: "xml", allowed: ["json", "ndjson", "csv", "parquet", "arrow"] },
    ],
    ["/datasets/deaths/export.xlsx", 404, "unknown-format", { value: "xlsx" }],
    ["/datasets/deaths/facets.xml", 404, "unknown-format", { allowed: ["json"] }],
    ["/datasets/deaths/facets.csv", 404, "unknown-format", { allowed: ["json"] }],
    ["/datasets/deaths/aggregate?by=month.decade", 400, "invalid-parameter", { parameter: "by" }],
    ["/datasets/deaths/aggregate?values=sum(geo_code)", 400, "invalid-parameter", { parameter: "values" }],
    ["/datasets/deaths/aggregate?values=summ(deaths)", 400, "invalid-parameter", { parameter: "values" }],
    ["/datasets/deaths/aggregate?sort=sum(deaths)", 400, "invalid-parameter", { parameter: "sort" }],
    ["/datasets/deaths/facets?columns=geo", 400, "unknown-column", { parameter: "columns" }],
    ["/datasets?year=2018", 400, "unknown-parameter", { parameter: "year" }],
    ["/v/0123456789abcdef/datasets/deaths", 404, "unknown-version", {}],
    ["/year/2018/geo_code/E99", 404, "no-rows", { parameter: "geo_code" }],
    ["/year/18.5/geo_code/E00000001", 400, "invalid-parameter", { parameter: "year" }],
    ["/figure/E00000001/january", 400, "invalid-parameter", { parameter: "month" }],
    ["/year/2018/geo_code/E00000001?x=1", 400, "unknown-parameter", { parameter: "x" }],
  ])("%s", async (url, status, kind, facts) => {
    const told = await refusalOf(url);
    expect([told.status, kindOf(told)]).toEqual([status, kind]);
    expect(told).toMatchObject(facts);
  });

  test("every kind has a status of its class, and none of ours but the last is a fault", () => {
    for (const [kind, { status }] of Object.entries(problemKinds))
      expect(status >= 400 && (status < 500 || status === 503 || kind === "internal"), kind).toBe(true);
  });
});

describe("cursors", () => {
  const firstNext = async (query: string): Promise<string> =>
    (await api.get(`${rows}?limit=5${query}`)).json<{ next: string }>().next;

  test("that were changed in any character are refused", async () => {
    const next = await firstNext("");
    const at = next.indexOf("cursor=") + "cursor=".length;
    for (let index = at; index < next.length; index++) {
      const other = next[index] === "A" ? "B" : "A";
      const changed = next.slice(0, index) + other + next.slice(index + 1);
      expect(kindOf(await refusalOf(changed))).toBe("invalid-cursor");
    }
    for (const wrong of [`${next}A`, next.slice(0, -1), `${next}%3D`])
      expect(kindOf(await refusalOf(wrong))).toBe("invalid-cursor");
  });

  test("of another query are refused, and of another API's", async () => {
    const cursor = (await firstNext("&sort=-deaths")).split("cursor=")[1]!;
    for (const url of [
      rows,
      `${rows}?sort=deaths`,
      `${rows}?sort=-deaths&year=2018`,
      "/datasets/deaths/aggregate?by=year",
    ])
      expect(kindOf(await refusalOf(`${url}${url.includes("?") ? "&" : "?"}cursor=${cursor}`))).toBe(
        "invalid-cursor",
      );
    await using other = await openTestApi(deathsApi, { cursorSecret: "another" });
    await other.published.publish("deaths", deathsSchema, deathsRows(30));
    await other.refresh();
    expect((await other.get(`${rows}?sort=-deaths&cursor=${cursor}`)).status).toBe(400);
  });

  test("of a version that is not there are refused as that", async () => {
    await using other = await openTestApi(deathsApi);
    await other.published.publish("deaths", deathsSchema, deathsRows(31));
    await other.refresh();
    const cursor = (await firstNext("")).split("cursor=")[1]!;
    const answer = await other.get(`${rows}?cursor=${cursor}`);
    expect([answer.status, answer.json<Told>().type]).toEqual([404, "urn:leat:problem:unknown-version"]);
  });

  test("that say one version at an address of another are refused", async () => {
    const before = api.api.states()[0]!.version!;
    await api.published.publish("deaths", deathsSchema, deathsRows(30, 1));
    const next = await firstNext("");
    await api.refresh();
    const after = api.api.states()[0]!.version!;
    expect((await api.get(`/v/${before}${next}`)).status).toBe(200);
    expect(kindOf(await refusalOf(`/v/${after}${next}`))).toBe("invalid-cursor");
  });
});

describe("values", () => {
  const injections = [
    "' OR 1=1 --",
    "'; DROP TABLE rows; --",
    '" OR ""="',
    "\\'",
    "\\",
    "%27",
    "#{1+1}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "\u0000",
    "\r\nset-cookie: a=b",
    "1e309",
    "NaN",
    "-0",
    "null",
    "undefined",
    "__proto__",
    "constructor",
    "SELECT * FROM duckdb_settings()",
    "read_csv('/etc/passwd')",
    "\u202e",
    "😀".repeat(200),
    "A".repeat(1900),
  ];

  test("that mean something elsewhere are values here, in every position", async () => {
    for (const text of injections) {
      const value = encodeURIComponent(text);
      for (const url of [
        `/year/${value}/geo_code/E00000001`,
        `/year/2018/geo_code/${value}`,
        `/${value}`,
        `/datasets/${value}`,
        `/v/${value}/datasets/deaths`,
        `/datasets/deaths/${value}`,
        `/datasets/deaths/parts/${value}`,
        `/datasets/deaths/parts/${value}.parquet`,
        `${rows}?geo_code=${value}`,
        `${rows}?geo_name.like=${value}`,
        `${rows}?geo_code.in=${value},b`,
        `${rows}?${value}=1`,
        `${rows}?deaths.${value}=1`,
        `${rows}?columns=${value}`,
        `${rows}?sort=${value}`,
        `${rows}?limit=${value}`,
        `${rows}?cursor=${value}`,
        `${rows}?month.between=${value},${value}`,
        `/datasets/deaths/aggregate?by=${value}`,
        `/datasets/deaths/aggregate?values=sum(${value})`,
        `/datasets/deaths/aggregate?values=${value}`,
        `/datasets/deaths/facets?columns=${value}`,
        `/datasets/deaths/export.${value}`,
        `/datasets/deaths/export.csv?geo_code=${value}`,
      ]) {
        const answer = await api.get(url);
        expect(answer.status < 500, `${answer.status} ${url} ${answer.text}`).toBe(true);
        expect(answer.text).not.toMatch(/\/tmp\/|at Object|Binder|Parser Error|main\.rows|rows\.duckdb/);
        for (const header of answer.headers.values()) expect(header).not.toMatch(/[\r\n\0]/);
      }
    }
  });

  test("that contradict each other match nothing, which is an answer", async () => {
    for (const query of [
      "deaths.gt=5&deaths.lt=5",
      "geo_code=a&geo_code=b",
      "geo_name.isnull=true&geo_name=x",
      "month.between=2019-01-01,2018-01-01",
    ]) {
      const answer = await api.get(`${rows}?${query}`);
      expect([answer.status, answer.json<{ total: number; rows: unknown[] }>()], query).toEqual([
        200,
        expect.objectContaining({ total: 0, rows: [], next: null }),
      ]);
      expect((await api.get(`/datasets/deaths/export.csv?${query}`)).text).toBe(
        "geo_code,geo_name,year,month,deaths\r\n",
      );
      expect((await api.get(`/datasets/deaths/export.ndjson?${query}`)).text).toBe("");
      expect((await api.get(`/datasets/deaths/export.json?${query}`)).json()).toEqual([]);
    }
  });

  test("of ten thousand characters are refused by their length, and not repeated", async () => {
    const long = "x".repeat(10_000);
    for (const url of [
      `/year/2018/geo_code/${long}`,
      `${rows}?geo_code=${long}`,
      `${rows}?${long}=1`,
      `/${long}`,
    ]) {
      const answer = await api.get(url);
      expect([answer.status, answer.text.length < 1000]).toEqual([414, true]);
    }
    const within = "x".repeat(5000);
    for (const url of [
      `${rows}?geo_code=${within}`,
      `${rows}?${within}=1`,
      `${rows}?columns=${within}`,
      `${rows}?cursor=${within}`,
    ]) {
      const answer = await api.get(url);
      expect([answer.status, answer.text.length < 2000]).toEqual([400, true]);
    }
    const headers = { accept: long, "accept-encoding": long, "if-none-match": long, range: `bytes=${long}` };
    expect((await api.get(`${rows}?limit=1`, { ...headers, accept: "*/*" })).status).toBe(200);
    expect((await api.get(`${rows}?limit=1`, headers)).status).toBe(406);
  });
});

describe("any address at all", () => {
  const word = fc.oneof(
    fc.constantFrom(
      "datasets",
      "deaths",
      "rows",
      "facets",
      "aggregate",
      "export",
      "versions",
      "parts",
      "v",
      "year",
      "2018",
      "geo_code",
      "E00000001",
      "openapi.json",
      "area",
      "..",
      ".",
      "",
      "%",
      "%2F",
      "rows.csv",
      "export.arrow",
      "part-00001.parquet",
    ),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const name = fc.oneof(
    fc.constantFrom(
      "limit",
      "sort",
      "columns",
      "cursor",
      "by",
      "values",
      "geo_code",
      "deaths.gte",
      "month.between",
      "geo_name.like",
      "year.in",
      "deaths.isnull",
      "month",
      "x",
    ),
    fc.string({ maxLength: 6 }),
  );
  const value = fc.oneof(
    fc.constantFrom(
      "1",
      "-1",
      "2018",
      "2018-01-31",
      "true",
      "deaths",
      "-deaths",
      "sum(deaths)",
      "p99(deaths)",
      "month.year",
      "E00000001",
      "a,b",
      '"a,b"',
      "%",
      "\\",
      "1e5",
      "99999999999999999999",
    ),
    fc.string({ maxLength: 8 }),
  );
  const isEncoded = fc.boolean();
  const part = fc
    .tuple(word, isEncoded)
    .map(([text, encodes]) => (encodes ? encodeURIComponent(text.toWellFormed()) : text));
  const pair = fc
    .tuple(name, value, isEncoded)
    .map(([key, text, encodes]) => `${key}=${encodes ? encodeURIComponent(text.toWellFormed()) : text}`);
  const address = fc
    .tuple(fc.array(part, { maxLength: 6 }), fc.array(pair, { maxLength: 4 }))
    .map(([parts, pairs]) => `/${parts.join("/")}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`);
  const headers = fc.record(
    {
      accept: fc.constantFrom("*/*", "text/csv", "image/png", "a;q=x", ",,", "application/json;q=0"),
      "accept-encoding": fc.constantFrom("gzip", "br;q=2", "zstd", ";;", "*"),
      "if-none-match": fc.constantFrom("*", '"', 'W/"a"', ""),
      range: fc.constantFrom("bytes=0-", "bytes=5-1", "bytes=-1", "x", "bytes=99999999-"),
    },
    { requiredKeys: [] },
  );

  test("is answered, never with a fault of ours", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(address, headers, async (url, sent) => {
        const answer = await api.get(url, sent);
        expect(answer.status, `${url} ${answer.text}`).toBeLessThan(500);
        if (answer.status >= 400) expect(answer.headers.get("content-type")).toContain("problem+json");
        for (const header of answer.headers.values()) expect(header).toMatch(/^[\x20-\x7e]*$/);
      }),
      { numRuns: Number(process.env["LEAT_RUNS"] ?? 2000) },
    );
    expect(api.events.filter(({ type }) => type === "failed")).toEqual([]);
  });
});
