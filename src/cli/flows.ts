/** `leat flows`, `leat schedules`, `leat pause`, `leat resume`: what a project can run, and when it does by itself. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { printInstant } from "../flow/run-json.ts";
import type { ScheduleTicks } from "../model/run-schedule.ts";
import type { GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenFlows } from "./open-flows.ts";
import { printSpan } from "./terminal.ts";

/** Ticks to come that are told of a schedule. */
const ticksTold = 3;

export function addFlows(program: Command, invocation: Invocation): void {
  const command = program
    .command("flows")
    .summary("List the project's flows and deployments.")
    .description("Lists the project's flows and deployments, with their parameters, schedules and triggers.")
    .action(async () => listFlows(invocation, command.optsWithGlobals<GlobalOptions>()));
}

async function listFlows(invocation: Invocation, options: GlobalOptions): Promise<void> {
  const [{ readRegistry }, { openProject }, { paramsSchemaOf }, { scheduleId }] = await Promise.all([
    import("./open-flows.ts"),
    import("./open-project.ts"),
    import("../flow/params.ts"),
    import("../flow/deployment.ts"),
  ]);
  const { project } = await openProject(invocation, options);
  const { deployments } = readRegistry(project);
  const { terminal } = invocation;
  if (options.json) {
    const flows = deployments.map((one) => ({
      name: one.name,
      flow: one.flow.name,
      description: one.description,
      pool: one.pool,
      params: one.params,
      params_schema: paramsSchemaOf(one.flow),
      schedules: one.schedules.map((schedule) => ({ id: scheduleId(one, schedule), ...schedule.ticks })),
      triggers: one.triggers.map(({ on }) => on),
    }));
    return terminal.out(`${JSON.stringify({ flows }, null, 2)}\n`);
  }
  if (deployments.length === 0) return terminal.out("The project has no flows.\n");
  const { printTable } = await import("./print-table.ts");
  const rows = deployments.map((one) => {
    const { properties } = paramsSchemaOf(one.flow);
    return [
      one.name,
      Object.keys(properties ?? {}).join(", "),
      one.schedules.map(({ ticks }) => describeTicks(ticks)).join("; "),
      one.triggers.map(({ on }) => on).join(", "),
      one.description,
    ];
  });
  terminal.out(printTable(["flow", "parameters", "schedules", "triggers", ""], rows));
}

/** A schedule in words. */
export function describeTicks(ticks: ScheduleTicks): string {
  if (ticks.kind === "cron") return `${ticks.cron} ${ticks.timezone}`;
  if (ticks.kind === "interval") return `every ${printSpan(ticks.everyMs)}`;
  return `${ticks.instantsMs.length} dates`;
}

export function addSchedules(program: Command, invocation: Invocation): void {
  const command = program
    .command("schedules")
    .summary("List schedules and when they run next.")
    .description("Lists the schedules in the ledger, whether they are paused, and when they run next.")
    .action(async () => listSchedules(invocation, command.optsWithGlobals<GlobalOptions>()));
}

async function listSchedules(invocation: Invocation, options: GlobalOptions): Promise<void> {
  const [flows, { listTicks, readTicks }] = await Promise.all([
    openDeployed(invocation, options),
    import("../flow/ticks.ts"),
  ]);
  const { ledger } = flows;
  const schedules = (await ledger.listSchedules()).map((schedule) => {
    const span = { fromMs: ledger.nowMs(), untilMs: Number.POSITIVE_INFINITY };
    const next = schedule.isPaused ? [] : listTicks(readTicks(schedule.ticks), span, ticksTold);
    return { ...schedule, next: next.map(printInstant) };
  });
  const { terminal } = invocation;
  if (options.json) {
    const told = schedules.map(({ id, deployment, ticks, catchUp, params, isPaused, next }) => ({
      id,
      deployment,
      ticks,
      catch_up: catchUp,
      params,
      is_paused: isPaused,
      next,
    }));
    return terminal.out(`${JSON.stringify({ schedules: told }, null, 2)}\n`);
  }
  if (schedules.length === 0) return terminal.out("No schedules.\n");
  const { printTable } = await import("./print-table.ts");
  const rows = schedules.map(({ id, ticks, isPaused, catchUp, next }) => [
    id,
    describeTicks(ticks),
    catchUp,
    isPaused ? "paused" : (next[0] ?? "no more"),
  ]);
  terminal.out(printTable(["schedule", "when", "missed ticks", "next"], rows));
}

/** The project's ledger; one that nobody has told of deployments yet is told now. */
export async function openDeployed(invocation: Invocation, options: GlobalOptions): Promise<OpenFlows> {
  const { openFlows, publishDeployments } = await import("./open-flows.ts");
  const flows = await openFlows(invocation, options);
  if ((await flows.ledger.listDeployments()).length === 0) await publishDeployments(flows);
  return flows;
}

export function addPause(program: Command, invocation: Invocation): void {
  addSwitch(program, invocation, {
    name: "pause",
    isPaused: true,
    summary: "Pause schedules until they are resumed.",
  });
}

export function addResume(program: Command, invocation: Invocation): void {
  addSwitch(program, invocation, {
    name: "resume",
    isPaused: false,
    summary: "Resume schedules; ticks in between are not made up for.",
  });
}

function addSwitch(
  program: Command,
  invocation: Invocation,
  made: Readonly<{ name: string; isPaused: boolean; summary: string }>,
): void {
  const command = program
    .command(made.name)
    .summary(made.summary)
    .description(made.summary)
    .argument("<schedule...>", "Names as `leat schedules` lists them.")
    .action(async (ids: string[]) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { ledger } = await openDeployed(invocation, options);
      const known = (await ledger.listSchedules()).map(({ id }) => id);
      for (const id of ids) if (!known.includes(id)) throw unknownSchedule(id, known); // Before any is changed.
      for (const id of ids) await ledger.setPaused(id, made.isPaused);
      const { terminal } = invocation;
      const told = { schedules: ids.map((id) => ({ id, is_paused: made.isPaused })) };
      if (options.json) terminal.out(`${JSON.stringify(told, null, 2)}\n`);
      else terminal.out(ids.map((id) => `${id} ${made.isPaused ? "paused" : "resumed"}\n`).join(""));
    });
}

/** With the near name. */
export const unknownSchedule = (id: string, known: readonly string[]): LeatError =>
  new LeatError("SCHEDULE_UNKNOWN", {
    message: `There is no schedule "${id}".`,
    hint: hintOfKnown(id, "schedules", known),
    details: { schedule: id },
  });
