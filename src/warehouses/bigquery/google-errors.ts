/**
 * What Google answers when it does not do what was asked, as leat's errors.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/error-messages (read 2026-11-21): reasons and their statuses.
 */
import { LeatError } from "../../errors/leat-error.ts";

/** One entry of an answer's or a job's `errors`. */
export type GoogleFault = Readonly<{ reason?: string; message?: string; location?: string }>;

/** An answer that is no success: its status, 0 when there was none, and what it says. */
export class GoogleFailure extends Error {
  override readonly name = "GoogleFailure";
  readonly status: number;
  readonly reason: string;
  constructor(status: number, fault: GoogleFault, cause?: unknown) {
    super(fault.message ?? `status ${status}`, cause === undefined ? undefined : { cause });
    this.status = status;
    this.reason = fault.reason ?? "";
  }
}

/** Reasons after which the same request may succeed in a moment. */
const passing: ReadonlySet<string> = new Set([
  "backendError",
  "internalError",
  "jobBackendError",
  "jobInternalError",
  "rateLimitExceeded",
  "jobRateLimitExceeded",
  "tableUnavailable",
]);

/** Whether asking again may help: the answer was lost, or the service says that it is busy. */
export function isPassing({ status, reason }: Readonly<{ status: number; reason: string }>): boolean {
  return status === 0 || status === 429 || status >= 500 || passing.has(reason);
}

/** Roles that hold the rights which an answer says are missing. */
const roles: readonly (readonly [RegExp, string])[] = [
  [/bigquery\.jobs\.list/, "roles/bigquery.resourceViewer on the project"],
  [/bigquery\.jobs\.|bigquery\.readsessions\./, "roles/bigquery.jobUser on the project"],
  [/storage\.buckets\.get/, "roles/storage.legacyBucketReader on the bucket"],
  [/storage\.objects\.(get|list)/, "roles/storage.objectViewer on the bucket"],
  [/storage\.objects\.create/, "roles/storage.objectCreator on the staging bucket"],
  [/bigquery\.datasets\.create/, "roles/bigquery.user on the project"],
  [/bigquery\./, "roles/bigquery.dataEditor on the dataset"],
];

/** The permission that is missing, by Google's words, and a role that has it. */
function missingRight(message: string): { permission: string | undefined; role: string } {
  const permission = /(?:bigquery|storage)\.[a-z]+\.[a-zA-Z]+/.exec(message)?.[0];
  const role = roles.find(([pattern]) => pattern.test(permission ?? message))?.[1];
  return { permission, role: role ?? "roles/bigquery.dataEditor on the dataset" };
}

/** A failure as an error for the person who must act. @param what - what was being done: `read the table d.t`. */
export function toLeatError(failure: GoogleFailure, what: string): LeatError {
  const { status, reason, message } = failure;
  const details = { status, reason };
  const cause = failure;
  if (/bytesBilledLimitExceeded/.test(reason) || /exceeded limit for bytes billed/i.test(message))
    return new LeatError("QUERY_TOO_COSTLY", { message: `Could not ${what}: ${message}`, details, cause });
  if (reason === "quotaExceeded" || /^quota exceeded/i.test(message))
    return new LeatError("WAREHOUSE_QUOTA", {
      message: `Could not ${what}: ${message}`,
      hint: "What is landed is kept, and the next load takes it. `leat quota` tells what the day has used; a table's quota refills within 24 hours. If it comes again, load less often.",
      details,
      cause,
    });
  if (status === 403 || reason === "accessDenied") {
    const { permission, role } = missingRight(message);
    return new LeatError("WAREHOUSE_DENIED", {
      message: `Could not ${what}: permission denied${permission === undefined ? "" : ` (${permission})`}.`,
      hint: `Give the account that leat runs as ${role}. Google said: ${message}`,
      details: { ...details, permission, role },
      cause,
    });
  }
  if (status === 401)
    return new LeatError("WAREHOUSE_DENIED", {
      message: `Could not ${what}: the credentials were refused.`,
      hint: "Run `gcloud auth application-default login`, or give the service an account.",
      details,
      cause,
    });
  if (isPassing(failure))
    return new LeatError("WAREHOUSE_UNREADABLE", {
      message: `Could not ${what}: ${message}`,
      hint: "BigQuery did not answer within the retries; nothing was lost. Run it again later.",
      retryable: true,
      details,
      cause,
    });
  return new LeatError("LOAD_FAILED", { message: `Could not ${what}: ${message}`, details, cause });
}

/** Errors of the credentials' search, which happen before any request. */
export function credentialError(error: unknown): LeatError | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (
    !/default credentials|credential file|Could not refresh access token|invalid_grant|ENOENT.*json/i.test(
      message,
    )
  )
    return undefined;
  const hint =
    "Run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or run where a service account is attached.";
  // The parser's words hold a piece of the file, which may be of its key: they are neither told nor kept.
  if (/is not valid JSON|in JSON at position/.test(message))
    return new LeatError("WAREHOUSE_DENIED", {
      message:
        "The file that GOOGLE_APPLICATION_CREDENTIALS names holds no Google credentials: it is not JSON.",
      hint,
    });
  return new LeatError("WAREHOUSE_DENIED", {
    message: "There are no usable Google credentials.",
    hint,
    cause: error,
  });
}
