/** `leat runs`, `leat show`, `leat logs`: what runs have done. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import {
  printArtifactJson,
  printAttemptJson,
  printInstant,
  printLineJson,
  printRunJson,
  printStored,
  printTaskJson,
} from "../flow/run-json.ts";
import { type FlowRun, isLogOver, type LogLine } from "../model/run-record.ts";
import { type RunState, runStates } from "../model/run-state.ts";
import type { Ledger, RunFilter } from "../ports/ledger.ts";
import { findRun } from "./find-run.ts";
import type { GlobalOptions, Invocation } from "./invocation.ts";
import { printCause, printRunSpan } from "./print-run.ts";
import { readNumber } from "./read-number.ts";
import { printable, type Terminal } from "./terminal.ts";

type ListOptions = GlobalOptions &
  Readonly<{ flow?: string; state?: readonly string[]; limit: string; before?: string; since?: string }>;

/** Runs listed at most; more are reached by `--before`. */
const listedMax = 1000;

/** Lines read at once from the ledger. */
const linesPerRead = 1000;

/** How often a log that is followed is read, ms. */
const followMs = 300;

export function addRuns(program: Command, invocation: Invocation): void {
  const command = program
    .command("runs")
    .summary("List runs of flows, newest first.")
    .description("Lists the runs of flows in the ledger, newest first.")
    .option("-f, --flow <name>", "Only of this flow or deployment.")
    .option("-s, --state <state...>", `Only in these states: ${runStates.join(", ")}.`)
    .option("--since <instant>", "Only those made since then, such as 2026-01-31 or 2026-01-31T09:30:00Z.")
    .option("--before <run>", "Go on after this run, the last of an earlier list.")
    .option("-n, --limit <n>", "How many runs to list.", "20")
    .action(async () => list(invocation, command.optsWithGlobals<ListOptions>()));
}

/** Opens the ledger; runs whose process is gone are told as what they are. */
async function openRuns(invocation: Invocation, options: GlobalOptions): Promise<Ledger> {
  const [{ openFlows }, { sweepHere }] = await Promise.all([
    import("./open-flows.ts"),
    import("../flow/sweep-here.ts"),
  ]);
  const { ledger } = await openFlows(invocation, options);
  await sweepHere(ledger);
  return ledger;
}

async function list(invocation: Invocation, options: ListOptions): Promise<void> {
  const filter = readFilter(options);
  const ledger = await openRuns(invocation, options);
  const before = options.before === undefined ? undefined : (await findRun(ledger, options.before)).id;
  const runs = await ledger.listRuns({ ...filter, before });
  const { terminal } = invocation;
  if (options.json) {
    return terminal.out(`${JSON.stringify({ runs: runs.map(printRunJson) }, null, 2)}\n`);
  }
  if (runs.length === 0) return terminal.out("No runs.\n");
  const { printTable } = await import("./print-table.ts");
  const nowMs = ledger.nowMs();
  terminal.out(
    printTable(
      ["run", "deployment", "state", "made", "took", "why"],
      runs.map((run) => [
        run.id,
        run.deployment,
        run.isLate ? `${run.state}, late` : run.state,
        printInstant(run.createdAtMs)?.slice(0, 19),
        printRunSpan(run, nowMs),
        printCause(run.cause),
      ]),
    ),
  );
}

function readFilter(options: ListOptions): RunFilter {
  const unknown = (options.state ?? []).filter((state) => !(runStates as readonly string[]).includes(state));
  if (unknown.length > 0) {
    throw new LeatError("USAGE", {
      message: `--state "${unknown.join('", "')}" is no state of a run.`,
      hint: `Use one of ${runStates.join(", ")}.`,
    });
  }
  const limit = readNumber("--limit", options.limit, 1, listedMax);
  return {
    deployment: options.flow,
    states: options.state as readonly RunState[] | undefined, // Looked at above.
    createdFromMs: options.since === undefined ? undefined : readInstant("--since", options.since),
    limit,
  };
}

/** Reads an instant that a person types. */
export function readInstant(option: string, text: string): number {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms) && /^\d{4}-/.test(text)) return ms;
  throw new LeatError("USAGE", {
    message: `${option} "${text}" is no instant.`,
    hint: "Write it as 2026-01-31 or 2026-01-31T09:30:00Z; a date alone is its midnight in UTC.",
  });
}

export function addShow(program: Command, invocation: Invocation): void {
  const command = program
    .command("show")
    .summary("Show a run: its tasks, attempts, artifacts and error.")
    .description(
      "Shows a run: parameters, attempts, tasks in the order they were called, artifacts, result or error.",
    )
    .argument("<run>", "The run's id, or its beginning.")
    .action(async (id: string) => show(invocation, id, command.optsWithGlobals<GlobalOptions>()));
}

