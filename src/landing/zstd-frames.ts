/**
 * Zstandard frames, written and read one by one.
 *
 * Node's own zstd readers (24.21: `zstdDecompressSync`, `createZstdDecompress`) stop after the first frame without an
 * error, so that we find the frames ourselves (RFC 8878 §3.1.1: magic, header, blocks, checksum) and check the count.
 */
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { LeatError } from "../errors/leat-error.ts";

const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** Level 1: 2.7 times as fast as gzip 1 on records, and smaller (docs/decisions/007). */
const level = 1;

/** One frame of some bytes. */
export const compressFrame = (plain: Uint8Array): Promise<Uint8Array> =>
  compressAsync(plain, { params: { [constants.ZSTD_c_compressionLevel]: level } });

const magic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

/** A frame: its own bytes, and how many it says it holds. */
type Frame = Readonly<{ length: number; plainBytes: number | undefined }>;

/** The frame at the beginning of `bytes`, or `undefined` when it does not end within them. */
function findFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 8) return undefined;
  const first = bytes.readUInt32LE(0);
  if ((first & 0xfffffff0) >>> 0 === skippableMagic) {
    const length = 8 + bytes.readUInt32LE(4);
    return bytes.length >= length ? { length, plainBytes: 0 } : undefined;
  }
  if (first !== magic) throw corrupt("no Zstandard frame begins here");
  const descriptor = bytes[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  let at = 5 + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] ?? 0);
  const sizeAt = at;
  const sizeBytes = contentSizeBytes[descriptor >> 6] || (isSingleSegment ? 1 : 0);
  at += sizeBytes;
  for (let isLast = false; !isLast; ) {
    if (bytes.length < at + 3) return undefined;
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw corrupt("a block has the reserved type");
    at += 3 + (type === 1 ? 1 : header >> 3); // A run-length block holds one byte, whatever size it tells.
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (bytes.length < at) return undefined;
  return { length: at, plainBytes: readContentSize(bytes, sizeAt, sizeBytes) };
}

function readContentSize(bytes: Buffer, at: number, sizeBytes: number): number | undefined {
  if (sizeBytes === 0) return undefined;
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

const corrupt = (what: string) =>
  new LeatError("PART_CORRUPT", { message: `A landed file is damaged: ${what}.` });

/** Decompresses every frame of a file, in order. Holds one frame at a time. */
export async function* decompressFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    for (let frame = findFrame(held); frame !== undefined; frame = findFrame(held)) {
      yield await decompressFrame(held.subarray(0, frame.length), frame.plainBytes);
      held = held.subarray(frame.length);
    }
  }
  if (held.length > 0) throw corrupt("it ends in the middle of a frame");
}

/**
 * Most bytes that are made room for at once because a frame says that it holds them; others are put together from
 * pieces. What extract writes is below it, and a frame that lies costs no more.
 */
const roomBytesMax = 4 * 1024 * 1024;

/** Least and default piece of zlib, bytes. */
const pieceBytes = { least: 64, usual: 16 * 1024 } as const;

/** With the room made once: put together from pieces of the usual size, a frame takes twice as long. */
async function decompressFrame(frame: Buffer, plainBytes: number | undefined): Promise<Uint8Array> {
  const room = plainBytes === undefined || plainBytes > roomBytesMax ? pieceBytes.usual : plainBytes + 1;
  try {
    return await decompressAsync(frame, { chunkSize: Math.max(room, pieceBytes.least) });
  } catch (cause) {
    throw new LeatError("PART_CORRUPT", {
      message: "A landed file is damaged: a frame cannot be read.",
      cause,
    });
  }
}
