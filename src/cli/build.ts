/** `leat build`: datasets made anew from their inputs, checked, and published where their rows have changed. */
import type { Command } from "commander";
import type { BuildOutcome } from "../dataset/build-job.ts";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import { type BuildEvent, type DatasetSpec, datasetsBefore } from "../ports/dataset.ts";
import type { Project } from "../ports/project.ts";
import type { SyncItem } from "../sync/sync-job.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { openBuildPorts } from "./open-datasets.ts";
import type { OpenProject } from "./open-project.ts";
import { reportError } from "./report-error.ts";
import { printable, printCount, printSpan, type Terminal } from "./terminal.ts";

type BuildOptions = GlobalOptions & Readonly<{ sync?: boolean }>;

/** Files read at once; each process may take 2 GB in the worst case. */
const readersMax = 2;

/** How often a build begins anew when another published first: two at once are settled by one. */
const conflictRetriesMax = 3;

/** Rounds of an extract of files that stops at its bounds; each commits. */
const roundsMax = 1000;

const after = `
Examples:
  leat build                  every dataset, its files synced before
  leat build deaths           one of them
  leat build deaths --no-sync from what is landed and loaded

A build of the same inputs gives the same version, and publishes nothing. One dataset's failure leaves
the others built: the exit code is then 1. Safe to kill and to run twice at once.`;

export function addBuild(program: Command, invocation: Invocation): void {
  const command = program
    .command("build")
    .summary("Build datasets and publish what has changed.")
    .description(
      "Syncs the files that datasets are made of, builds the datasets, checks their rules, and publishes a version where rows have changed: as Parquet in the landing, and as a table in the warehouse.",
    )
    .argument("[dataset...]", "Names of datasets. Default: all.")
    .option("--no-sync", "Do not look for new files; build from what is landed and loaded.")
    .addHelpText("after", after)
    .action(async (names: string[]) => {
      const version = program.version() ?? "";
      invocation.finish(await build(invocation, names, command.optsWithGlobals<BuildOptions>(), version));
    });
}

/** How one dataset fared. */
type Ended = Readonly<{ spec: DatasetSpec } & ({ outcome: BuildOutcome } | { error: unknown })>;

async function build(
  invocation: Invocation,
  names: readonly string[],
  options: BuildOptions,
  leatVersion: string,
): Promise<ExitCode> {
  const [{ openProject }, { chooseDatasets }, { buildDataset }, { systemClock }, { printBuild }] =
    await Promise.all([
      import("./open-project.ts"),
      import("../dataset/choose-datasets.ts"),
      import("../dataset/build-dataset.ts"),
      import("./system-world.ts"),
      import("./print-build.ts"),
    ]);
  const { terminal, signal } = invocation;
  const startedAtMs = systemClock.nowMs();
  const opened = await openProject(invocation, options);
  const specs = chooseDatasets(opened.project.datasets, names);
  const failed = options.sync === false ? [] : await syncFiles(invocation, opened, specs, options);
  const ports = await openBuildPorts(invocation, opened, (event) => {
    if (options.quiet !== true) tellProgress(terminal, event);
  });
  const ended: Ended[] = [];
  for (const spec of specs) {
    if (signal.aborted) break;
    const unsynced = failed.find((item) => isBlocked(spec, item));
    const unbuilt = ended.find((each) => "error" in each && datasetsBefore(spec).includes(each.spec.name));
    try {
      if (unsynced !== undefined) throw notSynced(spec, unsynced);
      if (unbuilt !== undefined) throw notBuilt(spec, unbuilt);
      const job = { spec, leatVersion, readersMax, conflictRetriesMax };
      ended.push({ spec, outcome: await buildDataset(ports, job, signal) });
    } catch (error) {
      ended.push({ spec, error });
    }
  }
  const durationMs = systemClock.nowMs() - startedAtMs;
  const errors = [...failed.map((item) => item.extractError ?? item.loadError), ...ended.flatMap(errorOf)];
  if (options.json) await printJson(terminal, ended, { durationMs, isOk: errors.length === 0 });
  else {
    for (const each of ended) if ("outcome" in each) terminal.out(printBuild(each.spec, each.outcome));
    terminal.out(
      `\n${printCount(ended.length - ended.flatMap(errorOf).length)} of ${printCount(specs.length)} datasets built in ${printSpan(durationMs)}\n`,
    );
  }
  for (const error of errors) reportError(terminal, error);
  if (signal.aborted) return 130;
  return errors.length === 0 ? 0 : 1;
}

const errorOf = (ended: Ended): unknown[] => ("error" in ended ? [ended.error] : []);

