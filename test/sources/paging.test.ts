/** How one page leads to the next, where it ends, and what is not let through. */
import { expect, test, vi } from "vitest";
import { isJsonObject, type JsonValue } from "../../src/model/json-value.ts";
import type { Page } from "../../src/ports/source.ts";
import { rest } from "../../src/sources/rest/rest.ts";
import type { RestStreamDeclaration } from "../../src/sources/rest/rest-declaration.ts";
import { readRange, readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { testTenant, testWorld } from "./test-world.ts";

type Declared = Partial<RestStreamDeclaration> & Pick<RestStreamDeclaration, "pagination">;

const declare = (partner: Partner, stream: Declared) =>
  rest({
    name: "api",
    baseUrl: partner.origin,
    streams: { items: { path: "/items", primaryKey: "id", ...stream } },
  });

const queries = (partner: Partner, name: string) =>
  partner.requests.map((request) => request.query.get(name));
const ids = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: from + index }));

/** Serves `items` by offset and limit, as they are at each request. */
const serveSlices = (itemsAt: (request: number) => readonly JsonValue[], limit = 4) =>
  startPartner((request, response, count) => {
    const items = itemsAt(count);
    const offset = Number(request.query.get("offset"));
    const data = items.slice(offset, offset + Number(request.query.get("limit") ?? limit));
    answerJson(response, { data, total: items.length, hasMore: offset + data.length < items.length });
  });

test("numbered pages without a total end with an empty one, not with a short one", async () => {
  // This partner gives at most three, whatever it is asked for.
  await using partner = await startPartner((request, response) => {
    const page = Number(request.query.get("page"));
    answerJson(response, ids(page * 3, 10).slice(0, page > 2 ? 0 : 3));
  });
  const pagination = { type: "pageNumber", param: "page", sizeParam: "per_page", size: 100 } as const;
  const read = await readStream(declare(partner, { pagination, stability: "trusted" }), "items");
  expect(read.records).toHaveLength(6);
  expect(queries(partner, "page")).toEqual(["1", "2", "3"]);
  expect(queries(partner, "per_page")).toEqual(["100", "100", "100"]);
});

test("a short page is the last where that is declared", async () => {
  await using partner = await startPartner((request, response) => {
    answerJson(response, ids(0, request.query.get("page") === "0" ? 3 : 2));
  });
  const pagination = { type: "pageNumber", param: "page", first: 0, size: 3, endsWhenShort: true } as const;
  await readStream(declare(partner, { pagination }), "items");
  expect(queries(partner, "page")).toEqual(["0", "1"]);
});

test("offset pages go on by what came, not by what was asked for", async () => {
  await using partner = await serveSlices(() => ids(1, 9), 4);
  const pagination = { type: "offset", param: "offset", totalPath: "total" } as const;
  const read = await readStream(declare(partner, { pagination, records: "data" }), "items");
  expect(read.records).toEqual(ids(1, 9));
  expect(queries(partner, "offset")).toEqual(["0", "4", "8"]);
});

test("hasMore ends numbered pages", async () => {
  await using partner = await serveSlices(() => ids(1, 8), 4);
  const pagination = { type: "offset", param: "offset", hasMorePath: "hasMore" } as const;
  await readStream(declare(partner, { pagination, records: "data" }), "items");
  expect(queries(partner, "offset")).toEqual(["0", "4"]);
});

test("a page number may stand in the path", async () => {
  await using partner = await startPartner((request, response) => {
    answerJson(response, request.path.endsWith("/3") ? [] : ids(Number(request.path.at(-1)), 1));
  });
  const read = await readStream(
    declare(partner, { path: "/items/page/{page}", pagination: { type: "pageNumber" } }),
    "items",
  );
  expect(partner.requests.map((request) => request.url)).toEqual([
    "/items/page/1",
    "/items/page/2",
    "/items/page/3",
  ]);
  expect(read.records).toHaveLength(2);
});

