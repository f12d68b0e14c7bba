import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Boundary, type BoundaryEntry } from "./boundary.ts";
import { hashKey, hashRecord, PassFingerprint } from "./record-hash.ts";

const hash = (text: string): Buffer => createHash("sha256").update(text).digest().subarray(0, 16);
const entry = (given: Partial<BoundaryEntry> = {}): BoundaryEntry => ({
  content: hash("content"),
  cursor: 7n,
  partition: 0,
  count: 1,
  isOwn: true,
  ...given,
});

describe("the boundary", () => {
  test("knows what was set last for a key, among many thousands", () => {
    const boundary = new Boundary();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20_000; i++) {
        boundary.set(hash(`key ${i}`), entry({ cursor: BigInt(i * 10 + round), count: i }));
      }
    }
    expect(boundary.size).toBe(20_000);
    expect(boundary.get(hash("key 12345"))).toEqual(entry({ cursor: 123_451n, count: 12_345 }));
    expect(boundary.get(hash("another"))).toBeUndefined();
  });

  test("tells keys apart that meet in one slot", () => {
    const boundary = new Boundary();
    const keys = Array.from({ length: 40 }, (_, i) => {
      const key = Buffer.alloc(16, 0);
      key[15] = i; // The slot is taken from the first bytes.
      return key;
    });
    for (const [i, key] of keys.entries()) boundary.set(key, entry({ count: i }));
    expect(keys.map((key) => boundary.get(key)?.count)).toEqual(keys.map((_, i) => i));
  });

  test("I5 is the same after it was stored, but that entries are no longer of this run", () => {
    const boundary = new Boundary();
    boundary.set(hash("a"), entry({ cursor: -5n, partition: 3, count: 9 }));
    boundary.set(hash("b"), entry({ cursor: undefined, content: hash("other") }));
    const again = Boundary.decode(boundary.encode());
    expect([...again]).toEqual([...boundary].map(([key, known]) => [key, { ...known, isOwn: false }]));
    expect(Boundary.decode(Buffer.alloc(0)).size).toBe(0);
  });

  test("I5 keeps an integer of more than 64 bits like a record without a value, which is never trimmed", () => {
    const boundary = new Boundary();
    boundary.set(hash("a"), entry({ cursor: 2n ** 63n }));
    boundary.set(hash("b"), entry({ cursor: 2n ** 63n - 1n }));
    expect(boundary.get(hash("a"))?.cursor).toBeUndefined();
    expect(boundary.get(hash("b"))?.cursor).toBe(2n ** 63n - 1n);
  });

  test("filters into a table of its own", () => {
    const boundary = new Boundary();
    for (let i = 0; i < 100; i++) boundary.set(hash(`${i}`), entry({ cursor: BigInt(i) }));
    const kept = boundary.filter(({ cursor }) => cursor !== undefined && cursor >= 90n);
    expect([kept.size, boundary.size]).toEqual([10, 100]);
    kept.set(hash("95"), entry({ cursor: 1n }));
    expect(boundary.get(hash("95"))?.cursor).toBe(95n);
  });
});

describe("records are known again", () => {
  const bytes = (text: string) => Buffer.from(text);

  test("I5 without their volatile values, in whatever order these come", () => {
    const text = '{"id":1,"fetched":"10:00","v":2,"request":"x"}';
    const later = '{"id":1,"fetched":"11:30:00","v":2,"request":""}';
    const of = (record: string) =>
      hashRecord(bytes(record), 0, record.length, [
        [record.indexOf('"request":') + 10, record.length - 1],
        [record.indexOf('"fetched":') + 10, record.indexOf(',"v"')],
      ]);
    expect(of(text)).toEqual(of(later));
    expect(of(text)).not.toEqual(hashRecord(bytes(text), 0, text.length, []));
    expect(hashRecord(bytes(text), 0, text.length, [[-1, -1]])).toEqual(
      hashRecord(bytes(text), 0, text.length, []),
    );
  });

  test("I5 by keys that are told apart however their parts are cut", () => {
    const key = (partition: string, ...tokens: string[]) => {
      let text = "";
      const extents = tokens.map((token) => {
        text += token;
        return [text.length - token.length, text.length] as const;
      });
      return hashKey(partition, bytes(text), extents).toString("hex");
    };
    const keys = [
      key("", '"a"', '"b"'),
      key("", '"a""b"'),
      key("", '"a', '""b"'),
      key("x", '"a"', '"b"'),
      key("x", '"a"'),
      key("", '"a"'),
      key("1:x", '"a"'),
      key("", "1"),
      key("", '"1"'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("I16 as a multiset: in any order, and with twins counted", () => {
    const print = (...texts: string[]) => {
      const fingerprint = new PassFingerprint();
      for (const text of texts) fingerprint.add(hash(text));
      return fingerprint.print();
    };
    expect(print("a", "b", "a")).toBe(print("a", "a", "b"));
    expect(print("a", "b")).not.toBe(print("a", "b", "b"));
    expect(print("a", "a")).not.toBe(print("b", "b"));
  });
});
