/**
 * The log of one stream and tenant: dense manifests, each created once. Creating one is the commit (I1, I2, I9).
 *
 * The head is found in at most 3 requests with a fresh hint, in O(log n) without: since the log is dense, whether a
 * seq exists tells on which side of the head it is.
 */
import { hash } from "node:crypto";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { describePlace, type StreamPlace, type TenantId } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { decodeManifest, encodeManifest } from "./manifest-codec.ts";
import { headKey, logPrefix, manifestKey, manifestSeq, streamLogPrefix } from "./names.ts";

/** A manifest and the SHA-256 of its bytes (hex), by which a warehouse knows it again. */
export type Head = Readonly<{ manifest: Manifest; hash: string }>;

/** Tries of one create whose answer was lost; each first looks whether the one before took effect. */
const createTriesMax = 4;

/** Largest manifest (PROTOCOL, bounds): one read, one object in memory. */
const manifestBytesMax = 1024 * 1024;

/** Reads one manifest, or `undefined` when there is none of that seq. */
export async function readManifest(
  store: ObjectStore,
  place: StreamPlace,
  seq: number,
): Promise<Head | undefined> {
  const key = manifestKey(place, seq);
  const bytes = await store.read(key);
  if (bytes === undefined) return undefined;
  const manifest = decodeManifest(bytes, key);
  const isItsPlace =
    manifest.seq === seq &&
    manifest.source === place.source &&
    manifest.stream === place.stream &&
    manifest.tenant === place.tenant;
  if (!isItsPlace) {
    throw new LeatError("MANIFEST_INVALID", {
      message: `The manifest ${key} says that it is ${manifest.source}.${manifest.stream}, tenant ${manifest.tenant}, seq ${manifest.seq}.`,
      details: { key },
    });
  }
  return { manifest, hash: hash("sha256", bytes, "hex") };
}

/** Reads one manifest that must exist, since a newer one does (I1). */
export async function readManifestOfLog(store: ObjectStore, place: StreamPlace, seq: number): Promise<Head> {
  const found = await readManifest(store, place, seq);
  if (found !== undefined) return found;
  throw new LeatError("LOG_GAP", {
    message: `${describePlace(place)}: the manifest ${manifestKey(place, seq)} is missing, although newer ones exist.`,
    details: { ...place, seq },
  });
}

/** Finds the newest manifest, or `undefined` for an empty log. */
export async function readHead(store: ObjectStore, place: StreamPlace): Promise<Head | undefined> {
  const hinted = await readHint(store, place);
  let known = hinted === undefined ? undefined : await readManifest(store, place, hinted);
  // A hint that is ahead of the log, after a restore, is as good as none.
  let low = known === undefined ? 0 : (hinted ?? 0);
  let high = 0;
  for (let step = 1; high === 0; step *= 2) {
    const found = await readManifest(store, place, low + step);
    if (found === undefined) high = low + step;
    else {
      known = found;
      low += step;
    }
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const found = await readManifest(store, place, middle);
    if (found === undefined) high = middle;
    else {
      known = found;
      low = middle;
    }
  }
  return known;
}

async function readHint(store: ObjectStore, place: StreamPlace): Promise<number | undefined> {
  const bytes = await store.read(headKey(place));
  const seq = Number(bytes === undefined ? Number.NaN : Buffer.from(bytes).toString("utf8").trim());
  return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
}

/**
 * Commits: creates the manifest, whose seq must be head + 1.
 *
 * When the store's answer was lost the log itself is asked: a manifest of our run id means that it took effect (I9).
 *
 * @throws {@link LeatError} `STATE_CONFLICT` when another run has this seq; nothing of ours became visible.
 */
