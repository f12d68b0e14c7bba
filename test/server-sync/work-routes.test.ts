/** `/plan`, `/load` and `/build`, who may ask, and what logs say of it. */
import { describe, expect, test } from "vitest";
import { LeatError } from "../../src/errors/leat-error.ts";
import type { ExtractOutcome } from "../../src/extract/extract-job.ts";
import type { WorkSchedule } from "../../src/flow/ready-made.ts";
import type { QueuedTask, TaskQueue } from "../../src/ports/task-queue.ts";
import { fakeLoad, fakeOutcome } from "../server/fake-stages.ts";
import { openSyncApp } from "../server/open-sync-app.ts";

const hourly: WorkSchedule = {
  kind: "sync",
  id: "sync",
  ticks: { kind: "cron", cron: "0 * * * *", timezone: "UTC" },
  names: [],
  tenants: [],
};

/** A queue that takes each name once; `fails` has it refuse. */
function fakeQueue(): TaskQueue & { tasks: (QueuedTask & { appUrl: string })[]; fails: boolean } {
  const tasks: (QueuedTask & { appUrl: string })[] = [];
  return {
    url: "fake:",
    tasks,
    fails: false,
    async enqueue(task, appUrl) {
      if (this.fails && tasks.length >= 3) throw new LeatError("CLOUD_UNAVAILABLE", { message: "503" });
      if (tasks.some(({ name }) => name === task.name)) return "known";
      tasks.push({ ...task, appUrl });
      return "enqueued";
    },
    async close() {},
  };
}

describe("/plan", () => {
  test("puts what is due into the queue, once, whoever plans how often", async () => {
    const queue = fakeQueue();
    const { app, clock } = openSyncApp({ queue, schedules: [hourly] });
    const plan = () => app.inject({ method: "POST", url: "/plan", headers: { host: "shop-sync.example" } });
    const both = await Promise.all([plan(), plan()]);
    expect(both.map((answer) => answer.statusCode)).toEqual([200, 200]);
    expect(both.reduce((sum, answer) => sum + answer.json().enqueued, 0)).toBe(8); // Four streams, two tenants.
    expect(queue.tasks).toHaveLength(8);
    expect(queue.tasks[0]).toMatchObject({ appUrl: "https://shop-sync.example", path: "/shop/orders" });
    await clock.advance(5 * 60_000);
    expect((await plan()).json()).toMatchObject({ enqueued: 0, known: 0 });
    await clock.advance(55 * 60_000);
    expect((await plan()).json()).toMatchObject({ enqueued: 8, known: 0 });
  });

  test("ticks while no planner ran are made up for by one sync each", async () => {
    const queue = fakeQueue();
    const { app, clock } = openSyncApp({ queue, schedules: [hourly], appUrl: "https://named.example" });
    const plan = () => app.inject({ method: "POST", url: "/plan" });
    await plan();
    await clock.advance(5.5 * 3600_000);
    expect((await plan()).json()).toMatchObject({ enqueued: 8 });
    expect(queue.tasks.at(-1)).toMatchObject({
      appUrl: "https://named.example",
      body: { not_after: "2026-01-01T06:00:00.000Z" },
    });
  });

  test("a queue that fails on the way is asked again by the next plan, for all of it", async () => {
    const queue = fakeQueue();
    const { app, clock } = openSyncApp({ queue, schedules: [hourly] });
    const plan = () => app.inject({ method: "POST", url: "/plan" });
    queue.fails = true;
    const failed = await plan();
    expect([failed.statusCode, failed.json().code]).toEqual([503, "CLOUD_UNAVAILABLE"]);
    queue.fails = false;
    await clock.advance(10 * 60_000);
    expect((await plan()).json()).toMatchObject({ enqueued: 5, known: 3 });
  });

  test("without a queue it says how to name one", async () => {
    const answer = await openSyncApp().app.inject({ method: "POST", url: "/plan" });
    expect(answer.json()).toMatchObject({
      code: "CONFIG_INVALID",
      hint: expect.stringContaining("LEAT_QUEUE"),
    });
  });
});

