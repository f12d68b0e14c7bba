/** The command line's commands and options. Declaring them imports nothing heavy. */
import { Command } from "commander";
import { addApprove } from "./approve.ts";
import { addBuild } from "./build.ts";
import { addCheck } from "./check.ts";
import { addBackfill, addCancel, addRetry, addTrigger } from "./control-runs.ts";
import { addDatasets } from "./datasets.ts";
import { addDeploy } from "./deploy.ts";
import { addDiff } from "./diff.ts";
import { addExtract } from "./extract.ts";
import { addFlows, addPause, addResume, addSchedules } from "./flows.ts";
import { addGc } from "./gc.ts";
import { addInit } from "./init.ts";
import type { Invocation } from "./invocation.ts";
import { addKeys } from "./keys.ts";
import { addLoad } from "./load.ts";
import { addQuery } from "./query.ts";
import { addQuota } from "./quota.ts";
import { addRebuild } from "./rebuild.ts";
import { addRun } from "./run.ts";
import { addLogs, addRuns, addShow } from "./runs.ts";
import { addServe } from "./serve.ts";
import { addServeSync } from "./serve-sync.ts";
import { addShare } from "./share.ts";
import { addState } from "./state.ts";
import { addSync } from "./sync.ts";
import { addUp, addWorker } from "./up.ts";
import { addVerify } from "./verify.ts";

const description =
  "Brings data from partners' APIs to your warehouse, exactly once. A project is a folder with a leat.config.ts: `leat init` makes one that works at once, `leat sync` fetches what is new, lands it as files and loads it, and `leat query` reads it.";

const afterHelp = `
Exit codes: 0 all that was asked for was done, 1 not all of it,
2 wrong usage or configuration, 130 interrupted. Ctrl-C stops at the
next safe point, a second one at once; what was committed stays.`;

/** Builds the program. The reference page of the command line is made from it. */
export function buildProgram(invocation: Invocation, version: string): Command {
  const program = new Command("leat")
    .description(description)
    .version(version, "-V, --version", "Print leat's version.")
    .option(
      "-c, --config <path>",
      "The project's configuration, or its folder. Default: LEAT_CONFIG, else the nearest leat.config.ts in this folder or above.",
    )
    .option("--json", "Print one JSON document on stdout instead of text, also for failures.")
    .option("-q, --quiet", "Tell no progress on stderr; failures are told all the same.")
    .helpOption("-h, --help", "Explain a command.")
    .helpCommand("help [command]", "Explain a command.")
    .addHelpText("after", afterHelp)
    .showHelpAfterError("Run with --help to see what there is.")
    .configureHelp({ showGlobalOptions: true });
  for (const add of [
    addInit,
    addCheck,
    addSync,
    addExtract,
    addLoad,
    addBuild,
    addDatasets,
    addDiff,
    addRun,
    addUp,
    addWorker,
    addFlows,
    addSchedules,
    addPause,
    addResume,
    addTrigger,
    addBackfill,
    addRuns,
    addShow,
    addLogs,
    addRetry,
    addCancel,
    addApprove,
    addShare,
    addState,
    addQuery,
    addRebuild,
    addVerify,
    addQuota,
    addGc,
    addServe,
    addKeys,
    addServeSync,
    addDeploy,
  ]) {
    add(program, invocation);
  }
  return program;
}
