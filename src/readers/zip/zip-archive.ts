/** A .zip file: its members listed and judged before any is unpacked, read whole or as a stream, and checked. */
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { PassThrough, pipeline } from "node:stream";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { type Entry, fromBufferPromise, openPromise } from "yauzl";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";

/** Most members of an archive. A workbook has some hundred; a million names would take the memory of a workbook. */
const entriesMax = 10_000;
/** Most bytes that an archive may unpack to: sixteen sheets of a million full rows. */
const inflatedBytesMax = 8 * 2 ** 30;
/** Unpacked bytes for each byte of the file. Real workbooks have 3 to 30, wide empty formatting some 150; a bomb 1000. */
const ratioMax = 300;
/** Below this many unpacked bytes the ratio does not matter: they can be read anyway. */
const ratioFreeBytes = 64 * 2 ** 20;
/** Bytes read and unpacked at once. With less, the hand-over between threads costs more than the work. */
const chunkBytes = 256 * 1024;
/** Files up to this size are read at once for their list: several small reads a member take longer than all of it. */
const wholeBytesMax = 8 * 2 ** 20;

const localHeaderBytes = 30;
const localHeaderSignature = 0x04034b50;

/** A member that can be read. */
export type ZipMember = Readonly<{ name: string; bytes: number; packedBytes: number }>;

export class ZipArchive implements Disposable {
  /** By name, as it stands in the archive; folders are left out. */
  readonly members: ReadonlyMap<string, ZipMember>;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #fd: number;
  readonly #name: string;

  private constructor(fd: number, name: string, entries: ReadonlyMap<string, Entry>) {
    this.#fd = fd;
    this.#name = name;
    this.#entries = entries;
    this.members = new Map(
      [...entries].map(([key, { uncompressedSize, compressedSize }]) => [
        key,
        { name: key, bytes: uncompressedSize, packedBytes: compressedSize },
      ]),
    );
  }

  /**
   * Opens an archive and reads its list of members.
   *
   * @param name - what people call the file, for messages.
   * @throws LeatError `WORKBOOK_DAMAGED` when it is cut off or its list is wrong, `WORKBOOK_ENCRYPTED`, `WORKBOOK_BOMB`
   *   or `FILE_TOO_LARGE` by what its list says.
   */
  static async open(path: string, name: string): Promise<ZipArchive> {
    const entries = new Map<string, Entry>();
    let fileBytes: number;
    try {
      const isSmall = statSync(path).size <= wholeBytesMax;
      const zip = await (isSmall ? fromBufferPromise(readFileSync(path)) : openPromise(path));
      fileBytes = zip.fileSize;
      if (zip.entryCount > entriesMax) throw tooManyMembers(name, zip.entryCount);
      for await (const entry of zip.eachEntry()) {
        if (entry.fileName.endsWith("/")) continue;
        if (entries.has(entry.fileName)) {
          throw damaged(name, `The archive holds "${entry.fileName}" twice.`);
        }
        if (entries.size >= entriesMax) throw tooManyMembers(name, entriesMax + 1);
        entries.set(entry.fileName, entry);
      }
    } catch (error) {
      if (isLeatError(error)) throw error;
      const reason = error instanceof Error ? error.message : String(error); // The library's: names of members at most.
      throw damaged(name, `The list of the archive's members cannot be read: ${reason}.`, error);
    }
    refuseBomb(name, fileBytes, entries);
    return new ZipArchive(openSync(path, "r"), name, entries);
  }

  /** Reads a member whole, checked against its size and checksum. Blocks: for small parts in a process of their own. */
  read(member: string): Buffer {
    const entry = this.#entry(member);
    const packed = Buffer.allocUnsafe(entry.compressedSize);
    this.#readAt(packed, this.#dataStart(entry), member);
    let bytes: Buffer;
    try {
      bytes = entry.compressionMethod === 0 ? packed : inflateRawSync(packed, inflateBounds(entry));
    } catch (error) {
      throw this.#damagedMember(member, error);
    }
    if (bytes.length !== entry.uncompressedSize || crc32(bytes) !== entry.crc32)
      throw this.#damagedMember(member);
    return bytes;
  }

