import type { LightMyRequestResponse } from "fastify";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/errors/codes.ts";
import { LeatError } from "../../src/errors/leat-error.ts";
import type { ExtractJob } from "../../src/extract/extract-job.ts";
import { fakeOutcome } from "./fake-stages.ts";
import { openSyncApp } from "./open-sync-app.ts";

const open = openSyncApp;

const failing = (code: ErrorCode, cause?: Error) => ({
  extract: (): Promise<never> =>
    Promise.reject(new LeatError(code, { message: "It failed with hunter2.", cause })),
});

const problem = (response: LightMyRequestResponse) => {
  expect(response.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  const body = response.json();
  expect(body.status).toBe(response.statusCode);
  return body;
};

describe("the sync app", () => {
  test.each([
    ["GET", "/items?tenant_id=414"],
    ["GET", "/shop/items?tenant_id=414"],
    ["POST", "/items?tenant_id=414"],
  ] as const)("%s %s syncs and says what it did", async (method, url) => {
    const response = await open().app.inject({ method, url });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({
      source: "shop",
      stream: "items",
      tenant_id: "414",
      ok: true,
      status: "committed",
      counts: {
        received: 3,
        landed: 2,
        boundary_skipped: 1,
        repeated: 0,
        quarantined: 0,
        restated: 0,
        unusable_cursor: 0,
      },
      cursor: { before: null, after: "2026-01-02T00:00:00.000000Z" },
      next: { before: null, after: "2026-01-02T00:00:00.000000Z" },
      packages: [1],
      requests: 3,
      pages: 2,
      received_bytes: 100,
      landed_bytes: 90,
      has_more: false,
      load: { packages: 1, loaded: 2, rejected: 0, seq: 1 },
      duration_ms: 0,
    });
  });

  test("options come from the query or from a JSON body, of any content type", async () => {
    const jobs: ExtractJob[] = [];
    const { app } = open({
      extract: async (job) => {
        jobs.push(job);
        return fakeOutcome(1);
      },
    });
    await app.inject({ url: "/items?tenant_id=414&full_refresh=true&confirm_shrink=1" });
    await app.inject({
      method: "POST",
      url: "/items",
      headers: { "content-type": "application/octet-stream" },
      payload: '{"tenant_id": 415, "from": "2026-01-01", "to": "2026-01-02"}',
    });
    const empty = { "content-type": "application/json" };
    const bare = await app.inject({ method: "POST", url: "/items?tenant_id=414", headers: empty });
    expect(bare.statusCode).toBe(200);
    expect(jobs.map((job) => [job.tenant.id, job.mode.kind])).toEqual([
      ["414", "refresh"],
      ["415", "backfill"],
      ["414", "incremental"],
    ]);
    expect(jobs[0]?.mode).toEqual({ kind: "refresh", confirmShrink: true });
  });

  test("a delivery has a name: the header's, or the scheduler's", async () => {
    const keys: (string | undefined)[] = [];
    const { app } = open({
      extract: async (job) => {
        keys.push(job.idempotencyKey);
        return fakeOutcome(0, { status: "already-done" });
      },
    });
    const ask = (headers: Record<string, string>) => app.inject({ url: "/items?tenant_id=414", headers });
    const response = await ask({ "idempotency-key": "tick-1" });
    expect(response.json().status).toBe("already-done");
    await ask({
      "x-cloudscheduler-jobname": "nightly",
      "x-cloudscheduler-scheduletime": "2025-12-31T23:00:00Z",
    });
    await ask({});
    expect(keys).toEqual(["tick-1", "nightly@2025-12-31T23:00:00Z", undefined]);
    expect((await ask({ "idempotency-key": "x".repeat(256) })).statusCode).toBe(400);
  });

  test("an unknown stream or tenant is 404, with the known ones", async () => {
    const { app } = open();
    const stream = await app.inject({ url: "/itmes?tenant_id=414" });
    expect(stream.statusCode).toBe(404);
    expect(problem(stream)).toMatchObject({
      type: "urn:leat:error:STREAM_UNKNOWN",
      hint: expect.stringContaining('Did you mean "items"?'),
      details: { known: ["shop.orders", "shop.items", "bank.orders", "bank.entries"] },
    });
    const tenant = await app.inject({ url: "/items?tenant_id=416" });
    expect(tenant.statusCode).toBe(404);
    expect(problem(tenant).details.known).toEqual(["414", "415"]);
    for (const url of ["/", "/a/b/c", "/shop/nothing?tenant_id=414", "/favicon.ico"]) {
      expect(problem(await app.inject({ url })).status).toBe(404);
    }
  });

  test("a stream of two sources must be named with its source", async () => {
    const response = await open().app.inject({ url: "/orders?tenant_id=414" });
    expect(problem(response)).toMatchObject({ status: 404, hint: "Say which: shop.orders, bank.orders." });
  });

  test("a long name is looked for as any other", async () => {
    const name = `/shop/${"%C3%B6rder".repeat(60)}`;
    expect(problem(await open().app.inject({ url: `${name}?tenant_id=414` })).detail).toContain("örderörder");
  });

  test("a wrong method is 405 with the right ones, and syncs nothing", async () => {
    let extracts = 0;
    const { app } = open({
      extract: async () => {
        extracts++;
        return fakeOutcome(1);
      },
    });
    for (const method of ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] as const) {
      const response = await app.inject({ method, url: "/items?tenant_id=414" });
      expect(response.statusCode).toBe(405);
      expect(response.headers.allow).toBe("GET, POST");
    }
    expect((await app.inject({ method: "POST", url: "/live" })).headers.allow).toBe("GET");
    expect(extracts).toBe(0);
  });

  test.each([
    ["an unknown option", "/items?tenant_id=414&fulrefresh=1", undefined],
    ["an option given twice", "/items?tenant_id=414&tenant_id=415", undefined],
    ["an option in query and body", "/items?tenant_id=414", '{"tenant_id":"414"}'],
    ["no tenant, where there are several", "/items", undefined],
    ["a flag that is neither", "/items?tenant_id=414&full_refresh=perhaps", undefined],
    ["a range that cannot be read", "/items?tenant_id=414&from=yesterday", undefined],
    ["an empty range", "/items?tenant_id=414&from=2026-02-01&to=2026-01-01", undefined],
    ["a body that is not JSON", "/items?tenant_id=414", "{"],
    ["a body that is a list", "/items?tenant_id=414", "[]"],
    ["an object where text belongs", "/items", '{"tenant_id":{"$ne":1}}'],
    ["a path that cannot be decoded", "/%zz?tenant_id=414", undefined],
  ])("%s is 400", async (_what, url, payload) => {
    const { app } = open();
    const response = await app.inject(
      payload === undefined
        ? { url }
        : { method: "POST", url, payload, headers: { "content-type": "application/json" } },
    );
    expect(response.statusCode).toBe(400);
    expect(problem(response).code).toBe("USAGE");
  });

  test("a body beyond any options is refused", async () => {
    const response = await open().app.inject({
      method: "POST",
      url: "/items?tenant_id=414",
      payload: JSON.stringify({ from: "x".repeat(100_000) }),
      headers: { "content-type": "application/json" },
    });
    expect(problem(response).status).toBe(400);
  });

  test.each([
    ["STATE_CONFLICT", 409],
    ["BUSY", 409],
    ["REFRESH_SHRANK", 409],
    ["SOURCE_UNREACHABLE", 502],
    ["SOURCE_AUTH_FAILED", 502],
    ["SOURCE_RATE_LIMITED", 502],
    ["SOURCE_NOT_JSON", 502],
    ["EXTRACT_FAILED", 502],
    ["STORE_UNWRITABLE", 503],
    ["STORE_FULL", 507],
    ["SECRET_MISSING", 500],
    ["ACCOUNTING_MISMATCH", 500],
  ] as const)("%s is %i, with code, hint and place", async (code, status) => {
    const response = await open(failing(code)).app.inject({ url: "/items?tenant_id=414" });
    expect(response.statusCode).toBe(status);
    expect(problem(response)).toMatchObject({
      code,
      detail: "It failed with [secret env:KEY].",
      hint: expect.stringMatching(/./),
      details: { source: "shop", stream: "items", tenant: "414" },
      result: { ok: false, status: "extract-failed" },
    });
    expect(response.headers["retry-after"] !== undefined).toBe(
      code === "STATE_CONFLICT" || code === "BUSY" || code === "STORE_UNWRITABLE",
    );
  });

  test("a partner's failure comes with its cause, and no secret in answer or log", async () => {
    const cause = new Error("connect ECONNREFUSED with hunter2");
    const { app, logs } = open(failing("SOURCE_UNREACHABLE", cause));
    const response = await app.inject({
      url: "/items?tenant_id=414",
      headers: { authorization: "Bearer hunter2" },
    });
    expect(problem(response).causes).toEqual(["connect ECONNREFUSED with [secret env:KEY]"]);
    expect(JSON.stringify(logs)).toContain("ECONNREFUSED");
    expect(JSON.stringify(logs) + response.body).not.toContain("hunter2");
  });

  test("what nobody foresaw is 500", async () => {
    const extract = () => Promise.reject(new TypeError("x is not a function"));
    const response = await open({ extract }).app.inject({ url: "/items?tenant_id=414" });
    expect(problem(response)).toMatchObject({
      status: 500,
      code: "INTERNAL",
      detail: "Unexpected: x is not a function",
    });
  });

  test("a load that fails says what was landed all the same", async () => {
    const { app } = open({
      load: () => Promise.reject(new LeatError("WAREHOUSE_LOCKED", { message: "held" })),
    });
    const response = await app.inject({ url: "/items?tenant_id=414" });
    expect(problem(response)).toMatchObject({
      status: 503,
      result: { status: "load-failed", packages: [1], counts: { landed: 2 } },
    });
  });

  test("one request's failure never touches another's", async () => {
    const bothRunning = Promise.withResolvers<void>();
    let running = 0;
    const { app } = open({
      extract: async (job) => {
        if (++running === 2) bothRunning.resolve();
        await bothRunning.promise;
        if (job.tenant.id === "414") throw new LeatError("SOURCE_FAILED", { message: "500" });
        return fakeOutcome(1);
      },
    });
    const answers = await Promise.all(
      ["414", "415"].map((id) => app.inject({ url: `/items?tenant_id=${id}` })),
    );
    expect(answers.map((answer) => answer.statusCode)).toEqual([502, 200]);
  });

  test("a tenant that was added is known without a restart", async () => {
    const { app, tenants } = open();
    expect((await app.inject({ url: "/items?tenant_id=999" })).statusCode).toBe(404);
    tenants.push("999");
    expect((await app.inject({ url: "/items?tenant_id=999" })).statusCode).toBe(200);
  });

  test("the only tenant need not be named", async () => {
    const response = await open({ tenants: ["default"] }).app.inject({ url: "/items" });
    expect(response.json().tenant_id).toBe("default");
  });

  test("a soft deadline is counted from the request, and what is left is said", async () => {
    const deadlines: (number | undefined)[] = [];
    const { app } = open({
      softDeadlineMs: 60_000,
      extract: async (job) => {
        deadlines.push(job.softDeadlineMs);
        return fakeOutcome(1, { hasMore: true });
      },
    });
    const response = await app.inject({ url: "/items?tenant_id=414" });
    expect(response.json()).toMatchObject({ ok: true, has_more: true });
    expect(deadlines).toEqual([Date.UTC(2026, 0, 1) + 60_000]);
  });

  test("a supervisor sees that it lives and is ready, and that it is stopping", async () => {
    const { app, refuseRequests } = open();
    expect((await app.inject({ url: "/ready" })).json()).toEqual({ status: "ready" });
    refuseRequests();
    expect((await app.inject({ url: "/live" })).statusCode).toBe(200);
    expect((await app.inject({ url: "/ready" })).statusCode).toBe(503);
    const refused = await app.inject({ url: "/items?tenant_id=414" });
    expect(problem(refused)).toMatchObject({ status: 503, code: "INTERRUPTED" });
    expect(refused.headers["retry-after"]).toBe("10");
  });

  test("broken tenants make it unready", async () => {
    const { app, tenants } = open({ tenants: [] });
    expect(tenants).toEqual([]);
    expect((await app.inject({ url: "/items?tenant_id=1" })).statusCode).toBe(404);
  });

  test("logs carry severity and message where Google reads them, level and msg elsewhere", async () => {
    const cloud = open({ isGoogleCloud: true, ...failing("SOURCE_FAILED") });
    await cloud.app.inject({ url: "/items?tenant_id=414" });
    expect(cloud.logs).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ severity: "WARNING", message: "It failed with [secret env:KEY]." }),
      ]),
    );
    const laptop = open();
    await laptop.app.inject({ url: "/items?tenant_id=414" });
    expect(laptop.logs).toEqual(
      expect.arrayContaining([expect.objectContaining({ level: "info", msg: "synced", tenant_id: "414" })]),
    );
  });
});
