/** What `sync`, `extract` and `load` share: choose, run, tell. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import type { ServiceUsage } from "../ports/warehouse.ts";
import type { SyncItem, SyncJob, SyncResult } from "../sync/sync-job.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { reportError } from "./report-error.ts";
import { printable, printBytes, printCount, printSpan, type Terminal } from "./terminal.ts";

/** Options of the three commands; `load` has only the first. */
export type SyncOptions = GlobalOptions &
  Readonly<{
    tenant?: readonly string[];
    from?: string;
    to?: string;
    fullRefresh?: boolean;
    confirmShrink?: boolean;
    concurrency?: string;
    idempotencyKey?: string;
    shard?: string;
  }>;

/** How often an extract begins anew when another run committed first: two processes at once are settled by one. */
const conflictRetriesMax = 3;
/** Rounds of an extract that stops at its bounds; each commits, so this bounds a mistake, not a long back-fill. */
const roundsMax = 1000;
/** Failures told one by one; with thousands of tenants the first ones tell the story. */
const failuresToldMax = 20;

/** Adds the options that say what is extracted and how. */
export function addExtractOptions(command: Command): Command {
  return command
    .option(
      "--from <value>",
      "Read again from this value of the cursor, such as 2026-01-31 or 2026-01-31T09:30:00Z (a back-fill: neither the cursor nor the next range moves).",
    )
    .option("--to <value>", "End of that range, itself not included. Default: now.")
    .option(
      "--full-refresh",
      "Read everything anew. The new rows become visible all at once, when they are complete.",
    )
    .option(
      "--confirm-shrink",
      "Take a full refresh although it has no or far fewer records than the one before.",
    )
    .option(
      "--concurrency <n>",
      "Extracts of one source at a time. Default 4: what most partners' limits allow.",
    )
    .option(
      "--idempotency-key <key>",
      "A name for this delivery: when it was completed before, nothing is fetched.",
    )
    .option(
      "--shard <i/n>",
      "Only the i-th of n shares of the tenants, counted from 0. Default: the task's own share in a Cloud Run job.",
    );
}

/** Adds the option that names tenants. */
export function addTenantOption(command: Command): Command {
  return command.option("-t, --tenant <id...>", "Only these tenants, by id. Default: all.");
}

/**
 * Runs steps of a sync and tells how each stream and tenant fared.
 *
 * @param names - streams or sources as typed; none: all.
 */
export async function runSync(
  invocation: Invocation,
  names: readonly string[],
  options: SyncOptions,
  wanted: SyncJob["steps"],
): Promise<ExitCode> {
  const [
    { isTransferred, openProject },
    { openProgress },
    { systemClock },
    { chooseStreams },
    { choosePairs },
    { chooseMode },
    { syncProject },
    { itemError },
    { readLandedTenants },
    { isInShard, readShard },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("./progress.ts"),
    import("./system-world.ts"),
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/choose-mode.ts"),
    import("../sync/sync-project.ts"),
    import("../sync/sync-job.ts"),
    import("../sync/landed-tenants.ts"),
    import("./shard.ts"),
  ]);
  const { terminal, signal } = invocation;
  const startedAtMs = systemClock.nowMs();
  const opened = await openProject(invocation, options);
  const steps = wanted === "both" && isTransferred(opened) ? "extract" : wanted;
  if (steps !== wanted)
    terminal.err('Landed only: Google\'s Data Transfer Service loads this project (load: "dts").\n');
  const { project, store } = opened;
  const known = opened.readTenants();
  const landed =
    steps === "load" ? await readLandedTenants(store, chooseStreams(project, names), known) : undefined;
  const shard = readShard(options.shard, invocation.environment);
  const streams = choosePairs(
    { project, tenants: known, landed },
    { streams: names, tenants: options.tenant ?? [] },
  )
    .map((stream) => ({
      ...stream,
      tenants: stream.tenants.filter(({ id }) => shard === undefined || isInShard(id, shard)),
    }))
    .filter(({ tenants }) => tenants.length > 0);
  if (streams.length === 0) {
    terminal.err("No tenant is in this share; there is nothing to do.\n");
    return 0;
  }
  const request = {
    from: options.from,
    to: options.to,
    isFullRefresh: options.fullRefresh === true,
    confirmShrink: options.confirmShrink === true,
  };
  // Before anything is fetched: a range that one of the streams cannot read is a wrong command, not a failed stream.
  const modes = new Map(streams.map(({ spec }) => [spec, chooseMode(spec, request, startedAtMs)]));
  const view = openProgress(terminal, systemClock, { isQuiet: options.quiet === true });
  let result: SyncResult;
  let used: ServiceUsage | undefined;
  try {
    const ports = await opened.openSyncPorts(view.progress, { extractsPerSource: readConcurrency(options) });
    const job: SyncJob = {
      streams,
      steps,
      modeOf: (spec) => modes.get(spec)!, // Every chosen stream has one.
      tenantColumn: opened.project.tenantColumn,
      idempotencyKey: options.idempotencyKey,
      softDeadlineMs: undefined,
      conflictRetriesMax,
      roundsMax,
    };
    result = await syncProject(ports, job, signal);
    used = ports.warehouse.usage?.();
  } finally {
    view.close();
  }
  const durationMs = systemClock.nowMs() - startedAtMs;
  const failed = result.items.filter((item) => itemError(item) !== undefined);
  if (options.json) await printJson(terminal, result, { durationMs, used });
  else await printSummary(terminal, result, { steps, durationMs, used });
  reportFailures(terminal, failed);
  if (failed.length === 0) return 0;
  return signal.aborted ? 130 : 1;
}

