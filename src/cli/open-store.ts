/** An object store by its location: here the port meets folders and buckets. An engine is loaded when it is asked for. */
import type { StoreLocation } from "../config/store-location.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { systemClock, systemRandom } from "./system-world.ts";

/** Longest time for one request to a bucket, ms: eight megabytes at a megabit a second. */
const requestMsMax = 60_000;

/**
 * Opens a store; no request is sent.
 *
 * @param signal - once aborted, requests that fail are not tried again.
 * @throws LeatError `DEPENDENCY_MISSING`, `CONFIG_INVALID`.
 */
export async function openStore(location: StoreLocation, signal: AbortSignal): Promise<ObjectStore> {
  if (location.engine === "file") {
    const { openFsStore } = await import("../stores/fs/open-fs-store.ts");
    return openFsStore(location.path);
  }
  const { userAgent } = await import("../sources/http/user-agent.ts");
  const world = { clock: systemClock, random: systemRandom, signal, requestMsMax };
  if (location.engine === "gs") {
    const { openGcsStore } = await import("../stores/gcs/open-gcs-store.ts");
    return openGcsStore(world, location, userAgent(undefined));
  }
  const { openS3Store } = await import("../stores/s3/open-s3-store.ts");
  return openS3Store(world, location, userAgent(undefined));
}
