/** Why one request to a bucket failed, in words that all vendors share. */

/**
 * - `transient`: nothing is known; the same request may succeed, and may have taken effect.
 * - `limited`: too many requests for the bucket or the object.
 * - `changed`: a precondition does not hold.
 * - `gone`: the upload's session is over; its pieces are lost, or it has succeeded.
 * - `missing`: no object of that key. `no-bucket`: no such bucket, or none that this address leads to.
 * - `denied`, `unauthenticated`: asking again is of no use.
 * - `refused`: anything else that the bucket says no to.
 */
export type FailureKind =
  | "transient"
  | "limited"
  | "changed"
  | "gone"
  | "missing"
  | "no-bucket"
  | "denied"
  | "unauthenticated"
  | "refused";

/** Longest text of a vendor that is repeated to people. */
const textMax = 300;

export class BucketFailure extends Error {
  override readonly name = "BucketFailure";
  readonly kind: FailureKind;
  /** How long the bucket asks to be left alone, ms. */
  readonly retryAfterMs: number | undefined;
  /** What to do about it, where this says more than the kind. */
  readonly hint: string | undefined;

  /** @param text - what was said, without addresses that are secrets (those of upload sessions are). */
  constructor(
    kind: FailureKind,
    text: string,
    options: Readonly<{ retryAfterMs?: number | undefined; hint?: string | undefined }> = {},
  ) {
    const line = text.replaceAll(/\s+/g, " ").trim().replace(/\.$/, ""); // It becomes a part of a sentence.
    super(line.length > textMax ? `${line.slice(0, textMax)}…` : line);
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.hint = options.hint;
  }
}

/** Whether the same request may succeed. */
export const isPassing = (failure: BucketFailure): boolean =>
  failure.kind === "transient" || failure.kind === "limited";

/** `Retry-After` in seconds or as a date, as ms from now; `undefined` when it is not there or cannot be read. */
export function parseRetryAfter(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || header === "") return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now());
}

/** Codes by which the system says that a connection did not hold. */
const connectionCodes =
  /^(E(CONN|PIPE|TIMEDOUT|AI_AGAIN|HOST|NET|NOTFOUND|PROTO)|UND_ERR_|ERR_STREAM_|ERR_SSL)/;

/** What the system says of a connection that failed, `ECONNRESET`; `undefined`: it is something else. */
export function connectionFault(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = "code" in at && typeof at.code === "string" ? at.code : "";
    if (connectionCodes.test(code)) return code;
    if (at.name === "AbortError" || at.name === "TimeoutError") return at.name;
    if (/premature close|socket hang up|terminated|network timeout/i.test(at.message)) return at.message;
  }
  return undefined;
}
