/** Entry of a process that executes runs for a worker: `node flow-process-main.ts CONFIG`. Started by `open-lane.ts`. */
import { processEnvironment } from "../config/environment.ts";
import { serveRuns } from "../flow/serve-runs.ts";
import type { Invocation } from "./invocation.ts";
import { openFlows } from "./open-flows.ts";
import { openWork } from "./open-work.ts";
import { systemClock, systemRandom } from "./system-world.ts";
import { openTerminal } from "./terminal.ts";

/** Connections of one such process: it executes one run. */
const connectionsMax = 2;

await serveRuns(process, async () => {
  const terminal = openTerminal(process.stdout, process.stderr);
  const invocation: Invocation = {
    terminal,
    signal: new AbortController().signal, // Its worker ends it.
    listen: () => {},
    cwd: process.cwd(),
    environment: processEnvironment(),
    atEnd: () => {}, // It ends by a signal; what it has opened ends with it.
    finish: () => {},
  };
  const flows = await openFlows(invocation, { config: process.argv[2] ?? "" }, { connectionsMax });
  const { opened, ledger, registry } = flows;
  return {
    registry,
    world: {
      ledger,
      clock: systemClock,
      fraction: systemRandom.fraction,
      results: opened.store,
      redact: terminal.redact,
      codeVersion: opened.codeVersion,
      work: openWork(invocation, opened, ledger),
    },
  };
});
