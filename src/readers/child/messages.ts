/** What the reading process and its owner say to each other. Plain data: it crosses a pipe as JSON. */
import type { ErrorCode } from "../../errors/codes.ts";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { causesOf } from "../../errors/print-error.ts";
import type { TidyJob, TidyResult } from "../../ports/tidy.ts";
import type { WrittenSheet } from "../write-sheet-csv.ts";
import type { SheetJob } from "./sheet-job.ts";

/** What is read, and what comes of it. */
export type ReaderJob = TidyJob | SheetJob;
export type ReaderResult = TidyResult | WrittenSheet;

/** A failure as it crosses. */
export type SentError = Readonly<{
  code: ErrorCode;
  message: string;
  hint: string;
  retryable: boolean;
  details: Readonly<Record<string, unknown>>;
  causes: readonly string[];
}>;

/** From the owner. The first is sent when nothing else runs; each is answered before the next. */
export type ReaderRequest = Readonly<{ job: ReaderJob; reportsMemory: boolean }>;

/** From the reading process. */
export type ReaderReply =
  | Readonly<{ kind: "done"; result: ReaderResult }>
  | Readonly<{ kind: "failed"; error: SentError }>
  /** Where its memory cannot be seen from outside. */
  | Readonly<{ kind: "memory"; bytes: number }>;

/** What is no LeatError is a fault of our code, or of a library on a file that nobody has thought of. */
export function toSentError(error: unknown, file: string): SentError {
  if (isLeatError(error)) {
    const { code, message, hint, retryable, details } = error;
    return { code, message, hint, retryable, details: { file, ...details }, causes: causesOf(error) };
  }
  const plain = error instanceof Error ? error : new Error(String(error));
  return {
    code: "INTERNAL",
    message: `${file}: Reading it failed: ${plain.message}`,
    hint: "This is a fault of leat: report it with the file.",
    retryable: false,
    details: { file, stack: plain.stack ?? "" },
    causes: causesOf(plain),
  };
}

/** The error as it was, its causes as one chain. */
export function fromSentError({ code, causes, ...facts }: SentError): LeatError {
  let cause: Error | undefined;
  for (const message of causes.toReversed()) {
    cause = new Error(message, cause === undefined ? undefined : { cause });
  }
  return new LeatError(code, { ...facts, cause });
}
