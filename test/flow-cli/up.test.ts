import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderProject, type Running, type TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

const token = "the-token-of-this-test";
const hookSecret = "the-secret-of-this-hook";

/** Streams and a dataset of them, ready-made flows, a flow that fails, and one that a webhook triggers. */
const config = orderProject({
  imports: `import { buildFlow, defineApi, defineDataset, flow, fromStream, syncFlow, z } from "leat";
const orders = defineDataset({
  name: "totals",
  description: "Orders by tenant.",
  columns: { tenant_id: z.string(), id: z.int() },
  key: ["tenant_id", "id"],
  from: fromStream("shop.orders"),
});
const doors = flow("doors", { notify: [{ to: "slack", url: "env:CHAT_URL" }] }, async (ctx) => {
  ctx.log.info("tries the door with secret-of-the-door");
  if (!existsSync(new URL("opened", import.meta.url))) throw new Error("the door is shut");
});
const heard = flow(
  "heard",
  {
    params: z.object({ word: z.string() }),
    triggers: [{ on: "webhook", webhook: "bell", secret: "env:BELL_SECRET", params: (event) => ({ word: String((event.data["body"] as { word: string }).word) }) }],
  },
  async (ctx, { word }) => word,
);
const ask = flow("ask", {}, async (ctx) => (await ctx.approve("go on?", { key: "go" })).by);`,
  more: `datasets: [orders], apis: [defineApi({ title: "Totals", description: "Orders.", datasets: [orders] })], flows: [syncFlow({ name: "nightly" }), buildFlow(), doors, heard, ask],`,
});

type Answer = Readonly<{ status: number; body: Record<string, unknown> }>;
type Run = Readonly<{ id: string; flow: string; state: string; cause: { kind: string }; result: unknown }>;

