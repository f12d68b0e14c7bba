import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openFor, scanAll, scanWith } from "../../test/golden/scan-all.ts";
import { foldColumn, kindBits } from "../model/column-kinds.ts";

const whole = Number.POSITIVE_INFINITY;

/** Texts and problems alone. */
function recordsOf(input: Uint8Array | string, selector: string, sizes: number | readonly number[] = whole) {
  return scanAll(input, selector, sizes).records.map(({ text, problem }) =>
    problem === "none" ? text : `${problem}: ${text}`,
  );
}

describe("where records stand", () => {
  test("in the root array", () => {
    expect(recordsOf(' [ {"a":1} , {} ] ', "")).toEqual(['{"a":1}', "{}"]);
    expect(recordsOf('[{"a":1}]', "[*]")).toEqual(['{"a":1}']);
  });

  test("below keys, also where these are escaped, and only there", () => {
    const text =
      '{"x":{"items":[{"id":9}]},"data":{"n":[{"id":8}],"\\u0069tems":[{"id":1}]},"items":[{"id":7}]}';
    expect(recordsOf(text, "data.items")).toEqual(['{"id":1}']);
  });

  test("below a key with dots", () => {
    expect(recordsOf('{"a.b":[{"id":1}],"a":{"b":[{"id":2}]}}', '["a.b"]')).toEqual(['{"id":1}']);
  });

  test("in several arrays of one document", () => {
    const found = scanAll(
      '[{"plants":[{"id":1}]},{"plants":[]},{},{"plants":[{"id":2}]}]',
      "[*].plants[*]",
      3,
    );
    expect(found.records.map(({ text }) => text)).toEqual(['{"id":1}', '{"id":2}']);
    expect(found.end).toEqual({
      envelope: [{ plants: [] }, { plants: [] }, {}, { plants: [] }],
      recordCount: 2,
      isFound: true,
    });
  });

  test("in arrays of arrays", () => {
    expect(recordsOf('[[{"id":1}],[],[{"id":2}]]', "[*][*]")).toEqual(['{"id":1}', '{"id":2}']);
  });

  test("as the document itself, which stays in the envelope", () => {
    const found = scanAll('{"id":7,"next":12345678901234567890}', "$", 4);
    expect(found.records).toEqual([
      { text: '{"id":7,"next":12345678901234567890}', problem: "none", fields: [] },
    ]);
    expect(found.end?.envelope).toEqual({ id: 7, next: "12345678901234567890" });
  });

  test("as the document itself, whose strings stay what they are", () => {
    const text =
      '{"\\"1":"12345678901234567890 \\\\","a":[-1e400,0.5,"x\\"9007199254740993"],"b":9007199254740993}';
    expect(scanAll(text, "$", 1).end?.envelope).toEqual({
      '"1': "12345678901234567890 \\",
      a: ["-1e400", 0.5, 'x"9007199254740993'],
      b: "9007199254740993",
    });
  });

  test("as the only object at a key; a broken one leaves the envelope whole", () => {
    const found = scanAll('{"data":{"id":7,"id":8},"next":"n"}', "data.$");
    expect(found.records.map(({ problem }) => problem)).toEqual(["duplicate-key"]);
    expect(found.end?.envelope).toEqual({ data: {}, next: "n" });
  });

  test("one a line, blank lines apart, the last without an end", () => {
    expect(recordsOf('\n{"a":1}\r\n \n{"a":2}', "lines", 1)).toEqual(['{"a":1}', '{"a":2}']);
  });

  test("what follows a record on its line is a record of its own that is no JSON", () => {
    expect(recordsOf('{"a":1} {"a":2}\n{"a":3}\n', "lines", 2)).toEqual([
      '{"a":1}',
      'invalid-json: {"a":2}',
      '{"a":3}',
    ]);
  });
});

describe("where nothing stands", () => {
  test.each([
    ['{"data":{}}', "data.items"],
    ['{"data":null}', "data.items"],
    ['{"data":{"items":null}}', "data.items"],
    ["null", ""],
    ['[{"plants":null},{}]', "[*].plants[*]"],
  ])("%s has no place for %s", (text, selector) => {
    const { records, end } = scanAll(text, selector, 1);
    expect({ records, isFound: end?.isFound }).toEqual({ records: [], isFound: false });
  });

  test.each([
    ["[]", "", []],
    ['{"items":[ ]}', "items", { items: [] }],
  ])("an empty array is found: %s", (text, selector, envelope) => {
    expect(scanAll(text, selector).end).toEqual({ envelope, recordCount: 0, isFound: true });
  });

  test.each([
    ['{"items":{}}', "items", "At items the answer has an object where"],
    ['{"data":"no"}', "data.items", "At data the answer has a string where"],
    ["{}", "", "At the top the answer has an object where the stream's selector expects an array."],
    [
      "[[1]]",
      "[*].plants[*]",
      "At [*] the answer has an array where the stream's selector expects an object.",
    ],
    ["-1", "", "At the top the answer has a number where"],
    ['{"a":true}', "a.$", "At a the answer has a boolean where"],
  ])("%s is of another shape than %s", (text, selector, message) => {
    const { error } = scanAll(text, selector, 1);
    expect(error).toContain(`SOURCE_SHAPE_CHANGED ${message}`);
  });
});

