import { expect, test } from "vitest";
import { routeRoles } from "../../src/server/access/route-roles.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";
import { type ApiStand, token, withApi } from "./open-api.ts";

const headers = { authorization: `Bearer ${token}` };
const get = async ({ app, checked }: ApiStand, url: string) =>
  checked("GET", url, await app.inject({ url, headers }));
const post = async ({ app, checked }: ApiStand, url: string, payload?: object) =>
  checked(
    "POST",
    url,
    await app.inject({ method: "POST", url, headers, ...(payload !== undefined && { payload }) }),
  );

test("a request without the token, or with a wrong one, is refused as a problem document", async () => {
  await withApi(async ({ app }) => {
    for (const authorization of [undefined, "Bearer wrong", "Basic dTpw", `Bearer ${token}x`]) {
      const answer = await app.inject({
        url: "/api/runs",
        headers: authorization === undefined ? {} : { authorization },
      });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["content-type"]).toContain("application/problem+json");
      expect(answer.json()).toMatchObject({
        code: "TOKEN_REFUSED",
        status: 401,
        type: "urn:leat:error:TOKEN_REFUSED",
      });
    }
    for (const url of [
      "/%61pi/runs",
      "/api/%72uns",
      "/api/hooks/../runs",
      "//api/runs",
      "/api/openapi.json",
    ]) {
      expect((await app.inject({ url })).statusCode, url).toBe(401);
    }
    expect((await app.inject({ url: "/live" })).statusCode).toBe(200);
  });
});

test("without a token, pages of other sites are refused and programs of this machine are not", async () => {
  await withApi(
    async ({ app }) => {
      const status = async (sent: Record<string, string>): Promise<number> =>
        (await app.inject({ url: "/api/flows", headers: sent })).statusCode;
      expect(await status({ host: "127.0.0.1:4004" })).toBe(200);
      expect(await status({ host: "localhost:4004", origin: "http://localhost:4004" })).toBe(200);
      expect(await status({ host: "127.0.0.1:4004", origin: "https://example.com" })).toBe(401);
      expect(await status({ host: "rebound.example.com" })).toBe(401);
      expect(await status({ host: "127.0.0.1:4004", origin: "null" })).toBe(401);
    },
    { token: undefined },
  );
});

test("a run is queued, executed and told with its tasks, graph and artifacts", async () => {
  await withApi(async (stand) => {
    const id = await stand.run("letters");
    const detail = (await get(stand, `/api/runs/${id}`)).json();
    expect(detail).toMatchObject({
      run: { id, flow: "letters", state: "succeeded", result: "ABC", cause: { kind: "manual", by: "api" } },
      attempts: [{ attempt: 1, end: "succeed" }],
      task_count: 5,
      graph: {
        nodes: [
          { name: "find", count: 1, column: 0, row: 0 },
          { name: "fetch", count: 3, states: { succeeded: 3 }, column: 1, row: 0 },
          { name: "publish", count: 1, column: 2, row: 0 },
        ],
        edges: [
          { from: "find", to: "fetch" },
          { from: "fetch", to: "publish" },
        ],
      },
      artifacts: [{ name: "letters", kind: "markdown", data: "A, B, C" }],
    });
    const listed = (await get(stand, "/api/runs?state=succeeded&flow=letters")).json();
    expect(listed.runs).toHaveLength(1);
    expect((await get(stand, "/api/runs?state=failed")).json().runs).toEqual([]);
    expect((await get(stand, "/api/runs?tenant=nobody")).json().runs).toEqual([]);
    expect(stand.problems).toEqual([]);
  });
});

test("lineage shows what is declared, what tasks told of, and the run that made each last", async () => {
  await withApi(async (stand) => {
    await stand.run("letters");
    const newest = await stand.run("letters");
    const { nodes, edges } = (await get(stand, "/api/lineage")).json();
    expect(nodes).toContainEqual({
      id: "dataset:d",
      kind: "dataset",
      name: "d",
      made_by: {
        run: newest,
        flow: "letters",
        deployment: "letters",
        task: "publish",
        at: expect.stringMatching(/^20/),
      },
    });
    expect(edges).toContainEqual({ from: "stream:alphabet.letters", to: "dataset:d", is_declared: false });
    expect((await get(stand, "/api/lineage?days=0")).statusCode).toBe(400);
  });
});

test("parameters that do not fit list all their faults, and no run is made", async () => {
  await withApi(async (stand) => {
    const answer = await post(stand, "/api/deployments/letters/runs", { params: { times: 9, tims: 1 } });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: "PARAMS_INVALID",
      details: { faults: [{ path: "tims" }, { path: "times" }] },
    });
    const unknown = await post(stand, "/api/deployments/leters/runs");
    expect(unknown.statusCode).toBe(404);
    expect(unknown.json().hint).toContain('Did you mean "letters"?');
    const odd = await post(stand, "/api/deployments/letters/runs", { parms: {}, priority: "high" });
    expect(odd.statusCode).toBe(400);
    expect(odd.json()).toMatchObject({ code: "USAGE" });
    expect((await get(stand, "/api/runs")).json().runs).toEqual([]);
  });
});

