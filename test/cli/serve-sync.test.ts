/** `leat serve-sync` as a process: real landing, real warehouse, real signals. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, orderProject, type Running, type TestFolder } from "./leat-process.ts";

let folder: TestFolder;
let server: Running;
let url: string;

/** Reads the address out of the log's line. */
async function start(environment: Record<string, string>): Promise<string> {
  server = folder.start(["serve-sync", "--port", "0", "--drain", "5"], environment);
  const lines: string[] = [];
  server.child.stdout?.on("data", (text: string) => lines.push(text));
  await server.saw("listening on");
  return /http:\/\/127\.0\.0\.1:\d+/.exec(lines.join(""))![0];
}

beforeAll(async () => {
  folder = makeFolder();
  folder.write("customers.json", '[{"id":"414"},{"id":"415","fails":true}]');
  folder.write("project/data/414.ndjson", '{"id":1,"updated_at":"2026-01-02T10:00:00Z"}\n');
  const pages = `
    if (tenant.fields.fails) throw new Error("the partner is down");
    if (existsSync(new URL("slow", import.meta.url))) {
      call("waiting");
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    yield await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url));`;
  const project = orderProject({ pages }).replace(', end: {}, spanMax: "24h"', "");
  folder.write("project/leat.config.ts", project);
  url = await start({ LEAT_CONFIG: "project", LEAT_TENANTS: "../customers.json" });
});
afterAll(async () => {
  server.child.kill("SIGKILL");
  await server.ended;
  folder.remove();
});

describe("serve-sync", () => {
  test("syncs one tenant per request; the cursor is where the last one left it", async () => {
    const first = await (await fetch(`${url}/orders?tenant_id=414`)).json();
    expect(first).toMatchObject({
      status: "committed",
      counts: { landed: 1 },
      cursor: { before: null, after: "2026-01-02T10:00:00.000000Z" },
      packages: [1],
      load: { loaded: 1 },
    });
    const second = await (
      await fetch(`${url}/shop/orders`, { method: "POST", body: '{"tenant_id":"414"}' })
    ).json();
    expect(second).toMatchObject({
      counts: { landed: 0 },
      cursor: { before: "2026-01-02T10:00:00.000000Z", after: "2026-01-02T10:00:00.000000Z" },
    });
  });

  test("queries work beside it", async () => {
    const { code, stdout } = await folder.leat("query", "select id from orders", "--json", "-c", "project");
    expect({ code, rows: JSON.parse(stdout) }).toEqual({ code: 0, rows: [{ id: 1 }] });
  });

  test("a delivery that was done is not done again", async () => {
    const headers = { "idempotency-key": "tick-7" };
    const ask = async () => (await fetch(`${url}/orders?tenant_id=414`, { headers })).json();
    await ask();
    expect(await ask()).toMatchObject({ status: "already-done", requests: 0 });
  });

  test("a partner that fails is 502 for its tenant and nobody else", async () => {
    const [failed, served] = await Promise.all([
      fetch(`${url}/orders?tenant_id=415`),
      fetch(`${url}/orders?tenant_id=414`),
    ]);
    expect([failed.status, served.status]).toEqual([502, 200]);
    expect(await failed.json()).toMatchObject({ code: "EXTRACT_FAILED" });
  });

  test("a tenant that is added is served without a restart", async () => {
    expect((await fetch(`${url}/orders?tenant_id=416`)).status).toBe(404);
    folder.write("customers.json", '[{"id":"414"},{"id":"416"}]');
    folder.write("project/data/416.ndjson", '{"id":9,"updated_at":"2026-01-02T10:00:00Z"}\n');
    expect((await fetch(`${url}/orders?tenant_id=416`)).status).toBe(200);
    folder.write("customers.json", "not json");
    const broken = await fetch(`${url}/orders?tenant_id=414`);
    expect(broken.status).toBe(500);
    expect(await broken.json()).toMatchObject({ code: "TENANTS_INVALID" });
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    folder.write("customers.json", '[{"id":"414"}]');
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });

  test("SIGTERM lets the running request end, and exits 0", async () => {
    folder.write("project/slow", "");
    const running = fetch(`${url}/orders?tenant_id=414`);
    const log = join(folder.path, "project/calls.log");
    while (!readFileSync(log, "utf8").includes("waiting"))
      await new Promise((resolve) => setTimeout(resolve, 20));
    server.child.kill("SIGTERM");
    const answer = await running;
    expect([200, 503]).toContain(answer.status);
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    for (const line of stdout.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });
});
