import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson } from "./exact-json.ts";

test("numbers that a double holds are numbers, however they are written", () => {
  expect(parseExactJson('{"a":1,"b":0.1,"c":1e3,"d":10.50,"e":9007199254740992,"f":-0.0,"g":1E-7}')).toEqual({
    a: 1,
    b: 0.1,
    c: 1000,
    d: 10.5,
    e: 9007199254740992,
    f: -0,
    g: 1e-7,
  });
});

test("numbers that a double would round are their text", () => {
  const text =
    '{"a":12345678901234567890.123,"b":9007199254740993,"c":1e400,"d":0.12345678901234567890,"x":1}';
  expect(parseExactJson(text)).toEqual({
    a: "12345678901234567890.123",
    b: "9007199254740993",
    c: "1e400",
    d: "0.12345678901234567890",
    x: 1,
  });
  expect(parseExactJson("9007199254740993")).toBe("9007199254740993");
});

test("deep inside they are written again as they were", () => {
  const text = '{"a":{"b":[9007199254740993,1.5,{"c":1e400}]},"__proto__":12345678901234567890}';
  expect(JSON.stringify(parseExactJson(text))).toBe(
    '{"a":{"b":[9007199254740993,1.5,{"c":1e400}]},"__proto__":"12345678901234567890"}',
  );
});

test("all else is what JSON.parse makes of it", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      expect(JSON.stringify(parseExactJson(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
  expect(() => parseExactJson("{")).toThrow(SyntaxError);
});
