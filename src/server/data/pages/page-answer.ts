/** Answers that browsers show. */
import { createHash } from "node:crypto";
import { type ApiAnswer, type ApiRequest, headerOf } from "../../../serve/api-answer.ts";
import { type ContentCoding, chooseCoding, codedBytesMin, compress } from "../../../serve/content-coding.ts";
import { type PageNeeds, pageHeaders } from "../answer-headers.ts";
import type { Html } from "./html.ts";

/** How long pages are kept: they change with the data, and are cheap to ask for again by their tag. */
const pageCache = "no-cache";

/** Browsers know these; zstd only some of them. */
const pageCodings: readonly ContentCoding[] = ["br", "gzip"];

/** A page. One that the browser has already is not sent again. */
export async function answerPage(
  asked: ApiRequest,
  page: Html,
  needs: PageNeeds = {},
  status = 200,
): Promise<ApiAnswer> {
  const body = Buffer.from(page.text, "utf8");
  const tag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  const shared = [
    ...pageHeaders(needs),
    "cache-control",
    status === 200 ? pageCache : "no-store",
    "vary",
    "accept, accept-encoding",
  ];
  const isKnown = headerOf(asked, "if-none-match")
    ?.split(/\s*,\s*/)
    .some((each) => each === "*" || each.replace(/^W\//, "") === tag);
  // A page with a nonce is another one each time, and never found again.
  if (status === 200 && isKnown === true)
    return { status: 304, headers: [...shared, "etag", tag], body: undefined };
  const coding =
    body.length < codedBytesMin ? undefined : chooseCoding(headerOf(asked, "accept-encoding"), pageCodings);
  const sent = coding === undefined ? body : await compress(body, coding);
  const headers = [
    "content-type",
    "text/html; charset=utf-8",
    "content-length",
    String(sent.length),
    // The same page in another coding has other bytes.
    "etag",
    coding === undefined ? tag : `W/${tag}`,
    ...(coding === undefined ? [] : ["content-encoding", coding]),
    ...shared,
  ];
  return { status, headers, body: asked.method === "HEAD" ? undefined : sent };
}

/** A short text for programs. */
export function answerText(asked: ApiRequest, text: string, contentType: string, status = 200): ApiAnswer {
  const body = Buffer.from(text, "utf8");
  const headers = [
    "content-type",
    contentType,
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    "x-content-type-options",
    "nosniff",
  ];
  return { status, headers, body: asked.method === "HEAD" ? undefined : body };
}

/** Leads on to another address of this server. */
export function redirect(location: string): ApiAnswer {
  return {
    status: 303,
    headers: ["location", location, "content-length", "0", "cache-control", "no-store"],
    body: undefined,
  };
}
