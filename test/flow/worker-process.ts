/**
 * A worker of trial flows as a process: `node worker-process.ts OPTIONS`, where OPTIONS is JSON. Says `ready` when it
 * works; ends on SIGTERM, as a worker does, or kills itself at a call of the ledger.
 */
import { writeSync } from "node:fs";
import type { Ledger } from "../../src/ports/ledger.ts";
import { openDispatcher, openLedger, type StandPlace, startTrialWorker } from "./flow-stand.ts";
import { openTrialLane } from "./trial-lane.ts";

/** How such a worker is run. */
export type WorkerProcessOptions = Readonly<{
  place: StandPlace;
  pools?: readonly string[];
  slots?: number;
  leaseMs?: number;
  sweepMs?: number;
  /** Whether runs have processes of their own. */
  isApart: boolean;
  killAt?: KillPoint;
}>;

/** The moment before or after the n-th call of a method of the ledger, from 1. */
export type KillPoint = Readonly<{ method: string; phase: "before" | "after"; n: number }>;

const options = JSON.parse(process.argv[2] ?? "") as WorkerProcessOptions; // Made by `startWorkerProcess`.

const ledger = killAt(await openLedger(options.place), options.killAt);
const dispatcher = await openDispatcher(options.place, ledger);
const worker = await startTrialWorker(
  ledger,
  dispatcher,
  { ...options, ...(options.isApart ? { executor: openTrialLane(options.place, ledger, 1000) } : {}) },
  (error) => writeSync(2, `${error instanceof Error ? error.stack : String(error)}\n`),
);
process.on("SIGTERM", () => void stop());
writeSync(1, "ready\n");

async function stop(): Promise<void> {
  await worker.stop();
  await dispatcher.close();
  await ledger.close();
}

/** A ledger whose process dies at one of its calls. */
function killAt(whole: Ledger, point: KillPoint | undefined): Ledger {
  if (point === undefined) return whole;
  let count = 0;
  const die = (): Promise<never> => {
    process.kill(process.pid, "SIGKILL");
    return new Promise<never>(() => {}); // The signal comes when the system pleases.
  };
  const method = whole[point.method as keyof Ledger] as (...args: unknown[]) => Promise<unknown>; // As the test has counted it.
  return {
    ...whole,
    [point.method]: async (...args: unknown[]) => {
      count += 1;
      const isPoint = count === point.n;
      if (isPoint && point.phase === "before") return die();
      const answer = await method(...args);
      return isPoint ? die() : answer;
    },
  };
}
