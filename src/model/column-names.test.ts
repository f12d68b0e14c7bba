import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnNameBytesMax, foldColumnName, planColumnNames } from "./column-names.ts";

const reserved = ["tenant_id", "_leat_package", "_leat_row", "_leat_extracted_at"];
const plan = (keys: readonly string[], named: readonly string[] = []) =>
  planColumnNames(keys, { reserved, named: new Set(named) });

/** Keys that like to collide: cases, digits, compositions, lengths. */
const anyKey = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(
    "id",
    "Id",
    "ID",
    "",
    " ",
    "tenant_id",
    "TENANT_ID",
    "_leat_row",
    "_LEAT_x",
    "é",
    "e\u0301",
  ),
  fc.constantFrom("empty", "a\0b", "a\u0001b", "a_b", "select", "x".repeat(200), "X".repeat(200)),
  fc.constantFrom("id").map((key) => plan([key, "ID"]).get(key)!), // Looks like a name with digits.
);

describe("names of columns", () => {
  test("a key is its own name wherever that is possible", () => {
    const keys = ["id", "lastModified", "x.y", "select", "😀", " a ", "a", "straße", 'say "so"'];
    expect(plan(keys)).toEqual(new Map(keys.map((key) => [key, key])));
  });

  test("all keys of a group that collides get their digits", () => {
    const names = plan(["Id", "id", "other"]);
    expect(names.get("id")).toMatch(/^id_[0-9a-f]{8}$/);
    expect(names.get("Id")).toMatch(/^Id_[0-9a-f]{8}$/);
    expect(names.get("other")).toBe("other");
    expect(plan(["é", "e\u0301"]).get("é")).not.toBe("é");
  });

  test("the one key of a group that the stream names keeps its name", () => {
    expect(plan(["Id", "id"], ["id"]).get("id")).toBe("id");
    expect(plan(["Id", "id"], ["id", "Id"]).get("id")).toMatch(/^id_/);
  });

  test("what cannot be seen, is too long or is leat's gets its digits", () => {
    expect(plan([""]).get("")).toMatch(/^empty_[0-9a-f]{8}$/);
    expect(plan(["a\0b"]).get("a\0b")).toMatch(/^a_b_[0-9a-f]{8}$/);
    expect(plan(["Tenant_ID"]).get("Tenant_ID")).toMatch(/^Tenant_ID_[0-9a-f]{8}$/);
    expect(plan(["_leat_row"]).get("_leat_row")).toMatch(/^leat_row_[0-9a-f]{8}$/);
    const long = "😀".repeat(2500);
    expect(Buffer.byteLength(plan([long]).get(long)!)).toBeLessThanOrEqual(columnNameBytesMax);
  });

  test("no two keys get one name, none gets one of leat's, and no order of arrival changes a name", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyKey, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (keys, order) => {
        const names = plan(keys);
        expect([...names.keys()].sort()).toEqual([...keys].sort());
        const folded = [...names.values()].map(foldColumnName);
        expect(new Set(folded).size).toBe(keys.length);
        for (const name of folded) {
          expect(reserved).not.toContain(name);
          expect(name.startsWith("_leat_")).toBe(false);
        }
        const shuffled = keys
          .map((key) => ({ key, at: order.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ key }) => key);
        expect(new Map([...plan(shuffled)].sort())).toEqual(new Map([...names].sort()));
      }),
      { numRuns: 300 },
    );
  });
});
