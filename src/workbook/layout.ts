/** A checked declaration as the rules of layout use it: plain data, every default filled in. */
import type { PeriodKind } from "./periods.ts";
import { periodKinds } from "./periods.ts";
import type { PeriodForm, SymbolMeaning, ValueKind, YearOf } from "./workbook-options.ts";

/** A regular expression as JSON. */
export type Pattern = Readonly<{ pattern: string; flags: string }>;
export type WantedText = string | Pattern;

export type DecimalSign = "." | ",";

export type TypedPart = Readonly<{
  kind: ValueKind;
  as: PeriodForm;
  year: YearOf | null;
  dateOrder: "dmy" | "mdy" | null;
  /** What begins the fraction of numbers that stand as text. */
  decimal: DecimalSign;
}>;

export type TextPart = Readonly<{
  fill: "down" | null;
  marks: "cut" | "keep";
  take: "first" | "last" | "each" | null;
  separator: Pattern;
  match: Pattern | null;
}>;

export type Symbols = Readonly<Record<string, SymbolMeaning>>;

export type CellSpec = TypedPart &
  TextPart &
  Readonly<{
    form: "cell";
    name: string;
    header: readonly WantedText[];
    values: Pattern | null;
    letter: string | null;
    nth: number | null;
    isOptional: boolean;
    isFigure: boolean;
    symbols: Symbols;
  }>;

export type LabelSpec = TypedPart &
  TextPart &
  Readonly<{
    form: "label";
    name: string;
    label: "first" | "last" | "level" | number;
    values: Pattern | null;
    isOptional: boolean;
  }>;

export type SectionSpec = TypedPart &
  TextPart &
  Readonly<{ form: "section"; name: string; section: "all" | "first" | "last" }>;

export type CaptionSpec = TypedPart & TextPart & Readonly<{ form: "caption"; name: string }>;

export type HeadingSpec = TypedPart &
  Readonly<{
    form: "heading";
    name: string;
    heading: number;
    blank: string | null;
    count: number | null;
    marks: "cut" | "keep";
  }>;

export type FigureSpec = TypedPart &
  Readonly<{
    form: "figure";
    name: string;
    figure: true | Readonly<{ header: WantedText }> | Readonly<{ nth: number }>;
    symbols: Symbols;
  }>;

export type FlagSpec = Readonly<{ form: "flag"; name: string; flag: string }>;
export type TextSpec = TypedPart & Readonly<{ form: "text"; name: string; text: string }>;
export type PlaceSpec = Readonly<{
  form: "place";
  name: string;
  place: "file" | "sheet" | "row" | "column" | "cell";
}>;

export type ColumnSpec =
  | CellSpec
  | LabelSpec
  | SectionSpec
  | CaptionSpec
  | HeadingSpec
  | FigureSpec
  | FlagSpec
  | TextSpec
  | PlaceSpec;

/** **layout** how a table of a workbook looks, as declared: what is searched for, and what its rows become. */
export type Layout = Readonly<{
  sheets: Readonly<{
    names: readonly WantedText[];
    take: "one" | "first" | "all";
    otherwise: "content" | "refuse";
  }>;
  /** In the order of the rows' values. */
  columns: readonly ColumnSpec[];
  fields: Readonly<{ file: Pattern | null; title: Pattern | null }>;
  keep: Readonly<Record<string, Pattern>>;
  drop: Readonly<Record<string, Pattern>>;
  tables: "one" | "first" | "all";
  header: "row" | "none";
  below: WantedText | null;
  until: WantedText | null;
  gaps: "refuse" | "allow";
  unreadable: "refuse" | "reject";
  hidden: Readonly<{ sheets: "read" | "skip"; rows: "read" | "skip"; columns: "read" | "skip" }>;
  decimal: DecimalSign;
  headerRowsMax: number;
}>;

/** Columns of one form. */
export function specsOf<Form extends ColumnSpec["form"]>(
  layout: Layout,
  form: Form,
): readonly Extract<ColumnSpec, { form: Form }>[] {
  return layout.columns.filter((spec): spec is Extract<ColumnSpec, { form: Form }> => spec.form === form);
}

export function isPeriodKind(kind: ValueKind): kind is PeriodKind {
  return (periodKinds as readonly string[]).includes(kind); // A guard: wider than the list's own type.
}

/** The regular expression of a pattern; a `g` or `y` would make its answers depend on earlier ones and is left out. */
export function toRegExp(pattern: Pattern): RegExp {
  return new RegExp(pattern.pattern, pattern.flags.replace(/[gy]/g, ""));
}
