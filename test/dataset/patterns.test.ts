/** Patterns as engines run them find what JavaScript finds, or are refused. */
import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { globToExpression, toEnginePattern } from "../../src/define/define-dataset-patterns.ts";

let engine: DuckDBInstance;
let query: (sql: string) => Promise<unknown[][]>;
beforeAll(async () => {
  engine = await DuckDBInstance.create(":memory:");
  const connection = await engine.connect();
  query = async (sql) => (await connection.runAndReadAll(sql)).getRows();
});
afterAll(() => engine.closeSync());

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Whether engine and JavaScript find a pattern in the same texts. */
async function expectSame(pattern: RegExp, texts: readonly string[]): Promise<void> {
  const translated = toEnginePattern(pattern);
  if ("refused" in translated) return;
  const found = await query(
    `SELECT regexp_matches(text, ${quote(translated.pattern)}) FROM (VALUES ${texts.map((text, at) => `(${at}, ${quote(text)})`).join(", ")}) AS t(place, text) ORDER BY place`,
  );
  expect([String(pattern), found.map(([is]) => is)]).toEqual([
    String(pattern),
    texts.map((text) => new RegExp(pattern).test(text)),
  ]);
}

/** `[]` and `[^]`, which linters take for slips when they are written out. */
const emptyClass = (sign: string): string => `[${sign}]`;

/** Texts in which patterns of this page like to differ. */
const texts = [
  "",
  "E06000001",
  "e06000001",
  " E06000001",
  "a b",
  "a\u00a0b",
  "a\u2003b",
  "line\nbreak",
  "line\rbreak",
  "line\u2028break",
  "x.y",
  "x-y",
  "[a]",
  "a]b",
  "^a$",
  "café",
  "CAFÉ",
  "É",
  "été",
  "\\d",
  "1{2}",
  "tab\there",
  "a/b",
  "\u0008",
  "2018-02",
  "J99000001, K04000001",
];

test.each([
  /^[EW]\d{8}$/,
  /^[ew]\d{8}$/i,
  /\s/,
  /^\S+$/,
  /[\s,]/,
  /[^\s]/,
  /^.+$/,
  /^.+$/s,
  /a.b/,
  /^(?<code>[A-Z])(?:\d+)$/,
  /[[\]]/,
  /[a-c.]/,
  /\u00e9|\x41/,
  /\u{e9}/u,
  /^\^a\$$/,
  /\\d/,
  /1\{2\}/,
  /\t|\//,
  /[\b]/,
  /\bE/,
  /x\.y|x\x2dy/,
  /^(19|20)\d{2}-(0[1-9]|1[0-2])$/,
  /a{0,3}]?b/,
  /É/i,
])("%s finds the same in the engine", async (pattern) => {
  expect(toEnginePattern(pattern)).toHaveProperty("pattern");
  await expectSame(pattern, texts);
});

test.each([
  [/(?=x)/, "looking ahead or behind"],
  [/(?<!x)y/, "looking ahead or behind"],
  [/(a)\1/, "a reference back to a group"],
  [/(?<n>a)\k<n>/, "a reference back to a group"],
  [/^a$/m, "the flag m"],
  [/a/y, "the flag y"],
  [new RegExp(emptyClass("^")), "an empty class"],
  [new RegExp(emptyClass("")), "an empty class"],
  [/\p{L}/u, "a class by Unicode property"],
  [/a{1001}/, "a repetition of more than 1000"],
  [/[\S]/, "\\S within a class"],
  [/\ud83d/, "half of a character"],
  [/a^b/, "^ in the middle"],
  [/a$b/, "$ in the middle"],
  [/\cJ/, "the escape \\c"],
])("%s is refused for %s", (pattern, refused) => {
  expect(toEnginePattern(pattern)).toEqual({ refused });
});

test("a pattern that is translated finds the same in every text", async () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "E",
    "\\d",
    "\\w",
    "\\s",
    "\\S",
    ".",
    "[a-c]",
    "[^a\\s]",
    "\\.",
    "\\/",
    "(?:ab)",
    "(a|b)",
    "^",
    "$",
    "é",
    "\\x41",
    "\\b",
    " ",
  );
  const repeated = fc.tuple(piece, fc.constantFrom("", "", "", "*", "+", "?", "{1,2}", "{2}"));
  const source = fc.array(repeated, { minLength: 1, maxLength: 6 }).map((pieces) =>
    // A repeated assertion is an error in one and nothing in the other.
    pieces.map(([text, count]) => (/^(\^|\$|\\b)$/.test(text) ? text : text + count)).join(""),
  );
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "c", "E", "1", " ", ".", "/", "é", "\n", "\u00a0", "_"),
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(
      source,
      fc.constantFrom("", "i", "s"),
      fc.array(text, { minLength: 1, maxLength: 20 }),
      (pattern, flags, some) => expectSame(new RegExp(pattern, flags), [...some, ""]),
    ),
    { numRuns: 300 },
  );
});

test("a pattern of names means all of a name, and no sign in it means anything else", () => {
  expect(globToExpression("*.xls*").test("2018.xlsx")).toBe(true);
  expect(globToExpression("*.xls").test("2018.xlsx")).toBe(false);
  expect(globToExpression("2018?.xls").test("2018a.xls")).toBe(true);
  expect(globToExpression("a.b").test("axb")).toBe(false);
  expect(globToExpression("(a)[1]+.{2}").test("(a)[1]+.{2}")).toBe(true);
});
