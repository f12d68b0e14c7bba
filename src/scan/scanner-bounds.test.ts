/** What is larger, deeper or more than anybody expects: bounds hold, and what comes after is read. */
import { describe, expect, test } from "vitest";
import { openFor, scanAll } from "../../test/golden/scan-all.ts";
import { kindBits } from "../model/column-kinds.ts";

const whole = Number.POSITIVE_INFINITY;

describe("large and deep", () => {
  test("a record above the bound is skipped, its beginning kept, and the next is read", () => {
    const long = `{"s":"${"x".repeat(300)}"}`;
    for (const size of [1, 17, whole]) {
      const { records } = scanAll(`[${long},{"a":1}]`, "", size, { recordBytesMax: 100 });
      expect(records).toEqual([
        { text: long.slice(0, 100), problem: "too-large", fields: [] },
        { text: '{"a":1}', problem: "none", fields: [] },
      ]);
    }
  });

  test("a failure behind a skipped middle still names the record's place", () => {
    for (const size of [1, whole]) {
      const { error } = scanAll(`[{},{"a":["${"x".repeat(300)}"}]`, "", size, { recordBytesMax: 100 });
      expect(error).toContain("brackets that do not match in a record at byte 4.");
      const after = scanAll(`[{"a":"${"x".repeat(300)}"},]`, "", size, { recordBytesMax: 100 });
      expect(after.error).toContain("no record at byte 310.");
    }
  });

  test("a record of 40 MB is passed over without being held", () => {
    const scanner = openFor("");
    scanner.push(Buffer.from('[{"s":"'));
    for (let i = 0; i < 640; i += 1) {
      scanner.push(Buffer.alloc(65_536, 0x78));
      expect(scanner.take()).toBeUndefined();
    }
    scanner.push(Buffer.from('"},{}]'));
    const batch = scanner.take()!;
    expect([batch.count, batch.ends[0]! - batch.starts[0]!, batch.problems[1]]).toEqual([2, 65_536, 0]);
    // The buffer has grown to one record of the greatest size at most.
    expect(batch.bytes.length).toBeLessThanOrEqual(2 * (16 * 1024 * 1024 + 512 * 1024));
  });

  test("512 levels are read, 513 are too deep, and levels are those of the record alone", () => {
    const deep = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
    for (const size of [1, whole]) {
      const found = scanAll(
        `{"data":{"items":[${deep(512)},${deep(513)},${deep(600)}]}}`,
        "data.items",
        size,
      );
      expect(found.records.map(({ problem }) => problem)).toEqual(["none", "too-deep", "too-deep"]);
    }
  });

  test("an array of a hundred thousand levels is passed over", () => {
    const text = `[{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}},{}]`;
    expect(scanAll(text, "").records.map(({ problem }) => problem)).toEqual(["too-deep", "none"]);
  });

  test("keys of a hundred kilobytes are told apart and found again", () => {
    const key = (last: string) => `${"k".repeat(100_000)}${last}`;
    const record = `{"${key("a")}":1,"${key("b")}":{"${key("c")}":2}}`;
    const found = scanAll(`[${record},${record},{"${key("a")}":1,"${key("a")}":2}]`, "", 4096);
    expect(found.records.map(({ problem }) => problem)).toEqual(["none", "none", "duplicate-key"]);
    expect(Object.keys(found.columns)).toEqual([key("a"), key("b")]);
  });

  test("ten thousand columns", () => {
    const members = Array.from({ length: 10_000 }, (_, i) => `"column ${i}":${i % 7 === 0 ? `"${i}"` : i}`);
    const twice = `{${members.join(",")},"column 17":0}`;
    const found = scanAll(
      `[{${members.join(",")}},{${members.toReversed().join(",")}},${twice}]`,
      "",
      65_536,
    );
    expect(found.records.map(({ problem }) => problem)).toEqual(["none", "none", "duplicate-key"]);
    expect(Object.keys(found.columns)).toHaveLength(10_000);
    expect(found.columns["column 7"]).toMatchObject({ kinds: kindBits.text });
  });

  test("keys that never come again are forgotten without being mixed up", () => {
    const records = Array.from({ length: 150_000 }, (_, i) => `{"id":${i},"by_day":{"${i}":1,"${i + 1}":2}}`);
    records.push('{"id":1,"by_day":{"5":1,"5":2}}');
    const found = scanAll(`[${records.join(",")}]`, "", whole, { fields: ["id", "by_day.7"] });
    const problems = found.records.map(({ problem }) => problem);
    expect(problems.slice(0, -1).every((problem) => problem === "none")).toBe(true);
    expect(problems.at(-1)).toBe("duplicate-key");
    expect(found.records.filter(({ fields }) => fields[1] !== undefined)).toHaveLength(2);
    expect(Object.keys(found.columns)).toEqual(["id", "by_day"]);
  });

  test("large numbers of an envelope are their text, also where a key comes twice", () => {
    const text =
      '{"n":-12345678901234567890,"a":[1e400,1.5,0.10],"k":[1,{"k":2}],"k":9007199254740993,"items":[]}';
    expect(scanAll(text, "items", 1).end?.envelope).toEqual({
      n: "-12345678901234567890",
      a: ["1e400", 1.5, 0.1],
      k: "9007199254740993",
      items: [],
    });
    for (let bound = 40; bound < text.length + 10; bound += 1) {
      const { envelope } = scanAll(text, "items", 1, { envelopeBytesMax: bound }).end!;
      expect(envelope === undefined).toBe(bound < text.length + 6);
    }
  });

  test("an envelope above the bound is not kept, and still read strictly", () => {
    const beside = `"${"x".repeat(5000)}"`;
    const found = scanAll(`{"beside":${beside},"items":[{}]}`, "items", 9, { envelopeBytesMax: 1000 });
    expect(found.end).toEqual({ envelope: undefined, recordCount: 1, isFound: true });
    expect(
      scanAll(`{"beside":${beside},"items":[{}],}`, "items", 9, { envelopeBytesMax: 1000 }).error,
    ).toMatch(/^SOURCE_NOT_JSON/);
  });
});
