import { describe, expect, test } from "vitest";
import { parseCursor } from "../model/cursor.ts";
import { parseCursorToken, tokenText } from "./cursor-token.ts";

const token = (text: string) => {
  const bytes = Buffer.from(`  ${text} ,`);
  return [bytes, 2, 2 + Buffer.byteLength(text)] as const;
};

describe("a token's text", () => {
  test.each([
    ['"abc"', "abc"],
    ['""', ""],
    ['"a\\u0062\\n"', "ab\n"],
    ['"é"', "é"],
    ["-12.50", "-12.50"],
    ["123456789012345678901", "123456789012345678901"],
    ["null", undefined],
    ["true", undefined],
    ["[1]", undefined],
    ['{"a":1}', undefined],
  ])("%s", (text, read) => {
    expect(tokenText(...token(text))).toBe(read);
  });
});

test.each([
  '"2026-01-02T03:04:05Z"',
  '"2026-01-02T03:04:05.1Z"',
  '"2026-01-02T03:04:05.123456Z"',
  '"2026-01-02T03:04:05.1234567Z"',
  '"2026-01-31T03:04:05Z"',
  '"2026-02-29T03:04:05Z"',
  '"2024-02-29T03:04:05Z"',
  '"2026-01-02T24:00:00Z"',
  '"2026-01-02T03:04:60Z"',
  '"1969-12-31T23:59:59.5Z"',
  '"2400-12-31T23:59:59.5Z"',
  '"2026-01-02T03:04:05.Z"',
  '"2026-01-02T03:04:05,5Z"',
  '"2026-01-02 03:04:05Z"',
  '"2026-01-02T03:04:05+00:00"',
  '"2026-01-02T03:04:0\\u0035Z"',
  '"2026/01/02T03:04:05Z"',
  '"2026-01-02T03-04-05Z"',
  '"2026-01-02T03:04:5xZ"',
])("I3 the fast path reads %s as the careful one does", (text) => {
  const careful = parseCursor(JSON.parse(text) as string, "iso");
  const parsed = parseCursorToken(...token(text), "iso", "UTC");
  expect(parsed === undefined ? undefined : BigInt(parsed)).toBe(careful);
});

test("I3 a missing token, null and a number where text is meant are no value", () => {
  expect(parseCursorToken(Buffer.from("x"), -1, -1, "iso", "UTC")).toBeUndefined();
  expect(parseCursorToken(...token("null"), "iso", "UTC")).toBeUndefined();
  expect(parseCursorToken(...token("17"), "iso", "UTC")).toBeUndefined();
  expect(parseCursorToken(...token("17"), "integer", "UTC")).toBe(17n);
  expect(parseCursorToken(...token('"17"'), "integer", "UTC")).toBe(17n);
});
