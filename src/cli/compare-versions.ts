/** What differs between two versions of a dataset, for `leat diff` and the console. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { VersionDiff } from "../ports/dataset-engine.ts";
import { openDatasetEngine } from "./open-datasets.ts";
import type { OpenProject } from "./open-project.ts";

/** Two versions, and what differs: columns in words, rows in numbers and samples. */
export type ComparedVersions = Readonly<{
  before: DatasetManifest;
  later: DatasetManifest;
  schema: readonly string[];
  rows: VersionDiff;
}>;

/** What is compared. */
export type VersionPair = Readonly<{
  dataset: string;
  /** `latest`, `previous`, the number of the entry, or the beginning of the version's name. */
  before: string;
  later: string;
  /** Rows told of each kind; all are counted. */
  samplesMax: number;
  /** Where their files are brought; whoever made it removes it. */
  folder: string;
}>;

/** @throws LeatError `DATASET_UNKNOWN`, `VERSION_UNKNOWN`; `COLUMN_MISMATCH` where the earlier one has not the key of the later. */
export async function compareVersions(
  opened: OpenProject,
  pair: VersionPair,
  signal: AbortSignal,
): Promise<ComparedVersions> {
  const [{ chooseDataset }, { findVersion, openVersion, shortVersion }] = await Promise.all([
    import("../dataset/choose-datasets.ts"),
    import("../dataset/open-version.ts"),
  ]);
  const { dataset, samplesMax } = pair;
  chooseDataset(opened.project.datasets, dataset);
  const before = await findVersion(opened.store, dataset, pair.before);
  const later = await findVersion(opened.store, dataset, pair.later);
  const lost = later.schema.key.filter(
    (column) => !before.schema.columns.some((each) => each.name === column),
  );
  if (lost.length > 0) {
    throw new LeatError("COLUMN_MISMATCH", {
      message: `Version ${shortVersion(before.version)} of the dataset ${dataset} has no ${lost.join(", ")}, by which version ${shortVersion(later.version)} names its rows.`,
      hint: "Compare versions of the same key.",
      details: { dataset, columns: lost },
    });
  }
  const folder = await mkdtemp(join(pair.folder, "diff-"));
  const [one, other] = [
    await openVersion(opened.store, before, folder),
    await openVersion(opened.store, later, folder),
  ];
  const engine = await openDatasetEngine(opened);
  const rows = await engine.compareVersions(one, other, { folder, samplesMax }, signal);
  const columnsOf = (entry: DatasetManifest) =>
    new Map(entry.schema.columns.map((column) => [column.name, column.type]));
  return { before, later, schema: compareColumns(columnsOf(before), columnsOf(later)), rows };
}

function compareColumns(before: ReadonlyMap<string, string>, later: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const [name, type] of later) {
    const old = before.get(name);
    if (old === undefined) lines.push(`${name} is new (${type})`);
    else if (old !== type) lines.push(`${name} was ${old}, now ${type}`);
  }
  for (const name of before.keys()) if (!later.has(name)) lines.push(`${name} is gone`);
  return lines;
}
