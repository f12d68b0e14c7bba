/** Errors on their way into the ledger and back. */
import { inspect } from "node:util";
import { codes, type ErrorCode } from "../errors/codes.ts";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { StoredError } from "../model/run-record.ts";

/** Characters of a message and of a stack that are kept. */
const messageLengthMax = 8 * 1024;
const stackLengthMax = 8 * 1024;

/** Characters of an error's details as JSON; larger ones are left out. */
const detailsLengthMax = 16 * 1024;

/**
 * What the ledger keeps of an error.
 *
 * @param redact - takes secrets out of text.
 */
export function toStoredError(error: unknown, redact: (text: string) => string): StoredError {
  const told = (text: string, lengthMax: number): string => redact(text).slice(0, lengthMax);
  if (!(error instanceof Error)) return toStoredError(toError(error), redact);
  const isOurs = isLeatError(error);
  return {
    code: isOurs ? error.code : null,
    name: String(error.name),
    message: told(withCauses(error), messageLengthMax),
    hint: isOurs ? told(error.hint, messageLengthMax) : null,
    retryable: isOurs ? error.retryable : true,
    details: isOurs ? keepDetails(error.details, redact) : {},
    stack: typeof error.stack === "string" ? told(error.stack, stackLengthMax) : null,
  };
}

/** What code has thrown, as an error: some throw text, and some anything. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const error = new Error(typeof thrown === "string" ? thrown : `threw ${show(thrown)}`);
  delete error.stack; // It would lead here.
  return error;
}

function show(thrown: unknown): string {
  try {
    return inspect(thrown, { depth: 2, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 500 });
  } catch {
    return `something of type ${typeof thrown} that cannot be shown`; // Its own code is called to show it.
  }
}

/** Depth to which causes are told. */
const causesMax = 5;

function withCauses(error: Error): string {
  const parts = [error.message];
  let cause = error.cause;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    if (!parts.some((part) => part.includes((cause as Error).message))) parts.push(cause.message);
    cause = cause.cause;
  }
  return parts.join("\ncaused by: ");
}

function keepDetails(details: unknown, redact: (text: string) => string): JsonObject {
  try {
    const text = redact(JSON.stringify(details));
    return text.length > detailsLengthMax ? {} : (JSON.parse(text) as JsonObject); // Details are an object.
  } catch {
    return {}; // Something in them is not JSON; the message says what matters.
  }
}

/** An error as the code of a flow may catch it, in a later attempt as in the first. */
export function fromStoredError(stored: StoredError): Error {
  if (stored.code !== null && Object.hasOwn(codes, stored.code)) {
    return new LeatError(stored.code as ErrorCode, {
      message: stored.message,
      hint: stored.hint ?? undefined,
      retryable: stored.retryable,
      details: stored.details,
    });
  }
  const error = new Error(stored.message);
  error.name = stored.name;
  if (stored.stack !== null) error.stack = stored.stack;
  return error;
}
