/** Retries, Retry-After, rate limits: with a clock that moves only when somebody waits. */
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { rest } from "../../src/sources/rest/rest.ts";
import type { RestDeclaration } from "../../src/sources/rest/rest-declaration.ts";
import { readStream } from "./drive-reader.ts";
import { answerJson, type Partner, startPartner } from "./partner-server.ts";
import { FakeClock, realClock, testWorld } from "./test-world.ts";

const declare = (partner: Pick<Partner, "origin">, more: Partial<RestDeclaration> = {}) =>
  rest({
    name: "api",
    baseUrl: partner.origin,
    streams: { items: { path: "/items", primaryKey: "id", pagination: { type: "single" } } },
    ...more,
  });

/** A server that fails so many times and then answers. */
const failing = (times: number, fail: (response: ServerResponse, count: number) => void) =>
  startPartner((_, response, count) => {
    response.sendDate = false;
    if (count <= times) fail(response, count);
    else answerJson(response, [{ id: 1 }]);
  });

type RateLimitCase = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[]>>;
  body: unknown;
  expect: string;
}>;
const rateLimits = JSON.parse(
  readFileSync(new URL("../fixtures/api-payloads/rate-limit/429_responses.json", import.meta.url), "utf8"),
) as RateLimitCase[]; // Compiled by hand; its README says what each has.

test.each([
  // The fixture's expectations in numbers; half of the first backoff bound of 500 ms where there is no header.
  [0, Date.parse("2024-01-01T00:00:00Z"), 200],
  [1, Date.parse("2024-01-01T00:00:00Z"), 0],
  [1, Date.parse("2021-08-05T10:29:50Z"), 10_000],
  [1, Date.parse("2021-08-05T08:00:00Z"), 120_000],
  [2, Date.parse("2018-01-19T10:31:43Z"), 38_000],
  [3, Date.parse("2024-01-01T00:00:00Z"), 0],
  [4, Date.parse("2024-01-01T00:00:00Z"), 250],
])("Retry-After, form %i at %i waits %i ms, then asks for the same page again", async (index, nowMs, waitMs) => {
  const limit = rateLimits[index]!;
  await using partner = await failing(1, (response) => answerJson(response, limit.body, limit));
  const clock = new FakeClock(nowMs);
  const read = await readStream(declare(partner), "items", { world: testWorld({ clock }) });
  expect(read.records).toEqual([{ id: 1 }]);
  expect(clock.sleptMs).toEqual([waitMs]);
  expect(partner.requests.map((request) => request.url)).toEqual(["/items", "/items"]);
});

test("Retry-After of zero is still counted against the tries", async () => {
  await using partner = await failing(99, (response) => answerJson(response, null, rateLimits[3]));
  const clock = new FakeClock();
  const reading = readStream(declare(partner, { retry: { tries: 4 } }), "items", {
    world: testWorld({ clock }),
  });
  await expect(reading).rejects.toMatchObject({
    code: "SOURCE_RATE_LIMITED",
    details: { tries: 4, status: 429 },
  });
  expect(partner.requests).toHaveLength(4);
});

test("a wait that would end after the budget is not begun", async () => {
  await using partner = await failing(99, (response) =>
    answerJson(response, null, { status: 503, headers: { "retry-after": "100" } }),
  );
  const clock = new FakeClock();
  const source = declare(partner, { retry: { total: "150s" } });
  await expect(readStream(source, "items", { world: testWorld({ clock }) })).rejects.toMatchObject({
    code: "SOURCE_FAILED",
    details: { tries: 2, spentMs: 100_000, nextWaitMs: 100_000 },
  });
  expect(clock.sleptMs).toEqual([100_000]);
});

test("a long wait is told", async () => {
  await using partner = await failing(1, (response) => answerJson(response, null, rateLimits[2]));
  const world = testWorld();
  await readStream(declare(partner), "items", { world });
  expect(world.events).toEqual([
    expect.objectContaining({
      type: "warning",
      message: expect.stringMatching(/answered 429.*again in 38 s \(2 of 6\)/),
    }),
  ]);
});

