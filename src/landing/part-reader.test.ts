import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { PartEntry } from "../model/manifest.ts";
import { createMemoryStore, type MemoryObjects } from "../testing/memory-store.ts";
import { crc32cOf } from "./crc32c.ts";
import { readFileEntry, readPart } from "./part-reader.ts";
import { compressFrame } from "./zstd-frames.ts";

const plain = Buffer.from('{"a":1}\n{"a":2}\n');

async function stored(ending: "" | ".gz" | ".zst", change: (bytes: Buffer) => Buffer = (bytes) => bytes) {
  const bytes = Buffer.from(
    ending === ".gz"
      ? Buffer.concat([gzipSync(plain.subarray(0, 8)), gzipSync(plain.subarray(8))])
      : ending === ".zst"
        ? await compressFrame(plain)
        : plain,
  );
  const entry: PartEntry = {
    key: `landing/part-00001.ndjson${ending}`,
    bytes: bytes.length,
    plainBytes: plain.length,
    records: 2,
    crc32c: crc32cOf(bytes),
    exactColumns: [],
  };
  const objects: MemoryObjects = new Map([[entry.key, { body: change(bytes), createdAtMs: 0 }]]);
  return { entry, objects, store: createMemoryStore({ objects, chunkBytes: 5 }) };
}

async function read(given: Awaited<ReturnType<typeof stored>>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readPart(given.store, given.entry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const corrupt = expect.objectContaining({
  code: "PART_CORRUPT",
  message: expect.stringContaining("part-00001"),
});

describe.each(["", ".gz", ".zst"] as const)("a landed part %s", (ending) => {
  test("is read as it was written", async () => {
    expect(await read(await stored(ending))).toEqual(plain);
  });

  test("I14 that was changed in any byte is refused by name", async () => {
    const { length } = (await stored(ending)).objects.get(`landing/part-00001.ndjson${ending}`)!.body;
    for (let at = 0; at < length; at++) {
      const given = await stored(ending, (bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      });
      await expect(read(given), `byte ${at}`).rejects.toThrow(corrupt);
    }
  });

  test("I14 that was cut off, or has grown, is refused by name", async () => {
    for (const change of [
      (bytes: Buffer) => bytes.subarray(0, bytes.length - 1),
      (bytes: Buffer) => bytes.subarray(0, 1),
      () => Buffer.alloc(0),
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("\n")]),
    ]) {
      await expect(read(await stored(ending, change))).rejects.toThrow(corrupt);
    }
  });

  test("that is not there is PART_MISSING", async () => {
    const given = await stored(ending);
    given.objects.clear();
    await expect(read(given)).rejects.toThrow(expect.objectContaining({ code: "PART_MISSING" }));
  });

  test("whose manifest tells another number of plain bytes is refused", async () => {
    const given = await stored(ending);
    const entry = { ...given.entry, plainBytes: plain.length + 1 };
    await expect(read({ ...given, entry })).rejects.toThrow(corrupt);
  });
});

test("a small file is read whole and checked", async () => {
  const given = await stored("");
  expect(await readFileEntry(given.store, given.entry)).toEqual(plain);
  const wrong = { ...given.entry, crc32c: "00000000" };
  await expect(readFileEntry(given.store, wrong)).rejects.toThrow(corrupt);
});

test("CRC32C is Castagnoli's", async () => {
  expect(crc32cOf(Buffer.from("123456789"))).toBe("e3069283");
  expect(crc32cOf(Buffer.alloc(32))).toBe("8a9136aa");
});
