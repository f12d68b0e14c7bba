/**
 * Entity tags, caching and compression, alike for every answer.
 *
 * A tag names version, declaration, address and format. The address is part of it so that a client that shows a tag has
 * had this very answer, and 304 can be said before anything is looked up. A body in a coding has a tag of its own.
 */
import { type AnswerFormat, answerFormats } from "./answer-format.ts";
import { type ApiAnswer, type ApiRequest, discardBody, headerOf } from "./api-answer.ts";
import { type ApiAsk, codingOf, hashAddress } from "./api-ask.ts";
import { codedBytesMin, compress, contentCodings } from "./content-coding.ts";
import type { ResultCache } from "./result-cache.ts";

/** How long an answer may be kept: that of a version for ever, that of the newest for a minute and, while a new one is fetched, for ten. */
const cachePermanent = "public, max-age=31536000, immutable";
const cacheMoving = "public, max-age=60, stale-while-revalidate=600";

/** What an answer's headers say. */
export type AnswerTag = Readonly<{
  /** Without quotes and coding. */
  tag: string;
  format: AnswerFormat;
  cacheControl: string;
  vary: string;
}>;

/** @param version - beginning of the version, or whatever else changes with the answer. */
export function tagAnswer(ask: ApiAsk, apiTag: string, version: string, format: AnswerFormat): AnswerTag {
  return {
    tag: `${version}-${apiTag}-${hashAddress(ask.url)}.${format}`,
    format,
    cacheControl: ask.version === undefined ? cacheMoving : cachePermanent,
    vary: ask.ending === undefined ? "accept, accept-encoding" : "accept-encoding",
  };
}

/** 304, if the client has the answer already. */
export function answerUnchanged(ask: ApiAsk, tagged: AnswerTag): ApiAnswer | undefined {
  const shown = headerOf(ask.request, "if-none-match");
  if (shown === undefined) return undefined;
  const same = shown
    .split(",")
    .find((each) => isSame(each, tagged.tag))
    ?.trim();
  if (same === undefined) return undefined;
  const { cacheControl, vary } = tagged;
  const headers = ["etag", same.replace(/^W\//, ""), "cache-control", cacheControl, "vary", vary];
  return { status: 304, headers, body: undefined };
}

/** Whether a tag is this one, in whatever coding; weakly, as RFC 9110 has it for If-None-Match. */
function isSame(shown: string, tag: string): boolean {
  const opaque = /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(shown)?.[1];
  return opaque === tag || contentCodings.some((coding) => opaque === `${tag}-${coding}`);
}

/** Whether a client says that it wants nothing that there is (`If-None-Match: *`): known only once there is an answer. */
export const isAnyKnown = (request: ApiRequest): boolean =>
  headerOf(request, "if-none-match")?.trim() === "*";

/** What a 304 repeats of the answer in whose place it stands. */
const repeatedNames: ReadonlySet<string> = new Set(["etag", "cache-control", "vary"]);

/** 304 in the place of an answer that was found; problems stay. */
export async function answerKnown(answer: ApiAnswer): Promise<ApiAnswer> {
  if (answer.status !== 200 && answer.status !== 206) return answer;
  await discardBody(answer.body);
  const headers = answer.headers.filter((_, at) => repeatedNames.has(answer.headers[at - (at % 2)]!));
  return { status: 304, headers, body: undefined };
}

/** A body in memory as an answer, compressed if the client likes and it is worth it. */
export function finishAnswer(
  ask: ApiAsk,
  tagged: AnswerTag,
  body: string | Uint8Array,
  parts: Readonly<{ cache: ResultCache; headers?: readonly string[] }>,
): ApiAnswer | Promise<ApiAnswer> {
  const coding = body.length < codedBytesMin ? undefined : codingOf(ask);
  // Compressed by their own formats already.
  const isDense = tagged.format === "parquet" || tagged.format === "arrow";
  if (coding === undefined || isDense) return plainAnswer(tagged, body, parts.headers ?? []);
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const key = `body ${tagged.tag}-${coding}`;
  const make = async (): Promise<Uint8Array> => await compress(bytes, coding);
  return parts.cache
    .find(key, ask.request.signal, make, (made) => made.byteLength)
    .then((made) => {
      const { headers } = plainAnswer(
        { ...tagged, tag: `${tagged.tag}-${coding}` },
        made,
        parts.headers ?? [],
      );
      return { status: 200, headers: [...headers, "content-encoding", coding], body: made };
    });
}

function plainAnswer(tagged: AnswerTag, body: string | Uint8Array, more: readonly string[]): ApiAnswer {
  return {
    status: 200,
    headers: [
      "content-type",
      answerFormats[tagged.format].contentType,
      "content-length",
      String(body.length),
      "etag",
      `"${tagged.tag}"`,
      "cache-control",
      tagged.cacheControl,
      "vary",
      tagged.vary,
      ...more,
    ],
    body,
  };
}
