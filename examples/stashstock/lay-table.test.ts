import { expect, test } from "vitest";
import { layTable } from "./lay-table.ts";

test("numbers are aligned right with groups, words left, and lines have no blanks at their end", () => {
  const lines = layTable(
    ["name", "n", "note"],
    [
      ["a", 1234, "x"],
      ["longer", 5, ""],
    ],
  );
  expect(lines).toEqual(["name        n  note", "a       1,234  x", "longer      5"]);
});
