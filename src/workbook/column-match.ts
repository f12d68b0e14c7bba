/** Which columns of a sheet are the declared ones: by header, by what their cells hold, or by letter. */

import { fromLetters, printColumns, toLetters } from "./cell-place.ts";
import { quote, readText } from "./cell-text.ts";
import type { FoundBy, FoundColumn } from "./found-table.ts";
import { type ColumnHeader, type HeaderBlock, readColumnHeader } from "./header-block.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { type CellSpec, toRegExp } from "./layout.ts";
import { compileWish, type Fields } from "./wanted.ts";

/** Data rows in which it is seen what a column holds. */
const sampleRowsMax = 300;

export type ColumnMatch = Readonly<{
  columns: ReadonlyMap<string, FoundColumn>;
  /** Place in the head of the lowest header row in which a column's own header stands. */
  bottom: number;
  /** Required columns that are not there, with what was looked for. */
  missing: readonly Readonly<{ name: string; wanted: string }>[];
  /** Declared columns that fit several columns of the sheet. */
  ambiguous: readonly Readonly<{ name: string; columns: readonly number[]; by: FoundBy }>[];
}>;

/**
 * Finds declared columns in a header.
 *
 * A column is taken once. Of several headers that fit, one that is exactly the name wins over one with footnote marks;
 * then `values` decide; then `nth`. What is still undecided is ambiguous, and never the first one by chance.
 *
 * @param dataFrom - place in the head of the first row below the header.
 * @param figures - columns of figures under headings: none of them is found by what its cells look like, since a
 *   code may look like a figure.
 */
export function matchColumns(
  grid: HeaderGrid,
  block: HeaderBlock,
  dataFrom: number,
  specs: readonly CellSpec[],
  fields: Fields,
  figures: readonly number[] = [],
): ColumnMatch {
  const headers = new Map<number, ColumnHeader>();
  for (let column = 0; column < grid.width; column++) {
    const header = block.length === 0 ? undefined : readColumnHeader(grid, block, column);
    if (header !== undefined) headers.set(column, header);
  }
  const columns = new Map<string, FoundColumn>();
  const missing: { name: string; wanted: string }[] = [];
  const ambiguous: { name: string; columns: readonly number[]; by: FoundBy }[] = [];
  const taken = new Set<number>();
  let bottom = -1;
  for (const spec of specs) {
    const found = findColumn(grid, headers, dataFrom, spec, fields, taken, figures);
    if (found.length > 1) {
      ambiguous.push({ name: spec.name, columns: found.map(({ column }) => column), by: found[0]!.by });
    }
    if (found.length === 0 && !spec.isOptional)
      missing.push({ name: spec.name, wanted: printWanted(spec, fields) });
    if (found.length !== 1) continue;
    columns.set(spec.name, found[0]!);
    taken.add(found[0]!.column);
    const header = headers.get(found[0]!.column);
    if (header !== undefined && found[0]!.by !== "values" && found[0]!.by !== "letter")
      bottom = Math.max(bottom, header.lastRow);
  }
  return { columns, bottom, missing, ambiguous };
}

function findColumn(
  grid: HeaderGrid,
  headers: ReadonlyMap<number, ColumnHeader>,
  dataFrom: number,
  spec: CellSpec,
  fields: Fields,
  taken: ReadonlySet<number>,
  figures: readonly number[],
): readonly FoundColumn[] {
  const toFound = (column: number, by: FoundBy): FoundColumn => {
    const header = headers.get(column);
    // Of a column that was not found by its header, only what stands in the lowest row is one: above are titles.
    const isHeader = by !== "values" && by !== "letter" ? true : header?.lastRow === dataFrom - 1;
    return { column, header: (isHeader ? header?.variants[0] : undefined) ?? "", by };
  };
  if (spec.letter !== null) return [toFound(fromLetters(spec.letter), "letter")];
  const fits = (column: number) =>
    spec.values === null || holds(grid, dataFrom, column, toRegExp(spec.values));
  for (const wanted of spec.header) {
    const wish = compileWish(wanted, fields);
    const found = [...headers].flatMap(([column, header]) => {
      const how = bestFit(header, (text) => wish.fit(text)?.how);
      return how === undefined || (taken.has(column) && spec.nth === null) || !fits(column)
        ? []
        : [toFound(column, how)];
    });
    const sure = found.filter(({ by }) => by !== "marked");
    const best = sure.length > 0 ? sure : found;
    if (best.length > 0) return pick(best, spec.nth);
  }
  if (spec.values === null) return [];
  const found: FoundColumn[] = [];
  for (let column = 0; column < grid.width; column++) {
    if (!taken.has(column) && !figures.includes(column) && fits(column))
      found.push(toFound(column, "values"));
  }
  return pick(found, spec.nth);
}

function bestFit(
  header: ColumnHeader,
  fit: (text: string) => "name" | "marked" | "pattern" | undefined,
): "name" | "marked" | "pattern" | undefined {
  const fits = header.variants.map(fit);
  return fits.find((how) => how === "name" || how === "pattern") ?? fits.find((how) => how === "marked");
}

function pick(found: readonly FoundColumn[], nth: number | null): readonly FoundColumn[] {
  if (nth === null) return found;
  const one = found[nth - 1];
  return one === undefined ? [] : [one];
}

/** Whether most cells of a column, below the header, look as declared. */
export function holds(grid: HeaderGrid, dataFrom: number, column: number, pattern: RegExp): boolean {
  let filled = 0;
  let fitting = 0;
  const end = Math.min(grid.head.rows.length, dataFrom + sampleRowsMax);
  for (let index = dataFrom; index < end; index++) {
    const text = readText(grid.rawCell(index, column));
    if (text === "") continue;
    filled++;
    if (pattern.test(text)) fitting++;
  }
  return fitting * 2 > filled;
}

/** What was looked for, for messages. */
export function printWanted(spec: CellSpec, fields: Fields): string {
  const names = spec.header.map((wanted) => compileWish(wanted, fields).label);
  if (spec.values !== null) names.push(`cells like /${spec.values.pattern}/`);
  if (spec.letter !== null) names.push(`column ${spec.letter}`);
  return names.join(" or ");
}

/** Columns with what stands above them, for messages: `A "Area", B (no header)`. */
export function printHeaders(grid: HeaderGrid, block: HeaderBlock, shownMax: number): string {
  const shown: string[] = [];
  for (let column = 0; column < grid.width && shown.length < shownMax; column++) {
    const header = readColumnHeader(grid, block, column);
    if (header !== undefined) shown.push(`${toLetters(column)} ${quote(header.variants[0]!)}`);
  }
  return shown.join(", ");
}

/** Several columns for one declared: `"deaths" fits columns C, F`. */
export function printAmbiguous({ name, columns }: ColumnMatch["ambiguous"][number]): string {
  return `"${name}" fits columns ${printColumns(columns)} equally well`;
}