test("the last id is sent exactly, also beyond 2^53", async () => {
  const first = '{"data":[{"id":1},{"id":12345678901234567890123}],"has_more":true}';
  await using partner = await startPartner((request, response) => {
    response.end(request.query.has("after") ? '{"data":[],"has_more":false}' : first);
  });
  const pagination = { type: "lastId", param: "after", field: "id", hasMorePath: "has_more" } as const;
  await readStream(declare(partner, { pagination, records: "data" }), "items");
  expect(queries(partner, "after")).toEqual([null, "12345678901234567890123"]);
});

test("last ids without hasMore end with an empty page", async () => {
  await using partner = await startPartner((request, response) => {
    const after = Number(request.query.get("after") ?? 0);
    answerJson(response, ids(after + 1, Math.min(2, 5 - after)));
  });
  const read = await readStream(
    declare(partner, { pagination: { type: "lastId", param: "after", field: "id" } }),
    "items",
  );
  expect(read.records).toEqual(ids(1, 5));
  expect(queries(partner, "after")).toEqual([null, "2", "4", "5"]);
});

test.each<[string, Declared, (partner: string, count: number) => [unknown, Record<string, string>]]>([
  [
    "link",
    { pagination: { type: "linkHeader" } },
    (origin) => [ids(1, 1), { link: `<${origin}/items?p=2>; rel=next` }],
  ],
  [
    "next address",
    { records: "d", pagination: { type: "nextUrl", path: "n" } },
    () => [{ d: [], n: "?p=2" }, {}],
  ],
  [
    "token",
    { records: "d", pagination: { type: "cursorToken", path: "n", param: "t" } },
    (_, count) => [{ d: [], n: count % 2 }, {}],
  ],
  ["last id", { pagination: { type: "lastId", field: "id", param: "after" } }, () => [ids(1, 1), {}]],
])("a %s that repeats is PAGES_ENDLESS", async (_, stream, answer) => {
  await using partner = await startPartner((_request, response, count) => {
    const [body, headers] = answer(partner.origin, count + 1);
    answerJson(response, body, { headers });
  });
  await expect(readStream(declare(partner, stream), "items")).rejects.toMatchObject({
    code: "PAGES_ENDLESS",
  });
  expect(partner.requests.length).toBeLessThanOrEqual(3);
});

test("a partner that does not know the page parameter is PAGES_ENDLESS, not an endless loop", async () => {
  await using partner = await startPartner((_, response) => answerJson(response, ids(1, 3)));
  const pagination = { type: "pageNumber", param: "pagge" } as const;
  await expect(readStream(declare(partner, { pagination }), "items")).rejects.toMatchObject({
    code: "PAGES_ENDLESS",
    message: expect.stringContaining('"pagge"'),
  });
  expect(partner.requests).toHaveLength(4);
});

test("more pages than the bound are PAGES_ENDLESS, naming the option", async () => {
  await using partner = await startPartner((_, response, count) =>
    answerJson(response, { d: [{ id: count }], n: `t${count}` }),
  );
  const stream: Declared = {
    records: "d",
    bounds: { pagesMax: 1000 },
    pagination: { type: "cursorToken", path: "n", param: "t" },
  };
  await expect(readStream(declare(partner, stream), "items")).rejects.toMatchObject({
    code: "PAGES_ENDLESS",
    message: expect.stringContaining("bounds.pagesMax"),
  });
  expect(partner.requests).toHaveLength(1000);
});

test.each<[string, Declared["pagination"], unknown]>([
  ["a token that is an object", { type: "cursorToken", path: "n", param: "t" }, { d: [], n: {} }],
  [
    "more without a token",
    { type: "cursorToken", path: "n", hasMorePath: "m", param: "t" },
    { d: [], m: true },
  ],
  ["no total where one is declared", { type: "offset", param: "o", totalPath: "t" }, { d: [{}] }],
  ["a last record without its field", { type: "lastId", field: "id", param: "t" }, { d: [{}] }],
])("%s is SOURCE_SHAPE_CHANGED", async (_, pagination, body) => {
  await using partner = await startPartner((_request, response) => answerJson(response, body));
  await expect(readStream(declare(partner, { records: "d", pagination }), "items")).rejects.toMatchObject({
    code: "SOURCE_SHAPE_CHANGED",
  });
});

