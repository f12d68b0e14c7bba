import { describe, expect, test } from "vitest";
import { hintOfKnown, nearestName } from "./nearest-name.ts";

describe("nearestName", () => {
  test.each([
    ["ordres", "orders"],
    ["order", "orders"],
    ["Orders", "orders"],
    ["shop.order", "shop.orders"],
    ["41", "414"],
  ])("takes %s for a slip of %s", (typed, meant) => {
    expect(nearestName(typed, ["items", meant, "customers"])).toBe(meant);
  });

  test("guesses nothing when nothing is near", () => {
    expect(nearestName("xyz", ["orders", "items"])).toBeUndefined();
    expect(nearestName("orders", [])).toBeUndefined();
  });

  test("does not spend time on what nobody types", () => {
    expect(nearestName("a".repeat(1_000_000), ["a".repeat(1_000_000)])).toBeUndefined();
  });
});

test("a hint lists what is known, and counts what is too much", () => {
  expect(hintOfKnown("x", "streams", [])).toBe("There are no streams.");
  expect(hintOfKnown("ordesr", "streams", ["orders"])).toBe('Did you mean "orders"? Known streams: orders.');
  const many = Array.from({ length: 25 }, (_, index) => `stream-${index}`);
  expect(hintOfKnown("zzz", "streams", many)).toMatch(/stream-19, and 5 more\.$/);
});
