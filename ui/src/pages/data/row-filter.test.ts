import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familyOf, printFilter, printList, readFilter, readList, tellFilter, toSql } from "./row-filter.ts";

describe("a condition in an address", () => {
  test("is a column, an operator and a value, in which anything may stand", () => {
    expect(readFilter("amount.gte=5", ["amount"])).toEqual({ column: "amount", operator: "gte", value: "5" });
    expect(readFilter("имя.eq=a=b.c", [])).toEqual({ column: "имя", operator: "eq", value: "a=b.c" });
  });

  test("of a column whose name ends like an operator is of that column", () => {
    expect(readFilter("size.in=4", ["size.in"])).toEqual({ column: "size.in", operator: "eq", value: "4" });
    expect(readFilter("size.in.gt=4", ["size.in"])).toEqual({
      column: "size.in",
      operator: "gt",
      value: "4",
    });
  });

  test("that says nothing is none", () => {
    for (const text of ["", "=5", "amount", "amount.above=5"])
      expect(readFilter(text, ["other"])).toBeUndefined();
  });

  test("is read as it was written, whatever its name and value are", () => {
    const names = fc.string({ minLength: 1 }).filter((name) => !name.includes("="));
    fc.assert(
      fc.property(
        names,
        fc.constantFrom("eq", "in", "like", "isnull"),
        fc.string(),
        (column, operator, value) => {
          const filter = { column, operator, value } as const;
          expect(readFilter(printFilter(filter), [column])).toEqual(filter);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("a list is read as it was written, with commas and quotes in its items", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 6 }), (items) => {
      expect(readList(printList(items))).toEqual(items);
    }),
    { numRuns: 300 },
  );
});

test("types of the data API and of warehouses are of the same families", () => {
  const families = [
    "bigint",
    "DECIMAL(38,1)",
    "INT64",
    "date",
    "timestamptz",
    "TIMESTAMP WITH TIME ZONE",
    "BOOL",
    "VARCHAR",
    "json",
    "STRUCT(a INT)",
  ];
  expect(families.map(familyOf)).toEqual([
    "number",
    "number",
    "number",
    "date",
    "time",
    "time",
    "boolean",
    "text",
    "json",
    "json",
  ]);
});

test("the same rows in SQL: names and texts in quotes, numbers as they are", () => {
  const filters = [
    { column: 'a "b"', operator: "in", value: "x,y'z" },
    { column: "n", operator: "gte", value: "5" },
    { column: "n", operator: "isnull", value: "false" },
  ] as const;
  const sql = toSql("orders", filters, "-n", (column) => (column === "n" ? "bigint" : "text"));
  expect(sql).toBe(
    `SELECT *\nFROM "orders"\nWHERE "a ""b""" IN ('x', 'y''z')\n  AND "n" >= 5\n  AND "n" IS NOT NULL\nORDER BY "n" DESC\nLIMIT 200`,
  );
});

test("people read conditions in words", () => {
  expect(tellFilter({ column: "n", operator: "isnull", value: "false" })).toBe("n is not empty");
  expect(tellFilter({ column: "n", operator: "lte", value: "3" })).toBe("n ≤ 3");
});
