import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type ColumnKinds, kindBits } from "../model/column-kinds.ts";
import type { Compression } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { createMemoryStore, type Interpose, type MemoryObjects } from "../testing/memory-store.ts";
import { crc32cOf } from "./crc32c.ts";
import { partName } from "./names.ts";
import { readPart } from "./part-reader.ts";
import { PartWriter } from "./part-writer.ts";

const exact: ColumnKinds = { kinds: kindBits.decimal, intDigitsMax: 1, scaleMax: 30, hasExactNumbers: true };

function open(compression: Compression = "none", interpose?: Interpose) {
  const objects: MemoryObjects = new Map();
  const store = createMemoryStore({ objects, ...(interpose === undefined ? {} : { interpose }) });
  const writer = new PartWriter({ store, compression, keyOf: (number) => partName(number, compression) });
  return { objects, store, writer };
}

async function add(writer: PartWriter, line: string): Promise<void> {
  const bytes = Buffer.from(`${line}\n`);
  if (writer.room(bytes.length) < 0) await writer.makeRoom(bytes.length);
  const at = writer.room(bytes.length);
  bytes.copy(writer.block, at);
  writer.added(at + bytes.length);
}

/** Lines of a kilobyte, so that some thousand of them fill a block. */
const wide = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i}-${"x".repeat(1000)}`);

async function attempt(
  writer: PartWriter,
  lines: readonly string[],
  ends: "confirm" | "drop",
): Promise<void> {
  writer.beginAttempt();
  for (const line of lines) await add(writer, line);
  await writer[ends]();
}

async function readAll(store: ObjectStore, writer: PartWriter): Promise<string[]> {
  let text = "";
  for (const part of await writer.finish()) {
    const before = text.length;
    for await (const chunk of readPart(store, part)) text += Buffer.from(chunk).toString("utf8");
    expect(text.slice(before).split("\n").length - 1).toBe(part.records);
    expect(text.length - before).toBe(part.plainBytes);
  }
  return text === "" ? [] : text.slice(0, -1).split("\n");
}

describe("I2 rows of an attempt", () => {
  test.each([
    "none",
    "gzip",
    "zstd",
  ] as const)("that was dropped are in no part, those confirmed are, in order (%s)", async (compression) => {
    const { store, writer } = open(compression);
    await attempt(writer, ["a", "b"], "confirm");
    await attempt(writer, ["never"], "drop");
    await attempt(writer, wide("large", 2500), "drop");
    await attempt(writer, ["c"], "confirm");
    await attempt(writer, wide("kept", 2500), "confirm");
    await attempt(writer, ["d"], "confirm");
    expect(await readAll(store, writer)).toEqual(["a", "b", "c", ...wide("kept", 2500), "d"]);
  });

  test("that begin where a block is full are taken back without what was confirmed before", async () => {
    const { store, writer } = open();
    const confirmed = wide("first", 1040); // 1 MiB less some rows.
    await attempt(writer, confirmed, "confirm");
    await attempt(writer, wide("dropped", 40), "drop");
    await attempt(writer, wide("dropped", 5000), "drop");
    await attempt(writer, ["last"], "confirm");
    expect(await readAll(store, writer)).toEqual([...confirmed, "last"]);
  });

  test("count as landed bytes only while they are not dropped", async () => {
    const { writer } = open();
    await attempt(writer, ["abc"], "confirm");
    await attempt(writer, wide("dropped", 3000), "drop");
    expect(writer.plainBytes).toBe(4);
    await writer.abort();
  });
});

test("a row larger than a block has a block of its own", async () => {
  const { store, writer } = open("zstd");
  const lines = ["a", "y".repeat(3 * 1024 * 1024), "b"];
  await attempt(writer, lines, "confirm");
  expect(await readAll(store, writer)).toEqual(lines);
});

test("parts roll at a hundred thousand records, and are numbered in order", async () => {
  const { objects, store, writer } = open();
  const lines = Array.from({ length: 230_000 }, (_, i) => `{"n":${i},"x":"0123456789"}`);
  await attempt(writer, lines, "confirm");
  expect(await readAll(store, writer)).toEqual(lines);
  expect([...objects.keys()]).toEqual(["part-00001.ndjson", "part-00002.ndjson", "part-00003.ndjson"]);
});

test("an entry tells size and checksum of what is stored", async () => {
  const { objects, writer } = open("gzip");
  await attempt(writer, ["a", "b"], "confirm");
  const [part] = await writer.finish();
  const body = objects.get("part-00001.ndjson.gz")!.body;
  expect(part).toMatchObject({ bytes: body.length, crc32c: crc32cOf(body), plainBytes: 4, records: 2 });
  expect(gunzipSync(body).toString()).toBe("a\nb\n");
});

test("nothing written makes no part, and a finished writer begins anew under later numbers", async () => {
  const { objects, writer } = open();
  expect(await writer.finish()).toEqual([]);
  await attempt(writer, ["a"], "confirm");
  expect(await writer.finish()).toHaveLength(1);
  await attempt(writer, ["b"], "confirm");
  expect((await writer.finish()).map(({ key }) => key)).toEqual(["part-00002.ndjson"]);
  expect(objects.size).toBe(2);
});

describe("I14 columns with numbers that a double does not hold", () => {
  test("are named by every part that may have such a row, and by no later one", async () => {
    const { writer } = open();
    await attempt(writer, wide("plain", 3000), "confirm");
    writer.beginAttempt();
    for (const line of wide("exact", 3000)) await add(writer, line);
    writer.noteExact(new Map([["amount", exact]]));
    await writer.confirm();
    const parts = await writer.finish();
    expect(parts.flatMap((part) => part.exactColumns)).toContain("amount");
    expect(parts.at(-1)?.exactColumns).toEqual(["amount"]);
    await attempt(writer, ["later"], "confirm");
    expect((await writer.finish())[0]?.exactColumns).toEqual([]);
  });

  test("are named by the part that was closed before the batch was counted", async () => {
    const { writer } = open();
    writer.beginAttempt();
    const lines = Array.from({ length: 130_000 }, (_, i) => `{"n":${i},"x":"0123456789"}`);
    for (const line of lines) await add(writer, line);
    writer.noteExact(new Map([["n", exact]]));
    await writer.confirm();
    expect((await writer.finish()).map((part) => part.exactColumns)).toEqual([["n"], ["n"]]);
  });
});

describe("a store that fails", () => {
  const failing = (kind: string, nth: number): Interpose => {
    let count = 0;
    return async (operation, effect) => {
      if (operation.kind === kind && ++count === nth) throw new Error(`the ${kind} failed`);
      return effect();
    };
  };

  test.each([
    ["openWriter", 1],
    ["write", 1],
    ["write", 2],
    ["commit", 1],
  ] as const)("in %s %i is told, and what is left can be aborted", async (kind, nth) => {
    const { objects, writer } = open("none", failing(kind, nth));
    const run = async () => {
      await attempt(writer, wide("row", 4000), "confirm");
      await writer.finish();
    };
    await expect(run()).rejects.toThrow(`the ${kind} failed`);
    await writer.abort();
    expect(objects.size).toBe(0);
  });

  test("never brings confirmed rows twice", async () => {
    const { writer } = open("none", failing("openWriter", 2));
    const confirmed = wide("kept", 500);
    await attempt(writer, confirmed, "confirm");
    writer.beginAttempt();
    await expect(
      (async () => {
        for (const line of wide("attempt", 2000)) await add(writer, line);
      })(),
    ).rejects.toThrow("failed");
    await writer.drop();
    const parts = await writer.finish();
    expect(parts.reduce((sum, part) => sum + part.records, 0)).toBe(confirmed.length);
  });
});