  /** Reads a member piece by piece; size and checksum are judged at its end. May be left before. */
  async *stream(member: string): AsyncGenerator<Buffer, void, undefined> {
    const entry = this.#entry(member);
    const inflated =
      entry.compressionMethod === 0 ? new PassThrough() : createInflateRaw({ chunkSize: chunkBytes });
    pipeline(this.#packed(entry), inflated, () => {}); // Failures reach the loop below.
    let bytes = 0;
    let checksum = 0;
    try {
      for await (const chunk of inflated as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > entry.uncompressedSize) break;
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      throw isLeatError(error) ? error : this.#damagedMember(member, error);
    } finally {
      inflated.destroy();
    }
    if (bytes !== entry.uncompressedSize || checksum !== entry.crc32) throw this.#damagedMember(member);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** A member's bytes as they lie in the file. */
  *#packed(entry: Entry): Generator<Buffer, void, undefined> {
    const start = this.#dataStart(entry);
    for (let at = 0; at < entry.compressedSize; at += chunkBytes) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, entry.compressedSize - at));
      this.#readAt(chunk, start + at, entry.fileName);
      yield chunk;
    }
  }

  #entry(member: string): Entry {
    const entry = this.#entries.get(member);
    assert(entry !== undefined, "only listed members are read");
    return entry;
  }

  /** Where a member's bytes begin: behind a header of their own, whose length only it knows. */
  #dataStart(entry: Entry): number {
    const header = Buffer.allocUnsafe(localHeaderBytes);
    this.#readAt(header, entry.relativeOffsetOfLocalHeader, entry.fileName);
    if (header.readUInt32LE(0) !== localHeaderSignature) throw this.#damagedMember(entry.fileName);
    const nameAndExtra = header.readUInt16LE(26) + header.readUInt16LE(28);
    return entry.relativeOffsetOfLocalHeader + localHeaderBytes + nameAndExtra;
  }

  #readAt(target: Buffer, position: number, member: string): void {
    for (let read = 0; read < target.length; ) {
      const count = readSync(this.#fd, target, read, target.length - read, position + read);
      if (count === 0) throw this.#damagedMember(member);
      read += count;
    }
  }

  #damagedMember(member: string, cause?: unknown): LeatError {
    return damaged(this.#name, `Its part "${member}" is cut off or damaged.`, cause);
  }
}

/** One byte more than declared is enough to see that there are more. */
const inflateBounds = (entry: Entry): { maxOutputLength: number } => ({
  maxOutputLength: entry.uncompressedSize + 1,
});

function damaged(name: string, message: string, cause?: unknown): LeatError {
  return new LeatError("WORKBOOK_DAMAGED", {
    message: `${name}: ${message}`,
    details: { file: name },
    cause,
  });
}

function tooManyMembers(name: string, count: number): LeatError {
  return new LeatError("WORKBOOK_BOMB", {
    message: `${name}: The archive holds ${count} members; at most ${entriesMax} are read.`,
    details: { file: name, count, entriesMax },
  });
}

/** Judges what the list declares, before a byte is unpacked; what is unpacked is later held to what it declared. */
function refuseBomb(name: string, fileBytes: number, entries: ReadonlyMap<string, Entry>): void {
  let inflatedBytes = 0;
  for (const entry of entries.values()) {
    if (entry.isEncrypted()) {
      throw new LeatError("WORKBOOK_ENCRYPTED", {
        message: `${name}: The member "${entry.fileName}" is encrypted.`,
        details: { file: name, member: entry.fileName },
      });
    }
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
      throw damaged(
        name,
        `Its part "${entry.fileName}" is packed by method ${entry.compressionMethod}; only deflate is read.`,
      );
    }
    inflatedBytes += entry.uncompressedSize;
  }
  const isBeyondRatio = inflatedBytes > ratioFreeBytes && inflatedBytes > ratioMax * fileBytes;
  if (isBeyondRatio || inflatedBytes > inflatedBytesMax) {
    throw new LeatError("WORKBOOK_BOMB", {
      message: `${name}: ${fileBytes} bytes would unpack to ${inflatedBytes}; at most ${ratioMax} times a file's size and ${inflatedBytesMax} bytes are.`,
      details: { file: name, fileBytes, inflatedBytes, ratioMax, inflatedBytesMax },
    });
  }
}