/** Reads `--concurrency`. */
function readConcurrency(options: SyncOptions): number | undefined {
  if (options.concurrency === undefined) return undefined;
  const count = Number(options.concurrency);
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count;
  throw new LeatError("USAGE", {
    message: `--concurrency "${options.concurrency}" is not a whole number from 1 to 1000.`,
  });
}

type RunFacts = Readonly<{ durationMs: number; used: ServiceUsage | undefined }>;

async function printJson(
  terminal: Terminal,
  result: SyncResult,
  { durationMs, used }: RunFacts,
): Promise<void> {
  const { printItem } = await import("../sync/print-item.ts");
  const { itemError } = await import("../sync/sync-job.ts");
  const results = result.items.map((item) => {
    const error = itemError(item);
    return { ...printItem(item), ...(error && { error: printErrorJson(error, terminal.redact) }) };
  });
  const changes = result.changes.map(({ source, stream, change }) => ({ source, stream, ...change }));
  const ok = result.items.every((item) => itemError(item) === undefined);
  const usage = used && { ...used, bytesBilled: Number(used.bytesBilled) };
  const told = { ok, duration_ms: durationMs, results, schema_changes: changes, warehouse_usage: usage };
  terminal.out(`${JSON.stringify(told, null, 2)}\n`);
}

async function printSummary(
  terminal: Terminal,
  result: SyncResult,
  run: RunFacts & Readonly<{ steps: SyncJob["steps"] }>,
): Promise<void> {
  const { printTable } = await import("./print-table.ts");
  const { itemError } = await import("../sync/sync-job.ts");
  const { printValue } = await import("../sync/print-item.ts");
  const isExtract = run.steps !== "load";
  const isLoad = run.steps !== "extract";
  const headings = [
    "stream",
    "tenant",
    ...(isExtract ? ["received", "landed", "requests"] : []),
    ...(isLoad ? ["loaded", "rejected"] : []),
    ...(isExtract ? ["cursor"] : []),
    "",
  ];
  const rows = result.items.map((item) => {
    const { extract, load } = item;
    return [
      `${item.source}.${item.stream}`,
      item.tenant,
      ...(isExtract
        ? [count(extract?.counts.received), count(extract?.counts.landed), count(extract?.requests)]
        : []),
      ...(isLoad ? [count(load?.loaded), count(load?.rejected)] : []),
      ...(isExtract
        ? [extract === undefined ? "" : (printValue(item.spec, extract.after.cursor) ?? "")]
        : []),
      itemError(item)?.code ?? extract?.status ?? "done",
    ];
  });
  terminal.out(printTable(headings, rows));
  const sum = (read: (item: SyncItem) => number | undefined): number =>
    result.items.reduce((total, item) => total + (read(item) ?? 0), 0);
  const told = [
    ...(isExtract ? [`${printCount(sum((item) => item.extract?.counts.landed))} records landed`] : []),
    ...(isLoad ? [`${printCount(sum((item) => item.load?.loaded))} rows loaded`] : []),
  ];
  terminal.out(`\n${told.join(", ")} in ${printSpan(run.durationMs)}\n`);
  if (run.used !== undefined && run.used.requests > 0) terminal.out(printUsage(run.used));
  printChanges(terminal, result);
}

/** What the service counts and bills; `leat quota` tells the day's sum. */
function printUsage({ loads, commits, queries, bytesBilled, dollars }: ServiceUsage): string {
  const jobs = `${printCount(loads)} load jobs, ${printCount(commits)} commits, ${printCount(queries)} queries`;
  return `The warehouse took ${jobs}; ${printBytes(Number(bytesBilled))} billed, some $${dollars.toFixed(4)}.\n`;
}

/** What happened to tables: a line a stream for new columns, a line for each that has another type now. */
function printChanges(terminal: Terminal, result: SyncResult): void {
  const added = new Map<string, string[]>();
  for (const { source, stream, change } of result.changes) {
    const name = `${source}.${stream}`;
    if (change.from === undefined) {
      added.set(name, [...(added.get(name) ?? []), `${change.column} ${change.to}`]);
    } else {
      terminal.out(printable(`${name}: column ${change.column} was ${change.from}, now ${change.to}`));
      terminal.out("\n");
    }
  }
  for (const [name, columns] of added) {
    terminal.out(`${printable(`${name}: new columns ${columns.join(", ")}`)}\n`);
  }
}

const count = (value: number | undefined): string => (value === undefined ? "" : printCount(value));

function reportFailures(terminal: Terminal, failed: readonly SyncItem[]): void {
  for (const item of failed.slice(0, failuresToldMax)) {
    if (item.extractError !== undefined) reportError(terminal, item.extractError);
    // What neither could read is told once.
    if (item.loadError !== undefined && item.loadError.message !== item.extractError?.message)
      reportError(terminal, item.loadError);
  }
  if (failed.length > failuresToldMax) {
    terminal.err(`and ${printCount(failed.length - failuresToldMax)} more; --json tells all\n`);
  }
}
