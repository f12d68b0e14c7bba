/**
 * The head of an answer. Most answers are a small text with the same dozen headers, of which Node looks at each name and
 * each value again: 3 µs, as long as everything else that an answer of ours takes. So what is the same in all of them
 * is checked once and kept as text, and such a head is handed to Node whole.
 *
 * `_storeHeader` is Node's own and not documented; it adds what is its business (`Date`, `Connection`, `Keep-Alive`), so
 * that nothing of that is repeated here. Where a Node has none, or the answer is another kind, `writeHead` writes it:
 * a test holds both against each other byte by byte.
 */
import assert from "node:assert/strict";
import { ServerResponse } from "node:http";
import type { KeptHead } from "../../serve/api-answer.ts";

/** Headers that go with an answer's own: names and values in turn, and the same as lines. */
export type HeaderBlock = Readonly<{
  list: readonly string[];
  /** `undefined`: Node must see each, since one of them is its business as well. */
  lines: string | undefined;
}>;

/** What RFC 9110 and Node allow in a value; anything else could end the header and begin another. */
const foreignCharacter = /[^\t\x20-\x7e\x80-\xff]/;
const namePattern = /^[a-z0-9-]+$/;
/** Headers from which Node takes what to do with the connection and the body. */
const nodesNames: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "expect",
  "keep-alive",
  "trailer",
  "transfer-encoding",
]);

/** Headers as lines, checked. */
export function toHeaderBlock(list: readonly string[]): HeaderBlock {
  let lines = "";
  let isOurs = true;
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at]!;
    assert(namePattern.test(name), `${name} is no name of a header`);
    lines += `${name}: ${checkValue(list[at + 1]!)}\r\n`;
    isOurs &&= !nodesNames.has(name);
  }
  return { list, lines: isOurs ? lines : undefined };
}

export const noHeaders: HeaderBlock = { list: [], lines: "" };

function checkValue(value: string): string {
  assert(!foreignCharacter.test(value), "a header's value has no control characters");
  return value;
}

type StoreHeader = (this: ServerResponse, head: string, headers: readonly string[]) => void;

const storeHeader: StoreHeader | undefined =
  "_storeHeader" in ServerResponse.prototype && typeof ServerResponse.prototype._storeHeader === "function"
    ? (ServerResponse.prototype._storeHeader as StoreHeader) // Since Node 0.5; see above.
    : undefined;

/**
 * Writes the head of an answer with status 200 whose body is a text.
 *
 * @param answer - its headers have `content-length`, and no other one that is Node's business.
 */
export function writeTextHead(
  response: ServerResponse,
  answer: Readonly<{ headers: readonly string[]; kept?: KeptHead | undefined }>,
  more: HeaderBlock,
): void {
  const { headers, kept } = answer;
  // A client that waits to be told to go on with its body is Node's affair.
  if (storeHeader === undefined || more.lines === undefined || response.req.headers.expect !== undefined) {
    response.writeHead(200, [...headers, ...more.list]);
    return;
  }
  const head = kept?.more === more ? kept.lines : printHead(headers, more.lines);
  if (kept !== undefined && kept.more !== more) {
    kept.more = more;
    kept.lines = Buffer.from(head, "latin1").toString("latin1"); // As one piece, and not as many.
  }
  response.statusCode = 200;
  // Node must see the length: without one it would send the body in chunks.
  storeHeader.call(response, head, ["content-length", lengthOf(headers)]);
}

/** Everything but the length. */
function printHead(headers: readonly string[], more: string): string {
  let lines = "HTTP/1.1 200 OK\r\n";
  for (let at = 0; at < headers.length; at += 2)
    if (headers[at] !== "content-length") lines += `${headers[at]}: ${checkValue(headers[at + 1]!)}\r\n`;
  return lines + more;
}

function lengthOf(headers: readonly string[]): string {
  const at = headers.indexOf("content-length");
  assert(at >= 0, "an answer with a text has a length");
  return headers[at + 1]!; // Names and values in turn.
}