async function show(invocation: Invocation, id: string, options: GlobalOptions): Promise<void> {
  const { listQuestions } = await import("../flow/open-questions.ts");
  const ledger = await openRuns(invocation, options);
  const run = await findRun(ledger, id);
  const [attempts, tasks, artifacts, children, questions] = await Promise.all([
    ledger.listAttempts(run.id),
    ledger.readTasks(run.id),
    ledger.listArtifacts(run.id),
    ledger.listRuns({ parentId: run.id, limit: listedMax }),
    listQuestions(ledger, run),
  ]);
  const { terminal } = invocation;
  if (options.json) {
    const told = {
      run: printRunJson(run),
      attempts: attempts.map(printAttemptJson),
      tasks: tasks.map(printTaskJson),
      artifacts: artifacts.map(printArtifactJson),
      children: children.map(printRunJson),
    };
    return terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  }
  const { printTable } = await import("./print-table.ts");
  terminal.out(printRun(run, ledger.nowMs()));
  if (tasks.length > 0) {
    const { taskHeadings, taskRows } = await import("./print-tasks.ts");
    terminal.out(`\n${printTable(taskHeadings, taskRows(tasks, ledger.nowMs()))}`);
  }
  if (children.length > 0) {
    const rows = children.map((one) => [one.id, one.flow, one.state, printRunSpan(one, ledger.nowMs())]);
    terminal.out(`\n${printTable(["sub-flow", "flow", "state", "took"], rows)}`);
  }
  for (const { run: asking, task } of questions) {
    terminal.out(`\nasks: ${printable(task.input ?? task.key)}\n  leat approve ${asking.id} [--reject]\n`);
  }
  for (const { name, kind, data } of artifacts) {
    terminal.out(`\n${printable(name)} (${kind})\n${printable(JSON.stringify(data, null, 2))}\n`);
  }
}

function printRun(run: FlowRun, nowMs: number): string {
  const lines = [
    `run         ${run.id}`,
    `flow        ${run.flow}${run.deployment === run.flow ? "" : ` (${run.deployment})`}`,
    `state       ${run.state}${run.isLate ? ", late" : ""}${run.isCodeChanged ? ", went on with other code" : ""}`,
    `params      ${JSON.stringify(run.params)}`,
    `why         ${printCause(run.cause)}`,
    `made        ${printInstant(run.createdAtMs)}`,
    `took        ${printRunSpan(run, nowMs)} in ${run.attempt} attempts`,
    ...(run.wakeAtMs === null ? [] : [`wakes       ${printInstant(run.wakeAtMs)}`]),
    ...(run.result === null ? [] : [`result      ${JSON.stringify(printStored(run.result))}`]),
    ...(run.error === null ? [] : [`error       ${run.error.code ?? run.error.name}: ${run.error.message}`]),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

export function addLogs(program: Command, invocation: Invocation): void {
  const command = program
    .command("logs")
    .summary("Print the log of a run.")
    .description("Prints the log of a run; with --follow until the run is over.")
    .argument("<run>", "The run's id, or its beginning.")
    .option("-f, --follow", "Go on until the run is over.")
    .option("--task <name>", "Only lines of tasks of this name.")
    .action(async (id: string) => {
      const options = command.optsWithGlobals<GlobalOptions & { follow?: boolean; task?: string }>();
      await logs(invocation, id, options);
    });
}

async function logs(
  invocation: Invocation,
  id: string,
  options: GlobalOptions & Readonly<{ follow?: boolean; task?: string }>,
): Promise<void> {
  const { systemClock } = await import("./system-world.ts");
  const ledger = await openRuns(invocation, options);
  const { terminal, signal } = invocation;
  const run = await findRun(ledger, id);
  let afterId = 0;
  for (;;) {
    // Asked before the lines are read: what was written before the end is then there.
    const isOver = isLogOver(await ledger.readRun(run.id), ledger.nowMs());
    afterId = await printLines(terminal, ledger, run.id, { afterId, options });
    if (options.follow !== true || isOver || signal.aborted) return;
    await systemClock.sleep(followMs, signal).catch(() => {}); // The next turn ends it.
  }
}

async function printLines(
  terminal: Terminal,
  ledger: Ledger,
  id: FlowRun["id"],
  from: Readonly<{ afterId: number; options: GlobalOptions & Readonly<{ task?: string }> }>,
): Promise<number> {
  let { afterId } = from;
  for (;;) {
    const lines = await ledger.readLogs(id, { afterId, limit: linesPerRead });
    for (const line of lines) {
      afterId = line.id;
      if (from.options.task !== undefined && line.taskKey?.split(":")[0] !== from.options.task) continue;
      terminal.out(from.options.json ? `${JSON.stringify(printLineJson(line))}\n` : printLine(line));
    }
    if (lines.length < linesPerRead) return afterId;
  }
}

function printLine({ atMs, level, taskKey, message, data }: LogLine): string {
  const task = taskKey === null ? "" : ` ${taskKey.split(":")[0]}:`;
  const facts = data === null ? "" : ` ${JSON.stringify(data)}`;
  return `${printInstant(atMs)} ${level.padEnd(5)}${printable(`${task} ${message}${facts}`)}\n`;
}
