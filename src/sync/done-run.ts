/** What a run did whose delivery comes again (I17): read from its manifests, since nobody else remembers it. */
import type { ExtractOutcome } from "../extract/extract-job.ts";
import { readHead, readManifest } from "../landing/log.ts";
import type { StreamPlace } from "../model/ids.ts";
import { doneKeysMax, type ExtractCounts, type Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** Manifests that are looked through for the key, newest first: each of those in between has had one of its own. */
const manifestsMax = 4 * doneKeysMax;

/**
 * Reads the run that has done a key.
 *
 * @returns its outcome, `already-done`, without requests, since this delivery has sent none; `undefined`: it lies too
 *   far back.
 */
export async function readDoneRun(
  store: ObjectStore,
  place: StreamPlace,
  idempotencyKey: string,
): Promise<ExtractOutcome | undefined> {
  const head = await readHead(store, place);
  const newest = head?.manifest.seq ?? 0;
  const oldest = Math.max(1, newest - manifestsMax + 1);
  const found: Manifest[] = [];
  for (let seq = newest; seq >= oldest; seq--) {
    const manifest = seq === newest ? head?.manifest : (await readManifest(store, place, seq))?.manifest;
    if (manifest === undefined) break;
    const isLast = found.length === 0 && manifest.isFinal && manifest.idempotencyKey === idempotencyKey;
    const isSameRun = found.length > 0 && manifest.runId === found[0]?.runId;
    if (isLast || isSameRun) found.unshift(manifest);
    else if (found.length > 0) break; // A run's manifests follow each other: a lost place ends it (I9).
  }
  const [first] = found;
  const last = found.at(-1);
  return first === undefined || last === undefined ? undefined : toOutcome(found, first, last);
}

function toOutcome(manifests: readonly Manifest[], first: Manifest, last: Manifest): ExtractOutcome {
  const counts: Record<string, number> = {};
  for (const manifest of manifests) {
    for (const [name, count] of Object.entries(manifest.counts)) counts[name] = (counts[name] ?? 0) + count;
  }
  return {
    status: "already-done",
    seqs: manifests.map(({ seq }) => seq),
    counts: counts as ExtractCounts, // Built from one, name by name.
    before: first.before,
    after: last.state.main,
    requests: 0,
    pages: 0,
    receivedBytes: 0,
    landedBytes: manifests.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.plainBytes, 0),
    hasMore: false, // It is final.
  };
}
