/** A failure as JSON: the same in the CLI's documents and in the HTTP app's answers. */
import { isLeatError } from "./leat-error.ts";

/** Deepest chain of causes told. */
const causesMax = 5;

/** The messages of what led to an error, nearest first, repeats left out. */
export function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let { cause } = error;
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    if (cause.message !== "" && !error.message.includes(cause.message)) causes.push(cause.message);
    cause = cause.cause;
  }
  return causes;
}

/**
 * Turns an error into plain JSON data.
 *
 * @param redact - takes secrets out of text.
 */
export function printErrorJson(
  error: unknown,
  redact: (text: string) => string,
): Readonly<Record<string, unknown>> {
  const plain = isLeatError(error)
    ? {
        code: error.code,
        message: error.message,
        hint: error.hint,
        retryable: error.retryable,
        details: error.details,
      }
    : {
        code: "INTERNAL",
        message: error instanceof Error ? error.message : String(error),
        retryable: false,
      };
  const causes = error instanceof Error ? causesOf(error) : [];
  // Redacted value by value: a secret with a quote or a backslash looks different inside of printed JSON.
  const text = JSON.stringify({ ...plain, ...(causes.length > 0 && { causes }) }, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    return typeof value === "string" ? redact(value) : value;
  });
  return JSON.parse(text) as Readonly<Record<string, unknown>>; // An object, printed a line above.
}
