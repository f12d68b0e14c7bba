/**
 * The thread that counts facets, over the memory that it shares with the server. Jobs take turns, slice by slice, so that
 * none waits behind a long one, and one that nobody wants any more ends. Started by `scan-thread.ts`.
 */
import { parentPort } from "node:worker_threads";
import { FacetCounter } from "./count-facets.ts";
import { Pack } from "./pack.ts";
import type { ScanMessage, ScanReply } from "./scan-messages.ts";

/** Rows looked at in one turn: some 5 ms. */
const sliceRows = 1_000_000;

const packs = new Map<string, Pack>();
/** Jobs that somebody still waits for. */
const wanted = new Set<number>();

const reply = (message: ScanReply): void => parentPort?.postMessage(message);

parentPort?.on("message", (message: ScanMessage) => {
  switch (message.do) {
    case "add":
      packs.set(message.id, new Pack(message.pack));
      return;
    case "drop":
      packs.delete(message.id);
      return;
    case "end":
      wanted.delete(message.job);
      return;
    default:
      begin(message);
  }
});

function begin({ job, asked }: Extract<ScanMessage, { do: "count" }>): void {
  try {
    const pack = packs.get(asked.id);
    if (pack === undefined) throw new Error(`the version ${asked.id} is not there`);
    wanted.add(job);
    goOn(job, new FacetCounter(pack, asked.masks, asked.columns), asked.limit);
  } catch (error) {
    fail(job, error);
  }
}

function goOn(job: number, counter: FacetCounter, limit: number): void {
  try {
    if (!wanted.has(job)) throw new Error("nobody wants it any more");
    counter.step(sliceRows);
    if (!counter.isDone) {
      setImmediate(() => goOn(job, counter, limit));
      return;
    }
    wanted.delete(job);
    reply({ job, facets: counter.best(limit) });
  } catch (error) {
    fail(job, error);
  }
}

function fail(job: number, error: unknown): void {
  wanted.delete(job);
  reply({ job, error: error instanceof Error ? error.message : String(error) });
}
