import fc from "fast-check";
import { expect, test } from "vitest";
import { mayBeLossy, quoteLossyNumbers } from "./quote-lossy.ts";

/** Rewritten, with the bytes cut after each of `at` of them. */
async function quote(text: string, at = 1e9): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of quoteLossyNumbers(cut(text, at))) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

async function* cut(text: string, at: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += at) yield bytes.subarray(from, from + at);
}

const cases = [
  ['{"a":1,"b":-2.50,"c":1e3}', '{"a":1,"b":-2.50,"c":1e3}'],
  // Of a record's own whole numbers the engine keeps the text.
  ['{"a":123456789012345678901234567890}', '{"a":123456789012345678901234567890}'],
  ['{"a":12345678901234567.891}\n{"a":1}', '{"a":"12345678901234567.891"}\n{"a":1}'],
  ['[{"a":123456789012345678901}, {"a":1e400}]', '[{"a":123456789012345678901}, {"a":"1e400"}]'],
  ['{"a":{"b":123456789012345678901}}', '{"a":{"b":"123456789012345678901"}}'],
  ['{"a":[9007199254740993,0.12345678901234567890]}', '{"a":[9007199254740993,"0.12345678901234567890"]}'],
  ['{"12345678901234567.891":"\\"1e400,12345678901234567.891"}', undefined],
  ['{"été 12345678901234567.891":1}', undefined],
  ["{ not json 12345678901234567", undefined],
] as const;

test.each(cases)("%s", async (text, wanted) => {
  for (const at of [1e9, 1, 2, 3, 7]) expect(await quote(text, at)).toBe(wanted ?? text);
});

test("JSON stays what it was but for numbers that a double changes, wherever it is cut", async () => {
  const number = fc
    .tuple(
      fc.bigInt(-(10n ** 24n), 10n ** 24n),
      fc.constantFrom("", ".5", ".1234567890123456789", "e5", "E-300"),
    )
    .map(([whole, rest]) => `${whole}${rest}`);
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      number,
      fc.string().map((text) => JSON.stringify(text)),
      fc.constantFrom("true", "null"),
      fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
      fc
        .array(fc.tuple(fc.string(), tie("value")), { maxLength: 3 })
        .map((members) => `{${members.map(([key, own]) => `${JSON.stringify(key)} : ${own}`).join(",")}}`),
    ),
  })).value as fc.Arbitrary<string>; // Each of them is a text.
  await fc.assert(
    fc.asyncProperty(value, fc.integer({ min: 1, max: 9 }), async (own, at) => {
      const text = `{"a":${own}}`;
      const [whole, pieces] = [await quote(text), await quote(text, at)];
      expect(pieces).toBe(whole);
      JSON.parse(whole);
      // Nothing but quotes was added, and only where numbers might be lost.
      const bare = (json: string): string => json.replaceAll('"', "");
      expect(bare(whole)).toBe(bare(text));
      if (whole !== text) expect(await mayBeLossy(cut(text, at))).toBe(true);
    }),
  );
});
