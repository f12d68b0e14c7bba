/**
 * What was made of a workbook and why: plain JSON, for people through `printReport`, for the next file through
 * `diffReports`.
 */
import type { FoundBy } from "./found-table.ts";

export type SheetReport = Readonly<{
  name: string;
  isTaken: boolean;
  /** Why it was taken, or why not. */
  reason: string;
}>;

export type ColumnReport = Readonly<{
  /** As declared. */
  name: string;
  /** Letters of the sheet's column; null: it is not in the sheet. */
  column: string | null;
  header: string;
  by: FoundBy | null;
  /** Rows in which it is null. */
  nullCount: number;
}>;

export type HeadingsReport = Readonly<{
  count: number;
  /** The first and the last heading as they stand, levels from the top. */
  first: string;
  last: string;
  /** `C to N`. */
  columns: string;
  /** All of them, so that the next file can be compared. */
  texts: readonly string[];
  /** Footnote marks cut from periods, each once. */
  marks: readonly string[];
}>;

export type RowCounts = Readonly<{
  /** Rows of the sheet that hold data. */
  data: number;
  /** Tidy rows made of them. */
  written: number;
  /** Rows without figures among them: sections, labels, rows yet to be filled. */
  withoutFigures: number;
  /** Rows of data among them whose labels are all blank. */
  unlabelled: number;
  /** The header again, as at the top of a printed page. */
  repeatedHeaders: number;
  /** Rows with figures below the notes: not part of the table, but perhaps of another. */
  belowNotes: number;
  hidden: number;
}>;

/** Rows that `keep` or `drop` left out, with the first of them. */
export type LeftOutReport = Readonly<{
  column: string;
  reason: "blank" | "does not fit keep" | "fits drop";
  count: number;
  rows: readonly number[];
  texts: readonly string[];
}>;

export type RejectReport = Readonly<{ cell: string; column: string; problem: string }>;

/** A column that is none of the declared ones, with the number of its cells in rows of data. */
export type IgnoredReport = Readonly<{ column: string; header: string; reason: string; cellCount: number }>;

export type TableReport = Readonly<{
  sheet: string;
  /** Rows of the header, 1-based; empty: the table has none. */
  headerRows: readonly number[];
  firstRow: number | null;
  lastRow: number | null;
  columns: readonly ColumnReport[];
  headings: HeadingsReport | null;
  /** Letters of the columns of labels. */
  labels: readonly string[];
  /** Fields known for this table: of the source, the file's name, the sheet's name, the title. */
  fields: Readonly<Record<string, string>>;
  rows: RowCounts;
  leftOut: readonly LeftOutReport[];
  /** Signs in the place of figures, with their number. */
  symbols: Readonly<Record<string, number>>;
  /** Labels that lost a footnote mark: the first of them, and how many there are. */
  marksCut: Readonly<{ count: number; examples: readonly Readonly<{ text: string; marks: string }>[] }>;
  rejected: Readonly<{ count: number; examples: readonly RejectReport[] }>;
  ignoredColumns: readonly IgnoredReport[];
  /** Texts above the table and below its last row: titles, notes, sources. */
  above: readonly string[];
  below: readonly string[];
}>;

export type WorkbookReport = Readonly<{
  format: "workbook";
  file: string;
  sheets: readonly SheetReport[];
  tables: readonly TableReport[];
  rowCount: number;
}>;
