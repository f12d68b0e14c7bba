/** What Amazon S3 and its client say when a request fails, as a `BucketFailure`. */
import {
  BucketFailure,
  connectionFault,
  type FailureKind,
  parseRetryAfter,
} from "../bucket/bucket-failure.ts";

/** The fields that matter of the client's errors, none of them sure. */
type ClientError = Readonly<{
  name: string;
  message: string;
  $metadata?: Readonly<{ httpStatusCode?: number }>;
  $response?: Readonly<{ headers?: Readonly<Record<string, string>> }>;
}>;

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html read 2026-11. */
const kinds: ReadonlyMap<string, FailureKind> = new Map([
  ["PreconditionFailed", "changed"],
  ["NotModified", "changed"],
  // Another write of this key is under way; which of the two wins is not settled yet.
  ["ConditionalRequestConflict", "transient"],
  ["OperationAborted", "transient"],
  ["NoSuchUpload", "gone"],
  ["NoSuchKey", "missing"],
  ["NotFound", "missing"],
  ["NoSuchBucket", "no-bucket"],
  ["AccessDenied", "denied"],
  ["AllAccessDisabled", "denied"],
  ["AccountProblem", "denied"],
  ["InvalidAccessKeyId", "unauthenticated"],
  ["SignatureDoesNotMatch", "unauthenticated"],
  ["ExpiredToken", "unauthenticated"],
  ["InvalidToken", "unauthenticated"],
  ["TokenRefreshRequired", "unauthenticated"],
  ["CredentialsProviderError", "unauthenticated"],
  ["TokenProviderError", "unauthenticated"],
  ["SlowDown", "limited"],
  ["TooManyRequestsException", "limited"],
  ["RequestTimeout", "transient"],
  ["RequestTimeTooSkewed", "refused"],
  ["BadDigest", "transient"],
  ["InvalidDigest", "transient"],
  ["XAmzContentChecksumMismatch", "transient"],
  ["IncompleteBody", "transient"],
  ["InternalError", "transient"],
  ["ServiceUnavailable", "limited"],
]);

/** Names of answers that mean: the bucket lives somewhere else. */
const elsewhere = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
]);

/** @returns the failure; anything that is no failure of a request is handed back as it is. */
export function toS3Failure(error: unknown): unknown {
  if (error instanceof BucketFailure || !(error instanceof Error)) return error;
  const { name, message, $metadata, $response } = error as ClientError; // Of which only name and message are sure.
  const status = $metadata?.httpStatusCode;
  const headers = $response?.headers ?? {};
  const words =
    status === undefined
      ? `${name}: ${message}`
      : `${status} ${name}${message === "" || message === name ? "" : `, ${message}`}`;
  if (elsewhere.has(name) || status === 301) {
    const region = headers["x-amz-bucket-region"];
    const where = region === undefined ? "another region" : `the region ${region}`;
    return new BucketFailure("no-bucket", `the bucket is in ${where}`, {
      hint: `Add ?region=${region ?? "…"} to the address, or set AWS_REGION.`,
    });
  }
  if (/^Region is missing/.test(message)) {
    return new BucketFailure("refused", "no region is named", {
      hint: "Add ?region=… to the address, or set AWS_REGION.",
    });
  }
  const kind = kinds.get(name) ?? (status === undefined ? undefined : kindOfStatus(status));
  if (kind !== undefined) {
    const hint = name === "RequestTimeTooSkewed" ? "Set this machine's clock." : undefined;
    return new BucketFailure(kind, words, { retryAfterMs: parseRetryAfter(headers["retry-after"]), hint });
  }
  const fault = connectionFault(error);
  return fault === undefined ? error : new BucketFailure("transient", `the connection failed (${fault})`);
}

function kindOfStatus(status: number): FailureKind | undefined {
  if (status === 412 || status === 304) return "changed";
  if (status === 409 || status === 408) return "transient";
  if (status === 404) return "missing";
  if (status === 403) return "denied";
  if (status === 401) return "unauthenticated";
  if (status === 429 || status === 503) return "limited";
  if (status === 501) return "refused";
  if (status >= 500) return "transient";
  return status >= 400 ? "refused" : undefined; // A success that broke off in its body is the connection's fault.
}
