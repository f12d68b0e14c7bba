/** Entry of a forked process of trial flows: `node flow-child.ts PLACE`, where PLACE is JSON. */
import { systemClock } from "../../src/cli/system-world.ts";
import { serveRuns } from "../../src/flow/serve-runs.ts";
import { openLedger, type StandPlace } from "./flow-stand.ts";
import { openTrialFlows } from "./trial-flows.ts";

const place = JSON.parse(process.argv[2] ?? "") as StandPlace; // Made by `forkTrialFlows`.

await serveRuns(process, async () => ({
  world: {
    ledger: await openLedger(place),
    clock: systemClock,
    fraction: Math.random,
    results: undefined,
    redact: (text) => text,
    codeVersion: "trial",
  },
  registry: openTrialFlows(),
}));