/** Streams of files that a dataset is made of, also by way of their records. Other streams have schedules of their own. */
function fileStreams({ from }: DatasetSpec, { sources }: Project): readonly string[] {
  if (from.kind === "rows") return [];
  if (from.kind === "files") return [from.stream];
  const isOfFiles = (name: string): boolean =>
    sources.some((source) => source.openFiles !== undefined && name.startsWith(`${source.name}.`));
  return (from.kind === "stream" ? [from.stream] : from.streams).filter(isOfFiles);
}

/** Looks for new files of the chosen datasets; items that failed. */
async function syncFiles(
  invocation: Invocation,
  opened: OpenProject,
  specs: readonly DatasetSpec[],
  options: BuildOptions,
): Promise<readonly SyncItem[]> {
  const names = new Set(specs.flatMap((spec) => fileStreams(spec, opened.project)));
  if (names.size === 0) return [];
  const [{ openProgress }, { systemClock }, { choosePairs }, { syncProject }, { itemError }] =
    await Promise.all([
      import("./progress.ts"),
      import("./system-world.ts"),
      import("../sync/choose-pairs.ts"),
      import("../sync/sync-project.ts"),
      import("../sync/sync-job.ts"),
    ]);
  const view = openProgress(invocation.terminal, systemClock, { isQuiet: options.quiet === true });
  try {
    const { items } = await syncProject(
      await opened.openSyncPorts(view.progress),
      {
        streams: choosePairs(
          { project: opened.project, tenants: opened.readTenants() },
          { streams: [...names] },
        ),
        steps: "both",
        modeOf: () => ({ kind: "incremental" }),
        tenantColumn: opened.project.tenantColumn,
        idempotencyKey: undefined,
        softDeadlineMs: undefined,
        conflictRetriesMax,
        roundsMax,
      },
      invocation.signal,
    );
    return items.filter((item) => itemError(item) !== undefined);
  } finally {
    view.close();
  }
}

/**
 * Whether a failed sync keeps a dataset from being built: it would look as if it were of the newest files. A refused
 * file does not: it is named, the others are landed, and what the refused one held before still counts.
 */
function isBlocked({ from }: DatasetSpec, item: SyncItem): boolean {
  const names: readonly string[] = [item.source, `${item.source}.${item.stream}`];
  return from.kind === "files" && names.includes(from.stream) && item.extractError?.code !== "FILE_REFUSED";
}

function notSynced(spec: DatasetSpec, item: SyncItem): LeatError {
  const { code } = (item.extractError ?? item.loadError)!; // An item that has failed.
  return new LeatError(code, {
    message: `The dataset ${spec.name} was not built, since ${item.source}.${item.stream} could not be synced.`,
    hint: "Mend that first, or build from what is landed: --no-sync.",
    details: { dataset: spec.name },
  });
}

/** A dataset of one that failed would be of its old rows, or of none, and look as if it were new. */
function notBuilt(spec: DatasetSpec, before: Ended): LeatError {
  const [cause] = errorOf(before);
  return new LeatError(isLeatError(cause) ? cause.code : "INTERNAL", {
    message: `The dataset ${spec.name} was not built, since ${before.spec.name}, which it reads, was not.`,
    hint: `Mend that first; ${spec.name} stays as it is until then.`,
    details: { dataset: spec.name },
    cause,
  });
}

function tellProgress(terminal: Terminal, event: BuildEvent): void {
  switch (event.type) {
    case "reading":
      // Files whose rows are known take no time worth a line.
      if (!event.isCached)
        terminal.err(printable(`${event.dataset}: read ${event.file} (${event.number} of ${event.of})\n`));
      return;
    case "rows":
      terminal.err(`${event.dataset}: ${printCount(event.rows)} rows read\n`);
      return;
    case "checking":
      terminal.err(`${event.dataset}: checking ${printCount(event.rows)} rows\n`);
      return;
    case "publishing":
      terminal.err(`${event.dataset}: publishing ${printCount(event.rows)} rows\n`);
  }
}

async function printJson(
  terminal: Terminal,
  ended: readonly Ended[],
  run: Readonly<{ durationMs: number; isOk: boolean }>,
): Promise<void> {
  const { printBuildJson } = await import("./print-build.ts");
  const datasets = ended.map((each) =>
    "outcome" in each
      ? printBuildJson(each.spec, each.outcome)
      : { dataset: each.spec.name, status: "failed", error: printErrorJson(each.error, terminal.redact) },
  );
  terminal.out(`${JSON.stringify({ ok: run.isOk, duration_ms: run.durationMs, datasets }, null, 2)}\n`);
}