describe("/load", () => {
  test("loads each stream once for all tenants, and nothing is extracted", async () => {
    const { app, trace } = openSyncApp();
    const answer = await app.inject({ method: "POST", url: "/load" });
    expect(answer.statusCode).toBe(200);
    expect(trace).toEqual([
      "load orders 414 415",
      "load items 414 415",
      "load orders 414 415",
      "load entries 414 415",
    ]);
    expect(answer.json().streams[0]).toEqual({
      stream: "shop.orders",
      tenants: 2,
      packages: 2,
      loaded: 4,
      rejected: 0,
      failed: 0,
    });
  });

  test("may be asked for one stream", async () => {
    const { app, trace } = openSyncApp();
    await app.inject({ method: "POST", url: "/load?stream=bank.entries" });
    await app.inject({ method: "POST", url: "/load", payload: '{"stream":["items"]}' });
    expect(trace).toEqual(["load entries 414 415", "load items 414 415"]);
  });

  test("one tenant's poison is told, and the others are loaded", async () => {
    const { app } = openSyncApp({
      load: async (_ports, _spec, tenants) => ({
        tenants: tenants.map((tenant) => ({
          ...fakeLoad(tenant, 2),
          error:
            tenant === "415" ? new LeatError("LOAD_FAILED", { message: "a row with hunter2" }) : undefined,
        })),
        changes: [],
      }),
    });
    const answer = await app.inject({ method: "POST", url: "/load?stream=bank.entries" });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      code: "LOAD_FAILED",
      failure_count: 1,
      result: { streams: [{ stream: "bank.entries", loaded: 4, failed: 1 }] },
    });
    expect(answer.body).not.toContain("hunter2");
  });

  test("syncs that only land leave the loading to it", async () => {
    const { app, trace } = openSyncApp({ steps: "extract" });
    const answer = await app.inject({ method: "POST", url: "/items?tenant_id=414" });
    expect(answer.json()).toMatchObject({ ok: true, status: "committed" });
    expect(trace).toEqual(["extract items 414", "extracted items 414"]);
  });
});

describe("/build", () => {
  test("says how each dataset fared, and fails when one did", async () => {
    const asked: string[][] = [];
    const { app } = openSyncApp({
      build: async (names) => {
        asked.push([...names]);
        return [
          { dataset: "sales", facts: { status: "published", rows: 3 }, error: undefined },
          ...(names.length > 0
            ? []
            : [{ dataset: "bad", facts: {}, error: new LeatError("RULE_FAILED", { message: "no" }) }]),
        ];
      },
    });
    const one = await app.inject({ method: "POST", url: "/build?dataset=sales" });
    expect(one.json()).toEqual({
      ok: true,
      datasets: [{ dataset: "sales", ok: true, status: "published", rows: 3 }],
    });
    const all = await app.inject({ method: "POST", url: "/build" });
    expect(all.json()).toMatchObject({
      code: "RULE_FAILED",
      result: { datasets: [{ ok: true }, { ok: false }] },
    });
    expect(asked).toEqual([["sales"], []]);
  });
});

describe("/share", () => {
  test("says how each tenant fared, and fails when one did", async () => {
    const asked: (readonly string[])[] = [];
    const table = { of: "shop.orders", receipts: [], error: null } as const;
    const moved = {
      ...table,
      table: "r.orders",
      status: "moved",
      packages: 1,
      rows: 2,
      rejected: 0,
      seq: 1,
    } as const;
    const report = { share: "replicas", target: "duckdb:/a", tables: [moved], error: null };
    const { app } = openSyncApp({
      share: async (names, tenants) => {
        asked.push(names, tenants);
        const error = {
          code: "WAREHOUSE_UNREACHABLE",
          message: "host hunter2 is away",
          hint: "",
          retryable: true,
        };
        return [
          { ...report, ok: true, tenant_id: "414" },
          ...(tenants.length > 0 ? [] : [{ ...report, ok: false, tenant_id: "415", tables: [], error }]),
        ];
      },
    });
    const one = await app.inject({ method: "POST", url: "/share?share=replicas&tenant_id=414" });
    expect(one.json()).toMatchObject({
      ok: true,
      shares: [{ tenant_id: "414", ok: true, tables: [{ rows: 2 }] }],
    });
    const all = await app.inject({ method: "POST", url: "/share" });
    expect(all.statusCode).toBe(503);
    expect(all.json()).toMatchObject({
      code: "WAREHOUSE_UNREACHABLE",
      failure_count: 1,
      result: { shares: [{ ok: true }, { tenant_id: "415", ok: false }] },
    });
    expect(all.body).not.toContain("hunter2");
    expect(asked).toEqual([["replicas"], ["414"], [], []]);
    expect((await app.inject({ method: "POST", url: "/share?tenant=414" })).json()).toMatchObject({
      code: "USAGE",
    });
  });
});

