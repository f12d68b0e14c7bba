/** An answer before it is written anywhere: status, headers and a body that need not be in memory. */
import type { FileHandle } from "node:fs/promises";
import type { Problem } from "./problem.ts";

/** A part of a file. Whoever writes the body closes it. */
export type FileBody = Readonly<{ file: FileHandle; from: number; to: number; close: () => Promise<void> }>;

/** A body that comes in pieces. Ending it early frees what makes it. */
export type StreamBody = AsyncIterable<Uint8Array>;

/** Text has one character a byte, and is written as `latin1`; `undefined`: no body. */
export type AnswerBody = string | Uint8Array | FileBody | StreamBody | undefined;

export type ApiAnswer = Readonly<{
  status: number;
  /** Names and values in turn, as `writeHead` takes them: `["content-type", "text/csv", …]`. */
  headers: readonly string[];
  body: AnswerBody;
  /** Of an answer that is given again and again: where a host keeps what it made of the headers. */
  kept?: KeptHead | undefined;
}>;

/** A head as text, made for these other headers. */
export type KeptHead = { more: unknown; lines: string };

/** What is asked. A host may make `signal` on demand: it is read only by what takes long. */
export type ApiRequest = Readonly<{
  method: string;
  /** Path and query as they were sent. */
  url: string;
  /** By lower-case names. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
  /**
   * Whether whoever asks waits for a version that is being loaded, and takes what its first rows tell meanwhile: rows in
   * the version's own order, and a description without extents (`loading: true`). Others are told to come back.
   */
  takesHead?: boolean | undefined;
}>;

/** One value of a header; of several the first. */
export function headerOf(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return value === undefined || typeof value === "string" ? value : value[0];
}

/** The part that is asked for. Of HEAD as well: DuckDB in a browser asks so whether a server gives parts. */
export const rangeOf = (request: ApiRequest): string | undefined => headerOf(request, "range");

export const isFileBody = (body: AnswerBody): body is FileBody =>
  typeof body === "object" && body !== null && "file" in body;

export const isStreamBody = (body: AnswerBody): body is StreamBody =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body;

/** Frees a body that nobody will read. */
export async function discardBody(body: AnswerBody): Promise<void> {
  if (isFileBody(body)) await body.close();
  else if (isStreamBody(body)) await body[Symbol.asyncIterator]().return?.();
}

/** Answers of this kind are not worth keeping: the next one may be another. */
const problemCache = "no-store";

/** A problem as an answer. */
export function problemAnswer(problem: Problem): ApiAnswer {
  const body = Buffer.from(`${JSON.stringify(problem)}\n`, "utf8");
  const { retryAfterSeconds, headers } = problem.facts;
  return {
    status: problem.status,
    headers: [
      "content-type",
      "application/problem+json; charset=utf-8",
      "content-length",
      String(body.length),
      "cache-control",
      problemCache,
      ...(retryAfterSeconds === undefined ? [] : ["retry-after", String(retryAfterSeconds)]),
      ...(headers ?? []),
    ],
    body,
  };
}

/** The same answer for HEAD: everything but the body. */
export async function withoutBody(answer: ApiAnswer): Promise<ApiAnswer> {
  await discardBody(answer.body);
  return { ...answer, body: undefined };
}
