import { expect, test } from "vitest";
import { parseRecordSelector } from "../model/record-selector.ts";
import { openScanner } from "../scan/open-scanner.ts";
import type { RecordBatch } from "../scan/record-batch.ts";
import { RecordCopies } from "./record-copies.ts";

const fields = ["a", "b", "volatile"];

function scan(records: readonly object[]): RecordBatch {
  const scanner = openScanner({ selector: parseRecordSelector("[*]"), fields, reserved: [] });
  scanner.push(Buffer.from(JSON.stringify(records)));
  const batch = scanner.take();
  if (batch === undefined) throw new Error("nothing was scanned");
  return batch;
}

/** What is handed out: the record, its fields' tokens, its value. */
function takeAll(copies: RecordCopies, floor: bigint | undefined): unknown[] {
  const taken: unknown[] = [];
  copies.take(floor, ({ bytes, starts, ends, fieldStarts, fieldEnds }, i, value) => {
    const text = bytes.toString("utf8", starts[i], ends[i]);
    const tokens = fields.map((_, field) => {
      const at = i * fields.length + field;
      const start = fieldStarts[at] ?? -1;
      return start < 0 ? undefined : bytes.toString("utf8", start, fieldEnds[at]);
    });
    taken.push([text, tokens, value]);
  });
  return taken;
}

test("copies outlive their batch with their fields, and come in order from the floor on", () => {
  const copies = new RecordCopies(fields.length, 2);
  const records = [
    { a: 1, b: "é", volatile: "x" },
    { b: 2, a: "long enough to move what follows" },
    { a: 3, b: 3 },
  ];
  const batch = scan(records);
  for (const i of records.keys()) expect(copies.add(batch, i, BigInt(i))).toBe(true);
  batch.bytes.fill(0);
  expect(takeAll(copies, 1n)).toEqual([
    [JSON.stringify(records[1]), ['"long enough to move what follows"', "2", undefined], 1n],
    [JSON.stringify(records[2]), ["3", "3", undefined], 2n],
  ]);
  expect(takeAll(copies, undefined)).toEqual([]);
});

test("a key that is there is refused until the copies are taken; two fields are told apart by their lengths", () => {
  const copies = new RecordCopies(fields.length, 2);
  const batch = scan([
    { a: 12, b: 3 },
    { a: 1, b: 23 },
    { a: 12, b: 3, volatile: 1 },
  ]);
  expect([0, 1, 2].map((i) => copies.add(batch, i, 0n))).toEqual([true, true, false]);
  expect(takeAll(copies, undefined)).toHaveLength(2);
  expect(copies.add(batch, 2, 0n)).toBe(true);
});

test("there is room for a thousand records, or for 256 KiB of them", () => {
  const many = scan(Array.from({ length: 1500 }, (_, a) => ({ a, b: 0 })));
  const copies = new RecordCopies(fields.length, 2);
  expect(Array.from({ length: 1500 }, (_, i) => copies.add(many, i, 0n)).indexOf(false)).toBe(1024);
  const large = scan(Array.from({ length: 3 }, (_, a) => ({ a, b: "x".repeat(100_000) })));
  const others = new RecordCopies(fields.length, 2);
  expect([0, 1, 2].map((i) => others.add(large, i, 0n))).toEqual([true, true, false]);
});
