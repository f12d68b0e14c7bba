/** Finds the declared table in the beginning of a sheet by its shape: where it stands is for the publisher to choose. */
import assert from "node:assert/strict";
import { figureTest } from "./column-counts.ts";
import type { FoundTable, Miss, TableSearch } from "./found-table.ts";
import { HeaderGrid } from "./header-grid.ts";
import type { Layout } from "./layout.ts";
import { specsOf } from "./layout.ts";
import { noTable } from "./misses.ts";
import { searchHeadings } from "./search-headings.ts";
import { searchPlain, takeHeaderless } from "./search-plain.ts";
import type { SheetHead } from "./sheet-head.ts";
import type { Fields } from "./wanted.ts";

/**
 * Finds the table.
 *
 * Each row is taken for the header in turn and what it would mean is looked at: which declared columns are in it,
 * which headings, whether figures follow. The one row that has most is the header. Two that have equally much, but say
 * different things, are ambiguous; a row that says the same again is the header repeated.
 *
 * @param fields - what is known of the file and the sheet.
 */
export function findTable(head: SheetHead, layout: Layout, fields: Fields): TableSearch {
  const grid = new HeaderGrid(head, layout.headerRowsMax + 1);
  if (head.rows.length === 0) return noTable(-1, "it is empty");
  const isFigure = figureTest(grid, layout);
  const hasHeadings = specsOf(layout, "heading").length > 0;
  const tables: FoundTable[] = [];
  let nearest: Miss | undefined;
  const search = layout.header === "none" ? takeHeaderless : hasHeadings ? searchHeadings : searchPlain;
  const end = layout.header === "none" ? 1 : Math.min(head.rows.length, layout.headerRowsMax);
  for (let index = 0; index < end; index++) {
    const found = search(grid, isFigure, index, layout, fields);
    if (found.table !== undefined) tables.push(found.table);
    else if (nearest === undefined || found.miss.score > nearest.score) nearest = found.miss;
  }
  if (tables.length === 0) {
    assert(nearest !== undefined, "a sheet with rows has a row that is nearest");
    return { table: undefined, miss: nearest };
  }
  const chosen = choose(tables, layout);
  // A place where more fits, but twice, is not passed over for one where less fits once.
  const isDoubtful = nearest?.code === "WORKBOOK_AMBIGUOUS" && layout.tables === "one";
  if (isDoubtful && chosen.table !== undefined && nearest!.fitCount >= chosen.table.columns.size) {
    return { table: undefined, miss: nearest! };
  }
  return chosen;
}

function choose(tables: readonly FoundTable[], layout: Layout): TableSearch {
  const best = Math.max(...tables.map(sizeOf));
  const fitting = tables.filter((table) => sizeOf(table) === best);
  const first = fitting[0]!;
  const others = fitting.slice(1).filter((table) => !saysTheSame(first, table));
  if (others.length === 0 || layout.tables === "first") return { table: first, miss: undefined };
  const rows = [first, ...others].map((table) => table.headerRows.at(-1)!);
  const miss: Miss = {
    code: "WORKBOOK_AMBIGUOUS",
    score: Number.MAX_SAFE_INTEGER,
    text: `tables below rows ${rows.join(" and ")} fit equally well`,
    hint: 'Say which with `below` or `until`, or read them with `tables: "first"` or `tables: "all"`.',
    details: { headerRows: rows },
    fitCount: first.columns.size,
  };
  return { table: undefined, miss };
}

/** How much of what was looked for a table has. */
function sizeOf(table: FoundTable): number {
  return table.columns.size * 1000 + table.groups.length;
}

/** Whether a header says of each column what another says: then it is repeated, as at the top of a printed page. */
function saysTheSame(one: FoundTable, other: FoundTable): boolean {
  if (one.signature.size !== other.signature.size) return false;
  return [...one.signature].every(([column, text]) => other.signature.get(column) === text);
}
