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
import type { DatasetSpec } from "../ports/dataset.ts";
import type { DatasetScratch, SettledKeys, VersionDiff } from "../ports/dataset-engine.ts";
import type { BuildFindings, BuildJob, BuildOutcome, BuildPorts } from "./build-job.ts";
import { readNewest } from "./dataset-log.ts";
import { hashDeclaration } from "./hash-declaration.ts";
import { openVersion } from "./open-version.ts";
import { nameVersion, publishEntry, publishedSchema, publishTable, stageVersion } from "./publish-version.ts";
import { refuseDuplicates, refuseViolations } from "./row-violations.ts";
import { refuseFailedRules, runRules } from "./run-rules.ts";
import { stageInputs } from "./stage-inputs.ts";
import type { StagedInputs } from "./staged-inputs.ts";

/** Differences told of each kind when a version follows another. */
const changesToldMax = 5;

/** What a build has come to before anything of it is visible. */
export type CheckedVersion = Readonly<{
  /** `new`: the entry is to be the next of the log, and its files are in the store. `unchanged`: it has these rows already. */
  status: "new" | "unchanged";
  entry: DatasetManifest;
  /** The newest entry before. */
  head: DatasetManifest | undefined;
  seen: BuildFindings;
  /** The Parquet files of a new version on this machine's disk. */
  paths: readonly string[] | undefined;
}>;

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
  return await repeatBuild(ports, job, async (own) => {
    const checked = await checkVersion(own, job, signal);
    return checked && (await publishChecked(own, job.spec, checked, signal));
  });
}

/**
 * Builds in a folder of its own, and anew where another build was first.
 *
 * @param build - `undefined`: it has lost its place to another.
 */
export async function repeatBuild<Result>(
  ports: BuildPorts,
  job: BuildJob,
  build: (ports: BuildPorts) => Promise<Result | undefined>,
): Promise<Result> {
  const { spec } = job;
  for (let attempt = 0; attempt <= job.conflictRetriesMax; attempt++) {
    const folder = await mkdtemp(join(ports.workFolder, "build-"));
    try {
      const built = await build({ ...ports, workFolder: folder });
      if (built !== undefined) return built;
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

/**
 * Reads the inputs, checks rows and rules, and writes the files of a version that has other rows than the newest.
 *
 * @returns what is to be published; `undefined`: another build has published meanwhile.
 */
export async function checkVersion(
  ports: BuildPorts,
  job: BuildJob,
  signal: AbortSignal,
): Promise<CheckedVersion | undefined> {
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
    if (newest?.version === version)
      return { status: "unchanged", entry: newest, head, seen, paths: undefined } as const;
    if (newest?.seq !== head?.seq) return undefined; // Others' inputs may be newer than ours.
    ports.progress({ type: "publishing", dataset: spec.name, rows: rowCount });
    const folder = ports.workFolder;
    const written = await stageVersion(ports, scratch, { spec, head, version, seen, folder }, signal);
    return { status: "new", ...written, head, seen } as const;
  });
}

/**
 * Makes a checked version the newest one, and brings the table up to it.
 *
 * @returns `undefined`: another build has published something else meanwhile.
 */
async function publishChecked(
  ports: BuildPorts,
  spec: DatasetSpec,
  checked: CheckedVersion,
  signal: AbortSignal,
): Promise<BuildOutcome | undefined> {
  const { status, head, seen } = checked;
  const published = await publishStaged(ports, spec, { ...checked, isNew: status === "new" }, signal);
  if (published === undefined) return undefined;
  const { manifest, isOurs, table } = published;
  const changes = isOurs ? await compareWithBefore(ports, head, manifest, signal) : undefined;
  return { status: isOurs ? "published" : "unchanged", manifest, seen, changes, table };
}

/** An entry, and where its files are. `isNew`: it is to be created. */
export type ToPublish = Readonly<{
  entry: DatasetManifest;
  isNew: boolean;
  paths: readonly string[] | undefined;
}>;

/** What became of it: the entry that has the rows, whether it is ours, and the table. */
export type PublishedEntry = Readonly<{
  manifest: DatasetManifest;
  isOurs: boolean;
  table: BuildOutcome["table"];
}>;

/** Creates the entry, where it is new, and brings the table up to date; `undefined`: another entry has its place. */
export async function publishStaged(
  ports: BuildPorts,
  spec: DatasetSpec,
  { entry, isNew, paths }: ToPublish,
  signal: AbortSignal,
): Promise<PublishedEntry | undefined> {
  signal.throwIfAborted();
  const manifest = isNew ? await publishEntry(ports.store, entry) : entry;
  if (manifest === undefined) return undefined;
  const isOurs = isNew && manifest.buildId === entry.buildId;
  const files = { folder: ports.workFolder, paths: isOurs ? paths : undefined };
  const table = await publishTable(ports, spec, manifest, files, signal);
  return { manifest, isOurs, table };
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
