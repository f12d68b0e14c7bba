/** What Google Cloud Storage and its client say when a request fails, as a `BucketFailure`. */
import {
  BucketFailure,
  connectionFault,
  type FailureKind,
  parseRetryAfter,
} from "../bucket/bucket-failure.ts";

/** The fields that matter of the client's errors, none of them sure. */
type ClientError = Readonly<{
  code?: unknown;
  message?: unknown;
  errors?: readonly Readonly<{ reason?: unknown; message?: unknown }>[];
  response?: Readonly<{ headers?: Readonly<Record<string, unknown>> | Headers }>;
}>;

/** The client's words for having nobody to ask as, and for credentials that Google no longer takes. */
const unauthenticated =
  /Could not load the default credentials|invalid_grant|invalid_rapt|invalid_client|Could not refresh access token|does not exist, or it is not a file/i;

/** @returns the failure; anything that is no failure of a request is handed back as it is. */
export function toGcsFailure(error: unknown): unknown {
  if (error instanceof BucketFailure || !(error instanceof Error)) return error;
  const { code, message, errors, response } = error as ClientError; // Read as unknown, field by field.
  const said = Array.isArray(errors) ? errors[0] : undefined;
  const text = String(said?.message ?? message ?? "");
  if (unauthenticated.test(String(message)))
    return new BucketFailure("unauthenticated", firstLine(String(message)));
  const status = Number(code);
  if (Number.isInteger(status) && status >= 100) {
    const retryAfterMs = parseRetryAfter(headerOf(response, "retry-after"));
    return failureOfStatus(status, { text, reason: String(said?.reason ?? ""), retryAfterMs });
  }
  const fault = connectionFault(error);
  return fault === undefined ? error : new BucketFailure("transient", `the connection failed (${fault})`);
}

/** What went wrong before a request: nobody to ask as, or an outage of who says so. */
export function toAccessFailure(error: unknown): BucketFailure {
  const failure = toGcsFailure(error);
  if (failure instanceof BucketFailure) return failure;
  // Not its message: that of a file that cannot be parsed quotes the file.
  return new BucketFailure("unauthenticated", "the credentials cannot be used");
}

/** An answer that is no success. @see https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export function failureOfStatus(
  status: number,
  said: Readonly<{ text: string; reason: string; retryAfterMs: number | undefined }>,
): BucketFailure {
  const { text, reason, retryAfterMs } = said;
  const words = text === "" ? `status ${status}` : `${status}, ${firstLine(text)}`;
  return new BucketFailure(kindOf(status, reason, text), words, { retryAfterMs });
}

function kindOf(status: number, reason: string, text: string): FailureKind {
  switch (status) {
    case 304:
    case 412:
      return "changed";
    case 401:
      return "unauthenticated";
    case 403:
      return /rateLimitExceeded/i.test(reason) ? "limited" : "denied";
    case 404:
      return /specified bucket does not exist/i.test(text) ? "no-bucket" : "missing";
    case 408:
      return "transient";
    case 410:
      return "gone";
    case 429:
      return "limited";
    default:
      // The bucket compares checksums; bytes that were damaged on their way are sent again.
      if (status === 400 && /crc32c|md5|checksum|hash/i.test(text)) return "transient";
      return status >= 500 ? "transient" : "refused";
  }
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!;

function headerOf(response: ClientError["response"], name: string): string | undefined {
  const headers = response?.headers;
  const value = headers instanceof Headers ? headers.get(name) : headers?.[name];
  return typeof value === "string" ? value : undefined;
}

/** What a body says that came with an error: Google's JSON, plain words, or a page of some proxy. */
export function readErrorText(body: string): Readonly<{ text: string; reason: string }> {
  try {
    const { error } = JSON.parse(body) as {
      error?: { message?: unknown; errors?: readonly { reason?: unknown }[] };
    }; // The form of Google's errors, each member looked at.
    return { text: String(error?.message ?? ""), reason: String(error?.errors?.[0]?.reason ?? "") };
  } catch {
    return { text: body.trimStart().startsWith("<") ? "" : body, reason: "" };
  }
}
