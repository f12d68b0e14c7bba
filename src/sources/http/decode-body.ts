/** Undoes `Content-Encoding`: gzip (any number of members), zstd (any number of frames), br, deflate. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { splitFrames, streamFrames } from "./zstd-frames.ts";

/** What leat asks for: the order of what is cheapest to decode; brotli costs most. */
export const acceptEncoding = "zstd, gzip, br;q=0.5";

type Coding = "gzip" | "br" | "zstd" | "deflate";

/** More codings than this on one answer are nobody's intention. */
const codingsMax = 3;
/** Output comes in pieces of this size; Node's default of 16 KiB costs a thread hop for each. */
const pieceBytes = 256 * 1024;

const gunzip = promisify(zlib.gunzip) as Decode;
const inflate = promisify(zlib.inflate) as Decode;
const inflateRaw = promisify(zlib.inflateRaw) as Decode;
const brotliDecompress = promisify(zlib.brotliDecompress) as Decode;
const zstdDecompress = promisify(zlib.zstdDecompress) as Decode;
type Decode = (bytes: Uint8Array, options: { chunkSize: number; maxOutputLength: number }) => Promise<Buffer>;

/**
 * Reads the header.
 *
 * @returns codings in the order they must be undone; `undefined` when one is not known.
 */
export function parseCodings(header: string | readonly string[] | undefined): readonly Coding[] | undefined {
  const names = [header ?? []].flat().join(",").toLowerCase().split(",");
  const codings: Coding[] = [];
  for (const name of names.map((each) => each.trim().replace(/^x-/, ""))) {
    if (name === "" || name === "identity") continue;
    if (name !== "gzip" && name !== "br" && name !== "zstd" && name !== "deflate") return undefined;
    codings.unshift(name);
  }
  return codings.length > codingsMax ? undefined : codings;
}

/**
 * Decodes a complete body off the event loop.
 *
 * @param bytesMax - greatest decoded size.
 * @returns `undefined` when it is larger: decode it as a stream.
 * @throws what zlib says of wrong or unfinished data.
 */
export async function decodeWhole(
  bytes: Uint8Array,
  codings: readonly Coding[],
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  let decoded = bytes;
  try {
    for (const coding of codings) decoded = await decodeOne(decoded, coding, bytesMax);
  } catch (error) {
    if (isTooLarge(error)) return undefined;
    throw error;
  }
  return decoded.length > bytesMax ? undefined : decoded;
}

/** Decodes a body as it comes; memory does not grow with its length. */
export function decodeStream(
  source: AsyncIterable<Uint8Array>,
  codings: readonly Coding[],
): AsyncIterable<Uint8Array> {
  return codings.reduce((inner, coding) => decodeOneStream(inner, coding), source);
}

async function decodeOne(bytes: Uint8Array, coding: Coding, bytesMax: number): Promise<Uint8Array> {
  const options = { chunkSize: expectedBytes(bytes, coding, bytesMax), maxOutputLength: bytesMax };
  switch (coding) {
    case "gzip":
      return gunzip(bytes, options);
    case "br":
      return brotliDecompress(bytes, options);
    case "deflate":
      return isZlibWrapped(bytes[0]) ? inflate(bytes, options) : inflateRaw(bytes, options);
    case "zstd": {
      const frames = splitFrames(bytes);
      if (frames.length === 1) return zstdDecompress(frames[0]!, options);
      const pieces: Uint8Array[] = [];
      let total = 0;
      for (const frame of frames) {
        const piece = await zstdDecompress(frame, { chunkSize: pieceBytes, maxOutputLength: bytesMax });
        pieces.push(piece);
        total += piece.length;
        if (total > bytesMax) throw Object.assign(new Error("too large"), { code: "ERR_BUFFER_TOO_LARGE" });
      }
      return Buffer.concat(pieces);
    }
  }
}

/** gzip ends with its length, so that one allocation serves; for the others a guess, grown by zlib. */
function expectedBytes(bytes: Uint8Array, coding: Coding, bytesMax: number): number {
  const last = bytes.length - 4;
  const exact =
    coding === "gzip" && last > 0 ? Buffer.from(bytes.buffer, bytes.byteOffset + last, 4).readUInt32LE() : 0;
  const likely = exact > bytes.length / 2 ? exact + 1 : bytes.length * 4;
  return Math.max(64, Math.min(likely, Math.max(bytesMax, 64)));
}

async function* decodeOneStream(
  source: AsyncIterable<Uint8Array>,
  coding: Coding,
): AsyncGenerator<Uint8Array> {
  const options = { chunkSize: pieceBytes };
  switch (coding) {
    case "gzip":
      return yield* through(source, zlib.createGunzip(options));
    case "br":
      return yield* through(source, zlib.createBrotliDecompress(options));
    case "zstd":
      for await (const frame of streamFrames(source))
        yield* through(frame, zlib.createZstdDecompress(options));
      return;
    case "deflate": {
      const chunks = source[Symbol.asyncIterator]();
      const first = await chunks.next();
      if (first.done === true) return;
      const decoder = isZlibWrapped(first.value[0])
        ? zlib.createInflate(options)
        : zlib.createInflateRaw(options);
      return yield* through(startingWith(first.value, chunks), decoder);
    }
  }
}

async function* startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

async function* through(source: AsyncIterable<Uint8Array>, decoder: zlib.Gunzip): AsyncGenerator<Uint8Array> {
  const fed = pipeline(Readable.from(source), decoder);
  fed.catch(() => {}); // The same error comes out of the decoder, where it is thrown.
  for await (const chunk of decoder) yield chunk as Uint8Array; // A decoder without encoding gives Buffers.
  await fed;
}

/** "deflate" means zlib's wrapping, and some servers send it bare: a wrapped stream begins with method 8. */
function isZlibWrapped(first: number | undefined): boolean {
  return first !== undefined && (first & 0x0f) === 8;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
