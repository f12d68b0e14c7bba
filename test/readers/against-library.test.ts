/** Every cell of every real file, beside what an independent reader makes of it; and .xls saved as .xlsx. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "@e965/xlsx";
import * as codePages from "@e965/xlsx/dist/cpexcel.full.mjs";
import { describe, expect, test } from "vitest";
import type { SheetCell } from "../../src/workbook/sheet.ts";
import { dataFolder, readBytes, readFileSheets } from "./read-cells.ts";

library.set_cptable(codePages);

const files = readdirSync(dataFolder, { recursive: true, encoding: "utf8" })
  .filter((path) => /\.xlsx?$/.test(path))
  .sort();

/** A cell as both can tell it. */
type Told = string | number | boolean;

const tellOurs = (cell: SheetCell): Told => {
  if (cell.kind === "date") return `date ${cell.serial}`;
  return cell.kind === "number" || cell.kind === "boolean" ? cell.value : cell.text;
};

function tellTheirs(cell: library.CellObject): Told | undefined {
  if (cell.t === "z" || cell.v === undefined || cell.v === "") return undefined;
  if (cell.t === "e") return String(cell.w);
  const isDate = cell.t === "n" && library.SSF.is_date(String(cell.z ?? "General"));
  return isDate ? `date ${String(cell.v)}` : (cell.v as Told); // Dates are not made of them: `cellDates` is off.
}

function readTheirs(bytes: Uint8Array): library.WorkBook {
  return library.read(bytes, { cellStyles: true, cellNF: true, cellHTML: false });
}

/** Cells of a sheet by place. */
function cellsOf(sheet: library.WorkSheet): Record<string, Told> {
  const cells = Object.entries(sheet).flatMap(([place, cell]): [string, Told][] => {
    const told = place.startsWith("!") ? undefined : tellTheirs(cell as library.CellObject); // Other keys are cells.
    return told === undefined ? [] : [[place, told]];
  });
  return Object.fromEntries(cells);
}

const hiddenOf = (list: readonly (Readonly<{ hidden?: boolean }> | undefined)[] | undefined): number[] =>
  (list ?? []).flatMap((entry, index) => (entry?.hidden === true ? [index] : []));

test("there are as many real files as ever", () => {
  expect(files.length).toBeGreaterThanOrEqual(38);
});

describe.each(files)("%s", (file) => {
  test("has the cells, merged ranges and hidden parts that the library finds", async () => {
    const path = join(dataFolder, file);
    const theirs = readTheirs(readFileSync(path));
    const ours = await readFileSheets(path);
    expect(ours.map(({ name }) => name)).toEqual(theirs.SheetNames);
    for (const [index, sheet] of ours.entries()) {
      const their = theirs.Sheets[sheet.name]!;
      expect(sheet.isHidden).toBe((theirs.Workbook?.Sheets?.[index]?.Hidden ?? 0) !== 0);
      if (!sheet.hasCells) continue; // The library makes cells of what a chart remembers of its figures.
      const told = Object.fromEntries(
        Object.entries(sheet.cells).map(([place, cell]) => [place, tellOurs(cell)]),
      );
      expect(told).toEqual(cellsOf(their));
      expect(
        sheet.merges.map(({ top, left, bottom, right }) => `${top} ${left} ${bottom} ${right}`).sort(),
      ).toEqual((their["!merges"] ?? []).map(({ s, e }) => `${s.r + 1} ${s.c} ${e.r + 1} ${e.c}`).sort());
      // The library tells a column behind the last one of an .xls, and of the longest lists not the end.
      const known = Math.min((their["!cols"] ?? []).length, file.endsWith(".xls") ? 256 : 16_384);
      expect(sheet.hiddenColumns.filter((column) => column < known)).toEqual(
        hiddenOf(their["!cols"]).filter((column) => column < known),
      );
      expect(sheet.hiddenRows).toEqual(
        hiddenOf(their["!rows"])
          .map((row) => row + 1)
          .filter((row) =>
            Object.keys(sheet.cells).some((place) => place.replace(/\D+/, "") === String(row)),
          ),
      );
    }
  });
});

describe.each(files.filter((file) => file.endsWith(".xls")))("%s saved as .xlsx", (file) => {
  test("has equal cells", async () => {
    const path = join(dataFolder, file);
    const theirs = readTheirs(readFileSync(path));
    const saved = library.write(theirs, { type: "buffer", bookType: "xlsx", cellStyles: true }) as Buffer; // By `type`.
    const [ours, again] = [await readFileSheets(path), await readBytes(saved)];
    for (const [index, sheet] of ours.entries()) {
      if (!sheet.hasCells) continue;
      const told = (cells: Readonly<Record<string, SheetCell>>): Record<string, unknown> =>
        Object.fromEntries(Object.entries(cells).map(([place, cell]) => [place, tellOurs(cell)]));
      expect(told(again[index]!.cells)).toEqual(told(sheet.cells));
      expect(again[index]!.merges).toHaveLength(sheet.merges.length);
    }
  });
});
