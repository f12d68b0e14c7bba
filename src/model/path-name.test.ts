import { expect, test } from "vitest";
import { encodeName } from "./path-name.ts";

test("a name keeps what is alike on every disk, and escapes the rest byte by byte", () => {
  expect(encodeName("metrc_plants-2")).toBe("metrc_plants-2");
  expect(encodeName("Ab/c.é~")).toBe("~41b~2fc~2e~c3~a9~7e");
});

test("I13 names that meet on some disks are kept apart", () => {
  const names = ["A", "a", "é", "e\u0301", "41", "414", "4~31", "tenant=41", "..", ".", "a/b", "a~2fb"];
  expect(new Set(names.map((name) => encodeName(name).toLowerCase().normalize("NFC"))).size).toBe(
    names.length,
  );
});

test("a long name becomes a digest, which no short name can look like", () => {
  const long = "x".repeat(101);
  expect(encodeName("x".repeat(100))).toBe("x".repeat(100));
  expect(encodeName(long)).toMatch(/^~~[0-9a-f]{64}$/);
  expect(encodeName(long)).not.toBe(encodeName(`${long}x`));
  expect(encodeName(encodeName(long))).not.toBe(encodeName(long));
});

test("empty and ill-formed names are refused", () => {
  for (const name of ["", "\ud800", "a\udc00b"]) {
    expect(() => encodeName(name)).toThrow(expect.objectContaining({ code: "NAME_INVALID" }));
  }
});
