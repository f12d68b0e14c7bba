/** Writes an answer to a response of Node's HTTP server, whoever listens. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ApiAnswer, isFileBody, isStreamBody } from "../src/serve/api-answer.ts";

/** Bytes read from a file at once: fewer, larger reads are what exports run at. */
const fileReadBytes = 512 * 1024;

/**
 * Writes status, headers and body.
 *
 * @returns nothing where all was handed over; a promise where a body is still being sent. It never rejects: when the
 *   client has gone or the body fails, the connection is closed and whatever made the body is freed.
 */
export function writeAnswer(answer: ApiAnswer, response: ServerResponse): Promise<void> | undefined {
  const { status, headers, body } = answer;
  response.writeHead(status, headers as string[]); // Not changed; the type only forgets to say so.
  if (typeof body === "string") response.end(body, "latin1");
  else if (body === undefined || body instanceof Uint8Array) response.end(body);
  else if (isFileBody(body)) return sendFile(body, response);
  else if (isStreamBody(body))
    return send(Readable.from(body, { objectMode: false, highWaterMark: 0 }), response);
  return undefined;
}

async function sendFile(
  { file, from, to, close }: Extract<ApiAnswer["body"], { file: unknown }>,
  response: ServerResponse,
): Promise<void> {
  try {
    if (from === to) response.end();
    else
      await send(
        file.createReadStream({ start: from, end: to - 1, highWaterMark: fileReadBytes, autoClose: false }),
        response,
      );
  } finally {
    await close();
  }
}

async function send(source: Readable, response: ServerResponse): Promise<void> {
  try {
    await pipeline(source, response);
  } catch {
    response.destroy(); // Headers are gone already: only a connection that breaks off says that something is missing.
  }
}
