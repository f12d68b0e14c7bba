/** `leat approve`: answers what a run asks. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { OpenQuestion } from "../flow/open-questions.ts";
import type { JsonValue } from "../model/json-value.ts";
import { hint } from "./control-runs.ts";
import { findRun } from "./find-run.ts";
import type { GlobalOptions, Invocation } from "./invocation.ts";
import { printable } from "./terminal.ts";

type ApproveOptions = GlobalOptions &
  Readonly<{ reject?: boolean; by?: string; note?: string; input?: string; task?: string }>;

/** Longest note and longest name, in characters: as of the control API. */
const noteLengthMax = 2000;
const nameLengthMax = 100;

const after = `
Examples:
  leat show 3f2a                     what it asks
  leat approve 3f2a --note "sums look right"
  leat approve 3f2a --reject --by ann

A no fails the run with APPROVAL_REFUSED; a retry of it asks again.`;

export function addApprove(program: Command, invocation: Invocation): void {
  const command = program
    .command("approve")
    .summary("Answer what a run asks.")
    .description("Answers the open question of a run, or of one of its sub-flows, and lets the run go on.")
    .argument("<run>", "The run's id, or its beginning.")
    .option("--reject", "Say no: the question is answered with a refusal.")
    .option("--by <name>", "Who answers. Default: the account of this machine.")
    .option("--note <text>", "Why, for those who look at the run.")
    .option("--input <json>", "Whatever the flow asks for, as JSON.")
    .option("--task <key>", "Which question, where the run has several.")
    .addHelpText("after", after)
    .action(async (id: string) => approve(invocation, id, command.optsWithGlobals<ApproveOptions>()));
}

async function approve(invocation: Invocation, id: string, options: ApproveOptions): Promise<void> {
  const [{ openFlows, whoAmI }, { listQuestions }] = await Promise.all([
    import("./open-flows.ts"),
    import("../flow/open-questions.ts"),
  ]);
  const by = readText("--by", options.by ?? whoAmI(), nameLengthMax);
  const note = options.note === undefined ? null : readText("--note", options.note, noteLengthMax);
  const input = readInput(options.input);
  const flows = await openFlows(invocation, options);
  const { ledger } = flows;
  const run = await findRun(ledger, id);
  const { run: asking, task } = chooseQuestion(
    run.id,
    run.state,
    await listQuestions(ledger, run),
    options.task,
  );
  const isApproved = options.reject !== true;
  await ledger.answerApproval(asking.id, task.key, { isApproved, by, note, input, atMs: ledger.nowMs() });
  const woken = await ledger.readRun(asking.rootId);
  await hint(invocation, flows, woken === undefined ? [] : [woken]);
  const { terminal } = invocation;
  if (options.json) {
    const told = { run: asking.id, task: task.key, question: task.input, approved: isApproved, by };
    terminal.out(`${JSON.stringify(told, null, 2)}\n`);
  } else {
    const question = printable(`"${task.input ?? task.key}"`);
    terminal.out(`run ${asking.id} of ${asking.deployment}: ${isApproved ? "yes" : "no"} to ${question}\n`);
  }
}

/** The question that is meant; where there are several, all are told. */
function chooseQuestion(
  runId: string,
  state: string,
  questions: readonly OpenQuestion[],
  key: string | undefined,
): OpenQuestion {
  const meant = key === undefined ? questions : questions.filter(({ task }) => task.key === key);
  const [first, second] = meant;
  if (first !== undefined && second === undefined) return first;
  const listed = questions.map(({ task }) => `\n  --task ${task.key}: ${task.input ?? ""}`).join("");
  if (questions.length === 0) {
    throw new LeatError("APPROVAL_UNKNOWN", {
      message: `The run ${runId} is ${state} and asks nothing.`,
      hint: "`leat runs --state waiting running` lists the runs that may.",
      details: { run: runId },
    });
  }
  throw new LeatError("APPROVAL_UNKNOWN", {
    message:
      key === undefined
        ? `The run ${runId} asks ${questions.length} questions:${listed}`
        : `The run ${runId} has no open question "${key}":${listed}`,
    hint: "Say which with --task.",
    details: { run: runId, tasks: questions.map(({ task }) => task.key) },
  });
}

function readText(option: string, text: string, lengthMax: number): string {
  if (text.trim() !== "" && text.length <= lengthMax) return text;
  throw new LeatError("USAGE", { message: `${option} must have 1 to ${lengthMax} characters.` });
}

function readInput(text: string | undefined): JsonValue {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as JsonValue; // What JSON can hold.
  } catch (cause) {
    throw new LeatError("USAGE", { message: "--input is not JSON.", cause });
  }
}
