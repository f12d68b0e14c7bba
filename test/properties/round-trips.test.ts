import fc from "fast-check";
import { expect, test } from "vitest";
import { Boundary, type BoundaryEntry } from "../../src/extract/boundary.ts";
import { decodeState, encodeState } from "../../src/extract/run-state.ts";
import { decodeManifest, encodeManifest } from "../../src/landing/manifest-codec.ts";
import { partName } from "../../src/landing/names.ts";
import { readPart } from "../../src/landing/part-reader.ts";
import { PartWriter } from "../../src/landing/part-writer.ts";
import { type ColumnKinds, foldColumns } from "../../src/model/column-kinds.ts";
import { toRunId, toTenantId } from "../../src/model/ids.ts";
import type { PartEntry, PartitionState } from "../../src/model/manifest.ts";
import { createMemoryStore, type MemoryObjects } from "../../src/testing/memory-store.ts";
import { manifestOf } from "./manifest-of.ts";

const anyText = fc.string({ unit: "binary", maxLength: 30 });
const count = fc.nat(2 ** 31);
const anyValue = fc.option(fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }), { nil: undefined });
const anyState: fc.Arbitrary<PartitionState> = fc.record({
  cursor: anyValue,
  scannedTo: anyValue,
  next: anyValue,
  since: anyValue,
});
const anyKinds: fc.Arbitrary<ColumnKinds> = fc.record({
  kinds: fc.nat(1023),
  intDigitsMax: fc.nat(400),
  scaleMax: fc.nat(400),
  hasExactNumbers: fc.boolean(),
});
const anyColumns = fc
  .array(fc.tuple(fc.oneof(anyText, fc.constantFrom("__proto__", "constructor", "")), anyKinds), {
    maxLength: 8,
  })
  .map((entries) => new Map(entries));
const anyPart: fc.Arbitrary<PartEntry> = fc.record({
  key: anyText,
  bytes: count,
  plainBytes: count,
  records: count,
  crc32c: fc.constant("0123abcd"),
  exactColumns: fc.array(anyText, { maxLength: 3 }),
});
const anyHash = fc.uint8Array({ minLength: 16, maxLength: 16 });
const anyEntry: fc.Arbitrary<BoundaryEntry> = fc.record({
  content: anyHash,
  cursor: fc.option(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), { nil: undefined }),
  partition: fc.nat(1000),
  count: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  isOwn: fc.constant(false),
});

test("a manifest says the same after it was stored", () => {
  const anyManifest = fc
    .record({
      kind: fc.constantFrom("data", "empty", "state-edit", "closed", "forget"),
      idempotencyKey: fc.option(anyText, { nil: undefined }),
      isFinal: fc.boolean(),
      before: anyState,
      main: anyState,
      columns: anyColumns,
      parts: fc.array(anyPart, { maxLength: 3 }),
      quarantine: fc.array(anyPart, { maxLength: 2 }),
      doneKeys: fc.array(anyText, { maxLength: 3 }),
      forgets: fc.array(fc.nat(), { maxLength: 3 }),
      seq: fc.integer({ min: 1, max: 2 ** 40 }),
      tenant: anyText.map(toTenantId),
      sourceClockMs: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
      number: count,
      state: fc.constantFrom("visible", "open", "completed"),
      runId: fc.option(anyText.map(toRunId), { nil: undefined }),
      inline: fc.option(anyText, { nil: undefined }),
      edit: fc.option(
        fc.record({
          who: anyText,
          at: anyText,
          why: anyText,
          landedBefore: fc.constantFrom("missing", "again"),
        }),
        { nil: undefined },
      ),
    })
    .map(({ number, state, runId, main, inline, ...given }) =>
      manifestOf(1, {
        ...given,
        generation: { number, state, runId },
        state: { main, partitionCount: 1, boundaryCount: 2, inline, file: undefined },
      }),
    );
  fc.assert(
    fc.property(anyManifest, (manifest) => {
      expect(decodeManifest(encodeManifest(manifest), "a test")).toEqual(manifest);
    }),
    { numRuns: 300 },
  );
});

