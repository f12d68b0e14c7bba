/** Copies of landed files and of rows on their way into BigQuery: where they lie, and what dead loads have left of them. */
import type { ObjectStore } from "../../ports/object-store.ts";

/** Folder of all copies; the bucket may be the landing's own. */
export const copiesPrefix = "leat-stage/";

/**
 * Copies this old belong to no load: one removes its own when it has ended, and its jobs end within six hours. The
 * bucket's rule in the Terraform modules has the same age, ms.
 */
const copyMsMax = 3 * 24 * 3600 * 1000;

/**
 * Deletes copies that dead loads have left, whichever warehouse they were for; ages are by the store's clock.
 *
 * A load that has just found its package's copy among them fails, and the next one makes it anew: nothing is lost.
 *
 * @returns how many were deleted.
 */
export async function collectCopies(store: ObjectStore, signal: AbortSignal): Promise<number> {
  const nowMs = await store.nowMs();
  let deleted = 0;
  for await (const { key, createdAtMs } of store.list(copiesPrefix)) {
    signal.throwIfAborted();
    if (nowMs - createdAtMs < copyMsMax) continue;
    await store.delete(key);
    deleted += 1;
  }
  return deleted;
}
