/** Answers written to connections, at the pace of whoever reads them. */
import type { ServerResponse } from "node:http";
import { type ApiAnswer, discardBody, isFileBody, isStreamBody } from "../../serve/api-answer.ts";
import { type HeaderBlock, writeTextHead } from "./answer-head.ts";
import { readPieces } from "./read-pieces.ts";
import type { SlowReaders } from "./slow-readers.ts";

/** Bodies up to this size are written in one go, bytes; larger ones piece by piece, and a piece is as large. */
const pieceBytes = 64 * 1024;

/** What sending needs to know of its surroundings. */
export type SendTools = Readonly<{
  readers: SlowReaders;
  /** Called once, when the answer has left or its reader has. `bytes`: of the body, as far as they were written. */
  onSent: (bytes: number) => void;
  /** An answer that broke off in the middle, for the log: its reader sees a cut connection. */
  onBroken: (error: unknown) => void;
}>;

/**
 * Sends an answer. `more`: headers beside its own.
 *
 * A body in pieces that fails half-way cuts the connection: its reader must not take the part for the whole.
 */
export function sendAnswer(
  response: ServerResponse,
  answer: ApiAnswer,
  more: HeaderBlock,
  tools: SendTools,
): void {
  const { body, status } = answer;
  if (response.destroyed) {
    tools.onSent(0);
    void discardBody(body).catch((error: unknown) => tools.onBroken(error));
    return;
  }
  if (typeof body === "string" && status === 200 && body.length <= pieceBytes) {
    writeTextHead(response, answer, more);
    finish(response, body, body.length, tools);
    return;
  }
  response.writeHead(status, [...answer.headers, ...more.list]);
  if (body === undefined) {
    finish(response, undefined, 0, tools);
    return;
  }
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (body.length <= pieceBytes) {
      finish(response, body, body.length, tools);
      return;
    }
    const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
    void pump(response, [bytes], bytes.length, tools);
    return;
  }
  if (isFileBody(body)) void pump(response, readPieces(body), undefined, tools);
  else if (isStreamBody(body)) void pump(response, body, undefined, tools);
}

/** Ends an answer with its only piece. */
function finish(
  response: ServerResponse,
  body: string | Uint8Array | undefined,
  bytes: number,
  tools: SendTools,
): void {
  if (body === undefined) response.end();
  else if (typeof body === "string") response.end(body, "latin1");
  else response.end(body);
  // Nearly always the connection takes everything at once; without a socket it waits behind an earlier answer.
  if (response.socket?.writableLength === 0) {
    tools.onSent(bytes);
    return;
  }
  tools.readers.wait(response, bytes);
  response.once("close", () => {
    tools.readers.resume(response);
    tools.onSent(response.writableFinished ? bytes : 0);
  });
}

/** Writes pieces, each when the one before was taken; ends their maker early when the reader goes. */
async function pump(
  response: ServerResponse,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  /** What a waiting reader keeps in memory; `undefined`: the piece it waits for. */
  heldBytes: number | undefined,
  tools: SendTools,
): Promise<void> {
  const { readers } = tools;
  let written = 0;
  try {
    for await (const piece of pieces) {
      for (const part of slice(piece)) {
        if (response.destroyed) return;
        written += part.length;
        readers.wait(response, heldBytes ?? piece.length);
        await write(response, part);
        readers.resume(response);
      }
      if (response.destroyed) return;
    }
    response.end();
    readers.wait(response, 0);
    await closed(response);
  } catch (error) {
    response.destroy();
    tools.onBroken(error);
  } finally {
    readers.resume(response);
    tools.onSent(written);
  }
}

function* slice(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Writes a part; resolves when it has left, and is its maker's again, or when the reader has gone. */
function write(response: ServerResponse, part: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    response.off("close", done);
    resolve();
  };
  response.on("close", done);
  response.write(part, done);
  return promise;
}

/** Resolves when the answer has left whole, or its reader has gone. */
function closed(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    response.off("finish", done);
    response.off("close", done);
    resolve();
  };
  response.on("finish", done);
  response.on("close", done);
  return promise;
}
