/** `leat run`: a flow in the foreground, in this process, with what it does told as it does it. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { ForegroundJob } from "../flow/run-foreground.ts";
import { printRunJson } from "../flow/run-json.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenFlows } from "./open-flows.ts";
import { reportError } from "./report-error.ts";
import { printSpan } from "./terminal.ts";

/** Options that give a run its parameters. */
export type ParamOptions = Readonly<{ param?: readonly string[]; params?: string }>;

type RunOptions = GlobalOptions & ParamOptions;

const after = `
Examples:
  leat run nightly
  leat run report --param year=2024 --param areas='["E92000001","W92000004"]'
  leat run report --params '{"year": 2024}'

Needs no server: the run is kept in the project's ledger, and \`leat show\` and \`leat logs\` tell of it later. When it
fails or is killed, \`leat retry\` goes on from what is finished. Ctrl-C cancels it.`;

export function addRun(program: Command, invocation: Invocation): void {
  const command = program
    .command("run")
    .summary("Run a flow here and now.")
    .description(
      "Runs a flow in this process and tells what it does. Parameters are checked before anything is done.",
    )
    .argument("<flow>", "Name of a flow, or of a deployment of one.");
  addParamOptions(command)
    .addHelpText("after", after)
    .action(async (name: string) => {
      invocation.finish(await run(invocation, name, command.optsWithGlobals<RunOptions>()));
    });
}

/** Adds the options that give parameters. */
export function addParamOptions(command: Command): Command {
  return command
    .option(
      "-p, --param <name=value>",
      "A parameter; again for another, or for another item of a list. Numbers and true/false are read as the flow declares them, lists and objects as JSON.",
      (text: string, before: readonly string[]) => [...before, text],
      [],
    )
    .option("--params <json>", "Parameters as one JSON object; --param wins over it.");
}

async function run(invocation: Invocation, name: string, options: RunOptions): Promise<ExitCode> {
  const { openFlows, whoAmI } = await import("./open-flows.ts");
  const flows = await openFlows(invocation, options);
  const deployment = flows.registry.deployment(name);
  const params = await readParams(flows, name, options);
  return runHere(invocation, flows, { deployment, params, by: whoAmI() }, options);
}

/** Reads parameters by the schema of the flow; their faults are told when the run is made. */
export async function readParams(
  { registry }: Pick<OpenFlows, "registry">,
  name: string,
  options: ParamOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const { readParamTexts } = await import("../flow/params.ts");
  const { flow, params } = registry.deployment(name);
  const given = readParamsJson(options.params);
  return { ...given, ...readParamTexts(flow, options.param ?? [], { ...params, ...given }) };
}

function readParamsJson(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new LeatError("USAGE", {
      message: "--params is not JSON.",
      hint: `Write it as '{"name": 1}'.`,
      cause,
    });
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Readonly<Record<string, unknown>>; // An object of JSON.
  }
  throw new LeatError("USAGE", {
    message: "--params is not a JSON object.",
    hint: `Write it as '{"name": 1}'.`,
  });
}

/** Runs, or goes on with, a run in this process; tells of it, and of its end. */
export async function runHere(
  invocation: Invocation,
  { opened, ledger }: OpenFlows,
  job: ForegroundJob,
  options: GlobalOptions,
): Promise<ExitCode> {
  const [{ runForeground }, { systemClock, systemRandom }, { openRunView }, { openWork }] = await Promise.all(
    [
      import("../flow/run-foreground.ts"),
      import("./system-world.ts"),
      import("./run-view.ts"),
      import("./open-work.ts"),
    ],
  );
  const { terminal, signal } = invocation;
  const view = openRunView(terminal, systemClock, { isQuiet: options.quiet === true });
  const startedAtMs = systemClock.nowMs();
  let ended: Awaited<ReturnType<typeof runForeground>>;
  try {
    ended = await runForeground(
      {
        ledger,
        clock: systemClock,
        fraction: systemRandom.fraction,
        results: opened.store,
        redact: terminal.redact,
        codeVersion: opened.codeVersion,
        tell: view.tell,
        work: openWork(invocation, opened, ledger),
      },
      job,
      signal,
      (key) => terminal.err(`waits until other runs of the key "${key}" have ended\n`),
    );
  } finally {
    view.close();
  }
  const durationMs = systemClock.nowMs() - startedAtMs;
  return tellEnd(invocation, ended, { durationMs, isJson: options.json === true });
}

async function tellEnd(
  { terminal, signal }: Invocation,
  { run: ended, value, error }: Readonly<{ run: FlowRun; value: unknown; error: unknown }>,
  options: Readonly<{ durationMs: number; isJson: boolean }>,
): Promise<ExitCode> {
  const isOk = ended.state === "succeeded" || ended.state === "skipped";
  const { state } = ended;
  if (options.isJson) {
    const told = {
      ok: isOk,
      duration_ms: options.durationMs,
      run: printRunJson(ended),
      result: value ?? null,
    };
    terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  } else {
    if (value !== undefined) {
      terminal.out(`${typeof value === "string" ? value : JSON.stringify(value, null, 2)}\n`);
    }
    const why = state === "skipped" ? ": another run holds its key" : "";
    terminal.err(`run ${ended.id} ${state} in ${printSpan(options.durationMs)}${why}\n`);
  }
  if (isOk) return 0;
  if (signal.aborted) return 130;
  const { fromStoredError } = await import("../flow/stored-error.ts");
  const { toFlowError } = await import("./flow-error.ts");
  const cause = error ?? (ended.error === null ? undefined : fromStoredError(ended.error));
  if (cause !== undefined) reportError(terminal, toFlowError(cause, ended));
  return 1;
}
