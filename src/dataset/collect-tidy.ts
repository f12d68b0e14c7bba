/** Deletes tidy rows that are old: a file that is still used is read anew, once, and its rows are kept again. */
import type { ObjectStore } from "../ports/object-store.ts";
import { tidyPrefix } from "./dataset-names.ts";

/** A declaration that is being written makes rows of every file with each change; a month of them is enough. */
const tidyMsMax = 30 * 24 * 60 * 60 * 1000;

/** Deletes them; safe at any time, since a build that misses rows reads their file. */
export async function collectTidy(
  store: ObjectStore,
  options: Readonly<{ isDryRun: boolean }>,
): Promise<Readonly<{ deleted: number; deletedBytes: number }>> {
  const nowMs = await store.nowMs();
  let [deleted, deletedBytes] = [0, 0];
  for await (const { key, bytes, createdAtMs } of store.list(tidyPrefix)) {
    if (nowMs - createdAtMs <= tidyMsMax) continue;
    deleted++;
    deletedBytes += bytes;
    if (!options.isDryRun) await store.delete(key);
  }
  return { deleted, deletedBytes };
}
