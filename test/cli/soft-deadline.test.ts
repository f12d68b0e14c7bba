/** A sync longer than its caller waits: it stops at a safe point, is sent again, and goes on from there. */
import { expect, test } from "vitest";
import { makeFolder, orderProject } from "./leat-process.ts";

/** Days to be read, a window each; one takes a sixth of a second, and the caller waits for one second. */
const days = 20;

test("a delivery that is sent again until it succeeds has every window once", async () => {
  const folder = makeFolder();
  try {
    const initial = new Date(Date.now() - days * 24 * 3600_000).toISOString().slice(0, 10);
    const pages = `
      await new Promise((resolve) => setTimeout(resolve, 160));
      yield Buffer.from(JSON.stringify({ id: start, updated_at: start }) + "\\n");`;
    folder.write("tenants.json", '[{"id":"414"}]');
    folder.write(
      "leat.config.ts",
      orderProject({ pages }).replace('initial: "2026-01-01"', `initial: "${initial}"`),
    );
    const server = folder.start(["serve-sync", "--port", "0", "--soft-deadline", "1"], {});
    await server.saw("listening on");
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(server.output())![0];
    const headers = { "x-cloudtasks-queuename": "syncs", "x-cloudtasks-taskname": "task-1" };
    const seen: { status: number; landed: number; ms: number }[] = [];
    for (let attempt = 0; attempt < 40 && seen.at(-1)?.status !== 200; attempt++) {
      const startedAt = performance.now();
      const answer = await fetch(`${url}/orders`, { method: "POST", headers });
      const body = (await answer.json()) as {
        counts?: { landed: number };
        result?: { counts: { landed: number } };
      };
      const landed = (body.counts ?? body.result?.counts)?.landed ?? 0;
      seen.push({ status: answer.status, landed, ms: performance.now() - startedAt });
    }
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.slice(0, -1).map(({ status }) => status)).toEqual(seen.slice(1).map(() => 503));
    expect(seen.at(-1)?.status).toBe(200);
    for (const { landed } of seen.slice(0, -1)) expect(landed).toBeGreaterThan(0); // Each got on.
    const done = await fetch(`${url}/orders`, { method: "POST", headers });
    expect(await done.json()).toMatchObject({ status: "already-done", requests: 0 });
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
    const sql = "select count(*) n, count(distinct id) d from shop_orders";
    const { stdout } = await folder.leat("query", sql, "--json");
    const [row] = JSON.parse(stdout) as { n: number; d: number }[];
    expect(row?.n).toBe(row?.d);
    expect(row?.n).toBeGreaterThanOrEqual(days);
    expect(seen.reduce((sum, { landed }) => sum + landed, 0)).toBe(row?.n);
  } finally {
    folder.remove();
  }
});
