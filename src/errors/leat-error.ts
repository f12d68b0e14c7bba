/** The one error that leat throws for anything the world may do. */
import { codes, type ErrorCode } from "./codes.ts";

/** Plain data about a failure: where it happened and what was seen. Never a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a leaf knows of a failure; the layer above adds source, stream, tenant and run. */
export type ErrorFacts = Readonly<{
  /** What happened, to what. One sentence. */
  message: string;
  /** What the reader types or looks at next. Default: the hint of the code. */
  hint?: string | undefined;
  /** Whether the same call may succeed later. Default: what the catalogue says of the code. */
  retryable?: boolean | undefined;
  details?: ErrorDetails | undefined;
  cause?: unknown;
}>;

/**
 * An error for the person who must act.
 *
 * Match on `code`, which is stable, and not on the class: two copies of leat may be loaded.
 */
export class LeatError extends Error {
  override readonly name = "LeatError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.hint = facts.hint ?? codes[code].hint;
    this.retryable = facts.retryable ?? codes[code].retryable;
    this.details = facts.details ?? {};
  }

  /** The same failure with the place it happened added; what is already known wins. */
  at(place: ErrorDetails): LeatError {
    return new LeatError(this.code, {
      message: this.message,
      hint: this.hint,
      retryable: this.retryable,
      details: { ...place, ...this.details },
      cause: this.cause,
    });
  }

  /** A plain object for `--json`, HTTP answers and logs. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { code, message, hint, retryable, details } = this;
    return { code, message, hint, retryable, details };
  }
}

/** Tells a LeatError by its shape, also one of another copy of leat. */
export function isLeatError(error: unknown): error is LeatError {
  return error instanceof Error && error.name === "LeatError" && "code" in error && "hint" in error;
}
