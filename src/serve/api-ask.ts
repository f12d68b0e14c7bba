/** A request, taken apart: what every address needs to know of it. */

import { type AnswerFormat, splitEnding } from "./answer-format.ts";
import type { ApiRequest } from "./api-answer.ts";
import { headerOf, rangeOf } from "./api-answer.ts";
import { type ContentCoding, chooseCoding } from "./content-coding.ts";
import { Problem } from "./problem.ts";
import { addressLengthMax, decode } from "./query-string.ts";

export type ApiAsk = Readonly<{
  request: ApiRequest;
  /** Path and query, printable ASCII throughout: it goes back in links. */
  url: string;
  path: string;
  query: string;
  /** Parts of the path between slashes, decoded; the last without its ending. Without `/v/{version}`. */
  segments: readonly string[];
  /** The ending of the last one, where it is a format's. */
  ending: AnswerFormat | undefined;
  /** Version of a permanent address; `undefined`: the moving one. */
  version: string | undefined;
}>;

/** Reads a request's address. */
export function readAsk(request: ApiRequest): ApiAsk {
  if (request.url.length > addressLengthMax)
    throw new Problem("address-too-long", {
      detail: `The address has ${request.url.length} characters; at most ${addressLengthMax} are taken.`,
    });
  const url = toAscii(request.url);
  const mark = url.indexOf("?");
  const [path, query] = mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
  if (!path.startsWith("/"))
    throw new Problem("invalid-address", { detail: "An address begins with a slash.", value: url });
  const raw = path.split("/");
  raw.shift(); // A path begins with a slash.
  const isPermanent = raw[0] === "v" && raw.length > 2;
  const version = isPermanent ? raw[1] : undefined;
  if (isPermanent) raw.splice(0, 2);
  const { name, format } = splitEnding(raw[raw.length - 1] ?? "");
  if (format !== undefined) raw[raw.length - 1] = name;
  return { request, url, path, query, segments: raw.map(decode), ending: format, version };
}

/** What is not printable ASCII in its encoded form. Servers hand over bytes as characters of their own number. */
function toAscii(url: string): string {
  return url.replace(/[^\x21-\x7e]/g, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0xff) return encodeURIComponent(character.toWellFormed());
    return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** The coding that a client takes; none for a client that asks for a part, which is of the plain body. */
export function codingOf({ request }: ApiAsk, offered?: readonly ContentCoding[]): ContentCoding | undefined {
  if (rangeOf(request) !== undefined) return undefined;
  return chooseCoding(headerOf(request, "accept-encoding"), offered);
}

/** A 64-bit hash of an address, 16 hexadecimal digits; not against anybody, only to tell addresses apart. */
export function hashAddress(url: string): string {
  let [one, two] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < url.length; at++) {
    const code = url.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x85ebca6b) ^ (two >>> 13);
  }
  return (one >>> 0).toString(16).padStart(8, "0") + (two >>> 0).toString(16).padStart(8, "0");
}