describe("work for all tenants", () => {
  test.each([
    "/plan",
    "/load",
    "/build",
    "/share",
  ])("%s by GET is 405, so that no link begins it", async (url) => {
    const { app, trace } = openSyncApp({ queue: fakeQueue(), schedules: [hourly] });
    const answer = await app.inject({ url });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, "POST"]);
    expect(trace).toEqual([]);
  });

  test.each([
    ["/load?streams=orders", undefined],
    ["/load", '{"stream":7}'],
    ["/plan?stream=orders", undefined],
    ["/load?stream=ordres", undefined],
  ])("%s with %s is told what is wrong", async (url, payload) => {
    const answer = await openSyncApp({ queue: fakeQueue() }).app.inject({
      method: "POST",
      url,
      ...(payload !== undefined && { payload }),
    });
    expect(["USAGE", "STREAM_UNKNOWN"]).toContain(answer.json().code);
  });
});

describe("deliveries", () => {
  test("two deliveries of one name at the same time are one extract with one answer", async () => {
    const release = Promise.withResolvers<ExtractOutcome>();
    const { app, trace } = openSyncApp({ extract: () => release.promise });
    const ask = (key: string) =>
      app.inject({ url: "/items?tenant_id=414", headers: { "idempotency-key": key } });
    const answers = Promise.all([ask("tick"), ask("tick"), ask("another")]);
    await expect.poll(() => trace.filter((line) => line.startsWith("extract ")).length).toBe(2);
    release.resolve(fakeOutcome(7));
    const [first, second] = (await answers).map((answer) => answer.json());
    expect(second).toEqual(first);
    expect(trace.filter((line) => line.startsWith("extract "))).toHaveLength(2);
  });

  test("a scheduler or queue is told to send again what was stopped on its way, anybody else that there is more", async () => {
    const { app, logs } = openSyncApp({ extract: async () => fakeOutcome(5, { hasMore: true }) });
    const ask = (headers: Record<string, string>) => app.inject({ url: "/items?tenant_id=414", headers });
    expect((await ask({})).json()).toMatchObject({ ok: true, has_more: true });
    const scheduled = {
      "x-cloudscheduler-jobname": "job",
      "x-cloudscheduler-scheduletime": "2026-01-01T00:00:00Z",
    };
    for (const headers of [scheduled, { "x-cloudtasks-taskname": "task" }]) {
      const answer = await ask(headers);
      expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "10"]);
      expect(answer.json()).toMatchObject({ code: "RUN_BOUND_REACHED", result: { counts: { landed: 5 } } });
    }
    expect(logs.filter((line) => "err" in line)).toEqual([]); // Nothing has failed.
  });

  test("one that comes after the next tick was due is left to that", async () => {
    const { app, trace } = openSyncApp();
    const late = await app.inject({
      method: "POST",
      url: "/items",
      payload: '{"tenant_id":"414","not_after":"2025-12-31T23:59:59Z"}',
    });
    expect([late.statusCode, late.json().status, trace]).toEqual([200, "too-late", []]);
    const odd = await app.inject({ url: "/items?tenant_id=414&not_after=tomorrow" });
    expect(odd.json()).toMatchObject({ code: "USAGE" });
  });
});

describe("callers", () => {
  const auth = { mode: "apikey", readKeys: async () => ["the-key"] } as const;

  test("nothing is done for one without a key, and a supervisor needs none", async () => {
    const { app, trace } = openSyncApp({ auth, queue: fakeQueue() });
    for (const url of ["/items?tenant_id=414", "/load", "/plan", "/nowhere"]) {
      const answer = await app.inject({ method: "POST", url });
      expect([url, answer.statusCode, answer.headers["www-authenticate"]]).toEqual([url, 401, "Bearer"]);
    }
    expect(trace).toEqual([]);
    expect((await app.inject({ url: "/live" })).statusCode).toBe(200);
    expect((await app.inject({ url: "/ready" })).statusCode).toBe(200);
    const known = await app.inject({ url: "/items?tenant_id=414", headers: { "x-api-key": "the-key" } });
    expect(known.statusCode).toBe(200);
  });
});

describe("logs", () => {
  test("on Google Cloud each line of a request has its trace, and no other", async () => {
    const { app, logs } = openSyncApp({ isGoogleCloud: true });
    const ids = ["a", "b"].map((letter) => letter.repeat(32));
    await Promise.all(
      ids.map((id) =>
        app.inject({ url: "/items?tenant_id=414", headers: { "x-cloud-trace-context": `${id}/1;o=1` } }),
      ),
    );
    for (const id of ids) {
      const own = logs.filter(
        (line) => line["logging.googleapis.com/trace"] === `projects/my-project/traces/${id}`,
      );
      expect(own.map((line) => [line["severity"], line["message"]])).toEqual([
        ["INFO", "synced"],
        ["INFO", "request"],
      ]);
      expect(own[1]?.["httpRequest"]).toMatchObject({
        requestMethod: "GET",
        requestUrl: "/items",
        status: 200,
      });
    }
  });
});
