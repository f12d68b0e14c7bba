/** Values that a row of the sheet has once, whatever number of tidy rows is made of it: labels, codes, sections. */
import { LeatError } from "../errors/leat-error.ts";
import { toLetters } from "./cell-place.ts";
import { isBlank, readText } from "./cell-text.ts";
import { FilledColumn } from "./filled-column.ts";
import type { FoundTable } from "./found-table.ts";
import type { CellSpec, HeadingSpec, LabelSpec, Layout, SectionSpec, TextPart, TypedPart } from "./layout.ts";
import type { Period } from "./periods.ts";
import type { MergedRange, SheetCell, SheetRow } from "./sheet.ts";
import { type CutLog, compileTextRule, type TextRule } from "./text-rules.ts";
import { formatPeriod, readTextValue, readValue, type TidyValue, Unreadable } from "./typed-value.ts";

/** What is the same for all rows of a table. */
export type TableContext = Readonly<{
  file: string;
  sheet: string;
  table: FoundTable;
  merges: readonly MergedRange[];
  /** Footnote marks that the sheet's notes define. */
  marks: ReadonlySet<string>;
}>;

/** A value that cannot be read: where, and what is wrong. */
export type SlotProblem = Readonly<{ column: string; cell: SheetCell; place: string; problem: Unreadable }>;

type Slot = {
  readonly index: number;
  readonly spec: CellSpec | LabelSpec | SectionSpec;
  readonly rule: TextRule | undefined;
  /** Columns read, from left to right. */
  readonly sources: readonly FilledColumn[];
  cell: SheetCell | undefined;
  /** Column in which the cell stands; -1: none. */
  column: number;
};

export class RowColumns {
  /** Values by place in the tidy row; constants are there from the start. */
  readonly values: TidyValue[];
  readonly #slots: readonly Slot[];
  /** Slots whose year is another column's, read after it. */
  readonly #late: readonly Slot[];
  readonly #names: readonly string[];
  readonly #rowPlaces: readonly number[];
  #number = 0;

  constructor(layout: Layout, context: TableContext, log: CutLog) {
    const { table, merges } = context;
    this.#names = layout.columns.map((spec) => spec.name);
    this.values = layout.columns.map(() => null);
    const slots: Slot[] = [];
    const rowPlaces: number[] = [];
    for (const [index, spec] of layout.columns.entries()) {
      switch (spec.form) {
        case "cell":
        case "label":
        case "section": {
          if (spec.form === "cell" && spec.isFigure) break;
          const fills = spec.fill === "down";
          const sources = sourcesOf(spec, table).map((column) => new FilledColumn(column, merges, fills));
          const rule = compileTextRule(spec, context.marks, log);
          slots.push({ index, spec, rule, sources, cell: undefined, column: -1 });
          break;
        }
        case "caption":
          this.values[index] = constant(
            table.caption,
            spec,
            compileTextRule(spec, context.marks, log),
            spec.name,
            context,
          );
          break;
        case "text":
          this.values[index] = constant(fillFields(spec.text, context), spec, undefined, spec.name, context);
          break;
        case "place":
          if (spec.place === "file") this.values[index] = context.file;
          if (spec.place === "sheet") this.values[index] = context.sheet;
          if (spec.place === "row") rowPlaces.push(index);
          break;
        default: // Headings, figures and flags are known for each tidy row.
      }
    }
    this.#slots = slots;
    this.#late = slots.filter(({ spec }) => spec.year !== null && typeof spec.year !== "string");
    this.#rowPlaces = rowPlaces;
  }

  /** Takes in a row; must be called for each row of the table in order, because blanks take the value above. */
  advance(row: SheetRow): void {
    this.#number = row.number;
    for (const slot of this.#slots) {
      if (slot.spec.form === "section") continue;
      slot.cell = undefined;
      slot.column = -1;
      const isLast = slot.spec.form === "label" && slot.spec.label === "last";
      for (const source of slot.sources) {
        const cell = source.next(row);
        if (cell === undefined || isBlank(cell) || (slot.cell !== undefined && !isLast)) continue;
        slot.cell = cell;
        slot.column = source.column;
      }
    }
  }

  /** Says which rows without figures stand above the rows to come. */
  setSection(texts: readonly string[]): void {
    for (const slot of this.#slots) {
      if (slot.spec.form !== "section") continue;
      // Each text loses its own footnote marks: they stand at its end, not at the end of all.
      const cut = slot.rule === undefined ? texts : texts.flatMap((text) => slot.rule!(text).slice(0, 1));
      const { section } = slot.spec;
      const text = (section === "first" ? cut[0] : section === "last" ? cut.at(-1) : cut.join(" / ")) ?? "";
      slot.cell = text === "" ? undefined : { kind: "text", text };
    }
  }

  /** Whether anything says what this row is, blanks filled; also where nothing is declared that could. */
  isNamed(): boolean {
    return this.#slots.length === 0 || this.#slots.some(({ cell }) => cell !== undefined);
  }

