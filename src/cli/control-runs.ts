/** `leat trigger`, `leat backfill`, `leat retry`, `leat cancel`: runs made and moved for workers. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import { printRunJson } from "../flow/run-json.ts";
import { type FlowRun, foregroundWorker } from "../model/run-record.ts";
import type { Submitted } from "../ports/ledger.ts";
import { findRun } from "./find-run.ts";
import { openDeployed, unknownSchedule } from "./flows.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenFlows } from "./open-flows.ts";
import { addParamOptions, type ParamOptions, readParams, runHere } from "./run.ts";
import { readInstant } from "./runs.ts";
import { printCount, type Terminal } from "./terminal.ts";

/** Runs told one by one; a back-fill may make thousands. */
const toldMax = 100;

/** Hints the workers that share the ledger. Without a word they would find the runs by themselves, some seconds later. */
export async function hint(
  invocation: Invocation,
  flows: OpenFlows,
  runs: readonly FlowRun[],
): Promise<void> {
  const [{ openDispatcher }, { hintsOf }] = await Promise.all([
    import("./open-flows.ts"),
    import("../flow/run-hints.ts"),
  ]);
  if (flows.opened.ledger.engine === "sqlite") return; // Its workers glance at it four times a second.
  await (await openDispatcher(invocation, flows)).send(hintsOf(runs));
}

type TriggerOptions = GlobalOptions & ParamOptions & Readonly<{ idempotencyKey?: string; at?: string }>;

export function addTrigger(program: Command, invocation: Invocation): void {
  const command = program
    .command("trigger")
    .summary("Queue a run for the workers.")
    .description("Queues a run of a flow or deployment, for the workers of its pool.")
    .argument("<flow>", "Name of a flow, or of a deployment of one.");
  addParamOptions(command)
    .option("--at <instant>", "Not before this, such as 2026-01-31T09:30:00Z.")
    .option("--idempotency-key <key>", "A name for this request: a second one of the same name makes no run.")
    .action(async (name: string) => {
      const options = command.optsWithGlobals<TriggerOptions>();
      const [{ newRunOf }, { whoAmI }] = await Promise.all([
        import("../flow/new-run.ts"),
        import("./open-flows.ts"),
      ]);
      const flows = await openDeployed(invocation, options);
      const run = newRunOf(flows.registry.deployment(name), {
        params: await readParams(flows, name, options),
        cause: { kind: "manual", by: whoAmI() },
        startAtMs: options.at === undefined ? flows.ledger.nowMs() : readInstant("--at", options.at),
        idempotencyKey: options.idempotencyKey,
      });
      const submitted = await flows.ledger.submitRun(run);
      await hint(invocation, flows, [submitted.run]);
      tellSubmitted(invocation.terminal, [submitted], options);
    });
}

type BackfillOptions = GlobalOptions & Readonly<{ from: string; to?: string; again?: boolean }>;

export function addBackfill(program: Command, invocation: Invocation): void {
  const command = program
    .command("backfill")
    .summary("Queue the runs of a schedule's ticks in a span of the past.")
    .description(
      "Queues a run for each tick of a schedule in a span of time. A tick that has its run gets no other.",
    )
    .argument("<schedule>", "Name as `leat schedules` lists it.")
    .requiredOption("--from <instant>", "First instant of the span.")
    .option("--to <instant>", "End of the span, itself not included. Default: now.")
    .option("--again", "Also ticks that have their run.")
    .action(async (id: string) => fillBack(invocation, id, command.optsWithGlobals<BackfillOptions>()));
}