test.each([408, 429, 500, 502, 503, 504])("%i is tried again, with backoff that doubles", async (status) => {
  await using partner = await failing(3, (response) => answerJson(response, null, { status }));
  const clock = new FakeClock();
  await readStream(declare(partner), "items", { world: testWorld({ clock, fraction: 0.999 }) });
  expect(clock.sleptMs).toEqual([499, 999, 1998]);
});

test.each([
  [400, "SOURCE_FAILED"],
  [404, "SOURCE_FAILED"],
  [422, "SOURCE_FAILED"],
  [401, "SOURCE_AUTH_FAILED"],
  [403, "SOURCE_AUTH_FAILED"],
])("%i fails at once as %s, with what the partner said", async (status, code) => {
  await using partner = await startPartner((_, response) =>
    answerJson(response, { error: "no such thing" }, { status }),
  );
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({
    code,
    retryable: false,
    details: { status, beginning: '{"error":"no such thing"}' },
  });
  expect(partner.requests).toHaveLength(1);
});

test("403 with Retry-After is a rate limit", async () => {
  await using partner = await failing(1, (response) =>
    answerJson(response, null, { status: 403, headers: { "retry-after": "1" } }),
  );
  const clock = new FakeClock();
  await readStream(declare(partner), "items", { world: testWorld({ clock }) });
  expect(clock.sleptMs).toEqual([1000]);
});

test("a connection that is cut before an answer is tried again, and named when the budget is used up", async () => {
  await using partner = await failing(2, (response) => response.socket?.destroy());
  const read = await readStream(declare(partner), "items");
  expect(read.requestCount).toBe(3);
  await using dead = await failing(99, (response) => response.socket?.destroy());
  await expect(readStream(declare(dead, { retry: { tries: 2 } }), "items")).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
    retryable: true,
    message: expect.stringMatching(/^GET http.*\/items: .*Tried 2 times/),
  });
});

