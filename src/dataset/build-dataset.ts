/**
 * One dataset: inputs → rows → checks → rules → Parquet → log → table.
 *
 * A dataset is built anew each time, in a scratch file. What is published is named by its rows, so that a build of the
 * same inputs publishes nothing. A death at any place leaves the version before or the new one, whole; the next build
 * brings the table to what the log says.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest, Restatement } from "../model/dataset-manifest.ts";
import type { DatasetScratch, SettledKeys, VersionDiff } from "../ports/dataset-engine.ts";
import type { BuildFindings, BuildJob, BuildOutcome, BuildPorts } from "./build-job.ts";
import { readNewest } from "./dataset-log.ts";
import { hashDeclaration } from "./hash-declaration.ts";
import { openVersion } from "./open-version.ts";
import { nameVersion, publishedSchema, publishTable, publishVersion } from "./publish-version.ts";
import { refuseDuplicates, refuseViolations } from "./row-violations.ts";
import { refuseFailedRules, runRules } from "./run-rules.ts";
import { stageInputs } from "./stage-inputs.ts";
import type { StagedInputs } from "./staged-inputs.ts";

/** Differences told of each kind when a version follows another. */
const changesToldMax = 5;

/** A build that has come to its end, or lost its place to another. */
type Attempt =
  | Readonly<{ outcome: Omit<BuildOutcome, "table">; paths: readonly string[] | undefined }>
  | undefined;

/**
 * Builds a dataset and publishes it, if its rows are others than those of the newest version.
 *
 * @throws LeatError what is wrong with inputs, rows or rules; `STATE_CONFLICT` when other builds were first, again and
 *   again. In each case the newest version stays what it was.
 */
