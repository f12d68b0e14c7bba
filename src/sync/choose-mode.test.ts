import { describe, expect, test } from "vitest";
import type { CursorFormat } from "../model/cursor.ts";
import type { StreamSpec } from "../model/stream.ts";
import { chooseMode, type ModeRequest } from "./choose-mode.ts";

const spec = (format: CursorFormat | undefined, zone = "UTC") =>
  ({
    source: "shop",
    name: "orders",
    cursor: format === undefined ? undefined : { format, zone },
  }) as unknown as StreamSpec; // All that is looked at here.
const nowMs = Date.UTC(2026, 5, 1);
const us = (text: string) => BigInt(Date.parse(text)) * 1000n;
const ask = (request: Partial<ModeRequest>): ModeRequest => ({
  from: undefined,
  to: undefined,
  isFullRefresh: false,
  confirmShrink: false,
  ...request,
});

describe("chooseMode", () => {
  test("what is new, unless something is said", () => {
    expect(chooseMode(spec("iso"), ask({}), nowMs)).toEqual({ kind: "incremental" });
    expect(chooseMode(spec(undefined), ask({ isFullRefresh: true }), nowMs)).toEqual({
      kind: "refresh",
      confirmShrink: false,
    });
  });

  test("a range is read as a person writes it, in the stream's zone, for every kind of timestamp", () => {
    const range = ask({ from: "2026-01-01", to: "2026-02-01T00:00:00Z" });
    const wanted = { kind: "backfill", from: us("2026-01-01T00:00:00Z"), to: us("2026-02-01T00:00:00Z") };
    expect(chooseMode(spec("iso"), range, nowMs)).toEqual(wanted);
    expect(chooseMode(spec("epoch-ms"), range, nowMs)).toEqual(wanted);
    expect(chooseMode(spec("iso", "Europe/Vienna"), range, nowMs)).toEqual({
      ...wanted,
      from: us("2025-12-31T23:00:00Z"),
    });
  });

  test("a range without an end goes up to now", () => {
    expect(chooseMode(spec("iso"), ask({ from: "2026-01-01" }), nowMs)).toMatchObject({
      to: us("2026-06-01T00:00:00Z"),
    });
    expect(chooseMode(spec("integer"), ask({ from: "7", to: "9" }), nowMs)).toEqual({
      kind: "backfill",
      from: 7n,
      to: 9n,
    });
  });

  test.each([
    ["a word", "iso", { from: "yesterday" }, /from "yesterday" cannot be read/],
    ["a date for a stream that counts", "integer", { from: "2026-01-01", to: "9" }, /cannot be read/],
    ["an open end for one", "integer", { from: "7" }, /needs its end/],
    ["an end without a beginning", "iso", { to: "2026-01-01" }, /needs its beginning/],
    ["an empty range", "iso", { from: "2026-01-02", to: "2026-01-02" }, /is empty/],
    ["a range that begins in the future", "iso", { from: "2027-01-01" }, /is empty/],
    ["a range and a refresh", "iso", { from: "2026-01-01", isFullRefresh: true }, /contradicts/],
    ["a range without a cursor", undefined, { from: "2026-01-01" }, /has no cursor/],
  ] as const)("%s is refused", (_what, format, request, message) => {
    expect(() => chooseMode(spec(format), ask(request), nowMs)).toThrow(message);
  });
});
