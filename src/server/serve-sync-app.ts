/** Listens, and stops without cutting anybody off in the middle. */
import { setTimeout as wait } from "node:timers/promises";
import type { SyncApp } from "./sync-app.ts";

/** Where to listen and how to stop. */
export type ServeOptions = Readonly<{
  host: string;
  port: number;
  /** From the stop signal until running syncs are asked to stop at their next safe point, ms. */
  finishMs: number;
  /** From the stop signal until connections are cut, ms; what is not committed then is done again by the next run. */
  drainMs: number;
  onListening: (url: string) => void;
}>;

/**
 * Serves until `stop` is aborted, then drains: refuses new requests, lets running syncs finish for a while, then
 * reach a safe point, then cuts the connections that are left.
 *
 * @returns whether every request was answered.
 */
export async function serveSyncApp(
  { app, refuseRequests, interruptRuns }: SyncApp,
  options: ServeOptions,
  stop: AbortSignal,
): Promise<boolean> {
  const url = await app.listen({ host: options.host, port: options.port });
  options.onListening(url);
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  refuseRequests();
  let isDrained = false;
  const closed = app.close().then(() => {
    isDrained = true;
  });
  const until = (ms: number): Promise<unknown> => Promise.race([closed, wait(ms, undefined, { ref: false })]);
  await until(options.finishMs);
  if (!isDrained) {
    interruptRuns();
    await until(Math.max(0, options.drainMs - options.finishMs));
  }
  const wasDrained = isDrained;
  app.server.closeAllConnections();
  if (wasDrained) await closed;
  return wasDrained;
}