test("an envelope that could not be kept is a failure, not the last page", async () => {
  await using partner = await startPartner((_, response) =>
    answerJson(response, { d: [], n: "t2", more: "…" }),
  );
  const pagination = { type: "cursorToken", path: "n", param: "t" } as const;
  const reader = await declare(partner, { records: "d", pagination }).open(
    "items",
    testTenant(),
    testWorld(),
  );
  const reading = reader.read(
    { start: undefined, end: undefined, partition: undefined },
    new AbortController().signal,
  );
  await reading.next();
  const summary = { recordCount: 0, envelope: undefined, lastRecord: undefined, isMismatch: false };
  await expect(reading.next(summary)).rejects.toMatchObject({ code: "SOURCE_SHAPE_CHANGED" });
  await reader.close();
});

const overlapping: Declared = {
  records: "data",
  sort: { param: "sort", value: "id", by: "key" },
  pagination: { type: "offset", param: "offset", limitParam: "limit", limit: 4 },
};

/** The judgement of the extract stage: a page that steps back must hold a record that came before. */
function judgeOverlap() {
  const seen: JsonValue[] = [];
  return (page: Page, records: readonly JsonValue[]): boolean => {
    const known = (record: JsonValue | undefined) => seen.some((other) => readId(other) === readId(record));
    const isMet =
      page.overlap === 0 ||
      (page.overlap === 1
        ? readId(records[0]) === readId(seen.at(-1))
        : records.some((record) => known(record)));
    if (isMet) seen.push(...records.filter((record) => !known(record)));
    return !isMet;
  };
}

test("I16 overlapping pages that meet a deletion step back until they meet what came before, and lose nothing", async () => {
  const before = ids(1, 12);
  const after = before.slice(3); // 1, 2 and 3 are deleted after the first page.
  await using partner = await serveSlices((request) => (request === 1 ? before : after));
  const source = declare(partner, overlapping);
  expect(source.streams[0]?.stability).toBe("overlap");
  const reader = await source.open("items", testTenant(), testWorld());
  const read = await readRange(reader, undefined, undefined, judgeOverlap());
  await reader.close();
  expect(queries(partner, "offset")).toEqual(["0", "3", "0", "3", "6", "8"]);
  expect(new Set(read.records.map(readId))).toEqual(new Set(before.map(readId)));
});

test("I16 overlapping pages step back before they start anew", async () => {
  const before = ids(1, 40);
  const after = before.slice(3);
  await using partner = await serveSlices((request) => (request <= 4 ? before : after), 10);
  const reader = await declare(partner, {
    ...overlapping,
    pagination: { type: "offset", param: "offset", limitParam: "limit", limit: 10 },
  }).open("items", testTenant(), testWorld());
  const read = await readRange(reader, undefined, undefined, judgeOverlap());
  await reader.close();
  expect(queries(partner, "offset").slice(0, 7)).toEqual(["0", "9", "18", "27", "36", "33", "36"]);
  expect(new Set(read.records.map(readId))).toEqual(new Set(before.map(readId)));
});

test("I16 overlapping pages that never meet what came before are SOURCE_UNSTABLE", async () => {
  await using partner = await serveSlices((request) => ids(request * 1000, 50));
  const reader = await declare(partner, overlapping).open("items", testTenant(), testWorld());
  const reading = readRange(reader, undefined, undefined, (page) => page.overlap !== 0);
  await expect(reading).rejects.toMatchObject({ code: "SOURCE_UNSTABLE", retryable: true });
  await reader.close();
  expect(partner.requests.length).toBeLessThan(20);
});

