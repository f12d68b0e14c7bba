/** Starts workers as processes, and knows when they work and when they are gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { WorkerProcessOptions } from "./worker-process.ts";

const entry = fileURLToPath(new URL("./worker-process.ts", import.meta.url));

/** A worker in a process. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Resolves when it works, and also when it is gone before it does. */
  readonly ready: Promise<unknown>;
  readonly exited: Promise<unknown>;
  /** What it has told of problems. */
  readonly words: () => string;
}

export function startWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const child = spawn(process.execPath, [entry, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-8000);
  });
  const exited = once(child, "exit");
  return { child, exited, ready: Promise.race([once(child.stdout, "data"), exited]), words: () => words };
}
