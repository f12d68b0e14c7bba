/**
 * The log of a dataset: dense entries, one a version, each created once. Creating one is the publication.
 *
 * A dataset has some entries a day at most, so that the newest is found by listing.
 */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { decodeDatasetManifest, encodeDatasetManifest } from "./dataset-manifest-codec.ts";
import { collectedPrefix, entryKey, entrySeq, logPrefix } from "./dataset-names.ts";

/** Tries of one create whose answer was lost; each first looks whether the one before took effect. */
const createTriesMax = 4;

/** Largest entry, bytes: lineage of some ten thousand files; read whole. */
const entryBytesMax = 16 * 1024 * 1024;

/** Numbers of all entries, oldest first. */
export async function listSeqs(store: ObjectStore, dataset: string): Promise<readonly number[]> {
  return await listNumbers(store, logPrefix(dataset));
}

/** Numbers of the versions whose files were deleted. */
export async function listCollected(store: ObjectStore, dataset: string): Promise<ReadonlySet<number>> {
  return new Set(await listNumbers(store, collectedPrefix(dataset)));
}

async function listNumbers(store: ObjectStore, prefix: string): Promise<readonly number[]> {
  const seqs: number[] = [];
  for await (const { key } of store.list(prefix)) {
    const seq = entrySeq(key);
    if (seq !== undefined) seqs.push(seq);
  }
  return seqs;
}

/** The newest entry, or `undefined` for a dataset that was never published. */
export async function readNewest(store: ObjectStore, dataset: string): Promise<DatasetManifest | undefined> {
  const seq = (await listSeqs(store, dataset)).at(-1);
  return seq === undefined ? undefined : await readEntryOfLog(store, dataset, seq);
}

/** Reads an entry that was listed. */
export async function readEntryOfLog(
  store: ObjectStore,
  dataset: string,
  seq: number,
): Promise<DatasetManifest> {
  const entry = await readEntry(store, dataset, seq);
  if (entry !== undefined) return entry;
  throw new LeatError("LOG_GAP", {
    message: `The manifest ${entryKey(dataset, seq)} of the dataset ${dataset} is gone.`,
    details: { dataset, seq },
  });
}

async function readEntry(
  store: ObjectStore,
  dataset: string,
  seq: number,
): Promise<DatasetManifest | undefined> {
  const key = entryKey(dataset, seq);
  const bytes = await store.read(key);
  if (bytes === undefined) return undefined;
  const entry = decodeDatasetManifest(bytes, key);
  if (entry.dataset === dataset && entry.seq === seq) return entry;
  throw new LeatError("MANIFEST_INVALID", {
    message: `The manifest ${key} says that it is ${entry.dataset}, seq ${entry.seq}.`,
    details: { key },
  });
}

/**
 * Publishes: creates the entry, whose seq must be the newest + 1.
 *
 * When the store's answer was lost the log itself is asked: an entry of our build means that it took effect.
 *
 * @returns the entry of this seq that is there now: ours, or that of whoever was first.
 */
export async function createEntry(store: ObjectStore, entry: DatasetManifest): Promise<DatasetManifest> {
  const key = entryKey(entry.dataset, entry.seq);
  const bytes = encodeDatasetManifest(entry);
  if (bytes.byteLength > entryBytesMax) {
    throw new LeatError("RUN_BOUND_REACHED", {
      message: `The manifest of the dataset ${entry.dataset} would have ${bytes.byteLength} bytes, more than ${entryBytesMax}.`,
      hint: "It names each file the dataset is made of: make several datasets, or land fewer, larger files.",
      details: { dataset: entry.dataset },
    });
  }
  for (let attempt = 1; ; attempt++) {
    try {
      if ((await store.create(key, bytes)) === "created") return entry;
    } catch (error) {
      const isLost = isLeatError(error) && error.code === "STORE_UNWRITABLE" && attempt < createTriesMax;
      if (!isLost && (await readEntry(store, entry.dataset, entry.seq)) === undefined) throw error;
    }
    const found = await readEntry(store, entry.dataset, entry.seq);
    if (found !== undefined) return found;
    if (attempt >= createTriesMax) {
      throw new LeatError("STORE_UNREADABLE", {
        message: `${key} is said to exist, and cannot be read.`,
        details: { key },
      });
    }
  }
}