  /** The text of a column in this row, as filters judge it; `""`: none. */
  textOf(name: string): string {
    const slot = this.#slots.find(({ spec }) => spec.name === name);
    return slot === undefined ? "" : (textsOf(slot)[0] ?? "");
  }

  /**
   * Reads this row's values into `values`.
   *
   * @returns the values of the column taken with `each` and its place, where there is one; or what cannot be read.
   */
  read(): SlotProblem | Readonly<{ index: number; each: readonly TidyValue[] }> | undefined {
    let split: { index: number; each: readonly TidyValue[] } | undefined;
    for (const index of this.#rowPlaces) this.values[index] = this.#number;
    for (const slot of this.#slots) {
      if (!this.#late.includes(slot)) {
        const problem = this.#readSlot(slot, undefined);
        if (problem !== undefined && "problem" in problem) return problem;
        split ??= problem;
      }
    }
    for (const slot of this.#late) {
      const problem = this.#readSlot(slot, this.yearOf(slot.spec));
      if (problem !== undefined && "problem" in problem) return problem;
      split ??= problem;
    }
    return split;
  }

  /** The year that another column of this row says. */
  yearOf({ year }: Pick<TypedPart, "year">): number | undefined {
    if (year === null || typeof year === "string") return undefined;
    const value = this.values[this.#names.indexOf(year.column)];
    const digits = /^\d{4}/.exec(String(value ?? ""));
    return digits === null ? undefined : Number(digits[0]);
  }

  /**
   * Completes a heading's period with the year of this row.
   *
   * @returns what is wrong, where the row says none.
   */
  fillPeriod(index: number, period: Period, spec: HeadingSpec, values: TidyValue[]): string | undefined {
    const year = this.yearOf(spec);
    if (year === undefined) return `the year of its ${spec.kind}s is not known`;
    values[index] = formatPeriod({ ...period, year }, spec);
    return undefined;
  }

  #readSlot(
    slot: Slot,
    year: number | undefined,
  ): SlotProblem | { index: number; each: readonly TidyValue[] } | undefined {
    const { spec, cell, index } = slot;
    if (spec.form === "label" && spec.label === "level") {
      const level = slot.sources.findIndex((source) => source.column === slot.column);
      this.values[index] = level < 0 ? null : level + 1;
      return undefined;
    }
    const isPlain =
      slot.rule === undefined || cell === undefined || cell.kind === "error" || spec.form === "section";
    if (isPlain) {
      const value = readValue(cell, spec, year);
      if (value instanceof Unreadable) return this.#problem(slot, value);
      this.values[index] = value;
      return undefined;
    }
    const each: TidyValue[] = [];
    for (const text of textsOf(slot)) {
      const value = text === readText(cell) ? readValue(cell, spec, year) : readTextValue(text, spec, year);
      if (value instanceof Unreadable) return this.#problem(slot, value);
      each.push(value);
    }
    this.values[index] = each[0] ?? null;
    return spec.take === "each" && each.length > 1 ? { index, each } : undefined;
  }

  #problem({ spec, cell, column }: Slot, problem: Unreadable): SlotProblem {
    const place = column < 0 ? `row ${this.#number}` : `cell ${toLetters(column)}${this.#number}`;
    return { column: spec.name, cell: cell ?? { kind: "text", text: "" }, place, problem };
  }
}

function textsOf(slot: Slot): readonly string[] {
  const text = readText(slot.cell);
  if (text === "") return [];
  return slot.rule === undefined || slot.spec.form === "section" ? [text] : slot.rule(text);
}

function sourcesOf(spec: CellSpec | LabelSpec | SectionSpec, table: FoundTable): readonly number[] {
  if (spec.form === "section") return [];
  if (spec.form === "label") {
    const labels = table.labels.get(spec.name) ?? [];
    if (typeof spec.label !== "number") return labels;
    const column = labels[spec.label - 1];
    return column === undefined ? [] : [column];
  }
  const found = table.columns.get(spec.name);
  return found === undefined ? [] : [found.column];
}

function constant(
  text: string,
  part: TypedPart & Partial<TextPart>,
  rule: TextRule | undefined,
  name: string,
  { file, sheet }: TableContext,
): TidyValue {
  const value = readTextValue(rule === undefined ? text : (rule(text)[0] ?? ""), part);
  if (!(value instanceof Unreadable)) return value;
  throw new LeatError("WORKBOOK_CELL_INVALID", {
    message: `${file}, sheet ${JSON.stringify(sheet)}: ${JSON.stringify(text)} ${value.problem} (column "${name}").`,
    details: { file, sheet, column: name },
  });
}

function fillFields(text: string, { file, sheet, table }: TableContext): string {
  return text.replace(/\{([A-Za-z_]\w*)\}/g, (whole, field: string) => {
    if (Object.hasOwn(table.fields, field)) return table.fields[field]!;
    const known = Object.keys(table.fields).join(", ");
    throw new LeatError("WORKBOOK_FIELD_MISSING", {
      message: `${file}, sheet ${JSON.stringify(sheet)}: the field ${whole} is not known; known are ${known === "" ? "none" : known}.`,
      details: { file, sheet, field },
    });
  });
}