export async function buildDataset(
  ports: BuildPorts,
  job: BuildJob,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const { spec } = job;
  for (let attempt = 0; attempt <= job.conflictRetriesMax; attempt++) {
    const folder = await mkdtemp(join(ports.workFolder, "build-"));
    try {
      const ended = await tryBuild({ ...ports, workFolder: folder }, job, signal);
      if (ended === undefined) continue;
      const { outcome, paths } = ended;
      const table = await publishTable(ports, spec, outcome.manifest, { folder, paths }, signal);
      return { ...outcome, table };
    } catch (error) {
      throw isLeatError(error) ? error.at({ dataset: spec.name }) : error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  throw new LeatError("STATE_CONFLICT", {
    message: `The dataset ${spec.name}: other builds published first ${job.conflictRetriesMax + 1} times; this one changed nothing.`,
    details: { dataset: spec.name },
  });
}

async function tryBuild(ports: BuildPorts, job: BuildJob, signal: AbortSignal): Promise<Attempt> {
  const { spec } = job;
  const head = await readNewest(ports.store, spec.name);
  return await ports.engine.withScratch(spec, ports.workFolder, signal, async (scratch) => {
    const staged = await stageInputs(ports, job, scratch, signal);
    refuseViolations(
      spec.name,
      [...staged.violations.list(), ...(await scratch.readTypes())],
      staged.nameInput,
    );
    const settled = await scratch.settleKeys();
    refuseDuplicates(spec.name, spec.key, settled.duplicates, staged.nameInput);
    const { rowCount, rowsHash } = await scratch.arrange();
    refuseNothing(job, rowCount);
    ports.progress({ type: "checking", dataset: spec.name, rows: rowCount });
    const seen = await judge(ports, job, scratch, { staged, settled, rowCount, head }, signal);
    const version = nameVersion(publishedSchema(spec), rowsHash);
    // Asked again: rows that another build has published meanwhile are not published twice.
    const newest = await readNewest(ports.store, spec.name);
    if (newest?.version === version) {
      return {
        outcome: { status: "unchanged", manifest: newest, seen, changes: undefined },
        paths: undefined,
      };
    }
    if (newest?.seq !== head?.seq) return undefined; // Others' inputs may be newer than ours.
    ports.progress({ type: "publishing", dataset: spec.name, rows: rowCount });
    const folder = ports.workFolder;
    const published = await publishVersion(ports, scratch, { spec, head, version, seen, folder }, signal);
    if (published === undefined) return undefined;
    const { entry, paths } = published;
    const isOurs = paths !== undefined;
    const changes = isOurs ? await compareWithBefore(ports, head, entry, signal) : undefined;
    const status = isOurs ? "published" : "unchanged";
    return { outcome: { status, manifest: entry, seen, changes }, paths };
  });
}

type Judged = Readonly<{
  staged: StagedInputs;
  settled: SettledKeys;
  rowCount: number;
  head: DatasetManifest | undefined;
}>;

/** Runs the rules, and puts together what the build has seen. */
async function judge(
  ports: BuildPorts,
  { spec, leatVersion }: BuildJob,
  scratch: DatasetScratch,
  { staged, settled, rowCount, head }: Judged,
  signal: AbortSignal,
): Promise<BuildFindings> {
  const run = { previousRows: head?.rowCount, folder: ports.workFolder, signal };
  const { rules, datasets } = await runRules(ports, spec, scratch, run);
  refuseFailedRules(spec.name, rules);
  const { from } = spec;
  return {
    rowCount,
    lineage: {
      files: staged.files,
      streams: staged.streams,
      datasets: [...staged.datasets, ...datasets],
      sql: from.kind === "query" ? from.sql : null,
      code: staged.code,
      reader: staged.reader,
      declaration: hashDeclaration(spec),
      leat: leatVersion,
    },
    rules,
    restatement: toRestatement(staged, settled),
    layouts: staged.layouts,
    readNow: staged.readNow,
  };
}

/** An empty dataset is nearly always a slip; a rule that allows it says that it is none. */
function refuseNothing({ spec }: BuildJob, rowCount: number): void {
  const isAllowed = spec.rules.some(({ check }) => check.rule === "rowCount" && check.min === 0);
  if (rowCount > 0 || isAllowed) return;
  throw new LeatError("INPUT_EMPTY", {
    message: `The dataset ${spec.name} has no rows: its inputs gave none${spec.from.kind === "files" ? ", or `map` dropped them all" : ""}.`,
    hint: 'Look at its inputs; where no rows are right, say so: { rule: "rowCount", min: 0 }.',
    details: { dataset: spec.name },
  });
}

function toRestatement(staged: StagedInputs, settled: SettledKeys): Restatement {
  const sum = (read: (input: SettledKeys["inputs"][number]) => number): number =>
    settled.inputs.reduce((total, input) => total + read(input), 0);
  const isOfFiles = staged.files.length > 0;
  return {
    restated: sum(({ restated }) => restated),
    repeated: sum(({ repeated }) => repeated),
    files: isOfFiles
      ? settled.inputs.map(({ input, rows, added, restated, repeated }) => {
          const { id, name } = staged.files[input]!; // Inputs are numbered as the files are.
          return { id, name, rows, added, restated, repeated };
        })
      : [],
    columns: settled.columns,
    samples: settled.samples.map(({ from, to, ...cell }) => ({
      ...cell,
      from: staged.nameInput(from),
      to: staged.nameInput(to),
    })),
  };
}

/** What the new version changes; nothing that a build would fail for. */
async function compareWithBefore(
  ports: BuildPorts,
  head: DatasetManifest | undefined,
  entry: DatasetManifest,
  signal: AbortSignal,
): Promise<VersionDiff | undefined> {
  if (head === undefined) return undefined;
  const before = head.schema.columns.map(({ name }) => name);
  if (!entry.schema.key.every((name) => before.includes(name))) return undefined;
  const folder = ports.workFolder;
  try {
    const [one, other] = [
      await openVersion(ports.store, head, folder),
      await openVersion(ports.store, entry, folder),
    ];
    return await ports.engine.compareVersions(one, other, { folder, samplesMax: changesToldMax }, signal);
  } catch (error) {
    const isGone = isLeatError(error) && ["VERSION_UNKNOWN", "PART_MISSING"].includes(error.code);
    if (isGone) return undefined; // Collected meanwhile, or lost; the new version is published all the same.
    throw error;
  }
}
