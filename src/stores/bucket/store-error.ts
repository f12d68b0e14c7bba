/** A bucket's failure as the error that people and the layers above are told. */
import type { ErrorCode } from "../../errors/codes.ts";
import { LeatError } from "../../errors/leat-error.ts";
import type { BucketClient } from "./bucket-client.ts";
import { BucketFailure, isPassing } from "./bucket-failure.ts";

/** What was being done, to which object. */
export type StoreAction = Readonly<{ verb: "read" | "written" | "listed" | "deleted"; key: string }>;

/** Runs a step; what it fails with is told as a `LeatError`. */
export async function telling<T>(
  client: BucketClient,
  action: StoreAction,
  step: () => Promise<T>,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw toStoreError(client, action, error);
  }
}

/** Failures become `STORE_*`, without the client's own error, which carries headers with credentials. */
export function toStoreError(client: BucketClient, action: StoreAction, error: unknown): unknown {
  if (!(error instanceof BucketFailure)) return error;
  const { verb, key } = action;
  const isReading = verb === "read" || verb === "listed";
  const { code, hint } = codeOf(client, isReading, error);
  return new LeatError(code, {
    message: `${key === "" ? "The place" : `The object ${key}`} in ${client.url} cannot be ${verb}: ${error.message}.`,
    hint: error.hint ?? hint,
    retryable: isPassing(error) || error.kind === "gone" || error.kind === "changed",
    details: { key, url: client.url, reason: error.kind },
  });
}

function codeOf(
  { hints }: BucketClient,
  isReading: boolean,
  { kind }: BucketFailure,
): Readonly<{ code: ErrorCode; hint?: string }> {
  switch (kind) {
    case "unauthenticated":
      return { code: "STORE_DENIED", hint: hints.credentials };
    case "denied":
      return { code: "STORE_DENIED", hint: isReading ? hints.reading : hints.writing };
    case "no-bucket":
      return { code: "STORE_MISSING", hint: hints.bucket };
    case "limited":
      return {
        code: isReading ? "STORE_UNREADABLE" : "STORE_UNWRITABLE",
        hint: "The bucket takes no more requests for now: run again later, or fewer runs at once.",
      };
    case "transient":
    case "gone":
    case "changed":
    case "missing":
    case "refused":
      return { code: isReading ? "STORE_UNREADABLE" : "STORE_UNWRITABLE" };
  }
}
