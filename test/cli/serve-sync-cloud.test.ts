/** `leat serve-sync` as it runs on Cloud Run, with the services around it on loopback. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeCloudTasks, startCloudTasks } from "../fakes/cloud-tasks.ts";
import { type FakeSecretManager, startSecretManager } from "../fakes/secret-manager.ts";
import { callerEmail, startTokenIssuer, type TokenIssuer } from "../fakes/token-issuer.ts";
import { makeFolder, orderProject, type Running, type TestFolder } from "./leat-process.ts";

const queue = "projects/my-project/locations/europe-west1/queues/orders-syncs";
let folder: TestFolder;
let server: Running;
let url: string;
let issuer: TokenIssuer;
let tasks: FakeCloudTasks;
let secrets: FakeSecretManager;

/** One tick, two minutes ago: no other comes while the test runs, however slow the machine is. */
const tick = `${new Date(Date.now() - 120_000).toISOString().slice(0, 19)}Z`;
const schedule = `flows: [syncFlow({ schedules: [{ dates: ["${tick}"] }] })],`;

/** Variables of a service, as the modules set them; the fakes stand for Google. */
const environment = (more: Record<string, string> = {}): Record<string, string> => ({
  K_SERVICE: "orders-sync",
  PORT: "0",
  GOOGLE_CLOUD_PROJECT: "my-project",
  GCE_METADATA_HOST: issuer.metadataHost,
  METADATA_SERVER_DETECTION: "assume-present",
  LEAT_QUEUE: `cloud-tasks://${queue}`,
  LEAT_TASKS_CALLER: callerEmail,
  LEAT_CLOUD_TASKS_URL: tasks.url,
  LEAT_SECRET_MANAGER_URL: secrets.url,
  LEAT_AUTH_CERTIFICATES_URL: issuer.certificatesUrl,
  ...more,
});

/** What Cloud Run hands on in place of the token that it has checked. */
function checkedToken(email = callerEmail): string {
  const [head, claims] = issuer.sign({ email }).split(".");
  return `${head}.${claims}.SIGNATURE_REMOVED_BY_GOOGLE`;
}
const post = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${checkedToken()}`, ...headers },
    ...(body !== undefined && { body }),
  });
/** An answer's body, of which a test looks at some members. */
type Answer = Readonly<Record<string, unknown>>;
const read = async (response: Promise<Response>): Promise<Answer> =>
  (await (await response).json()) as Answer;
const callsOf = (tenant: string): number =>
  readFileSync(join(folder.path, "calls.log"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${tenant} `)).length;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  tasks = await startCloudTasks(queue, issuer.accessToken);
  secrets = await startSecretManager(issuer.accessToken);
  folder = makeFolder();
  folder.write("tenants.json", '[{"id":"414"},{"id":"415"}]');
  folder.write("calls.log", "");
  folder.write("data/414.ndjson", '{"id":1,"updated_at":"2026-01-02T10:00:00Z"}\n');
  folder.write("data/415.ndjson", '{"id":2,"updated_at":"2026-01-02T10:00:00Z"}\n');
  const pages = `
    if (existsSync(new URL("keyed", import.meta.url)))
      call("key " + (await secrets.resolve("gcp-secret:projects/my-project/secrets/key")));
    if (existsSync(new URL("stuck", import.meta.url))) {
      call("waiting");
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    yield await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url));`;
  const project = orderProject({ pages, more: schedule, imports: 'import { syncFlow } from "leat";' });
  folder.write("leat.config.ts", project.replace(', end: {}, spanMax: "24h"', ""));
  server = folder.start(["serve-sync", "--no-load"], environment());
  await server.saw("listening on");
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())![0];
});
afterAll(async () => {
  server.child.kill("SIGKILL");
  await server.ended;
  folder.remove();
  for (const fake of [issuer, tasks, secrets]) await fake[Symbol.asyncDispose]();
});

