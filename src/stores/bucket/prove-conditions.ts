/**
 * Shows that a bucket keeps preconditions, before anything depends on them. Software that speaks a vendor's dialect may
 * take `If-None-Match` and overwrite all the same; two runs would then destroy each other's commits without a word.
 */
import { LeatError } from "../../errors/leat-error.ts";
import type { AttemptWorld } from "./attempts.ts";
import type { BucketClient } from "./bucket-client.ts";
import { createObject } from "./create-object.ts";

/** The object that is created twice. It stays, so that the next process needs one request. */
const proofKey = "leat/conditional-writes.txt";
const proofText = "leat creates this object to see that the bucket keeps conditions of writes.\n";

/** @returns a step that proves it once, and is free afterwards and where no proof is needed. */
export function openProof(client: BucketClient, world: AttemptWorld, prefix: string): () => Promise<void> {
  let proof: Promise<void> | undefined;
  const prove = async (): Promise<void> => {
    const body = Buffer.from(proofText);
    for (let tries = 1; tries <= 2; tries++) {
      if ((await createObject(client, world, prefix + proofKey, body)).outcome === "exists") return;
    }
    throw new LeatError("NOT_SUPPORTED", {
      message: `${client.url} overwrites an object that was to be created only if absent.`,
      hint: "leat needs a store that keeps If-None-Match; see docs/recipes/land-in-a-bucket.md for those that do.",
    });
  };
  return () => {
    if (!client.mustProveConditions) return Promise.resolve();
    proof ??= prove().catch((error: unknown) => {
      proof = undefined; // The network may have been at fault.
      throw error;
    });
    return proof;
  };
}
