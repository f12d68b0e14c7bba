/** The published versions of datasets, as serving asks for them: read from their logs in the landing. */
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { PublishedDatasets, VersionEntry } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { listCollected, listSeqs, readEntryOfLog } from "./dataset-log.ts";

/** Versions that are listed, newest first: of a dataset built each hour those of a week. */
const versionsListedMax = 200;

/** Opens them. Entries of a log never change, so that each is read once; of each only what is listed is kept. */
export function openPublishedDatasets(store: ObjectStore): PublishedDatasets {
  const known = new Map<string, VersionEntry>();
  const readEntry = async (dataset: string, seq: number): Promise<DatasetManifest> =>
    await readEntryOfLog(store, dataset, seq);
  const summarize = async (dataset: string, seq: number): Promise<VersionEntry> => {
    const key = `${dataset} ${seq}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { version, rowCount, builtAt } = await readEntry(dataset, seq);
    const entry = { version, seq, rowCount, builtAt, isKept: true };
    known.set(key, entry);
    return entry;
  };
  return {
    newestSeq: async (dataset) => (await listSeqs(store, dataset)).at(-1),
    readEntry,
    listVersions: async (dataset) => {
      const [seqs, collected] = await Promise.all([listSeqs(store, dataset), listCollected(store, dataset)]);
      const newest = seqs.toReversed().slice(0, versionsListedMax);
      const entries: VersionEntry[] = [];
      for (const seq of newest)
        entries.push({ ...(await summarize(dataset, seq)), isKept: !collected.has(seq) });
      return entries;
    },
  };
}
