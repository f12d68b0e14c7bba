/** What the landing holds of datasets. */

import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest, FileLayout } from "../model/dataset-manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { listCollected, listSeqs, readEntryOfLog } from "./dataset-log.ts";

/** A version of a dataset, and whether its files are still there. */
export type KnownVersion = Readonly<{ entry: DatasetManifest; isCollected: boolean }>;

/** Versions of a dataset, the newest first; `countMax` of them are read. */
export async function listVersions(
  store: ObjectStore,
  dataset: string,
  countMax: number,
): Promise<Readonly<{ versions: readonly KnownVersion[]; count: number }>> {
  const seqs = await listSeqs(store, dataset);
  const collected = await listCollected(store, dataset);
  const versions: KnownVersion[] = [];
  for (const seq of seqs.toReversed().slice(0, countMax)) {
    versions.push({ entry: await readEntryOfLog(store, dataset, seq), isCollected: collected.has(seq) });
  }
  return { versions, count: seqs.length };
}

/** Layout reports of the files of a version; none for one that is not made of files, or whose files were collected. */
export async function readLayouts(
  store: ObjectStore,
  entry: DatasetManifest,
): Promise<readonly FileLayout[]> {
  if (entry.layouts === null) return [];
  const bytes = await store.read(entry.layouts.key);
  if (bytes === undefined) return [];
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as readonly FileLayout[]; // Written by a build.
  } catch (cause) {
    throw new LeatError("PART_CORRUPT", {
      message: `The layout reports ${entry.layouts.key} are not JSON.`,
      details: { key: entry.layouts.key },
      cause,
    });
  }
}
