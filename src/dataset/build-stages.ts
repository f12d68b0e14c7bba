/**
 * A build in stages that may be done by different processes, hours apart: lay out files, check, publish. They are those of
 * `buildDataset`; what one stage has made is in the store when the next one begins.
 */
import assert from "node:assert/strict";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import { checkVersion, publishStaged, repeatBuild } from "./build-dataset.ts";
import type { BuildFindings, BuildJob, BuildOutcome, BuildPorts } from "./build-job.ts";
import { readEntryOfLog, readNewest } from "./dataset-log.ts";
import { decodeDatasetManifest, encodeDatasetManifest } from "./dataset-manifest-codec.ts";
import { draftKey } from "./dataset-names.ts";
import { orderReleases } from "./order-releases.ts";
import { type FileToTidy, isTidied, readTidy } from "./tidy-cache.ts";
import { withPlaces } from "./tidy-places.ts";

/** Files that are asked about at once: each is a request to the store. */
const askedAtOnce = 16;

/** A version that was checked, wherever its files are: enough to publish it. */
export type CheckedRef = Readonly<{
  /** `new`: a draft of this build waits. `unchanged`: the entry of this seq has the rows. */
  status: "new" | "unchanged";
  seq: number;
  version: string;
  buildId: string;
}>;

/** What became of a version that was to be published. `superseded`: another was first; check again. */
export type PublishedStage = Readonly<
  | { status: "superseded" }
  | { status: "published" | "unchanged"; manifest: DatasetManifest; table: BuildOutcome["table"] }
>;

/** Files of a dataset whose rows are not known yet, in their order of release; empty where it is made of something else. */
export async function listUntidied(ports: BuildPorts, { spec }: BuildJob): Promise<readonly FileToTidy[]> {
  const { from } = spec;
  if (from.kind !== "files") return [];
  const { stream, files } = await ports.listFiles(from.stream, from.versions);
  const ordered = orderReleases(spec.name, { ...from, stream }, files);
  const { version } = await ports.openReader();
  const declaration = withPlaces(from.read);
  const untidied: FileToTidy[] = [];
  for (let start = 0; start < ordered.length; start += askedAtOnce) {
    const some = ordered.slice(start, start + askedAtOnce);
    const known = await Promise.all(
      some.map((file) => isTidied(ports.store, { file, declaration, readerVersion: version })),
    );
    untidied.push(...some.filter((_, at) => known[at] === false));
  }
  return untidied;
}

/** Lays one file out, and keeps its rows for the check. */
export async function tidyFile(
  ports: BuildPorts,
  { spec }: BuildJob,
  file: FileToTidy,
  signal: AbortSignal,
): Promise<Readonly<{ rows: number }>> {
  assert(spec.from.kind === "files", "only files are laid out");
  const { store, workFolder } = ports;
  const world = { store, workFolder, reader: await ports.openReader() };
  const tidy = await readTidy(world, file, withPlaces(spec.from.read), signal);
  await tidy.dispose();
  return { rows: tidy.rowCount };
}

/** Checks rows and rules, and leaves the files of a new version in the store with a draft of its entry. */
export async function checkStage(
  ports: BuildPorts,
  job: BuildJob,
  signal: AbortSignal,
): Promise<Readonly<{ ref: CheckedRef; seen: BuildFindings }>> {
  return await repeatBuild(ports, job, async (own) => {
    const checked = await checkVersion(own, job, signal);
    if (checked === undefined) return undefined;
    const { status, entry, seen } = checked;
    const { seq, version, buildId } = entry;
    if (status === "new")
      await ports.store.create(draftKey(job.spec.name, buildId), encodeDatasetManifest(entry));
    return { ref: { status, seq, version, buildId }, seen };
  });
}

/** Publishes what was checked. Done twice, it finds what the first time has published. */
export async function publishStage(
  ports: BuildPorts,
  { spec }: BuildJob,
  ref: CheckedRef,
  signal: AbortSignal,
): Promise<PublishedStage> {
  const entry = await readChecked(ports, spec.name, ref);
  if (entry === undefined) return { status: "superseded" };
  const isNew = ref.status === "new";
  const published = await publishStaged(ports, spec, { entry, isNew, paths: undefined }, signal);
  // Of no use any more; should this not come about, `gc` finds it.
  if (isNew) await ports.store.delete(draftKey(spec.name, ref.buildId)).catch(() => {});
  if (published === undefined) return { status: "superseded" };
  const { manifest, isOurs, table } = published;
  return { status: isOurs ? "published" : "unchanged", manifest, table };
}

/** The entry that was checked: a draft, or one of the log. `undefined`: it is neither any more. */
async function readChecked(
  { store }: BuildPorts,
  dataset: string,
  { status, seq, buildId }: CheckedRef,
): Promise<DatasetManifest | undefined> {
  if (status === "new") {
    const key = draftKey(dataset, buildId);
    const draft = await store.read(key);
    if (draft !== undefined) return decodeDatasetManifest(draft, key);
  }
  const newest = await readNewest(store, dataset);
  if (newest === undefined || newest.seq < seq) return undefined;
  const entry = newest.seq === seq ? newest : await readEntryOfLog(store, dataset, seq);
  return entry.buildId === buildId ? entry : undefined;
}
