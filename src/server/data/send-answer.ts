/** Answers written to connections, at the pace of whoever reads them. */
import type { ServerResponse } from "node:http";
import {
  type ApiAnswer,
  discardBody,
  type FileBody,
  isFileBody,
  isStreamBody,
} from "../../serve/api-answer.ts";
import type { SlowReaders } from "./slow-readers.ts";

/** Bodies up to this size are written in one go, bytes; larger ones piece by piece, and a piece is as large. */
const pieceBytes = 64 * 1024;

/** Bytes of a file read at once: with less the reads are what takes the time, with more a thousand readers hold more. */
const readBytes = 128 * 1024;

/** What sending needs to know of its surroundings. */
export type SendTools = Readonly<{
  readers: SlowReaders;
  /** Called once, when the answer has left or its reader has. `bytes`: of the body, as far as they were written. */
  onSent: (bytes: number) => void;
  /** An answer that broke off in the middle, for the log: its reader sees a cut connection. */
  onBroken: (error: unknown) => void;
}>;

/**
 * Sends an answer. `more`: headers beside its own, names and values in turn.
 *
 * A body in pieces that fails half-way cuts the connection: its reader must not take the part for the whole.
 */
export function sendAnswer(
  response: ServerResponse,
  answer: ApiAnswer,
  more: readonly string[],
  tools: SendTools,
): void {
  const { body, status } = answer;
  if (response.destroyed) {
    tools.onSent(0);
    void discardBody(body).catch(tools.onBroken);
    return;
  }
  response.writeHead(status, [...answer.headers, ...more]);
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
    void pump(response, slice(bytes), bytes.length, tools);
    return;
  }
  if (isFileBody(body)) void pump(response, readPieces(body), readBytes, tools);
  else if (isStreamBody(body)) void pump(response, body, undefined, tools);
}

/** Ends an answer with its only piece. */
function finish(
  response: ServerResponse,
  body: string | Uint8Array | undefined,
  bytes: number,
  { readers, onSent }: SendTools,
): void {
  if (body === undefined) response.end();
  else if (typeof body === "string") response.end(body, "latin1");
  else response.end(body);
  // Nearly always the connection takes everything at once; without a socket it waits behind an earlier answer.
  if (response.socket?.writableLength === 0) {
    onSent(bytes);
    return;
  }
  readers.wait(response, bytes);
  response.once("close", () => {
    readers.resume(response);
    onSent(response.writableFinished ? bytes : 0);
  });
}

/** Writes pieces, each when the one before was taken; ends their maker early when the reader goes. */
async function pump(
  response: ServerResponse,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  /** What a waiting reader keeps in memory; `undefined`: the piece it waits for. */
  heldBytes: number | undefined,
  { readers, onSent, onBroken }: SendTools,
): Promise<void> {
  let written = 0;
  try {
    for await (const piece of pieces) {
      for (const part of slice(piece)) {
        if (response.destroyed) return;
        written += part.length;
        if (response.write(part)) continue;
        readers.wait(response, heldBytes ?? piece.length);
        await drained(response);
        readers.resume(response);
      }
      if (response.destroyed) return;
    }
    response.end();
    readers.wait(response, 0);
    await closed(response);
  } catch (error) {
    response.destroy();
    onBroken(error);
  } finally {
    readers.resume(response);
    onSent(written);
  }
}

function* slice(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function* readPieces({ file, from, to, close }: FileBody): AsyncGenerator<Uint8Array, void, void> {
  try {
    for (let at = from; at < to; ) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, to - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error(`a file that is sent ends ${to - at} bytes too early`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await close();
  }
}

/** Resolves when more may be written, or nothing will ever be. */
function drained(response: ServerResponse): Promise<void> {
  return firstOf(response, "drain");
}

/** Resolves when the answer has left whole, or its reader has gone. */
function closed(response: ServerResponse): Promise<void> {
  return response.writableFinished || response.destroyed ? Promise.resolve() : firstOf(response, "finish");
}

function firstOf(response: ServerResponse, event: "drain" | "finish"): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    response.off(event, done);
    response.off("close", done);
    resolve();
  };
  response.on(event, done);
  response.on("close", done);
  return promise;
}
