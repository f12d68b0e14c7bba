/** Files of pages as answers. */
import { type ApiAnswer, type ApiRequest, headerOf } from "../../../serve/api-answer.ts";
import { type ContentCoding, chooseCoding, codedBytesMin } from "../../../serve/content-coding.ts";
import type { StaticFile } from "./assets.ts";

/** Browsers know these; zstd only some of them. */
const codings: readonly ContentCoding[] = ["br", "gzip"];

/** A file whose address changes with it. `more`: headers of its own. */
export async function answerAsset(
  asked: ApiRequest,
  file: StaticFile,
  more: readonly string[] = [],
): Promise<ApiAnswer> {
  const plain = await file.bytes();
  const coding =
    plain.length < codedBytesMin ? undefined : chooseCoding(headerOf(asked, "accept-encoding"), codings);
  const sent = coding === undefined ? plain : await file.bytes(coding);
  const headers = [
    "content-type",
    file.contentType,
    "content-length",
    String(sent.length),
    "cache-control",
    "public, max-age=31536000, immutable",
    "vary",
    "accept-encoding",
    "x-content-type-options",
    "nosniff",
    "cross-origin-resource-policy",
    "same-origin",
    ...(coding === undefined ? [] : ["content-encoding", coding]),
    ...more,
  ];
  return { status: 200, headers, body: asked.method === "HEAD" ? undefined : sent };
}
