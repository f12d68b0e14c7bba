/** Packages of a stream and tenant, newest first: manifests of its log, some read at once. */
import { readHead, readManifest } from "../../landing/log.ts";
import type { StreamPlace } from "../../model/ids.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

/** Manifests that are read at once: each is a request to the store. */
const readsAtOnce = 8;

/**
 * Reads some.
 *
 * @param range - `before`: go on below this number; `limit`: so many at most.
 * @returns them, and where older ones go on; `undefined`: there are none.
 */
export async function readPackages(
  store: ObjectStore,
  place: StreamPlace,
  range: Readonly<{ before: number | undefined; limit: number }>,
): Promise<Readonly<{ packages: readonly Manifest[]; nextBefore: number | undefined }>> {
  const newest = (await readHead(store, place))?.manifest.seq ?? 0;
  const from = Math.min(range.before === undefined ? newest : range.before - 1, newest);
  const seqs = Array.from({ length: Math.max(0, Math.min(range.limit, from)) }, (_, at) => from - at);
  const packages: Manifest[] = [];
  for (let start = 0; start < seqs.length; start += readsAtOnce) {
    const some = seqs.slice(start, start + readsAtOnce).map((seq) => readManifest(store, place, seq));
    packages.push(...(await Promise.all(some)).flatMap((found) => found?.manifest ?? []));
  }
  const last = seqs.at(-1) ?? 1;
  return { packages, nextBefore: last > 1 ? last : undefined };
}
