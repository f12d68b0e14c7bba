/** `leat quota`: what is left of the warehouse's daily quotas. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { printCount } from "./terminal.ts";

/** The span in which BigQuery counts, ms. */
const dayMs = 86_400_000;

const after = `
BigQuery alone has such quotas. Everybody's jobs of the last 24 hours are counted, as the service does. What one sync or
load took is told at its end.

Example:
  leat quota --json`;

export function addQuota(program: Command, invocation: Invocation): void {
  const command = program
    .command("quota")
    .summary("Tell what was taken of BigQuery's daily quotas.")
    .description("Tells what the project has taken of BigQuery's quotas in the last 24 hours. Costs nothing.")
    .addHelpText("after", after)
    .action(async () => {
      invocation.finish(await quota(invocation, command.optsWithGlobals<GlobalOptions>()));
    });
}

async function quota(invocation: Invocation, options: GlobalOptions): Promise<ExitCode> {
  const [{ openProject }, { systemClock }] = await Promise.all([
    import("./open-project.ts"),
    import("./system-world.ts"),
  ]);
  const { terminal, signal } = invocation;
  const opened = await openProject(invocation, options);
  const warehouse = await opened.openWarehouse();
  if (warehouse.readQuotas === undefined)
    throw new LeatError("NOT_SUPPORTED", {
      message: `The warehouse ${opened.warehouse.url} has no quotas.`,
      hint: "Only a service has; set LEAT_WAREHOUSE to bigquery://… where it is meant.",
    });
  const lines = await warehouse.readQuotas(systemClock.nowMs() - dayMs, signal);
  const isOver = lines.some(({ used, limit }) => limit !== null && used >= limit);
  if (options.json) {
    terminal.out(`${JSON.stringify({ ok: !isOver, quotas: lines }, null, 2)}\n`);
    return isOver ? 1 : 0;
  }
  const { printTable } = await import("./print-table.ts");
  const rows = lines.map(({ what, used, limit, note }) => [
    what,
    printCount(used),
    limit === null ? "" : printCount(limit),
    note,
  ]);
  terminal.out(printTable(["in the last 24 hours", "used", "of", ""], rows));
  return isOver ? 1 : 0;
}
