/** `gs://`: an object store in a bucket of Google Cloud Storage, by Google's own client. */
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { AttemptWorld } from "../bucket/attempts.ts";
import { openBucketStore } from "../bucket/bucket-store.ts";
import { createGcsClient } from "./gcs-client.ts";
import type { GcsPlace } from "./gcs-place.ts";

/**
 * Opens a bucket; no request is sent.
 *
 * @param userAgent - how leat names itself.
 * @throws LeatError `DEPENDENCY_MISSING`; `CONFIG_INVALID` when the environment sends the client elsewhere.
 */
export async function openGcsStore(
  world: AttemptWorld,
  place: GcsPlace,
  userAgent: string,
): Promise<ObjectStore> {
  const { Storage, IdempotencyStrategy } = await importStorage();
  const isGoogle =
    place.endpoint === undefined || new URL(place.endpoint).hostname.endsWith(".googleapis.com");
  const storage = new Storage({
    ...(place.endpoint === undefined ? {} : { apiEndpoint: place.endpoint }),
    useAuthWithCustomEndpoint: isGoogle,
    userAgent,
    timeout: world.requestMsMax,
    // Who tries again must know what a lost answer means for this very request: see `attempts.ts`.
    retryOptions: { autoRetry: false, idempotencyStrategy: IdempotencyStrategy.RetryNever },
  });
  if (!storage.baseUrl.startsWith(`${storage.apiEndpoint}/`)) {
    throw new LeatError("CONFIG_INVALID", {
      message: `STORAGE_EMULATOR_HOST sends requests for gs://${place.bucket} to ${storage.baseUrl}.`,
      hint: `Unset it, and name the emulator in the address: gs://${place.bucket}/${place.prefix}?endpoint=http://host:port.`,
    });
  }
  const headers = async (url: string): Promise<Readonly<Record<string, string>>> =>
    isGoogle ? Object.fromEntries(await storage.authClient.getRequestHeaders(url)) : {};
  const access = { headers, userAgent, idleMsMax: world.requestMsMax };
  return openBucketStore(createGcsClient(storage, place, access), world, place.prefix);
}

async function importStorage(): Promise<typeof import("@google-cloud/storage")> {
  try {
    return await import("@google-cloud/storage");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Places at gs:// need the package @google-cloud/storage.",
      hint: "Run: npm install @google-cloud/storage",
      cause,
    });
  }
}
