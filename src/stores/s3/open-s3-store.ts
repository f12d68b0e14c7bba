/** `s3://`: an object store in a bucket of Amazon S3, or of software that speaks as it does, by Amazon's own client. */
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { AttemptWorld } from "../bucket/attempts.ts";
import { openBucketStore } from "../bucket/bucket-store.ts";
import { createS3Client } from "./s3-client.ts";
import type { S3Place } from "./s3-place.ts";

/** Software beside Amazon's rarely cares, but the signature needs one. */
const regionOfEndpoints = "us-east-1";

/**
 * Opens a bucket; no request is sent.
 *
 * @param userAgent - how leat names itself.
 * @throws LeatError `DEPENDENCY_MISSING`.
 */
export async function openS3Store(
  world: AttemptWorld,
  place: S3Place,
  userAgent: string,
): Promise<ObjectStore> {
  const sdk = await importSdk();
  const region = place.region ?? (place.endpoint === undefined ? undefined : regionOfEndpoints);
  const client = new sdk.S3Client({
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle: place.isPathStyle,
    customUserAgent: userAgent,
    // Who tries again must know what a lost answer means for this very request: see `attempts.ts`.
    maxAttempts: 1,
    // Checksums are made and compared in one place for all vendors, by the processor's own instruction.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: connectionMsMax, socketTimeout: world.requestMsMax },
  });
  return openBucketStore(createS3Client(sdk, client, place), world, place.prefix);
}

/** A host that does not answer within this time, ms, is tried again. */
const connectionMsMax = 10_000;

async function importSdk(): Promise<typeof import("@aws-sdk/client-s3")> {
  try {
    return await import("@aws-sdk/client-s3");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Places at s3:// need the package @aws-sdk/client-s3.",
      hint: "Run: npm install @aws-sdk/client-s3",
      cause,
    });
  }
}
