import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { openSlowReader, openTestHost, type TestHost } from "./open-test-host.ts";

const opened: TestHost[] = [];
const open = async (...options: Parameters<typeof openTestHost>): Promise<TestHost> => {
  const host = await openTestHost(...options);
  opened.push(host);
  return host;
};
afterEach(async () => {
  for (const host of opened.splice(0)) await host[Symbol.asyncDispose]();
});

/** Some 3 MB of CSV. */
const manyAreas = 4000;
/** How long something is waited for that takes milliseconds on a machine with nothing else to do. */
const patience = { timeout: 20_000 } as const;
const exportPath = "/datasets/deaths/export.csv";

describe("clients that mean no good, or know no better", () => {
  test("giant headers, bodies, and what is no HTTP get a 4xx that explains", async () => {
    const host = await open();
    const giant = await host.raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(giant).toMatch(/^HTTP\/1\.1 431 /);
    expect(giant).toContain("16 KiB");
    expect(await host.raw("GEHT NICHT\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [\s\S]*This is not HTTP/);
    const body = await fetch(`${host.url}/datasets`, { method: "POST", body: "x".repeat(100_000) });
    expect(body.status).toBe(413);
    const post = await fetch(`${host.url}/datasets`, { method: "POST", body: "x" });
    expect(post.status).toBe(405);
    expect(post.headers.get("allow")).toContain("GET");
    const long = await host.get(`/datasets/deaths/rows?geo_code=${"a".repeat(10_000)}`);
    expect(long.status).toBe(414);
    expect((await host.get("/live")).status).toBe(200);
  });

  test("a client that leaves in the middle of an export frees what made it", async () => {
    const host = await open({ areas: manyAreas });
    for (let at = 0; at < 10; at++) {
      const socket = await openSlowReader(host.port, exportPath);
      socket.resume();
      await once(socket, "data");
      socket.destroy();
    }
    const whole = await (await host.get(exportPath)).text();
    expect(whole.split("\n").length - 2).toBe(manyAreas * 24);
    await expect.poll(async () => await activeRequests(host), patience).toBeLessThanOrEqual(1);
  });

  test("clients that read nothing are cut, and everybody else is served meanwhile", {
    timeout: 90_000,
  }, async () => {
    const host = await open({ areas: manyAreas, slowReaders: { stallMsMax: 1000 } });
    const count = 40;
    const readers = await Promise.all(
      Array.from({ length: count }, () => openSlowReader(host.port, exportPath)),
    );
    const startedAt = performance.now();
    expect((await host.get("/year/2018/geo_code/E00000001")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    const ended = (): number => host.logged.filter(({ url }) => url === exportPath).length;
    await expect.poll(ended, { timeout: 60_000 }).toBe(count);
    for (const socket of readers) socket.destroy();
    const metrics = await (await host.get("/metrics")).text();
    expect(Number(/leat_slow_readers_cut_total\S* (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0);
  });

  test("one who writes a header a byte at a time is cut after ten seconds", { timeout: 40_000 }, async () => {
    const host = await open();
    const socket = connect(host.port, "127.0.0.1");
    const said: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => said.push(chunk));
    socket.on("error", () => {});
    await once(socket, "connect");
    const closed = new Promise((resolve) => socket.once("close", resolve)); // Also after an error, which is what we wait for.
    socket.write("GET / HTTP/1.1\r\nX: ");
    const writing = setInterval(() => socket.writable && socket.write("a"), 200);
    const startedAt = performance.now();
    await closed;
    clearInterval(writing);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(Buffer.concat(said).toString()).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("stopping", () => {
  test("finishes what is being sent, and takes nothing new", async () => {
    const host = await open({ areas: manyAreas, drainMs: 10_000 });
    const answer = await host.get(exportPath);
    const stopped = host.stop();
    const live = () =>
      fetch(`${host.url}/live`).then(
        () => "answers",
        () => "is closed",
      );
    await expect.poll(live).toBe("is closed");
    const text = await answer.text();
    expect(text.split("\n").length - 2).toBe(manyAreas * 24);
    expect(await stopped).toBe(true);
  });

  test("cuts whoever has not read in time", async () => {
    const host = await open({ areas: manyAreas, drainMs: 500 });
    const reader = await openSlowReader(host.port, exportPath);
    await expect.poll(async () => await activeRequests(host), patience).toBeGreaterThan(1);
    const startedAt = performance.now();
    expect(await host.stop()).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(5000);
    reader.destroy();
  });
});

async function activeRequests(host: TestHost): Promise<number> {
  const metrics = await (await host.get("/metrics")).text();
  return Number(/http_server_active_requests\S* (\d+)/.exec(metrics)?.[1]);
}