test("tasks of a run are read in ranges, by name and by state, and artifacts by themselves", async () => {
  await withApi(async (stand) => {
    const id = await stand.run("letters");
    const names = async (query: string) => {
      const { count, tasks } = (await get(stand, `/api/runs/${id}/tasks?${query}`)).json();
      return [count, ...tasks.map(({ name }: { name: string }) => name)];
    };
    expect(await names("")).toEqual([5, "find", "fetch", "fetch", "fetch", "publish"]);
    expect(await names("offset=3&limit=1")).toEqual([5, "fetch"]);
    expect(await names("name=fetch&limit=2")).toEqual([3, "fetch", "fetch"]);
    expect(await names("state=failed")).toEqual([0]);
    const { artifacts } = (await get(stand, `/api/runs/${id}/artifacts`)).json();
    expect(artifacts).toMatchObject([{ name: "letters", data: "A, B, C", task: null }]);
    const odd = await get(stand, `/api/runs/${id}/tasks?state=broken`);
    expect([odd.statusCode, odd.json().code]).toEqual([400, "USAGE"]);
  });
});

test("events are listed from the newest down where they are asked for so", async () => {
  await withApi(async (stand) => {
    for (const key of ["a", "b", "c"]) await post(stand, `/api/schedules/${key}/pause`);
    const subjects = async (query: string) =>
      (await get(stand, `/api/events?kind=audit&${query}`))
        .json()
        .events.map(({ id, subject }: { id: number; subject: string }) => [id, subject.split("/")[3]]);
    const [[newest], [second, name]] = await subjects("order=desc&limit=2");
    expect([second, name]).toEqual([newest - 1, "b"]);
    expect(await subjects(`order=desc&before=${second}`)).toEqual([[second - 1, "a"]]);
  });
});

test("an idempotency key makes one run of two requests", async () => {
  await withApi(async (stand) => {
    const request = {
      method: "POST",
      url: "/api/deployments/letters/runs",
      headers: { ...headers, "idempotency-key": "k" },
    } as const;
    const first = (await stand.app.inject(request)).json();
    const second = (await stand.app.inject(request)).json();
    expect([first.outcome, second.outcome]).toEqual(["created", "exists"]);
    expect(second.run.id).toBe(first.run.id);
  });
});

test("lines of a log are read in ranges", async () => {
  await withApi(async (stand) => {
    const id = await stand.run("letters");
    const all = (await get(stand, `/api/runs/${id}/logs`)).json();
    expect(all.lines.map((line: { message: string }) => line.message)).toEqual([
      "fetches a",
      "fetches b",
      "fetches c",
    ]);
    const rest = (await get(stand, `/api/runs/${id}/logs?after=${all.lines[0].id}&limit=1`)).json();
    expect(rest.lines).toEqual([all.lines[1]]);
  });
});

/** Reads server-sent events until the stream ends. */
async function readStream(url: string, more: Record<string, string> = {}): Promise<readonly string[]> {
  const answer = await fetch(url, { headers: { ...headers, ...more } });
  expect(answer.headers.get("content-type")).toBe("text/event-stream");
  return (await answer.text())
    .split("\n\n")
    .filter((block) => block.startsWith("id: ") || block.startsWith("event: "));
}

test("a stream of lines goes on after Last-Event-ID, and ends with the run", async () => {
  await withApi(async (stand) => {
    const url = await stand.app.listen({ host: "127.0.0.1", port: 0 });
    const id = await stand.run("letters");
    const all = await readStream(`${url}/api/runs/${id}/logs/stream`);
    expect(all).toHaveLength(4);
    expect(all.at(-1)).toBe("event: end\ndata: {}");
    const first = /^id: (\d+)/.exec(all[0] ?? "")?.[1] ?? "";
    expect(await readStream(`${url}/api/runs/${id}/logs/stream`, { "last-event-id": first })).toEqual(
      all.slice(1),
    );
    const wrong = await fetch(`${url}/api/runs/${id}/logs/stream`, {
      headers: { ...headers, "last-event-id": "x" },
    });
    expect(wrong.status).toBe(400);
    const none = await fetch(`${url}/api/runs/0000000000000000/logs/stream`, { headers });
    expect([none.status, ((await none.json()) as { code: string }).code]).toEqual([404, "RUN_UNKNOWN"]);
  });
});

test("a run is cancelled, and one that is over is not", async () => {
  await withApi(async (stand) => {
    const { run } = (await post(stand, "/api/deployments/endless/runs")).json();
    const cancelled = await post(stand, `/api/runs/${run.id}/cancel`, { reason: "enough" });
    expect(cancelled.statusCode).toBe(202);
    const url = await stand.app.listen({ host: "127.0.0.1", port: 0 });
    await readStream(`${url}/api/runs/${run.id}/logs/stream`); // Ends when the run does.
    expect((await get(stand, `/api/runs/${run.id}`)).json().run).toMatchObject({
      state: "cancelled",
      cancel_reason: "enough",
    });
    const again = await post(stand, `/api/runs/${run.id}/cancel`, {});
    expect([again.statusCode, again.json().code]).toEqual([409, "RUN_STATE"]);
  });
});

