/** What people write to `workbook(...)`: the table they look for, in the words of the sheet. */
import type { TextForm } from "../model/text-form.ts";

/**
 * A text to look for. A name is compared without regard to case, kinds of spaces and dashes, line breaks, and footnote
 * marks behind its words; `{year}` in it stands for a field of the file. A pattern is tried on the text as it stands.
 */
export type Wanted = string | RegExp;

export type SheetOptions = Readonly<{
  /** Names or patterns, the preferred first. Named groups of a pattern become fields: `/^Weekly_(?<year>\d{4})$/`. */
  names: Wanted | readonly Wanted[];
  /**
   * `one` (default): exactly one sheet; several that fit equally well are an error. `first`: the first in the order of
   * the sheets. `all`: each of them, one after the other, such as one sheet a year.
   */
  take?: "one" | "first" | "all";
  /**
   * When no name fits: `content` (default) takes a sheet whose name is nearly the one looked for, then the only sheet
   * that holds the table; `refuse` takes none.
   */
  otherwise?: "content" | "refuse";
}>;

/** What a cell's text or number becomes. See `docs/concepts/workbooks.md`. */
export type ValueKind =
  | "text"
  | "integer"
  | "number"
  | "decimal"
  | "boolean"
  | "date"
  | "datetime"
  | "month"
  | "quarter"
  | "week"
  | "year"
  | "years";

/** What is told of a period: `2018-01` (`iso`), its first or last day, its year, its number, a month's English name. */
export type PeriodForm = "iso" | "start" | "end" | "year" | "number" | "name";

/** Year of periods that do not say it: of a field (`{year}`), or of another column of the same row. */
export type YearOf = string | Readonly<{ column: string }>;

/**
 * What a sign in the place of a figure means. `zero`: 0. `empty`: as a blank cell, no row. `missing`, `suppressed`: a
 * row with null, told apart by a `flag` column. `mark`: a mark behind a figure (`123p`), which stays a figure.
 */
export type SymbolMeaning = "zero" | "empty" | "missing" | "suppressed" | "mark";

type Typed = Readonly<{
  /** Default: `text`; of figures `number`. */
  kind?: ValueKind;
  as?: PeriodForm;
  year?: YearOf;
  /** Order of day and month in dates such as 03/04/2020; without it such a date is refused. */
  dateOrder?: "dmy" | "mdy";
}>;

type Textual = Typed &
  Readonly<{
    /** Cells that are blank take the value above. Merged cells are filled without it. */
    fill?: "down";
    /**
     * Footnote marks at the end: `cut` where a note of the sheet begins with the mark (default of labels and sections,
     * and of columns of numbers, dates and periods), `keep` (default of texts with a header: codes end in digits).
     */
    marks?: "cut" | "keep";
    /** Of several values in one cell, one, or each in a row of its own. Values are parted by `separator`. */
    take?: "first" | "last" | "each";
    /** Default: `,` or `;`. */
    separator?: RegExp;
    /** The part of the text that is wanted: the first group, or all that fits. Text without it is null. */
    match?: RegExp;
  }>;

/** A column of the sheet, found by its header, by what its cells hold, or by its letter. */
export type CellColumn = Textual &
  Readonly<{
    /** Names or patterns of the header, the preferred first. Headers on several levels: `Range Minimum`. */
    header?: Wanted | readonly Wanted[];
    /** What most cells of the column look like: decides between columns, and finds one whose header is gone. */
    values?: RegExp;
    /** `B`. Only where nothing else tells: columns move. */
    letter?: string;
    /** Of several columns that fit, the n-th from the left. */
    nth?: number;
    /** The column is not in every file. Where it is not, its values are null, and the report says so. */
    optional?: boolean;
    /** The column holds what the table is about: rows without any figure are labels, notes or yet to come. */
    figure?: true;
    symbols?: Readonly<Record<string, SymbolMeaning>>;
  }>;

/** Labels of a row: what stands to the left of the figures in columns that are not declared otherwise. */
export type LabelColumn = Textual &
  Readonly<{
    /** The first or last label filled, the n-th label column, or `level`: which of them is the first filled. */
    label: "first" | "last" | "level" | number;
    /** What most cells of a label column look like: others, such as a second code, are none. */
    values?: RegExp;
    optional?: boolean;
  }>;

