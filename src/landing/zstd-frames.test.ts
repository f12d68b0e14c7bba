import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { compressFrame, decompressFrames } from "./zstd-frames.ts";

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = bytes.length): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompressFrames(cut(bytes, Math.max(1, size)))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const text = (length: number) => Buffer.from("landed rows, ".repeat(length / 13 + 1).slice(0, length));
const noise = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7919 + (i >> 3)) & 0xff));

describe("frames one after the other", () => {
  test("are all read, where Node's own reader stops after the first", async () => {
    const frames = Buffer.concat([await compressFrame(text(1000)), await compressFrame(noise(1000))]);
    expect(zstdDecompressSync(frames)).toHaveLength(1000);
    expect(await read(frames)).toEqual(Buffer.concat([text(1000), noise(1000)]));
  });

  test.each([1, 7, 64, 4096])("are found in chunks of %i bytes", async (size) => {
    const plain = [text(1), noise(5000), Buffer.alloc(300_000, 0x61), text(140_000)];
    const frames = Buffer.concat(await Promise.all(plain.map(compressFrame)));
    expect(await read(frames, size)).toEqual(Buffer.concat(plain));
  });

  test("are found with checksums, without content sizes, and with skippable ones between", async () => {
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const withChecksum = zstdCompressSync(text(70_000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    const withoutSize = zstdCompressSync(text(300), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
    const bytes = Buffer.concat([withChecksum, skippable, withoutSize, await compressFrame(Buffer.alloc(0))]);
    expect(await read(bytes, 11)).toEqual(Buffer.concat([text(70_000), text(300)]));
  });

  test("none are no bytes", async () => {
    expect(await read(Buffer.alloc(0))).toHaveLength(0);
  });
});

describe("a damaged file", () => {
  test("cut at any byte is an error, but between two frames, where the count of bytes tells", async () => {
    const first = await compressFrame(text(500));
    const frames = Buffer.concat([first, await compressFrame(noise(200))]);
    for (let length = 1; length < frames.length; length++) {
      if (length === first.length) continue;
      await expect(read(frames.subarray(0, length)), `cut at ${length}`).rejects.toThrow(
        expect.objectContaining({ code: "PART_CORRUPT" }),
      );
    }
  });

  test("with another beginning, a reserved block or strange content is an error", async () => {
    const frame = Buffer.from(await compressFrame(noise(200)));
    const reserved = Buffer.from(frame);
    const header = 4 + 1 + 1; // Magic, descriptor, and a content size of one byte.
    reserved[header] = (reserved[header] ?? 0) | 6;
    for (const bytes of [
      Buffer.from('{"a":1}\n{"a":2}\n'),
      reserved,
      Buffer.concat([frame, Buffer.from("tail!!!!!!")]),
    ]) {
      await expect(read(bytes)).rejects.toThrow(expect.objectContaining({ code: "PART_CORRUPT" }));
    }
  });
});
