/** Runs of workers are executed in processes of their own, each of which opens the project for itself. */
import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { createProcessLane } from "../flow/process-lane.ts";
import type { RunExecutor } from "../flow/run-executor.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenFlows } from "./open-flows.ts";
import { systemClock, systemRandom } from "./system-world.ts";

const entryPath = fileURLToPath(new URL(`./flow-process-main${extname(import.meta.url)}`, import.meta.url));

/** Opens the lane of a worker; no process is started before there is a run. */
export function openLane(
  { cwd, terminal }: Invocation,
  { opened, registry, ledger }: OpenFlows,
): RunExecutor {
  return createProcessLane(
    { ledger, clock: systemClock, fraction: systemRandom.fraction, redact: terminal.redact, registry },
    {
      start: () => fork(entryPath, [opened.configPath], { cwd, stdio: ["ignore", "pipe", "pipe", "ipc"] }),
    },
  );
}