describe("on Cloud Run", () => {
  test("whoever Cloud Run has not checked is refused", async () => {
    expect((await fetch(`${url}/orders?tenant_id=414`)).status).toBe(401);
    const unchecked = { authorization: `Bearer ${issuer.sign({})}` };
    expect((await fetch(`${url}/orders?tenant_id=414`, { headers: unchecked })).status).toBe(401);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });

  test("what is due becomes tasks, a task is one extract however often it is sent, and a load brings it in", async () => {
    const plan = await read(post("/plan"));
    expect(plan).toMatchObject({ enqueued: 2, known: 0 });
    expect(tasks.tasks.map(({ callerEmail: email, deadline }) => [email, deadline])).toEqual([
      [callerEmail, "1800s"],
      [callerEmail, "1800s"],
    ]);
    const task = tasks.tasks.find(({ body }) => body.includes("414"))!;
    expect(task.url).toMatch(/\/shop\/orders$/);

    const before = callsOf("414");
    const first = await read(tasks.send(task, checkedToken()));
    expect(first).toMatchObject({ status: "committed", counts: { landed: 1 }, packages: [1] });
    expect(first["load"]).toBeUndefined();
    const again = await read(tasks.send(task, checkedToken(), 1));
    const { counts, cursor, next, packages, landed_bytes } = first;
    expect(again).toMatchObject({
      status: "already-done",
      requests: 0,
      counts,
      cursor,
      next,
      packages,
      landed_bytes,
    });
    expect(callsOf("414") - before).toBe(1);

    const loaded = await read(post("/load"));
    expect(loaded).toEqual({
      ok: true,
      streams: [{ stream: "shop.orders", tenants: 2, packages: 1, loaded: 1, rejected: 0, failed: 0 }],
    });
    expect(await read(post("/load"))).toMatchObject({ streams: [{ packages: 0, loaded: 0 }] });
    const { stdout } = await folder.leat("query", "select tenant_id, id from orders", "--json");
    expect(JSON.parse(stdout)).toEqual([{ tenant_id: "414", id: 1 }]);
  });

  test("a plan again makes no task again", async () => {
    expect(await read(post("/plan"))).toMatchObject({ enqueued: 0, known: 0 });
    expect(tasks.tasks).toHaveLength(2);
  });

  test("a job of Cloud Scheduler that calls twice for one tick is one extract", async () => {
    const headers = {
      "x-cloudscheduler": "true",
      "x-cloudscheduler-jobname": "orders-shop-orders-415",
      "x-cloudscheduler-scheduletime": "2026-01-01T03:00:00Z",
      "content-type": "application/octet-stream",
    };
    const before = callsOf("415");
    const ask = () => read(post("/shop/orders", headers, '{"tenant_id":"415"}'));
    const [first, second] = [await ask(), await ask()];
    expect(first).toMatchObject({ status: "committed", counts: { landed: 1 } });
    expect(second).toMatchObject({
      status: "already-done",
      counts: first["counts"],
      packages: first["packages"],
    });
    expect(callsOf("415") - before).toBe(1);
  });

  test("a task of an hour ago is left to the ticks since", async () => {
    const late = '{"tenant_id":"414","not_after":"2026-01-01T00:00:00Z"}';
    expect(await read(post("/orders", {}, late))).toMatchObject({ ok: true, status: "too-late" });
  });

  test("a secret of Secret Manager is used, and never told", async () => {
    folder.write("keyed", "");
    const missing = await post("/orders?tenant_id=414");
    expect(await missing.json()).toMatchObject({
      code: "SECRET_MISSING",
      detail: "The secret gcp-secret:projects/my-project/secrets/key/versions/latest does not exist.",
    });
    secrets.versions.set("projects/my-project/secrets/key/versions/latest", "s3cret-of-the-partner");
    expect((await post("/orders?tenant_id=414")).status).toBe(200);
    expect(readFileSync(join(folder.path, "calls.log"), "utf8")).toContain("key s3cret-of-the-partner");
    expect(server.output()).not.toContain("s3cret-of-the-partner");
  });

  test("lines of a request carry its trace, and those of what it does", async () => {
    const id = "0af7651916cd43dd8448eb211c80319c";
    folder.write("data/414.ndjson", '{"id":3,"updated_at":"2026-01-03T10:00:00Z"}\n');
    await post("/orders?tenant_id=414", { "x-cloud-trace-context": `${id}/7;o=1` });
    const readLines = () =>
      server
        .output()
        .split("\n")
        .filter((line) => line.includes(id))
        .map((line) => JSON.parse(line));
    // The last line is written when the answer has been sent.
    await expect
      .poll(() => readLines().map(({ message }) => message))
      .toEqual(["committed", "synced", "request"]);
    const lines = readLines();
    for (const line of lines) {
      expect(line["logging.googleapis.com/trace"]).toBe(`projects/my-project/traces/${id}`);
      expect(line.severity).toBe("INFO");
    }
  });

  test("SIGTERM ends it within ten seconds, also while a partner does not answer", async () => {
    folder.write("stuck", "");
    const stuck = post("/orders?tenant_id=415");
    await expect
      .poll(() => readFileSync(join(folder.path, "calls.log"), "utf8"), { timeout: 20_000 })
      .toContain("waiting");
    const startedAt = performance.now();
    server.child.kill("SIGTERM");
    expect((await stuck).status).toBe(503);
    const { code } = await server.ended;
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("what is set up wrong is told at the start", () => {
  test.each([
    ["a mode that does not exist", { LEAT_AUTH: "basic" }, "is no way to know callers"],
    ["iam where nobody checks", { LEAT_AUTH: "iam", K_SERVICE: "" }, "this is not Cloud Run"],
    [
      "oidc for nobody in particular",
      { LEAT_AUTH: "oidc", LEAT_AUTH_AUDIENCE: "https://a" },
      "LEAT_AUTH_CALLERS",
    ],
    ["a key that is missing", { LEAT_AUTH: "apikey", LEAT_AUTH_KEY: "env:NO_KEY" }, "env:NO_KEY is not set"],
    ["a queue without a caller", { LEAT_TASKS_CALLER: "" }, "LEAT_TASKS_CALLER"],
    ["a queue that is none", { LEAT_QUEUE: "cloud-tasks://orders" }, "names no queue of Cloud Tasks"],
  ] as const)("%s", async (_what, more, told) => {
    const { code, stderr } = await folder.start(["serve-sync"], environment(more)).ended;
    expect([code, stderr.includes(told)], stderr).not.toContain(false);
    expect(code).not.toBe(0);
  });
});

test("a service that everybody can reach checks tokens itself", async () => {
  const more = {
    K_SERVICE: "",
    LEAT_QUEUE: "",
    LEAT_AUTH: "oidc",
    LEAT_AUTH_AUDIENCE: "https://app.example",
    LEAT_AUTH_CALLERS: `somebody@example.com, ${callerEmail}`,
  };
  const open = folder.start(["serve-sync"], environment(more));
  await open.saw("listening on");
  const own = /http:\/\/127\.0\.0\.1:\d+/.exec(open.output())![0];
  const statusOf = async (token: string): Promise<number> =>
    (await fetch(`${own}/nowhere`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await statusOf(issuer.sign({}))).toBe(404); // Let in, and there is no such stream.
  expect(await statusOf(issuer.sign({}, { isForged: true }))).toBe(401);
  expect(await statusOf(issuer.sign({ aud: "https://other.example" }))).toBe(401);
  expect(await statusOf(issuer.sign({ email: "nobody@example.com" }))).toBe(403);
  expect(open.output()).not.toContain(issuer.sign({}).split(".")[0]);
  open.child.kill("SIGTERM");
  expect((await open.ended).code).toBe(0);
});

test("on a laptop the same plan is carried out by the process itself", async () => {
  const laptop = makeFolder();
  try {
    laptop.write("tenants.json", '[{"id":"414"}]');
    laptop.write("data/414.ndjson", '{"id":1,"updated_at":"2026-01-02T10:00:00Z"}\n');
    laptop.write(
      "leat.config.ts",
      orderProject({ more: schedule, imports: 'import { syncFlow } from "leat";' }),
    );
    const running = laptop.start(["serve-sync", "--port", "0"], {
      LEAT_AUTH: "apikey",
      LEAT_AUTH_KEY: "env:SYNC_KEY",
      SYNC_KEY: "key-of-the-laptop",
    });
    await running.saw("listening on");
    const own = /http:\/\/127\.0\.0\.1:\d+/.exec(running.output())![0];
    expect((await fetch(`${own}/plan`, { method: "POST" })).status).toBe(401);
    const headers = { "x-api-key": "key-of-the-laptop" };
    expect(await (await fetch(`${own}/plan`, { method: "POST", headers })).json()).toMatchObject({
      enqueued: 1,
    });
    await running.saw('"msg":"synced"');
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
  } finally {
    laptop.remove();
  }
});

test("tasks of a job share the tenants, and each does its share", async () => {
  const job = makeFolder();
  try {
    const ids = ["1", "2", "3", "4", "5", "6"];
    job.write("tenants.json", JSON.stringify(ids.map((id) => ({ id }))));
    for (const id of ids)
      job.write(`data/${id}.ndjson`, `{"id":${id},"updated_at":"2026-01-02T10:00:00Z"}\n`);
    job.write("leat.config.ts", orderProject().replace(', end: {}, spanMax: "24h"', ""));
    const done: string[] = [];
    for (const index of ["0", "1", "2"]) {
      const task = { CLOUD_RUN_TASK_INDEX: index, CLOUD_RUN_TASK_COUNT: "3" };
      const { code, stdout } = await job.start(["extract", "--json"], task).ended;
      expect(code).toBe(0);
      if (stdout !== "")
        done.push(...JSON.parse(stdout).results.map((one: { tenant_id: string }) => one.tenant_id));
    }
    expect(done.toSorted()).toEqual(ids);
  } finally {
    job.remove();
  }
});