test("I5 a state is the same after it was stored, and a cut within it is refused", () => {
  const anyPlan = fc.record({
    partitions: fc.uniqueArray(fc.tuple(anyText, anyState), { selector: ([key]) => key, maxLength: 5 }),
    entries: fc.array(fc.tuple(anyHash, anyEntry), { maxLength: 40 }),
    cut: fc.nat(),
  });
  fc.assert(
    fc.property(anyPlan, ({ partitions, entries, cut }) => {
      const boundary = new Boundary();
      const expected = new Map<string, BoundaryEntry>();
      for (const [key, entry] of entries) {
        boundary.set(key, entry);
        expected.set(Buffer.from(key).toString("hex"), { ...entry, content: Buffer.from(entry.content) });
      }
      const state = {
        partitions: new Map(partitions.map(([key, one], number) => [key, { number, state: one }])),
        boundary,
      };
      const bytes = encodeState(state);
      const again = decodeState(bytes, "a test");
      expect(again.partitions).toEqual(state.partitions);
      expect(
        new Map([...again.boundary].map(([key, entry]) => [Buffer.from(key).toString("hex"), entry])),
      ).toEqual(expected);
      const length = cut % bytes.length;
      // Whole entries may be missing at the end: that is what the file's checksum is for.
      if ((bytes.length - length) % 48 !== 0) {
        expect(() => decodeState(bytes.subarray(0, length), "a test")).toThrow(
          expect.objectContaining({ code: "MANIFEST_INVALID" }),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("I14 columns fold to the same whatever the order and however often", () => {
  fc.assert(
    fc.property(fc.array(anyColumns, { maxLength: 5 }), (tables) => {
      const folded = [...foldColumns(tables)];
      expect([...foldColumns([...tables].reverse())]).toEqual(folded);
      expect([...foldColumns([...tables, ...tables])]).toEqual(folded);
      const [first, ...rest] = tables;
      expect([...foldColumns([foldColumns(rest), first ?? new Map()])]).toEqual(folded);
    }),
    { numRuns: 300 },
  );
});

test("I2 whatever attempts are made and dropped, parts hold what was confirmed, in order", {
  timeout: 60_000,
}, async () => {
  const anyAttempt = fc.record({
    rows: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 5 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 900 }) },
    ),
    rowBytes: fc.constantFrom(1, 40, 4000, 300_000),
    isDropped: fc.boolean(),
    finishes: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    notes: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  });
  const plan = fc.record({
    attempts: fc.array(anyAttempt, { maxLength: 8 }),
    compression: fc.constantFrom("none", "gzip", "zstd"),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ attempts, compression }) => {
      const objects: MemoryObjects = new Map();
      const store = createMemoryStore({ objects });
      const writer = new PartWriter({ store, compression, keyOf: (number) => partName(number, compression) });
      const exact: ColumnKinds = { kinds: 8, intDigitsMax: 1, scaleMax: 30, hasExactNumbers: true };
      const confirmed: string[] = [];
      const mustName = new Map<string, string>();
      const parts: PartEntry[] = [];
      for (const [index, { rows, rowBytes, isDropped, finishes, notes }] of attempts.entries()) {
        writer.beginAttempt();
        const lines = Array.from(
          { length: rowBytes > 4000 ? Math.min(rows, 12) : rows },
          (_, row) => `${index}:${row}:${"x".repeat(rowBytes)}`,
        );
        for (const line of lines) {
          const bytes = Buffer.from(`${line}\n`);
          if (writer.room(bytes.length) < 0) await writer.makeRoom(bytes.length);
          const at = writer.room(bytes.length);
          bytes.copy(writer.block, at);
          writer.added(at + bytes.length);
          if (notes === undefined) continue;
          writer.noteExact(new Map([[notes, exact]])); // A batch of one row.
          if (!isDropped) mustName.set(line, notes);
        }
        if (isDropped) await writer.drop();
        else {
          await writer.confirm();
          confirmed.push(...lines);
        }
        if (finishes) parts.push(...(await writer.finish()));
      }
      parts.push(...(await writer.finish()));
      const read: string[] = [];
      for (const part of parts) {
        let text = "";
        for await (const chunk of readPart(store, part)) text += Buffer.from(chunk).toString("latin1");
        const lines = text.split("\n").slice(0, -1);
        expect(lines).toHaveLength(part.records);
        for (const line of lines) {
          const column = mustName.get(line);
          if (column !== undefined) expect(part.exactColumns).toContain(column);
        }
        read.push(...lines);
      }
      expect(read.map((line) => line.slice(0, 30))).toEqual(confirmed.map((line) => line.slice(0, 30)));
      expect(new Set(parts.map(({ key }) => key)).size).toBe(parts.length);
    }),
    { numRuns: 60 },
  );
});
