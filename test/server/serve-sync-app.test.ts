import { describe, expect, test } from "vitest";
import type { ExtractOutcome } from "../../src/extract/extract-job.ts";
import { serveSyncApp } from "../../src/server/serve-sync-app.ts";
import { fakeOutcome } from "./fake-stages.ts";
import { openSyncApp } from "./open-sync-app.ts";

/** Starts the app with an extract that ends when the test says so, or at its signal when it `heeds` it. */
async function start(times: { finishMs: number; drainMs: number; heeds: boolean }) {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<ExtractOutcome>();
  const app = openSyncApp({
    tenants: ["1"],
    extract: (_job, signal) => {
      started.resolve();
      if (!times.heeds) return release.promise;
      const stopped = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      return Promise.race([release.promise, stopped]);
    },
  });
  const stop = new AbortController();
  const listening = Promise.withResolvers<string>();
  const { finishMs, drainMs } = times;
  const served = serveSyncApp(
    app,
    { host: "127.0.0.1", port: 0, finishMs, drainMs, onListening: listening.resolve },
    stop.signal,
  );
  const url = await listening.promise;
  const answer = fetch(`${url}/bank/orders`);
  await started.promise;
  return { url, answer, release, stop, served };
}

describe("serveSyncApp", () => {
  test("a run that ends soon after the stop is answered in full, and new requests are not taken", async () => {
    const { url, answer, release, stop, served } = await start({
      finishMs: 30_000,
      drainMs: 60_000,
      heeds: true,
    });
    stop.abort();
    await expect(fetch(`${url}/bank/orders`)).rejects.toThrow();
    release.resolve(fakeOutcome(7));
    const response = await answer;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ counts: { landed: 7 } });
    expect(await served).toBe(true);
  });

  test("a longer one is stopped at its safe point and answered 503", async () => {
    const { answer, stop, served } = await start({ finishMs: 20, drainMs: 60_000, heeds: true });
    stop.abort();
    const response = await answer;
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "INTERRUPTED", retryable: true });
    expect(await served).toBe(true);
  });

  test("one that reaches no safe point in time is cut off", async () => {
    const { answer, release, stop, served } = await start({ finishMs: 10, drainMs: 50, heeds: false });
    const cut = expect(answer).rejects.toThrow();
    stop.abort();
    expect(await served).toBe(false);
    await cut;
    release.resolve(fakeOutcome(1));
  });
});
