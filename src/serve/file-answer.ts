/** Files as answers: whole with their length, or the part that a client asks for. */
import { open } from "node:fs/promises";
import { answerFormats } from "./answer-format.ts";
import { type ApiAnswer, type FileBody, headerOf, rangeOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import type { ContentCoding } from "./content-coding.ts";
import type { AnswerTag } from "./finish-answer.ts";
import { Problem } from "./problem.ts";

/** Bytes `from <= byte < to`. */
type ByteRange = Readonly<{ from: number; to: number }>;

/**
 * Answers with a file of the plain body or of one in a coding.
 *
 * @param name - what a browser saves it as.
 */
export async function answerFile(
  ask: ApiAsk,
  tagged: AnswerTag,
  file: Readonly<{ path: string; coding: ContentCoding | undefined; name: string }>,
  more: readonly string[],
): Promise<ApiAnswer> {
  const { coding } = file;
  const handle = await open(file.path, "r");
  try {
    const { size } = await handle.stat();
    const tag = coding === undefined ? tagged.tag : `${tagged.tag}-${coding}`;
    const range = coding === undefined ? readRange(ask, `"${tag}"`, size) : undefined;
    const { from, to } = range ?? { from: 0, to: size };
    const headers = [
      "content-type",
      answerFormats[tagged.format].contentType,
      "content-length",
      String(to - from),
      "etag",
      `"${tag}"`,
      "cache-control",
      tagged.cacheControl,
      "vary",
      tagged.vary,
      "content-disposition",
      `attachment; filename="${file.name}"`,
      ...(coding === undefined ? ["accept-ranges", "bytes"] : ["content-encoding", coding]),
      ...(range === undefined ? [] : ["content-range", `bytes ${from}-${to - 1}/${size}`]),
      ...more,
    ];
    const body: FileBody = { file: handle, from, to, close: () => handle.close() };
    return { status: range === undefined ? 200 : 206, headers, body };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The one part that a client asks for; of several parts, or another version's, the whole is given. */
function readRange(ask: ApiAsk, etag: string, size: number): ByteRange | undefined {
  const header = rangeOf(ask.request);
  const condition = headerOf(ask.request, "if-range");
  if (header === undefined || (condition !== undefined && condition !== etag)) return undefined;
  const match = /^bytes=\s*([0-9]{0,15})-([0-9]{0,15})\s*$/i.exec(header);
  if (match === null || (match[1] === "" && match[2] === "")) return undefined; // Not understood: RFC 9110 says to go on without.
  const [, first = "", last = ""] = match;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined; // Likewise.
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (from < to) return { from, to };
  throw new Problem("range-not-satisfiable", {
    detail: `The file has ${size} bytes.`,
    parameter: "Range",
    value: header,
    headers: ["content-range", `bytes */${size}`],
  });
}