describe("answers that are no JSON", () => {
  test.each([
    ["", "SOURCE_NOT_JSON The answer is empty."],
    [" \n ", "SOURCE_NOT_JSON The answer is empty."],
    ["\ufeff", "SOURCE_NOT_JSON The answer is empty."],
    ["[{}] []", "SOURCE_NOT_JSON The answer is not JSON: something after the end of the document at byte 5."],
    ["[{}]x", "SOURCE_NOT_JSON The answer is not JSON: something after the end of the document at byte 4."],
    ["[{},]", "SOURCE_NOT_JSON The answer is not JSON: no record at byte 4."],
    ["[,{}]", "SOURCE_NOT_JSON The answer is not JSON: no record at byte 1."],
    [
      "[{} {}]",
      "SOURCE_NOT_JSON The answer is not JSON: no comma or closing bracket after a record at byte 4.",
    ],
    [
      '[{"a":[1}]',
      "SOURCE_NOT_JSON The answer is not JSON: brackets that do not match in a record at byte 1.",
    ],
    ["<html>", "SOURCE_NOT_JSON The answer is not JSON: no JSON value at byte 0."],
    ['[{"a":1}', "SOURCE_TRUNCATED The answer ended in the middle, after byte 8."],
    ['[{"a":"\\u00', "SOURCE_TRUNCATED The answer ended in the middle, after byte 11."],
    ["[", "SOURCE_TRUNCATED The answer ended in the middle, after byte 1."],
    ["nul", "SOURCE_TRUNCATED The answer ended in the middle, after byte 3."],
    ["\xef", "SOURCE_NOT_JSON The answer is not JSON: no JSON value at byte 0."],
  ])("%j", (text, error) => {
    for (const size of [1, whole]) expect(scanAll(text, "", size).error).toBe(error);
  });

  test("the beginning of an answer in which nothing was found is in the details, 200 bytes of it", () => {
    const scanner = openFor("items");
    scanner.push(Buffer.from(`<!doctype html>${"x".repeat(500)}`));
    expect(() => scanner.take()).toThrow(
      expect.objectContaining({ details: { offset: 0, beginning: `<!doctype html>${"x".repeat(185)}` } }),
    );
  });

  test("a page for people is no JSON Lines either", () => {
    expect(scanAll("<html>\n", "lines").error).toMatch(/^SOURCE_NOT_JSON/);
  });

  test("a last line that is cut is told from one that is broken", () => {
    expect(scanAll('{"a":1}\n{"a":', "lines", 1).error).toMatch(/^SOURCE_TRUNCATED/);
    expect(recordsOf('{"a":\n{"a":1}\n', "lines", 1)).toEqual(['invalid-json: {"a":', '{"a":1}']);
  });

  test("records before a failure are handed out first, however the answer comes", () => {
    for (const size of [1, 5, whole]) expect(recordsOf('[{"a":1},{"a":2}]]', "", size)).toHaveLength(2);
  });

  test.each([
    '{"k":"\\ud8"}',
    '{"k":"\x01"}',
    '{"k":1.}',
    '{"k":[1,]}',
    '{"k":01}',
    '{"k" 1}',
    '{"k":1,}',
  ])("an envelope is read strictly: %j", (envelope) => {
    expect(scanAll(envelope, "items", 1).error).toMatch(/^SOURCE_NOT_JSON/);
  });

  test("a scanner goes on with the next document after a failure", () => {
    const scanner = openFor("");
    expect(scanWith(scanner, '[{"a":1},{"b":', whole, 0).error).toMatch(/^SOURCE_TRUNCATED/);
    scanner.restart();
    expect(scanWith(scanner, '[{"c":1}]', whole, 0).records).toHaveLength(1);
  });
});

