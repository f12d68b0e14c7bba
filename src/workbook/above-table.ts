/** What stands above a table: titles, notes, and the fields that a title tells. */
import { readText } from "./cell-text.ts";
import type { HeaderGrid } from "./header-grid.ts";
import { type Layout, toRegExp } from "./layout.ts";
import type { Fields } from "./wanted.ts";

/** Texts above a table that are kept; more are not a title and notes. */
const textsMax = 50;

/** Texts that stand above a row of the head, in order. */
export function textsAbove(grid: HeaderGrid, row: number): readonly string[] {
  const texts: string[] = [];
  for (let index = 0; index < row && texts.length < textsMax; index++) {
    for (const cell of grid.head.rows[index]!.cells) {
      const text = readText(cell);
      if (text !== "" && texts.length < textsMax) texts.push(text);
    }
  }
  return texts;
}

/** The first text of the row directly above a row of the head. */
export function captionAbove(grid: HeaderGrid, row: number): string {
  const texts = grid.head.rows[row - 1]?.cells.map(readText) ?? [];
  return texts.find((text) => text !== "") ?? "";
}

/**
 * Fields with those that the first fitting text above the table tells.
 *
 * What stands nearer to the figures wins: a file of 2020 may hold a sheet of 2009, and says so in its title.
 */
export function withTitleFields(fields: Fields, above: readonly string[], layout: Layout): Fields {
  if (layout.fields.title === null) return fields;
  const pattern = toRegExp(layout.fields.title);
  for (const text of above) {
    const groups = pattern.exec(text)?.groups;
    if (groups !== undefined) return mergeFields(fields, groups);
  }
  return fields;
}

/** Fields with more specific ones over them. */
export function mergeFields(fields: Fields, more: Readonly<Record<string, string | undefined>>): Fields {
  const told = Object.entries(more).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...fields, ...Object.fromEntries(told) };
}
