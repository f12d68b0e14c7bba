/** Answers of the host itself to requests that never reach the API, as problem documents (RFC 9457) like the API's own. */
import type { ApiAnswer } from "../../serve/api-answer.ts";
import { problemKinds } from "../../serve/problem.ts";

/** Why a request is refused before anybody looks at its address. */
export type RefusalKind =
  | "key-missing"
  | "key-invalid"
  | "body-not-wanted"
  | "rate-limited"
  | "quota-used-up";

/** A refusal as an answer. */
export function refuse(
  kind: RefusalKind,
  detail: string,
  more: Readonly<{ retryAfterSeconds?: number; headers?: readonly string[] }> = {},
): ApiAnswer {
  const { status, title } = problemKinds[kind];
  const body = Buffer.from(
    `${JSON.stringify({ type: `urn:leat:problem:${kind}`, title, status, detail })}\n`,
    "utf8",
  );
  const { retryAfterSeconds, headers = [] } = more;
  return {
    status,
    headers: [
      "content-type",
      "application/problem+json; charset=utf-8",
      "content-length",
      String(body.length),
      "cache-control",
      "no-store",
      ...(retryAfterSeconds === undefined ? [] : ["retry-after", String(retryAfterSeconds)]),
      ...headers,
    ],
    body,
  };
}

/** What is written on a connection whose request cannot even be read; `status` and why, by Node's code of the error. */
const unreadable: Readonly<Record<string, Readonly<{ status: number; phrase: string; detail: string }>>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    phrase: "Request Header Fields Too Large",
    detail: "The headers have more than 16 KiB.",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    phrase: "Request Timeout",
    detail: "The request did not come in time.",
  },
};

/** The whole answer to a request that cannot be read, as it goes over the wire. */
export function refuseUnreadable(code: string | undefined): string {
  const { status, phrase, detail } = unreadable[code ?? ""] ?? {
    status: 400,
    phrase: "Bad Request",
    detail: "This is not HTTP.",
  };
  const type = "urn:leat:problem:invalid-request";
  const body = `${JSON.stringify({ type, title: phrase, status, detail })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "x-content-type-options: nosniff",
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
