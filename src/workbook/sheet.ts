/** What a reader of spreadsheets hands to the rules of layout: sheets as streams of rows, values as the file has them. */

/** A cell that holds something. What a cell shows is not decided here: a code typed as a number is still a number. */
export type SheetCell =
  | Readonly<{ kind: "text"; text: string }>
  /** `text`: shortest decimal text of the stored value. `shown`: as its number format shows it, where known. */
  | Readonly<{ kind: "number"; value: number; text: string; shown: string | undefined }>
  /** A number with a format of date or time, in the file's own date system. Naive ISO: `2018-01-31`, `2018-01-31T10:30:00`, `10:30:00`. */
  | Readonly<{ kind: "date"; iso: string; serial: number }>
  | Readonly<{ kind: "boolean"; value: boolean }>
  /** `#N/A`, `#DIV/0!` and their like. */
  | Readonly<{ kind: "error"; text: string }>;

/** One row that holds at least one cell. `cells[c]` is column c (0: column A); `undefined`: blank. */
export type SheetRow = Readonly<{
  /** As people count: 1-based. */
  number: number;
  isHidden: boolean;
  cells: readonly (SheetCell | undefined)[];
}>;

/** Merged cells, 1-based rows and 0-based columns, ends included. The value stands in the first cell. */
export type MergedRange = Readonly<{ top: number; left: number; bottom: number; right: number }>;

export interface Sheet {
  readonly name: string;
  /** Place among the sheets, 0-based. */
  readonly index: number;
  readonly isHidden: boolean;
  /** A chart sheet has no cells. */
  readonly hasCells: boolean;
  readonly merges: readonly MergedRange[];
  readonly hiddenColumns: ReadonlySet<number>;
  /** Rows in order, some thousands at a time; may be called again to read from the beginning. */
  rows(): AsyncIterable<readonly SheetRow[]>;
}

/** A spreadsheet file, opened. */
export interface Workbook {
  readonly sheets: readonly Sheet[];
  close(): Promise<void>;
}