async function fillBack(invocation: Invocation, id: string, options: BackfillOptions): Promise<void> {
  const [{ backfill }, { openDispatcher, whoAmI }] = await Promise.all([
    import("../flow/backfill.ts"),
    import("./open-flows.ts"),
  ]);
  const flows = await openDeployed(invocation, options);
  const { ledger, registry } = flows;
  const schedules = await ledger.listSchedules();
  const schedule = schedules.find((one) => one.id === id);
  if (schedule === undefined) {
    throw unknownSchedule(
      id,
      schedules.map((one) => one.id),
    );
  }
  const fromMs = readInstant("--from", options.from);
  const untilMs = options.to === undefined ? ledger.nowMs() : readInstant("--to", options.to);
  if (fromMs >= untilMs) {
    throw new LeatError("USAGE", {
      message: "The span of the back-fill is empty: --from is not before --to.",
    });
  }
  const dispatcher = await openDispatcher(invocation, flows);
  const submitted = await backfill(
    { ledger, dispatcher },
    registry.deployment(schedule.deployment),
    schedule,
    { fromMs, untilMs, by: whoAmI(), isAgain: options.again === true },
  );
  tellSubmitted(invocation.terminal, submitted, options);
}

function tellSubmitted(terminal: Terminal, submitted: readonly Submitted[], options: GlobalOptions): void {
  if (options.json) {
    const runs = submitted.map(({ outcome, run }) => ({ outcome, run: printRunJson(run) }));
    terminal.out(`${JSON.stringify({ runs }, null, 2)}\n`);
    return;
  }
  const words = {
    created: "queued",
    exists: "was there",
    coalesced: "is queued already",
    skipped: "skipped",
  };
  for (const { outcome, run } of submitted.slice(0, toldMax))
    terminal.out(`run ${run.id} of ${run.deployment} ${words[outcome]}\n`);
  for (const [outcome, more] of Map.groupBy(submitted.slice(toldMax), (one) => one.outcome))
    terminal.out(`and ${printCount(more.length)} more: ${words[outcome]}\n`);
  if (submitted.length === 0) terminal.out("The span holds no tick.\n");
}

type RetryOptions = GlobalOptions & Readonly<{ from?: string; here?: boolean }>;

export function addRetry(program: Command, invocation: Invocation): void {
  const command = program
    .command("retry")
    .summary("Go on with a run that is over.")
    .description(
      "Goes on with a run that failed or was cancelled. Finished tasks are not done again. A run of `leat run` goes on here and now, one of a worker is queued for the workers.",
    )
    .argument("<run>", "The run's id, or its beginning.")
    .option("--from <task>", "Do this task and all that were called after it again.")
    .option("--here", "Go on in this process, also with a run of a worker.")
    .action(async (id: string) => {
      invocation.finish(await retry(invocation, id, command.optsWithGlobals<RetryOptions>()));
    });
}

async function retry(invocation: Invocation, id: string, options: RetryOptions): Promise<ExitCode> {
  const { sweepHere } = await import("../flow/sweep-here.ts");
  const flows = await openDeployed(invocation, options);
  const { ledger, registry } = flows;
  await sweepHere(ledger); // A run whose process was killed is over, and nobody may have noticed.
  const run = await findRun(ledger, id);
  const deployment = registry.deployment(run.deployment);
  if (options.here === true || foregroundWorker(run.pool) !== undefined) {
    return runHere(invocation, flows, { deployment, retry: run, fromTask: options.from }, options);
  }
  const queued = await ledger.retryRun(run.id, { fromTask: options.from });
  await hint(invocation, flows, [queued]);
  tellRun(invocation.terminal, queued, options);
  return 0;
}

export function addCancel(program: Command, invocation: Invocation): void {
  const command = program
    .command("cancel")
    .summary("Cancel a run.")
    .description("Cancels a run, or asks the process that executes it to stop.")
    .argument("<run>", "The run's id, or its beginning.")
    .option("--reason <text>", "Why, for those who look at the run.", "from the command line")
    .action(async (id: string) => {
      const options = command.optsWithGlobals<GlobalOptions & { reason: string }>();
      const flows = await openDeployed(invocation, options);
      const run = await findRun(flows.ledger, id);
      const ended = await flows.ledger.cancelRun(run.id, options.reason);
      await hint(invocation, flows, ended.next);
      tellRun(invocation.terminal, ended.run, options);
    });
}

function tellRun(terminal: Terminal, run: FlowRun, options: GlobalOptions): void {
  if (options.json) terminal.out(`${JSON.stringify({ run: printRunJson(run) }, null, 2)}\n`);
  else terminal.out(`run ${run.id} of ${run.deployment} is ${run.state}\n`);
}