export async function appendManifest(store: ObjectStore, manifest: Manifest): Promise<Head> {
  const bytes = encodeManifest(manifest);
  if (bytes.byteLength > manifestBytesMax) {
    throw new LeatError("RUN_BOUND_REACHED", {
      message: `${describePlace(manifest)}: the manifest would have ${bytes.byteLength} bytes, more than ${manifestBytesMax}.`,
      hint:
        manifest.columns.size > manifest.parts.length * 10
          ? `The records have ${manifest.columns.size} different columns: is an object used as a map? Select its members as records instead.`
          : "Lower `checkpointBytes` of the stream, so that a run commits more often.",
    });
  }
  const ours: Head = { manifest, hash: hash("sha256", bytes, "hex") };
  const key = manifestKey(manifest, manifest.seq);
  for (let attempt = 1; ; attempt++) {
    try {
      if ((await store.create(key, bytes)) === "created") break;
    } catch (error) {
      const isLost = isLeatError(error) && error.code === "STORE_UNWRITABLE" && attempt < createTriesMax;
      if (!isLost && (await readManifest(store, manifest, manifest.seq)) === undefined) throw error;
    }
    const found = await readManifest(store, manifest, manifest.seq);
    if (found === undefined) {
      if (attempt < createTriesMax) continue;
      throw new LeatError("STORE_UNREADABLE", {
        message: `${describePlace(manifest)}: ${key} is said to exist, and cannot be read.`,
        details: { key },
      });
    }
    if (found.manifest.runId === manifest.runId && found.hash === ours.hash) break;
    throw conflict(manifest, found.manifest);
  }
  await store.put(headKey(manifest), Buffer.from(String(manifest.seq))).catch(() => {}); // Only a hint.
  return ours;
}

function conflict(ours: Manifest, theirs: Manifest): LeatError {
  return new LeatError("STATE_CONFLICT", {
    message: `${describePlace(ours)}: run ${theirs.runId} committed seq ${ours.seq} first; run ${ours.runId} changed nothing.`,
    details: {
      source: ours.source,
      stream: ours.stream,
      tenant: ours.tenant,
      seq: ours.seq,
      runId: ours.runId,
    },
  });
}

/**
 * Walks the packages of a log from the newest back to, not including, `afterSeq`: manifests of kind `data` and
 * `forget`, newest first. Requests: one a package, none for empty runs.
 */
export async function* walkPackages(
  store: ObjectStore,
  place: StreamPlace,
  head: Head,
  afterSeq: number,
): AsyncGenerator<Head> {
  const isLink = head.manifest.kind === "data" || head.manifest.kind === "forget";
  if (isLink && head.manifest.seq > afterSeq) yield head;
  let seq = head.manifest.previousDataSeq;
  while (seq > afterSeq) {
    const link = await readManifestOfLog(store, place, seq);
    yield link;
    seq = link.manifest.previousDataSeq;
  }
}

/** How long ago a manifest was created, ms, by the store's clock: writers' clocks do not agree. */
export async function manifestAgeMs(store: ObjectStore, place: StreamPlace, seq: number): Promise<number> {
  for await (const { key, createdAtMs } of store.list(logPrefix(place), {
    startAfter: manifestKey(place, seq - 1),
  })) {
    if (key === manifestKey(place, seq)) return (await store.nowMs()) - createdAtMs;
    break;
  }
  return 0;
}

/**
 * Tenants that have a log of the stream, in key order: a listing for a thousand of them, and a listing and a read for
 * each that is not `known`. One of those is told also where its log has only a hint.
 */
export async function listTenants(
  store: ObjectStore,
  source: string,
  stream: string,
  known: Iterable<TenantId> = [],
): Promise<TenantId[]> {
  const byFolder = new Map([...known].map((tenant) => [logPrefix({ source, stream, tenant }), tenant]));
  const tenants: TenantId[] = [];
  for await (const folder of store.listFolders(streamLogPrefix(source, stream))) {
    const tenant = byFolder.get(folder) ?? (await readTenant(store, folder));
    if (tenant !== undefined) tenants.push(tenant);
  }
  return tenants;
}

/** Whose log it is, as its oldest manifest says: names of folders do not tell, the longest ones being digests. */
async function readTenant(store: ObjectStore, folder: string): Promise<TenantId | undefined> {
  for await (const { key } of store.list(folder)) {
    if (manifestSeq(key) === undefined) return undefined; // Manifests sort before a hint, so this log has none.
    const bytes = await store.read(key);
    return bytes === undefined ? undefined : decodeManifest(bytes, key).tenant;
  }
  return undefined;
}
