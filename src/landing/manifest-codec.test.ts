import { describe, expect, test } from "vitest";
import { manifestOf } from "../../test/properties/manifest-of.ts";
import { toRunId } from "../model/ids.ts";
import { decodeManifest, encodeManifest } from "./manifest-codec.ts";

const parse = (change: (document: Record<string, unknown>) => void) => {
  const document = JSON.parse(Buffer.from(encodeManifest(manifestOf(1))).toString()) as Record<
    string,
    unknown
  >;
  change(document);
  return () => decodeManifest(Buffer.from(JSON.stringify(document)), "log/1.json");
};

test("a manifest says the same after it was stored", () => {
  const manifest = manifestOf(12, {
    kind: "state-edit",
    idempotencyKey: 'k"\u2028\ud800',
    generation: { number: 3, state: "completed", runId: toRunId("abc") },
    before: { cursor: 2n ** 90n, scannedTo: -1n, next: 0n, since: undefined },
    columns: new Map([["__proto__", { kinds: 5, intDigitsMax: 400, scaleMax: 0, hasExactNumbers: true }]]),
    edit: { who: "me", at: "2026-01-01T00:00:00.000Z", why: "because", landedBefore: "again" },
    forgets: [1, 2],
    sourceClockMs: 0,
    partitionColumn: "place",
  });
  expect(decodeManifest(encodeManifest(manifest), "x")).toEqual(manifest);
});

test("a manifest of files says the same after it was stored, and one without has no such member", () => {
  const { state } = manifestOf(1);
  const manifest = manifestOf(3, {
    kind: "data",
    files: [{ key: "landing/x/file-00001.xls", bytes: 9, crc32c: "00000000", sha256: "ab" }],
    state: { ...state, fileCount: 1, inline: "e30=" },
  });
  expect(decodeManifest(encodeManifest(manifest), "x")).toEqual(manifest);
  expect(decodeManifest(encodeManifest(manifestOf(1)), "x")).not.toHaveProperty("files");
});

describe("a manifest that cannot be understood is refused by name", () => {
  test.each([
    ["of a newer format", (document: Record<string, unknown>) => (document["formatVersion"] = 2)],
    ["without a count", (document: Record<string, unknown>) => delete document["counts"]],
    [
      "with a cursor that is a number",
      (document: Record<string, unknown>) => (document["before"] = { cursor: 1 }),
    ],
    ["with a negative seq", (document: Record<string, unknown>) => (document["seq"] = -1)],
    ["of an unknown kind", (document: Record<string, unknown>) => (document["kind"] = "data2")],
  ])("%s", (_name, change) => {
    expect(parse(change)).toThrow(
      expect.objectContaining({ code: "MANIFEST_INVALID", message: expect.stringContaining("log/1.json") }),
    );
  });

  test("that is no JSON", () => {
    expect(() => decodeManifest(Buffer.from("{"), "log/1.json")).toThrow(
      expect.objectContaining({ code: "MANIFEST_INVALID" }),
    );
  });

  test("but one with a member that a later version adds is read", () => {
    expect(parse((document) => (document["later"] = 1))().seq).toBe(1);
  });
});
