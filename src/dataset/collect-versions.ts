/**
 * Deletes what no version needs, without trusting any clock.
 *
 * Files of a build that meant to create entry n are garbage once entry n exists and is another's: whoever wrote them
 * can only create entry n, which is taken. Files of the entry that comes next may still become part of it. Versions
 * beyond those to be kept are marked as collected first, then their files go; entries stay, so that the log is dense.
 */
import type { ObjectStore } from "../ports/object-store.ts";
import { listCollected, listSeqs, readEntryOfLog } from "./dataset-log.ts";
import { collectedKey, datasetPrefix, intendedSeq } from "./dataset-names.ts";

/** What a collection of one dataset did. */
export type CollectedDataset = Readonly<{
  dataset: string;
  /** Versions whose files were deleted now. */
  versions: number;
  deleted: number;
  deletedBytes: number;
  /** Files that nobody names, but a build may still publish. */
  waiting: number;
}>;

/** Collects one dataset. Safe beside running builds and readers of the versions that are kept. */
export async function collectVersions(
  store: ObjectStore,
  dataset: string,
  options: Readonly<{ keepVersions: number | undefined; isDryRun: boolean }>,
): Promise<CollectedDataset> {
  const seqs = await listSeqs(store, dataset);
  const collected = new Set(await listCollected(store, dataset));
  const head = seqs.at(-1) ?? 0;
  const old = options.keepVersions === undefined ? [] : seqs.slice(0, -options.keepVersions);
  const toCollect = old.filter((seq) => !collected.has(seq));
  for (const seq of toCollect) {
    if (!options.isDryRun) await store.create(collectedKey(dataset, seq), Buffer.from(""));
    collected.add(seq);
  }
  let [deleted, deletedBytes, waiting] = [0, 0, 0];
  let named: Readonly<{ seq: number; keys: ReadonlySet<string> }> = { seq: 0, keys: new Set() };
  for await (const object of store.list(datasetPrefix(dataset))) {
    const seq = intendedSeq(object.key);
    if (seq === undefined) continue;
    if (seq > head) {
      waiting++;
      continue;
    }
    if (!collected.has(seq)) {
      if (named.seq !== seq) named = { seq, keys: await namedBy(store, dataset, seq) };
      if (named.keys.has(object.key)) continue;
    }
    deleted++;
    deletedBytes += object.bytes;
    if (!options.isDryRun) await store.delete(object.key);
  }
  return { dataset, versions: toCollect.length, deleted, deletedBytes, waiting };
}

async function namedBy(store: ObjectStore, dataset: string, seq: number): Promise<ReadonlySet<string>> {
  const { parts, layouts } = await readEntryOfLog(store, dataset, seq);
  const keys = parts.map(({ key }) => key);
  return new Set(layouts === null ? keys : [...keys, layouts.key]);
}
