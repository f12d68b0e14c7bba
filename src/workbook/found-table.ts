/** A table as it was found in a sheet, or why none was. */
import type { ErrorCode } from "../errors/codes.ts";
import type { Period } from "./periods.ts";
import type { Fields } from "./wanted.ts";

/** How a column was recognised. */
export type FoundBy = "name" | "marked" | "pattern" | "values" | "letter";

export type FoundColumn = Readonly<{
  /** 0-based. */
  column: number;
  /** What stands above it; `""` where nothing does. */
  header: string;
  by: FoundBy;
}>;

/** A heading above figures, on one level. */
export type HeadingCell = Readonly<{
  text: string;
  iso: string | undefined;
  /** Set on levels of periods. Its year may be missing where each row says it. */
  period: Period | undefined;
}>;

/** Columns that stand under the same headings. */
export type HeadingGroup = Readonly<{
  /** From the topmost level down; `undefined`: blank, and declared to be allowed so. */
  headings: readonly (HeadingCell | undefined)[];
  /** 0-based columns in the order of the declared figures; -1: this group has none. */
  figures: readonly number[];
}>;

export type IgnoredColumn = Readonly<{ column: number; header: string; reason: string }>;

export type FoundTable = Readonly<{
  /** Sheet rows of the header, 1-based. Empty: the table has none. */
  headerRows: readonly number[];
  /** Rows up to this one are header or above it. */
  headerBottom: number;
  /** By name of the declared column; one that is not in the sheet is missing. */
  columns: ReadonlyMap<string, FoundColumn>;
  /** Columns of labels, from left to right, by name of the declared column. */
  labels: ReadonlyMap<string, readonly number[]>;
  groups: readonly HeadingGroup[];
  /** Footnote marks cut from periods, by column. */
  headingMarks: ReadonlyMap<number, string>;
  ignored: readonly IgnoredColumn[];
  /** Texts above the table, from the top. */
  above: readonly string[];
  /** The first text of the row directly above it; `""`: there is none. */
  caption: string;
  /** Fields of the file, and those that the title told. */
  fields: Fields;
  /** Lowest header text by column: a later row that says the same is the header again. */
  signature: ReadonlyMap<number, string>;
}>;

/** A place that was looked at and is not the table; the one that fits best is told. */
export type Miss = Readonly<{
  code: ErrorCode;
  /** Greater is nearer. */
  score: number;
  /** Declared columns that are there, once or more. */
  fitCount: number;
  /** As a sentence: `row 4 has …, but no column for "deaths"`. */
  text: string;
  hint: string | undefined;
  details: Readonly<Record<string, unknown>>;
}>;

export type TableSearch =
  | Readonly<{ table: FoundTable; miss: undefined }>
  | Readonly<{ table: undefined; miss: Miss }>;