let folder: TestFolder;
let up: Running;
let url: string;
let dataUrl: string;
let chat: Server;
const said: string[] = [];

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** Looks until there is a run of this flow in one of these states. */
async function runOf(flow: string, states: readonly string[]): Promise<Run> {
  for (;;) {
    const { body } = await ask(`/api/runs?flow=${flow}`);
    const run = (body["runs"] as Run[]).find(({ state }) => states.includes(state));
    if (run !== undefined) return run;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  chat = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      said.push((JSON.parse(text) as { text: string }).text);
      response.end("ok");
    });
  });
  await new Promise<void>((resolve) => chat.listen(0, "127.0.0.1", resolve));
  folder = makeFlowProject(config);
  folder.write("tenants.json", JSON.stringify([{ id: "1" }, { id: "2" }]));
  for (const id of ["1", "2"]) {
    const lines = [1, 2].map((n) => JSON.stringify({ id: n, updated_at: `2026-01-0${n}T00:00:00Z` }));
    folder.write(`data/${id}.ndjson`, `${lines.join("\n")}\n`);
  }
  up = folder.start(["up", "--port", "0", "--serve-port", "0", "--json", "--slots", "2"], {
    LEAT_TOKEN: token,
    BELL_SECRET: hookSecret,
    CHAT_URL: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/hook`,
  });
  await up.saw('"slots"');
  url = /"url":"([^"]+)"/.exec(up.output())?.[1] ?? "";
  dataUrl = /"data_url":"([^"]+)"/.exec(up.output())?.[1] ?? "";
});
afterAll(async () => {
  up.child.kill("SIGTERM");
  await up.ended;
  chat.close();
  folder.remove();
});

describe("leat up", { timeout: 60_000 }, () => {
  test("a sync is a run per tenant and stream, and builds the datasets of what it landed by itself", async () => {
    const queued = await ask("/api/deployments/nightly/runs", {});
    expect(queued.status, JSON.stringify(queued.body)).toBe(202);
    const sync = await runOf("nightly", ["succeeded", "failed"]);
    expect(sync).toMatchObject({
      state: "succeeded",
      result: [{ stream: "shop.orders", tenants: 2, failed: [] }],
    });
    const { body } = await ask(`/api/runs?parent=${sync.id}`);
    expect((body["runs"] as Run[]).map(({ flow, state }) => `${flow} ${state}`)).toEqual([
      "nightly.stream succeeded",
      "nightly.stream succeeded",
    ]);
    const build = await runOf("build", ["succeeded", "failed"]);
    expect(build).toMatchObject({ state: "succeeded", cause: { kind: "event" } });
    const datasets = await ask("/api/datasets");
    expect(datasets.body["datasets"]).toMatchObject([{ name: "totals", rows: 4, versions: 1 }]);
    const streams = await ask("/api/streams/shop.orders");
    expect(streams.body["tenants"]).toMatchObject([
      { tenant: "1", cursor: "2026-01-02T00:00:00.000000Z", seq: 1 },
      { tenant: "2", seq: 1 },
    ]);
  });

  test("loads, columns and rejects of a stream are told, and where it stands", async () => {
    const loads = await ask("/api/streams/shop.orders/loads?limit=10");
    const told = loads.body["loads"] as { tenant: string; seq: number; loaded: number; rejected: number }[];
    expect(told.map(({ tenant, seq, rejected }) => [tenant, seq, rejected]).sort()).toEqual([
      ["1", 1, 0],
      ["2", 1, 0],
    ]);
    expect(told.every(({ loaded }) => loaded > 0)).toBe(true);
    const one = await ask("/api/streams/shop.orders/loads?tenant=2");
    expect(one.body["loads"]).toMatchObject([{ tenant: "2" }]);
    expect((await ask("/api/streams/shop.orders/rejects")).body).toEqual({ rejects: [] });
    const schema = await ask("/api/streams/shop.orders/schema");
    expect(schema.body["columns"]).toContainEqual({ name: "id", type: "bigint" });
    const changes = schema.body["changes"] as { kind: string; data: { column: string } }[];
    expect(changes.map(({ kind, data }) => `${kind} ${data.column}`)).toContain("stream.schema id");
    const packages = await ask("/api/streams/shop.orders/packages?tenant=1");
    expect(packages.body["packages"]).toMatchObject([{ seq: 1, counts: { landed: told[0]?.loaded } }]);
    const unknown = await ask("/api/streams/shop.oders/loads");
    expect(unknown).toMatchObject({ status: 404, body: { code: "STREAM_UNKNOWN" } });
    const odd = await ask("/api/streams/shop.orders/loads?limit=0&sql=1");
    expect(odd).toMatchObject({ status: 400, body: { code: "USAGE" } });
  });

  test("lineage leads from the dataset to its source, with the runs that made what is between", async () => {
    const [build] = (await ask("/api/runs?flow=build")).body["runs"] as Run[];
    const { versions } = (await ask("/api/datasets/totals/versions")).body as { versions: unknown[] };
    expect(versions).toMatchObject([{ seq: 1, run: build?.id }]);
    const lineage = await ask("/api/lineage");
    const edges = lineage.body["edges"] as { from: string; to: string }[];
    expect(edges.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      "source:shop > stream:shop.orders",
      "stream:shop.orders > table:shop.orders",
      "table:shop.orders > dataset:totals",
    ]);
    const nodes = lineage.body["nodes"] as { id: string; made_by: { flow: string; task: string } | null }[];
    const makers = nodes.map(({ id, made_by: by }) => `${id} ${by === null ? "-" : `${by.flow} ${by.task}`}`);
    expect(makers.sort()).toEqual([
      "dataset:totals build publish",
      "source:shop -",
      "stream:shop.orders nightly.stream extract",
      "table:shop.orders nightly load",
    ]);
  });

  test("the project's data API answers in the same process, and takes versions as they are published", async () => {
    const rows = async (): Promise<unknown> => (await fetch(`${dataUrl}/datasets/totals/rows`)).json();
    await expect
      .poll(rows, { timeout: 30_000, interval: 500 })
      .toMatchObject({ dataset: "totals", total: 4 });
  });

  test("the console has its page, the rows of datasets, and what differs between versions", async () => {
    const page = await fetch(`${url}/runs`, { headers: { accept: "text/html" } });
    expect([200, 503]).toContain(page.status); // 503 says how to build it; what is built is the console's own test.
    expect(page.headers.get("content-security-policy")).toContain("default-src");
    expect(page.headers.get("content-type")).toContain("text/html");
    const rows = (await ask("/api/data/datasets/totals/rows?tenant_id=1&limit=200")).body;
    expect(rows).toMatchObject({ dataset: "totals", total: 2 });
    const unknown = await ask("/api/data/datasets/total/rows");
    expect(unknown).toMatchObject({ status: 404, body: { code: "DATASET_UNKNOWN" } });
    const refused = await fetch(`${url}/api/data/datasets/totals/rows`);
    expect(refused.status).toBe(401);
    const { body: facts } = await ask("/api/data/datasets/totals");
    const [part] = facts["parts"] as { url: string }[];
    const head = await fetch(`${url}/api/data${part?.url}`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${token}`, range: "bytes=0-3" },
    });
    expect([head.status, head.headers.get("content-range")]).toEqual([
      206,
      expect.stringContaining("bytes 0-3/"),
    ]);
    const same = await ask("/api/datasets/totals/diff?before=latest");
    expect(same).toMatchObject({
      status: 200,
      body: { dataset: "totals", added: 0, unchanged: 4, schema: [] },
    });
    const none = await ask("/api/datasets/totals/diff?before=77");
    expect(none).toMatchObject({ status: 404, body: { code: "VERSION_UNKNOWN" } });
    const { body: engine } = await ask("/api/sql-engine");
    expect(engine).toMatchObject({ version: "1.28.0", path: "/api/sql-engine/1.28.0/" });
    const worker = await fetch(`${url}/api/sql-engine/1.28.0/duckdb-browser-eh.worker.js`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(worker.headers.get("content-security-policy")).toContain("'wasm-unsafe-eval'");
    expect((await worker.text()).length).toBeGreaterThan(10_000);
  });

  test("a second one at the same port is told that somebody listens there, and changes nothing", async () => {
    const { code, stderr } = await folder.leat("up", "--port", new URL(url).port, "--no-serve");
    expect([code, stderr]).toEqual([1, expect.stringContaining("error SERVE_FAILED: The control API")]);
    expect(stderr).toContain("Perhaps `leat up` runs already");
    expect((await ask("/api/workers")).body["workers"]).toHaveLength(1);
  });

  test("a failure and the success after it are told in the chat, once each", async () => {
    await ask("/api/deployments/doors/runs", {});
    const failed = await runOf("doors", ["failed"]);
    await expect.poll(() => said.length, { timeout: 15_000 }).toBe(1);
    expect(said[0]).toMatch(/^doors failed\nthe door is shut\nhttp:/);
    folder.write("opened", "");
    expect((await ask(`/api/runs/${failed.id}/retry`, {})).status).toBe(202);
    await runOf("doors", ["succeeded"]);
    await expect.poll(() => said.length, { timeout: 15_000 }).toBe(2);
    expect(said[1]).toMatch(/^doors works again/);
  });

  test("a webhook with its secret triggers a run with what it brings, and a second delivery no other", async () => {
    const wrong = await ask("/api/hooks/bell", { word: "hello" }, { authorization: "Bearer wrong" });
    expect(wrong).toMatchObject({ status: 401, body: { code: "WEBHOOK_REFUSED" } });
    const unknown = await ask("/api/hooks/bel", { word: "hello" }, { authorization: `Bearer ${hookSecret}` });
    expect(unknown).toMatchObject({ status: 401, body: { code: "WEBHOOK_REFUSED" } });
    const headers = { authorization: "", "x-leat-secret": hookSecret, "idempotency-key": "one" };
    expect(await ask("/api/hooks/bell", { word: "hello" }, headers)).toMatchObject({
      status: 202,
      body: { is_new: true },
    });
    expect(await ask("/api/hooks/bell", { word: "again" }, headers)).toMatchObject({
      body: { is_new: false },
    });
    expect(await runOf("heard", ["succeeded"])).toMatchObject({ result: "hello" });
  });

  test("a question is answered over the API, and by whom is known", async () => {
    await ask("/api/deployments/ask/runs", {});
    const waiting = await runOf("ask", ["waiting"]);
    const { body } = await ask(`/api/runs/${waiting.id}`);
    const [question] = body["tasks"] as { key: string; kind: string }[];
    expect(question?.kind).toBe("approval");
    const answer = { task: question?.key, approve: true };
    const { status } = await ask(`/api/runs/${waiting.id}/answer`, answer, { "x-leat-user": "ann" });
    expect(status).toBe(202);
    expect(await runOf("ask", ["succeeded"])).toMatchObject({ result: "ann" });
    const audit = await ask("/api/events?kind=audit&limit=1000");
    expect(audit.body["events"]).toContainEqual(
      expect.objectContaining({
        subject: `POST /api/runs/${waiting.id}/answer`,
        data: { by: "ann", role: "admin", address: "127.0.0.1", body: JSON.stringify(answer) },
      }),
    );
  });

  test("the command line of the same folder triggers, follows and shows runs of the worker", async () => {
    const triggered = await folder.leat("trigger", "heard", "-p", "word=hi", "--json");
    expect(triggered.code, triggered.stderr).toBe(0);
    const { runs } = JSON.parse(triggered.stdout) as { runs: { run: Run }[] };
    const id = runs[0]?.run.id ?? "";
    expect((await folder.leat("logs", id, "--follow")).code).toBe(0);
    const shown = await folder.leat("show", id.slice(0, 8));
    expect(shown.stdout).toContain("state       succeeded");
    expect(shown.stdout).toContain('result      "hi"');
  });
});