test("a server that is not there is unreachable", async () => {
  const { origin } = await (async () => {
    await using partner = await startPartner(() => {});
    return { origin: partner.origin };
  })();
  await expect(readStream(declare({ origin }, { retry: { tries: 2 } }), "items")).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("a body that ends before its length is fetched again", async () => {
  await using partner = await failing(1, (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('[{"id":1},');
    setImmediate(() => response.socket?.destroy());
  });
  expect((await readStream(declare(partner), "items")).records).toEqual([{ id: 1 }]);
});

test("a chunked body that breaks off is fetched again", async () => {
  await using partner = await failing(1, (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('[{"id":1},');
    setImmediate(() => response.socket?.destroy());
  });
  expect((await readStream(declare(partner), "items")).requestCount).toBe(2);
});

test("a body without a length that lacks its end is fetched again, and SOURCE_TRUNCATED when it always does", async () => {
  const cut = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end('[{"id":1},{"id":');
  };
  await using partner = await failing(1, cut);
  expect((await readStream(declare(partner), "items")).requestCount).toBe(2);
  await using dead = await failing(99, cut);
  await expect(readStream(declare(dead), "items")).rejects.toMatchObject({
    code: "SOURCE_TRUNCATED",
    details: { tries: 6 },
  });
});

test("an answer of nothing is not an empty page", async () => {
  await using partner = await startPartner((_, response) => response.writeHead(200).end());
  await expect(readStream(declare(partner), "items")).rejects.toMatchObject({ code: "SOURCE_NOT_JSON" });
});

test("headers that do not come in time are a time-out", async () => {
  await using partner = await startPartner(() => {});
  const source = declare(partner, { timeouts: { headers: 100 }, retry: { tries: 2 } });
  await expect(readStream(source, "items")).rejects.toMatchObject({
    code: "SOURCE_TIMEOUT",
    details: { tries: 2 },
  });
});

test("a body that stands still is a time-out", async () => {
  await using partner = await startPartner((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("[");
  });
  const source = declare(partner, { timeouts: { body: 100 }, retry: { tries: 2 } });
  await expect(readStream(source, "items")).rejects.toMatchObject({
    code: "SOURCE_TIMEOUT",
    message: expect.stringContaining("go on sending"),
  });
});

test("a stop while waiting for an answer ends with its reason, and is not tried again", async () => {
  const stop = new AbortController();
  await using partner = await startPartner(() => stop.abort(new Error("Ctrl-C")));
  await expect(readStream(declare(partner), "items", { signal: stop.signal })).rejects.toThrow("Ctrl-C");
  expect(partner.requests).toHaveLength(1);
});

test("a stop in the middle of a page ends with its reason", async () => {
  const stop = new AbortController();
  await using partner = await startPartner((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("[");
    setImmediate(() => stop.abort(new Error("Ctrl-C")));
  });
  await expect(readStream(declare(partner), "items", { signal: stop.signal })).rejects.toThrow("Ctrl-C");
});

test("no span of the limit holds more requests than it allows", async () => {
  await using partner = await startPartner((request, response) => {
    const page = Number(request.query.get("page"));
    answerJson(response, page > 7 ? [] : [{ id: page }]);
  });
  const clock = new FakeClock();
  const sentAtMs: number[] = [];
  const tracking = {
    nowMs: () => clock.nowMs(),
    sleep: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
  };
  const source = declare(partner, {
    rateLimit: { requests: 3, perMs: 1000 },
    streams: {
      items: {
        path: "/items",
        primaryKey: "id",
        stability: "trusted",
        pagination: { type: "pageNumber", param: "page" },
      },
    },
  });
  const reader = await source.open("items", { id: "1" as never, fields: {} }, testWorld({ clock: tracking }));
  const reading = reader.read(
    { start: undefined, end: undefined, partition: undefined },
    new AbortController().signal,
  );
  for (let step = await reading.next(), page = 1; step.done !== true; page++) {
    sentAtMs.push(clock.nowMs());
    for await (const _ of step.value.body) clock.advance(100);
    const summary = {
      recordCount: page > 7 ? 0 : 1,
      envelope: [],
      lastRecord: Buffer.from(`${page}`),
      isMismatch: false,
    };
    step = await reading.next(summary);
  }
  await reader.close();
  expect(sentAtMs).toHaveLength(8);
  for (const [index, atMs] of sentAtMs.entries()) {
    if (index >= 3) expect(atMs - sentAtMs[index - 3]!).toBeGreaterThanOrEqual(1000);
  }
});

test("streams of one tenant share its turns, tenants do not", async () => {
  let inFlight = 0;
  let inFlightMost = 0;
  let wanted = 1;
  await using partner = await startPartner(async (_, response) => {
    inFlightMost = Math.max(inFlightMost, ++inFlight);
    // Each waits for the other, where there is to be another, or for as long as one takes.
    for (let waits = 0; waits === 0 || (inFlightMost < wanted && waits < 500); waits++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    inFlight--;
    answerJson(response, []);
  });
  const items = { path: "/items", pagination: { type: "single" } } as const;
  const source = declare(partner, {
    rateLimit: { concurrency: 1 },
    streams: { a: items, b: { ...items, path: "/b" } },
  });
  const world = testWorld({ clock: realClock });
  const tenant = (id: string) => ({ id: id as never, fields: {} });
  await Promise.all(["a", "b"].map((name) => readStream(source, name, { world, tenant: tenant("1") })));
  expect(inFlightMost).toBe(1);
  wanted = 2;
  await Promise.all(["1", "2"].map((id) => readStream(source, "a", { world, tenant: tenant(id) })));
  expect(inFlightMost).toBe(2);
});
