/** `leat rebuild`: the warehouse again, from the landing alone (I14). */
import type { Command } from "commander";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { printCount, printSpan } from "./terminal.ts";

type RebuildOptions = GlobalOptions & Readonly<{ acceptMissing?: boolean; dryRun?: boolean }>;

const after = `
The new warehouse is built in a file (of Postgres: a schema) beside the old one, compared with it, and put in its place
in one step; until then queries see the old one. Where rows differ, the old one is kept and named.
In BigQuery a stream's tables are emptied and loaded again: until that has ended, queries see what is there so far.
Tables of your own in a file are not landed: a whole rebuild leaves them out, one of single streams keeps them. In
Postgres nothing but the streams' own tables and views is touched.

Examples:
  leat rebuild --dry-run          what it would read and cost
  leat rebuild                    the whole warehouse
  leat rebuild shop.orders        one stream; everything else in the file stays`;

export function addRebuild(program: Command, invocation: Invocation): void {
  const command = program
    .command("rebuild")
    .summary("Make the warehouse again from the landed files.")
    .description(
      "Makes the warehouse, or some of its streams, again from the landed files alone. Asks no partner for anything.",
    )
    .argument(
      "[stream...]",
      "A source, or one of its streams as source.stream. Default: the whole warehouse.",
    )
    .option("--dry-run", "Tell what would be read, and in BigQuery what it would cost. Nothing is changed.")
    .option("--accept-missing", "Go on although the warehouse has packages that the landing has not.")
    .addHelpText("after", after)
    .action(async (names: string[]) => {
      invocation.finish(await rebuild(invocation, names, command.optsWithGlobals<RebuildOptions>()));
    });
}

async function rebuild(
  invocation: Invocation,
  names: readonly string[],
  options: RebuildOptions,
): Promise<ExitCode> {
  const [
    { openProject },
    { openProgress },
    { systemClock },
    { chooseStreams, streamName },
    { rebuildWarehouse },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("./progress.ts"),
    import("./system-world.ts"),
    import("../sync/choose.ts"),
    import("./rebuild-warehouse.ts"),
  ]);
  const { terminal, signal } = invocation;
  const startedAtMs = systemClock.nowMs();
  const opened = await openProject(invocation, options);
  const chosen = chooseStreams(opened.project, names);
  if (options.dryRun === true || opened.warehouse.engine === "bigquery") {
    const { estimateRebuild, printEstimates } = await import("./estimate-rebuild.ts");
    const estimates = await estimateRebuild(opened, chosen, signal);
    if (options.dryRun === true && options.json)
      terminal.out(`${JSON.stringify({ ok: true, streams: estimates }, null, 2)}\n`);
    else if (options.dryRun === true) terminal.out(printEstimates(estimates));
    else if (options.quiet !== true) terminal.err(printEstimates(estimates));
    if (options.dryRun === true) return 0;
  }
  const view = openProgress(terminal, systemClock, { isQuiet: options.quiet === true });
  try {
    const outcome = await rebuildWarehouse(opened, {
      streams: chosen,
      isWhole: names.length === 0,
      acceptMissing: options.acceptMissing === true,
      progress: view.progress,
      signal,
    });
    view.close();
    const durationMs = systemClock.nowMs() - startedAtMs;
    if (options.json) {
      terminal.out(`${JSON.stringify({ ok: true, duration_ms: durationMs, ...outcome }, null, 2)}\n`);
      return 0;
    }
    const { printTable } = await import("./print-table.ts");
    const rows = outcome.streams.map((stream) => [
      stream.stream,
      printCount(stream.packages),
      printCount(stream.rows),
      stream.comparison,
    ]);
    terminal.out(printTable(["stream", "packages", "rows", "compared with before"], rows));
    terminal.out(
      `\nRebuilt ${chosen.length === 1 ? streamName(chosen[0]!) : `${chosen.length} streams`} in ${printSpan(durationMs)}, no request sent.\n`,
    );
    if (outcome.kept !== null) terminal.out(`The old warehouse is kept as ${outcome.kept}\n`);
    return 0;
  } finally {
    view.close();
  }
}
