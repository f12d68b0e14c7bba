import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deathsCsv, type ServedProcess, startServe } from "../browser/open-served-deaths.ts";
import { openSlowReader } from "./open-test-host.ts";

let served: ServedProcess;
beforeAll(async () => {
  served = await startServe({ name: "deaths.csv", text: deathsCsv(4000) }, ["--no-access-log"]);
});
afterAll(() => served?.[Symbol.asyncDispose]());

const readers = 1000;
const mebibyte = 2 ** 20;
/** How long others may wait beside them, ms: of milliseconds, many on a busy machine. */
const othersMsMax = 20_000;

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${served.url}/metrics`)).text();
  return Number(new RegExp(`^${name}\\S* (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
}

test("a thousand slow readers at once keep memory flat, and others are answered", {
  timeout: 300_000,
}, async () => {
  const port = Number(new URL(served.url).port);
  const path = "/datasets/deaths/export.csv";
  // Before there is a file of it, exports are printed, and a hundred at once are.
  const isFile = async (): Promise<string | null> => {
    const { headers, body } = await fetch(`${served.url}${path}`, { headers: { range: "bytes=0-0" } });
    await body?.cancel();
    return headers.get("content-range");
  };
  await expect.poll(isFile, { timeout: 60_000 }).not.toBeNull();
  const whole = await (await fetch(`${served.url}${path}`)).text();
  expect(whole.length).toBeGreaterThan(3 * mebibyte);
  const before = await metric("process_memory_usage");
  const sockets: Socket[] = [];
  for (let at = 0; at < readers; at += 50)
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => openSlowReader(port, path)))));
  // On a busy machine the first are cut for having taken nothing before the last have their turn.
  let held = before;
  const taken = async (): Promise<number> => {
    held = Math.max(held, await metric("process_memory_usage"));
    return (await metric("http_server_active_requests")) + (await metric("leat_slow_readers_cut_total"));
  };
  await expect.poll(taken, { timeout: 180_000 }).toBeGreaterThanOrEqual(readers);
  // All of them whole would be 4 GB; each holds a piece or two.
  expect(held - before).toBeLessThan(600 * mebibyte);
  // Not behind the readers, who take nothing until they are cut.
  const signal = AbortSignal.timeout(othersMsMax);
  const other = await fetch(`${served.url}/datasets/deaths/rows?geo_code=E00000007&limit=5`, { signal });
  expect(other.status).toBe(200);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => metric("http_server_active_requests"), { timeout: 30_000 }).toBeLessThanOrEqual(1);
  console.log(`${readers} slow readers: ${Math.round((held - before) / mebibyte)} MiB more`);
});

test("readers that are only slow get everything", async () => {
  const socket = connect(Number(new URL(served.url).port), "127.0.0.1");
  socket.write("GET /datasets/deaths/export.csv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let bytes = 0;
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length;
    if (bytes % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(bytes).toBeGreaterThan(3 * mebibyte);
});
