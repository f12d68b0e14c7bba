/** Looks at both ends of an answer, to tell records from pages for people and from what broke off. */
import { LeatError } from "../../errors/leat-error.ts";
import type { RecordSelector } from "../../model/record-selector.ts";
import { redactText } from "./redaction.ts";

/** Of an answer as much is shown as lets a person recognise it. */
const beginningChars = 200;

/** What is wrong with an answer. `isTransient`: asking again may bring another. */
export type AnswerFault = Readonly<{ error: LeatError; isTransient: boolean }>;

/** What is wanted of an answer. */
export type Expected = Readonly<{
  /** Looks at an answer of 200: at all of it when it `isWhole`, else at its first bytes. */
  check: (bytes: Uint8Array, facts: AnswerFacts) => AnswerFault | undefined;
  /** Statuses of answers that have no body and are no failure; 204 always is one. */
  emptyStatuses: readonly number[];
  /**
   * Where a redirect may lead. `anywhere`: also to another origin, without credentials and the source's own headers, but
   * not from https to http.
   */
  redirects: "same-origin" | "anywhere";
}>;

/** What a check is told beside the bytes; `secrets` are kept out of its messages. */
export type AnswerFacts = Readonly<{ contentType: string; isWhole: boolean; secrets: Iterable<string> }>;

/** Expects a page of records. */
export function expectRecords(form: RecordSelector["form"], emptyStatuses: readonly number[]): Expected {
  const check: Expected["check"] = (bytes, { contentType, isWhole, secrets }) =>
    checkBeginning(bytes, contentType, form, secrets) ??
    (isWhole && form === "json" ? checkEnd(bytes) : undefined);
  return { check, emptyStatuses, redirects: "same-origin" };
}

/** The beginning of an answer for messages, without control characters and secrets. */
export function beginningOf(bytes: Uint8Array, secrets: Iterable<string>): string {
  // A secret may be cut by the end of what is shown, so more is redacted than is shown.
  const text = Buffer.from(bytes.subarray(0, beginningChars * 8)).toString("utf8");
  return redactText(text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim(), secrets).slice(0, beginningChars);
}

/** Looks at a beginning: an answer's first bytes, or all of it. */
function checkBeginning(
  bytes: Uint8Array,
  contentType: string,
  form: RecordSelector["form"],
  secrets: Iterable<string>,
): AnswerFault | undefined {
  const first = bytes[skipBlanks(bytes)];
  const beginning = beginningOf(bytes, secrets);
  const isHtml =
    /^\s*text\/html/i.test(contentType) || /^(?:﻿)?<(?:!doctype\s+html|html|head|body)\b/i.test(beginning);
  if (isHtml && first !== openBrace && first !== openBracket) {
    const error = new LeatError("SOURCE_MOVED", {
      message: `The partner answered with a page for people: ${beginning}`,
      hint: "Compare the base URL and the path of the stream with the partner's documentation.",
      details: { beginning },
    });
    return { error, isTransient: false };
  }
  if (first === undefined) {
    if (form === "lines") return undefined;
    const error = new LeatError("SOURCE_NOT_JSON", {
      message: "The partner answered with nothing at all.",
      hint: "If that is how it says that there is nothing, it should answer 204; report it to the partner.",
      details: { beginning },
    });
    return { error, isTransient: true };
  }
  if (form === "json" ? jsonStarts.includes(first) : first === openBrace || first === openBracket)
    return undefined;
  const error = new LeatError("SOURCE_NOT_JSON", {
    message: `The partner's answer is not JSON${form === "lines" ? " Lines" : ""}: ${beginning}`,
    details: { beginning },
  });
  return { error, isTransient: false };
}

/**
 * Looks at the end of a complete JSON document: whatever begins with a brace ends with one. Connections without a length
 * end like this when they break, without any sign but the missing end.
 */
function checkEnd(bytes: Uint8Array): AnswerFault | undefined {
  const first = bytes[skipBlanks(bytes)];
  const wanted = first === openBrace ? closeBrace : first === openBracket ? closeBracket : undefined;
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1]!)) end--;
  if (wanted === undefined || bytes[end - 1] === wanted) return undefined;
  const message = `The partner's answer ended in the middle, after ${bytes.length} bytes.`;
  return {
    error: new LeatError("SOURCE_TRUNCATED", { message, details: { bytes: bytes.length } }),
    isTransient: true,
  };
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const jsonStarts: readonly number[] = [...Buffer.from('{["-0123456789tfn')];

function skipBlanks(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length && isBlank(bytes[at]!)) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