/** The rows without figures above a row (`Persons`, `Deaths by age group`): a heading for the rows that follow. */
export type SectionColumn = Textual & Readonly<{ section: "all" | "first" | "last" }>;

/** A level of the headings above the figures, 1 being the topmost: each heading becomes a value of its rows. */
export type HeadingColumn = Typed &
  Readonly<{
    heading: number;
    /** The value of a heading that is blank on this level; without it such a heading is refused. */
    blank?: string;
    /** How many different headings there are on this level: 12 months. Another number is refused. Default: any. */
    count?: number;
    marks?: "cut" | "keep";
  }>;

/** The figures below the headings; several where columns stand in groups, told apart by header or place. */
export type FigureColumn = Typed &
  Readonly<{
    figure: true | Readonly<{ header: Wanted }> | Readonly<{ nth: number }>;
    symbols?: Readonly<Record<string, SymbolMeaning>>;
  }>;

/** What a sign in another column's cell means (`suppressed`), or the mark behind its figure; else null. */
export type FlagColumn = Readonly<{ flag: string }>;

/** A text with fields: `{year}`, of the file, its name, the sheet's name or the title. */
export type TextColumn = Typed & Readonly<{ text: string }>;

/** Where the row comes from. `column` and `cell` are those of the figure. */
export type PlaceColumn = Readonly<{ place: "file" | "sheet" | "row" | "column" | "cell" }>;

/** The text directly above the table. */
export type CaptionColumn = Textual & Readonly<{ caption: true }>;

export type WorkbookColumn =
  | CellColumn
  | LabelColumn
  | SectionColumn
  | HeadingColumn
  | FigureColumn
  | FlagColumn
  | TextColumn
  | PlaceColumn
  | CaptionColumn;

export type WorkbookOptions = Readonly<{
  /** Which sheets; default: the only one that holds the table. */
  sheets?: Wanted | readonly Wanted[] | SheetOptions;
  /** Columns of the tidy rows, in their order. */
  columns: Readonly<Record<string, WorkbookColumn>>;
  /** Fields from texts: named groups of a pattern for the file's name, or for the texts above the table. */
  fields?: Readonly<{ file?: RegExp; title?: RegExp }>;
  /** Rows, and columns of figures by their headings, are kept only if these texts fit; the others are told. */
  keep?: Readonly<Record<string, RegExp>>;
  /** Rows, and columns of figures by their headings, are left out if any of these texts fits; they are told. */
  drop?: Readonly<Record<string, RegExp>>;
  /**
   * `one` (default): one table a sheet; two that fit equally well are an error. `first`: the upper one. `all`: small
   * tables beside and below each other, parted by blank rows and columns; each is read.
   */
  tables?: "one" | "first" | "all";
  /** `row` (default): the table has a header. `none`: it has none, columns are declared by `letter` or `values`. */
  header?: "row" | "none";
  /** Only what stands below the first row with such a text is looked at. */
  below?: Wanted;
  /** The table ends above the first row with such a text. */
  until?: Wanted;
  /** A month, quarter or week that is missing between its neighbours: `refuse` (default), or `allow`. */
  gaps?: "refuse" | "allow";
  /** Cells that are not what their column is declared to be: `refuse` (default) the file, or `reject` and report them. */
  unreadable?: "refuse" | "reject";
  /** Hidden sheets are skipped, hidden rows and columns are read, unless it is said otherwise. */
  hidden?: Readonly<{ sheets?: "read" | "skip"; rows?: "read" | "skip"; columns?: "read" | "skip" }>;
  /** The files are .zip archives; members that fit this pattern are read, each as a file of its own: `*.xlsx`. */
  members?: string;
  /** How .csv and .tsv files are written, where they do not say so: `{ encoding: "windows-1252" }`. */
  text?: TextForm;
  /**
   * What begins the fraction of numbers that stand as text: `.` (default), or `,` as in `1.234,5`. Numbers that the
   * workbook holds as numbers need no such thing, whatever they show.
   */
  decimal?: "." | ",";
  /** The header begins among this many rows; default 200. */
  headerRowsMax?: number;
}>;
