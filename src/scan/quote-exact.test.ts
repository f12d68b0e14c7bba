import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { quoteExactColumns } from "./quote-exact.ts";

async function quoted(text: string, columns: readonly string[], size = text.length + 1): Promise<string> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = Buffer.from(bytes.subarray(at, at + size));
      yield chunk;
      chunk.fill(0x58); // Whoever made it uses it again.
    }
  }
  const parts: Uint8Array[] = [];
  for await (const part of quoteExactColumns(chunks(), new Set(columns))) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

test("numbers and nested values of the columns are quoted, all else goes through", async () => {
  const text =
    '{"a":-12.50e+3,"b":1,"c":{"a":1,"s":"q\\"\\\\"},"d":[1, 2],"e":"text","f":true,"g":null}\n' +
    '{"a":"already","c":null,"d":false}\n';
  expect(await quoted(text, ["a", "c", "d", "e", "f", "g"])).toBe(
    '{"a":"-12.50e+3","b":1,"c":"{\\"a\\":1,\\"s\\":\\"q\\\\\\"\\\\\\\\\\"}","d":"[1, 2]","e":"text","f":true,"g":null}\n' +
      '{"a":"already","c":null,"d":false}\n',
  );
});

test("columns are known by their decoded names, and only at the top", async () => {
  expect(await quoted('{"\\u0061":1,"b":{"a":2},"é":3,"A":4,"q\\"":5}\n', ["a", "é", 'q"'])).toBe(
    '{"\\u0061":"1","b":{"a":2},"é":"3","A":4,"q\\"":"5"}\n',
  );
});

test("blanks between tokens stay, and a tab in a nested value is escaped", async () => {
  expect(await quoted('{ "a" :\t1 , "b" : [\t{ } ] }  \n', ["a", "b"])).toBe(
    '{ "a" :\t"1" , "b" : "[\\t{ } ]" }  \n',
  );
});

test("without columns nothing changes", async () => {
  const text = '{}\n{ }\n\n{"a":[{"b":"}"}]}\n{"last":1}';
  expect(await quoted(text, [])).toBe(text);
});

test("a last line without its end is a line", async () => {
  expect(await quoted('{"a":1}\n{"a":2}', ["a"])).toBe('{"a":"1"}\n{"a":"2"}');
});

test("what is no landed row is refused", async () => {
  for (const text of ['{"a":1', '{"a":"x', '{"a":[1', "[1]\n", '{"a" 1}\n', '{"a":"\\'])
    await expect(quoted(text, ["a"])).rejects.toThrow(/landed row/);
});

test("every value reads back as the text it was, however the rows are cut", async () => {
  const value = fc.oneof(
    fc.json(),
    fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/),
  );
  const row = fc.uniqueArray(fc.tuple(fc.constantFrom("a", "b", "long name", "é"), value), {
    selector: ([key]) => key,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), async (rows, size) => {
      const lines = rows.map((members) => `{${members.map(([key, text]) => `"${key}":${text}`).join(",")}}`);
      const out = await quoted(lines.map((line) => `${line}\n`).join(""), ["a", "é"], size);
      const read = out
        .split("\n")
        .slice(0, -1)
        .map((line) => Object.entries(JSON.parse(line) as object));
      const expected = rows.map((members) =>
        members.map(([key, text]) => {
          const isQuoted = (key === "a" || key === "é") && /^[-0-9{[]/.test(text);
          return [key, isQuoted ? text : JSON.parse(text)];
        }),
      );
      expect(read).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("DuckDB keeps a quoted decimal and a quoted nested value to the last digit", async () => {
  const folder = await mkdtemp(join(tmpdir(), "leat-quote-"));
  const row =
    '{"price":1234567890123456789.10,"box":{"w":123456789012345678901234567890.123,"t":"\\u00e9"}}\n';
  await writeFile(join(folder, "rows.ndjson"), await quoted(row, ["price", "box"]));
  const duck = await (await DuckDBInstance.create(":memory:")).connect();
  const read = await duck.runAndReadAll(
    `SELECT CAST(price AS VARCHAR), CAST(CAST(box AS JSON) AS VARCHAR) FROM read_ndjson('${join(folder, "rows.ndjson")}', ` +
      "columns = {price: 'DECIMAL(38,2)', box: 'VARCHAR'})",
  );
  expect(read.getRows()).toEqual([
    ["1234567890123456789.10", '{"w":123456789012345678901234567890.123,"t":"\\u00e9"}'],
  ]);
  duck.closeSync();
  await rm(folder, { recursive: true });
});