test("pages known from the first are fetched at once and read in order", async () => {
  let inFlight = 0;
  let inFlightMost = 0;
  await using partner = await startPartner(async (request, response) => {
    inFlightMost = Math.max(inFlightMost, ++inFlight);
    const page = Number(request.query.get("page"));
    await new Promise((resolve) => setTimeout(resolve, page % 2 === 0 ? 30 : 5));
    inFlight--;
    answerJson(response, { data: ids(page * 2, 2), pages: 9 });
  });
  const pagination = { type: "pageNumber", param: "page", totalPagesPath: "pages" } as const;
  const stream: Declared = { records: "data", concurrency: 3, stability: "trusted", pagination };
  const read = await readStream(declare(partner, stream), "items");
  expect(read.records).toEqual(ids(2, 18));
  expect(queries(partner, "page").map(Number).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(inFlightMost).toBe(3);
});

test("pages fetched ahead that turn out to begin elsewhere are asked for again", async () => {
  const items = ids(1, 20);
  await using partner = await startPartner((request, response) => {
    const offset = Number(request.query.get("offset"));
    // The second page is short by one: what was guessed to follow it would skip a record.
    const count = offset === 5 ? 4 : 5;
    answerJson(response, { data: items.slice(offset, offset + count), total: 20 });
  });
  const pagination = { type: "offset", param: "offset", totalPath: "total" } as const;
  const stream: Declared = { records: "data", concurrency: 3, stability: "trusted", pagination };
  expect((await readStream(declare(partner, stream), "items")).records).toEqual(items);
});

test("a failure of a page fetched ahead is thrown when its turn comes, once", async () => {
  await using partner = await startPartner((request, response) => {
    const page = Number(request.query.get("page"));
    if (page === 3) return answerJson(response, { error: "no" }, { status: 400 });
    answerJson(response, { data: ids(page, 1), pages: 5 });
  });
  const pagination = { type: "pageNumber", param: "page", totalPagesPath: "pages" } as const;
  const stream: Declared = { records: "data", concurrency: 4, stability: "trusted", pagination };
  const reader = await declare(partner, stream).open("items", testTenant(), testWorld());
  const pages: string[] = [];
  const reading = readRange(reader, undefined, undefined, (page) => {
    pages.push(page.at);
    return false;
  });
  await expect(reading).rejects.toMatchObject({ code: "SOURCE_FAILED", details: { status: 400 } });
  expect(pages).toHaveLength(2);
  await reader.close();
});

test("a reader that is left stops what was fetched ahead", async () => {
  let closed = 0;
  await using partner = await startPartner((request, response) => {
    response.on("close", () => closed++);
    if (request.query.get("page") === "1") answerJson(response, { data: ids(1, 1), pages: 9 });
    if (request.query.get("page") === "2") answerJson(response, { data: ids(2, 1), pages: 9 });
  });
  const pagination = { type: "pageNumber", param: "page", totalPagesPath: "pages" } as const;
  const stream: Declared = { records: "data", concurrency: 3, stability: "trusted", pagination };
  const reader = await declare(partner, stream).open("items", testTenant(), testWorld());
  const reading = reader.read(
    { start: undefined, end: undefined, partition: undefined },
    new AbortController().signal,
  );
  const summary = {
    recordCount: 1,
    envelope: { data: [], pages: 9 },
    lastRecord: Buffer.from("1"),
    isMismatch: false,
  };
  await reading.next();
  await reading.next(summary);
  await vi.waitFor(() => expect(partner.requests).toHaveLength(4)); // Pages 3 and 4 are never answered.
  await reading.return();
  await vi.waitFor(() => expect(closed).toBe(4));
  await reader.close();
});

test("the partner's own count is the total of its first page", async () => {
  await using partner = await serveSlices(() => ids(1, 9), 4);
  const pagination = {
    type: "offset",
    param: "offset",
    limitParam: "limit",
    limit: 4,
    totalPath: "total",
  } as const;
  const source = declare(partner, { records: "data", pagination });
  const signal = new AbortController().signal;
  expect(await source.count?.("items", testTenant(), testWorld(), signal)).toBe(9);
  const single = declare(partner, { records: "data", pagination: { type: "single" } });
  expect(await single.count?.("items", testTenant(), testWorld(), signal)).toBeUndefined();
});

function readId(record: JsonValue | undefined): JsonValue | undefined {
  return isJsonObject(record) ? record["id"] : undefined;
}
