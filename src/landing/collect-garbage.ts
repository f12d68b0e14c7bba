/**
 * Deletes what no manifest names (PROTOCOL I15), without trusting any clock for safety.
 *
 * A file under `seq=n/` is garbage once manifest n exists and does not name it: whoever wrote it can only create
 * manifest n, which is taken. Files of the seq that comes next may still become part of it; on a quiet stream an empty
 * manifest is committed first, and only for files older than the longest run.
 */
import { isLeatError } from "../errors/leat-error.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { readHead, readManifestOfLog } from "./log.ts";
import { intendedSeq, landingPrefix, quarantinePrefix } from "./names.ts";

/** What a collection of one stream and tenant did. */
export type Collected = Readonly<{
  place: StreamPlace;
  deleted: number;
  deletedBytes: number;
  /** Files that nobody names but somebody may still commit. */
  waiting: number;
}>;

/** How a collection goes about it. */
export type CollectOptions = Readonly<{
  /** Longest run of the stream, ms: younger files of the next seq are left alone. */
  runMsMax: number;
  isDryRun: boolean;
  /** Commits an empty manifest at the head, so that the next seq is taken; called at most once. */
  commitEmpty: () => Promise<unknown>;
}>;

/** Collects the garbage of one stream and tenant. Safe beside running extracts. Requests: one listing, one read a seq. */
export async function collectGarbage(
  store: ObjectStore,
  place: StreamPlace,
  options: CollectOptions,
): Promise<Collected> {
  const named = new Map<number, ReadonlySet<string>>();
  const nowMs = await store.nowMs();
  let headSeq = (await readHead(store, place))?.manifest.seq ?? 0;
  let [deleted, deletedBytes, waiting] = [0, 0, 0];
  let hasCommitted = false;
  for (const prefix of [landingPrefix(place), quarantinePrefix(place)]) {
    for await (const object of store.list(prefix)) {
      const seq = intendedSeq(object.key);
      if (seq === undefined) continue;
      const isOld = nowMs - object.createdAtMs > options.runMsMax;
      if (seq === headSeq + 1 && isOld && !options.isDryRun && !hasCommitted) {
        hasCommitted = true;
        await options.commitEmpty().catch((error: unknown) => {
          if (!isLeatError(error) || error.code !== "STATE_CONFLICT") throw error; // Else the seq is taken as well.
        });
        headSeq = (await readHead(store, place))?.manifest.seq ?? headSeq;
      }
      if (seq > headSeq) {
        waiting++;
        continue;
      }
      let names = named.get(seq);
      if (names === undefined) {
        names = namedBy((await readManifestOfLog(store, place, seq)).manifest);
        named.clear(); // Keys come in the order of seq.
        named.set(seq, names);
      }
      if (names.has(object.key)) continue;
      deleted++;
      deletedBytes += object.bytes;
      if (!options.isDryRun) await store.delete(object.key);
    }
  }
  return { place, deleted, deletedBytes, waiting };
}

function namedBy(manifest: Manifest): ReadonlySet<string> {
  const files = [...manifest.parts, ...manifest.quarantine, ...(manifest.files ?? [])].map(
    (part) => part.key,
  );
  return new Set(manifest.state.file === undefined ? files : [...files, manifest.state.file.key]);
}