describe("cut anywhere", () => {
  test.each([
    '[{"s":"\\ud83d\\ude00😀é\\u0000\\"\\\\"},{"n":-12.50e+10,"t":true,"f":false,"z":null},{"":{"":[[],{}]}}]',
    '[ { "a" : [ 1 , { "b" : "x" } ] } , { "a" : [ ] } ]',
  ])("%s", (text) => {
    const bytes = Buffer.from(text);
    const expected = scanAll(bytes, "", whole, { fields: ["s", "a"] });
    expect(expected.records.every(({ problem }) => problem === "none")).toBe(true);
    for (let at = 1; at < bytes.length; at += 1) {
      expect(scanAll(bytes, "", [at, bytes.length], { fields: ["s", "a"] })).toEqual(expected);
    }
  });

  test("a document much larger than what is read at once", () => {
    const items = Array.from({ length: 5000 }, (_, i) => `{"id":${i},"text":"${"é".repeat(i % 300)}"}`);
    const found = scanAll(`[${items.join(",")}]`, "", whole, { fields: ["id"] });
    expect(found.records.map(({ text }) => text)).toEqual(items);
    expect(found.records.map(({ fields }) => fields[0])).toEqual(items.map((_, i) => String(i)));
    expect(scanAll(`[${items.join(",")}]`, "", [1000, 70_000], { fields: ["id"] })).toEqual(found);
  });
});

describe("wanted fields", () => {
  test("are found below objects, by escaped keys too, and not below arrays", () => {
    const text =
      '[{"\\u0069d":[1],"a":{"\\u0062":{"c":"x"}},"l":[{"m":1}]},{"id":null,"a":{"b":2}},{"a":[]}]';
    const found = scanAll(text, "", 1, { fields: ["id", "a.b.c", "a.b", "a", "l.m"] });
    expect(found.records.map(({ fields }) => fields)).toEqual([
      ["[1]", '"x"', '{"c":"x"}', '{"\\u0062":{"c":"x"}}', undefined],
      ["null", undefined, "2", '{"b":2}', undefined],
      [undefined, undefined, undefined, "[]", undefined],
    ]);
  });

  test("named twice are given twice", () => {
    const { records } = scanAll('[{"id":5}]', "", whole, { fields: ["id", "x", "id"] });
    expect(records[0]?.fields).toEqual(["5", undefined, "5"]);
  });

  test("of records with a problem are missing", () => {
    const { records } = scanAll('[{"id":5,"tenant_id":1}]', "", whole, {
      fields: ["id"],
      reserved: ["Tenant_ID"],
    });
    expect(records).toEqual([
      { text: '{"id":5,"tenant_id":1}', problem: "reserved-column", fields: [undefined] },
    ]);
  });
});

describe("columns", () => {
  test("are the union over records without a problem", () => {
    const { columns } = scanAll(
      '[{"a":1,"b":"x"},{"a":12.50,"b":null},{"a":true,"c":[1e400]},{"d":1,"d":2},{"a":tru,"e":1}]',
      "",
      1,
    );
    expect(columns).toEqual({
      a: {
        kinds: kindBits.integer | kindBits.decimal | kindBits.boolean,
        intDigitsMax: 2,
        scaleMax: 1,
        hasExactNumbers: false,
      },
      b: { kinds: kindBits.text | kindBits.null, intDigitsMax: 0, scaleMax: 0, hasExactNumbers: false },
      c: { kinds: kindBits.array, intDigitsMax: 0, scaleMax: 0, hasExactNumbers: true },
    });
  });

  test("are kept over documents until they are reset", () => {
    const scanner = openFor("");
    scanWith(scanner, '[{"a":1}]', whole, 0);
    scanner.restart();
    expect(Object.keys(scanWith(scanner, '[{"b":"x"}]', whole, 0).columns)).toEqual(["a", "b"]);
    scanner.resetColumns();
    scanner.restart();
    expect(scanWith(scanner, '[{"b":1}]', whole, 0).columns).toEqual({
      b: { kinds: kindBits.integer, intDigitsMax: 1, scaleMax: 0, hasExactNumbers: false },
    });
  });

  test("do not depend on how records fall into documents", () => {
    const value = fc.constantFrom(
      "1",
      "-2.50",
      "1e30",
      "12345678901234567890",
      '"x"',
      '"2024-01-02"',
      "null",
      "{}",
      "[9e999]",
    );
    const record = fc
      .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "ab", "abcd", "abcde", "abcdefgh"), value), {
        selector: ([key]) => key,
      })
      .map((members) => `{${members.map(([key, text]) => `"${key}":${text}`).join(",")}}`);
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => {
        const together = scanAll(`[${records.join(",")}]`, "").columns;
        const apart: Record<string, unknown> = {};
        for (const text of records) {
          const scanner = openFor("");
          scanWith(scanner, `[${text}]`, whole, 0);
          for (const [key, seen] of scanner.columns()) {
            apart[key] = foldColumn(apart[key] as Parameters<typeof foldColumn>[0], seen);
          }
        }
        expect(together).toEqual(apart);
      }),
      { numRuns: 200 },
    );
  });
});
