import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ColumnKinds, foldColumn, kindBits } from "./column-kinds.ts";
import {
  bigintDigitsMax,
  type ColumnType,
  parseColumnType,
  planColumnType,
  planTypeChange,
  printColumnType,
} from "./column-types.ts";

const seen = (kinds: number, changes: Partial<ColumnKinds> = {}): ColumnKinds => ({
  kinds,
  intDigitsMax: 0,
  scaleMax: 0,
  hasExactNumbers: false,
  ...changes,
});
const { boolean, integer, decimal, date, timestamp, timestampTz, text, object, array } = kindBits;
const nulls = kindBits.null;

const anyKinds = fc.record({
  kinds: fc.integer({ min: 0, max: 1023 }),
  intDigitsMax: fc.integer({ min: 0, max: 60 }),
  scaleMax: fc.integer({ min: 0, max: 60 }),
  hasExactNumbers: fc.boolean(),
});

describe("a column's type", () => {
  const cases: readonly (readonly [string, ColumnKinds, string])[] = [
    ["nothing", seen(0), "unknown"],
    ["nulls only", seen(nulls), "unknown"],
    ["booleans and nulls", seen(boolean | nulls), "boolean"],
    ["integers of 18 digits", seen(integer, { intDigitsMax: 18 }), "bigint"],
    ["integers of 19 digits", seen(integer, { intDigitsMax: 19, hasExactNumbers: true }), "hugeint"],
    ["integers of 38 digits", seen(integer, { intDigitsMax: 38, hasExactNumbers: true }), "hugeint"],
    ["integers of 39 digits", seen(integer, { intDigitsMax: 39, hasExactNumbers: true }), "text"],
    ["decimals that survive a double", seen(decimal | integer, { intDigitsMax: 300, scaleMax: 5 }), "double"],
    [
      "exact decimals",
      seen(decimal, { intDigitsMax: 17, scaleMax: 2, hasExactNumbers: true }),
      "decimal(38,2)",
    ],
    [
      "exact ones of 38 digits",
      seen(decimal, { intDigitsMax: 30, scaleMax: 8, hasExactNumbers: true }),
      "decimal(38,8)",
    ],
    [
      "exact ones of 39 digits",
      seen(decimal, { intDigitsMax: 30, scaleMax: 9, hasExactNumbers: true }),
      "text",
    ],
    ["dates", seen(date), "date"],
    ["dates and naive times", seen(date | timestamp), "timestamp"],
    ["zoned times", seen(timestampTz), "timestamptz"],
    ["zoned and naive times", seen(timestampTz | timestamp), "text"],
    ["zoned times and dates", seen(timestampTz | date), "text"],
    ["text and numbers", seen(text | integer), "text"],
    ["booleans and numbers", seen(boolean | integer), "text"],
    ["an object among text", seen(text | object), "json"],
    ["arrays", seen(array | nulls), "json"],
  ];
  for (const [name, kinds, type] of cases)
    test(`${name} make ${type}`, () => {
      expect(printColumnType(planColumnType(kinds))).toBe(type);
    });

  test("a declared type wins over whatever was seen", () => {
    fc.assert(
      fc.property(anyKinds, (kinds) => {
        expect(planColumnType(kinds, { type: "date" })).toEqual({ type: "date" });
      }),
    );
  });

  test("is read back from what was printed, and nothing else is a type", () => {
    fc.assert(
      fc.property(anyKinds, (kinds) => {
        const type = planColumnType(kinds);
        expect(parseColumnType(printColumnType(type))).toEqual(type);
      }),
    );
    for (const wrong of ["", "decimal", "varchar", "decimal(3)", "toString"])
      expect(parseColumnType(wrong)).toBe(undefined);
  });
});

describe("a change of type", () => {
  const numbers = seen(integer | decimal, { intDigitsMax: 10 });
  const change = (from: string, to: string, kinds: ColumnKinds = numbers) =>
    planTypeChange(parseColumnType(from)!, parseColumnType(to)!, kinds);

  test("is none between equal types, whatever kinds made them", () => {
    expect(change("text", "text")).toBe("none");
    expect(change("decimal(38,2)", "decimal(38,2)")).toBe("none");
  });

  test("is in place where the cast gives what the landed text gives", () => {
    for (const to of ["json", "text", "bigint", "decimal(38,3)"])
      expect(change("unknown", to)).toBe("in-place");
    expect(change("bigint", "hugeint")).toBe("in-place");
    expect(change("bigint", "double")).toBe("in-place");
    expect(change("bigint", "decimal(38,28)")).toBe("in-place");
    expect(change("hugeint", "decimal(38,28)")).toBe("in-place");
    expect(change("decimal(38,2)", "decimal(38,28)")).toBe("in-place");
    expect(change("date", "timestamp")).toBe("in-place");
  });

  test("needs the landed text wherever the cell has lost something of it", () => {
    expect(change("double", "text")).toBe("reread"); // 1.10 is 1.1 there.
    expect(change("bigint", "text")).toBe("reread"); // -0 is 0 there.
    expect(change("double", "decimal(38,3)")).toBe("reread");
    expect(change("timestamptz", "text")).toBe("reread");
    expect(change("text", "json")).toBe("reread");
    expect(change("boolean", "text")).toBe("reread"); // Declared ones also take 1 and TRUE.
    expect(change("decimal(38,4)", "decimal(38,2)")).toBe("reread");
    expect(change("decimal(38,2)", "decimal(38,29)")).toBe("reread"); // Ten digits before the point have no room.
    expect(change("bigint", "decimal(38,2)", seen(text | integer))).toBe("reread"); // Digits in strings are not counted.
  });

  test("in place never goes back: what a fold has widened stays as wide", () => {
    const order: readonly ColumnType["type"][] = [
      "unknown",
      "bigint",
      "hugeint",
      "double",
      "decimal",
      "date",
      "timestamp",
      "text",
    ];
    fc.assert(
      fc.property(anyKinds, anyKinds, (a, b) => {
        const from = planColumnType(a);
        const to = planColumnType(foldColumn(a, b));
        if (planTypeChange(from, to, a) !== "in-place" || from.type === "unknown") return;
        expect(order.indexOf(to.type)).toBeGreaterThanOrEqual(order.indexOf(from.type));
        if (from.type === "bigint") expect(a.intDigitsMax).toBeLessThanOrEqual(bigintDigitsMax);
      }),
      { numRuns: 500 },
    );
  });
});
