/** Trial flows in processes of their own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/cli/system-world.ts";
import { createProcessLane } from "../../src/flow/process-lane.ts";
import type { RunExecutor } from "../../src/flow/run-executor.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { StandPlace } from "./flow-stand.ts";
import { openTrialFlows } from "./trial-flows.ts";

const entry = fileURLToPath(new URL("./flow-child.ts", import.meta.url));

/** @param graceMs - how long an attempt may take to end when it is told to. */
export const openTrialLane = (place: StandPlace, ledger: Ledger, graceMs: number): RunExecutor =>
  createProcessLane(
    { ledger, clock: systemClock, fraction: Math.random, redact: (text) => text, registry: openTrialFlows() },
    {
      start: () => fork(entry, [JSON.stringify(place)], { stdio: ["ignore", "pipe", "pipe", "ipc"] }),
      graceMs,
    },
  );
