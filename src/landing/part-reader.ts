/** Landed parts → plain NDJSON, checked against what their manifest says. */

import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { FileEntry, PartEntry } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { openCrc32c } from "./crc32c.ts";
import { compressionOf } from "./names.ts";
import { decompressFrames } from "./zstd-frames.ts";

/**
 * A stored file's bytes, whose size and checksum are compared when the last one has been read.
 *
 * @throws {@link LeatError} `PART_MISSING`; `PART_CORRUPT` after the last byte, or before when there are too many.
 */
export async function* readChecked(
  store: ObjectStore,
  file: FileEntry | PartEntry,
): AsyncGenerator<Uint8Array> {
  const chunks = await store.readStream(file.key);
  if (chunks === undefined) {
    throw new LeatError("PART_MISSING", {
      message: `The landed file ${file.key} is not in ${store.url}.`,
      details: { key: file.key },
    });
  }
  const checksum = openCrc32c();
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    checksum.update(chunk);
    if (bytes > file.bytes) break;
    yield chunk;
  }
  const crc32c = checksum.digest();
  if (bytes === file.bytes && crc32c === file.crc32c) return;
  throw new LeatError("PART_CORRUPT", {
    message: `The landed file ${file.key} has ${bytes === file.bytes ? `checksum ${crc32c}` : `at least ${bytes} bytes`}; its manifest says ${file.bytes} bytes, checksum ${file.crc32c}.`,
    details: { key: file.key, bytes, crc32c, expectedBytes: file.bytes, expectedCrc32c: file.crc32c },
  });
}

/** The NDJSON of a part, in order, checked. */
export async function* readPart(store: ObjectStore, part: PartEntry): AsyncGenerator<Uint8Array> {
  yield* decode(readChecked(store, part), part);
}

/** The same for bytes that come from elsewhere (a private copy on disk). */
export function decodePart(stored: AsyncIterable<Uint8Array>, key: string): AsyncIterable<Uint8Array> {
  switch (compressionOf(key)) {
    case "none":
      return stored;
    case "zstd":
      return decompressFrames(stored);
    case "gzip":
      return pipeline(Readable.from(stored), createGunzip(), () => {}) as AsyncIterable<Uint8Array>; // A Gunzip is a stream of Buffers.
  }
}

async function* decode(stored: AsyncIterable<Uint8Array>, part: PartEntry): AsyncGenerator<Uint8Array> {
  let plainBytes = 0;
  try {
    for await (const chunk of decodePart(stored, part.key)) {
      plainBytes += chunk.byteLength;
      yield chunk;
    }
  } catch (cause) {
    throw damaged(cause, part.key);
  }
  if (plainBytes === part.plainBytes) return;
  throw new LeatError("PART_CORRUPT", {
    message: `The landed file ${part.key} holds ${plainBytes} bytes of records; its manifest says ${part.plainBytes}.`,
    details: { key: part.key },
  });
}

/** The NDJSON of a part that has been staged on this machine's disk, for warehouses that must rewrite it. */
export function readStagedPart(
  part: Readonly<{ path: string; entry: PartEntry }>,
): AsyncIterable<Uint8Array> {
  return decodePart(createReadStream(part.path, { highWaterMark: stagedChunkBytes }), part.entry.key);
}

/** Bytes a read asks for at once. */
const stagedChunkBytes = 1024 * 1024;

/** What a decompressor says is said of the file; a store's own failures pass. */
function damaged(cause: unknown, key: string): unknown {
  const isNamed = isLeatError(cause) && (cause.code !== "PART_CORRUPT" || cause.details["key"] !== undefined);
  if (isNamed || (!isLeatError(cause) && !isZlibError(cause))) return cause;
  return new LeatError("PART_CORRUPT", {
    message: `The landed file ${key} cannot be decompressed.`,
    details: { key },
    cause,
  });
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("Z_");

/** All bytes of a small file, checked. */
export async function readFileEntry(store: ObjectStore, file: FileEntry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readChecked(store, file)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
