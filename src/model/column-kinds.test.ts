import { expect, test } from "vitest";
import { type ColumnKinds, foldColumn, foldColumns, kindBits } from "./column-kinds.ts";

const seen = (kinds: number, intDigitsMax = 0, scaleMax = 0, hasExactNumbers = false): ColumnKinds => ({
  kinds,
  intDigitsMax,
  scaleMax,
  hasExactNumbers,
});

test("I14 a column is the union of what its records held", () => {
  const folded = foldColumn(seen(kindBits.null), seen(kindBits.integer, 3));
  expect(foldColumn(folded, seen(kindBits.decimal, 1, 20, true))).toEqual(
    seen(kindBits.null | kindBits.integer | kindBits.decimal, 3, 20, true),
  );
  expect(foldColumn(undefined, seen(kindBits.text))).toEqual(seen(kindBits.text));
});

test("I14 tables fold to the same table in any order, and print their columns in one order", () => {
  const a = new Map([
    ["b", seen(kindBits.text)],
    ["a", seen(kindBits.integer, 5)],
  ]);
  const b = new Map([
    ["c", seen(kindBits.null)],
    ["a", seen(kindBits.decimal, 1, 2)],
  ]);
  expect([...foldColumns([a, b])]).toEqual([...foldColumns([b, a])]);
  expect([...foldColumns([a, b]).keys()]).toEqual(["a", "b", "c"]);
  expect([...foldColumns([a, b, a])]).toEqual([...foldColumns([a, b])]);
});

test("columns named like parts of every object are columns", () => {
  const table = new Map([["__proto__", seen(kindBits.text)]]);
  expect([...foldColumns([table, table])]).toEqual([["__proto__", seen(kindBits.text)]]);
});
