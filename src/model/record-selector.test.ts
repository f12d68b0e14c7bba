import { describe, expect, test } from "vitest";
import { parseRecordSelector, type SelectorStep } from "./record-selector.ts";

const json = (...steps: SelectorStep[]) => ({ form: "json", steps, isSingle: false });

describe("a selector is read", () => {
  test.each([
    ["", json("each")],
    ["[*]", json("each")],
    ["data.items", json({ key: "data" }, { key: "items" }, "each")],
    ["data.items[*]", json({ key: "data" }, { key: "items" }, "each")],
    ["[*].plants[*]", json("each", { key: "plants" }, "each")],
    ["[*].plants", json("each", { key: "plants" }, "each")],
    ['["a.b"].c', json({ key: "a.b" }, { key: "c" }, "each")],
    ['a["$"]', json({ key: "a" }, { key: "$" }, "each")],
    ['["say \\"hi\\" \\u00e9"]', json({ key: 'say "hi" é' }, "each")],
    ["@odata value", json({ key: "@odata value" }, "each")],
    ["a[*][*]", json({ key: "a" }, "each", "each")],
  ])("%s", (text, selector) => {
    expect(parseRecordSelector(text)).toEqual(selector);
  });

  test("lines, the document itself, and one object of it", () => {
    expect(parseRecordSelector("lines")).toEqual({ form: "lines" });
    expect(parseRecordSelector("$")).toEqual({ form: "json", steps: [], isSingle: true });
    expect(parseRecordSelector("data.$")).toEqual({ form: "json", steps: [{ key: "data" }], isSingle: true });
  });
});

test.each([
  ".",
  "a.",
  "a..b",
  "$.a",
  "a[0]",
  "a[",
  'a."b"',
  '["a',
  '["\\q"]',
  '["a\nb"]',
  "data.$[*]",
])("%j is refused as a declaration, with the position", (text) => {
  expect(() => parseRecordSelector(text)).toThrow(
    expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringMatching(/position \d+/) }),
  );
});