test("schedules are paused, resumed and filled back; a second back-fill makes no run", async () => {
  await withApi(async (stand) => {
    const paused = (await post(stand, "/api/schedules/letters/pause")).json();
    expect(paused).toMatchObject({ id: "letters", is_paused: true, next: [] });
    expect((await post(stand, "/api/schedules/letters/resume")).json().next).toHaveLength(5);
    const span = { from: "2026-01-02T00:00:00Z", to: "2026-01-05T00:00:00Z" };
    const outcomes = async (): Promise<readonly string[]> =>
      (await post(stand, "/api/schedules/letters/backfill", span))
        .json()
        .runs.map(({ outcome }: { outcome: string }) => outcome);
    expect(await outcomes()).toEqual(["created", "created", "created"]);
    expect(await outcomes()).toEqual(["exists", "exists", "exists"]);
    const far = await post(stand, "/api/schedules/letters/backfill", { from: "1900-01-01T00:00:00Z" });
    expect([far.statusCode, far.json().code]).toEqual([422, "SCHEDULE_BOUND"]);
    const unknown = await post(stand, "/api/schedules/leters/pause");
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, "SCHEDULE_UNKNOWN"]);
  });
});

test("workers and pools say who works, and what waits", async () => {
  await withApi(async (stand) => {
    expect((await get(stand, "/api/workers")).json().workers).toMatchObject([
      { kind: "worker", pools: ["default"], slots: 2, code_version: "test", is_silent: false },
    ]);
    expect((await get(stand, "/api/pools")).json()).toEqual({
      pools: [{ name: "default", workers: 1, slots: 2, running: 0, queued: 0, waiting: 0 }],
    });
    expect((await get(stand, "/api/deployments")).json().deployments).toMatchObject([
      { name: "endless" },
      { name: "letters", schedules: ["letters"], code_version: "test" },
    ]);
  });
});

test("whatever changes something is written down with who did it, before it is done", async () => {
  await withApi(async (stand) => {
    await stand.app.inject({
      method: "POST",
      url: "/api/runs/nothing/cancel",
      headers: { ...headers, "x-leat-user": "ann" },
    });
    await get(stand, "/api/runs");
    const { events } = (await get(stand, "/api/events?kind=audit")).json();
    expect(events).toMatchObject([{ subject: "POST /api/runs/nothing/cancel", data: { by: "ann" } }]);
  });
});

test("every route is described, with its parameters and its tag", async () => {
  await withApi(async (stand) => {
    const document = (await get(stand, "/api/openapi.json")).json();
    expect(document.openapi).toBe("3.1.0");
    const operations = Object.entries(
      document.paths as Record<string, Record<string, { tags?: string[]; summary?: string }>>,
    );
    const described = operations.flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const hidden = ["GET /live", "GET /api/openapi.json"];
    const known = [...routeRoles.keys()].filter((route) => !hidden.includes(route));
    expect(described.sort()).toEqual(
      known.map((route) => route.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{*}")).sort(),
    );
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(["Run", "Attempt", "Task", "Artifact", "Line", "Event", "Schedule", "Problem"]),
    );
    for (const [path, methods] of operations) {
      for (const { tags, summary } of Object.values(methods)) {
        expect(tags, path).toHaveLength(1);
        expect(summary?.length, path).toBeGreaterThan(10);
      }
    }
  });
});

test("what is not there is told as a problem document that says where to look", async () => {
  await withApi(async (stand) => {
    const answer = await get(stand, "/api/rums");
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ status: 404, hint: expect.stringContaining("openapi.json") });
    const large = await stand.app.inject({
      method: "POST",
      url: "/api/deployments/letters/runs",
      headers: { ...headers, "content-type": "application/json" },
      payload: JSON.stringify({ params: { text: "x".repeat(600_000) } }),
    });
    expect(large.statusCode).toBe(413);
  });
});

test("a run of a flow that was deleted is still told, and whoever runs the flow again is told that it is gone", async () => {
  await withApi(async (stand) => {
    const run = newRun(stand.ledger, { flow: "deleted", deployment: "deleted", pool: "nobody", params: {} });
    const { id } = run;
    await stand.ledger.submitRun(run);
    expect((await get(stand, `/api/runs/${id}`)).json()).toMatchObject({
      run: { flow: "deleted" },
      tasks: [],
    });
    expect((await get(stand, "/api/home")).json()).toMatchObject({ queued_count: 1 });
    const again = await post(stand, "/api/deployments/deleted/runs");
    expect([again.statusCode, again.json().code]).toEqual([404, "FLOW_UNKNOWN"]);
    expect((await post(stand, `/api/runs/${id}/cancel`)).json()).toMatchObject({
      run: { state: "cancelled" },
    });
  });
});
