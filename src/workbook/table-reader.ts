/**
 * The rows of a table, one after the other, as tidy rows. Nothing is held but rows without figures, until it is known
 * whether they are labels in the table or notes below it.
 *
 * A row is, in this order of questions:
 * - *below the notes*, once a heading such as `Footnotes` or a text of `until` has ended the table;
 * - *the header again*, where it says in the places of figures what the header says;
 * - *data*, where at least half of what stands in the places of figures are figures. A cell among them that is none is
 *   refused or rejected, never skipped;
 * - *a broken row*, where most are not: refused, unless notes have begun. Text in the place of a figure is a slip, a
 *   new sign, or another table;
 * - *a row without figures*: held. If data follows, it was a section or label; at the end of the sheet it was a note.
 *
 * A table that declares no figures has as data each row with at least two of its columns filled.
 */
import { LeatError } from "../errors/leat-error.ts";
import { toCellName, toLetters } from "./cell-place.ts";
import { cleanText, isBlank, readText } from "./cell-text.ts";
import { FigureColumns } from "./figure-columns.ts";
import { Figure } from "./figures.ts";
import { markOfNote } from "./footnote-marks.ts";
import type { Layout } from "./layout.ts";
import { specsOf } from "./layout.ts";
import { RowFilter } from "./left-out.ts";
import { isNote, isNotesHeading, isNoteText, textsOf } from "./note-text.ts";
import { RowColumns, type SlotProblem, type TableContext } from "./row-columns.ts";
import type { SheetRow } from "./sheet.ts";
import { TableCounts } from "./table-counts.ts";
import { describeProblem, type TidyValue, Unreadable } from "./typed-value.ts";
import { compileWish, type Wish } from "./wanted.ts";

/** Rows without figures held at a time; a table with a longer gap has ended. */
const heldMax = 2000;

const hintOfEnd =
  "If another table or notes begin here, end this one with `until`; if it is a sign, say with `symbols` what it means.";

/** `isDoubtful`: texts stand in the places of figures. At the end of the sheet that is a note; within, a header. */
type Held = Readonly<{ row: SheetRow; texts: readonly string[]; isDoubtful: boolean }>;

export class TableReader {
  readonly counts: TableCounts;
  readonly #layout: Layout;
  readonly #context: TableContext;
  readonly #rows: RowColumns;
  readonly #figures: FigureColumns;
  readonly #filter: RowFilter;
  readonly #until: Wish | undefined;
  readonly #write: (values: TidyValue[]) => void;
  readonly #hasFigures: boolean;
  readonly #hasSections: boolean;
  readonly #neededCount: number;
  readonly #used: ReadonlySet<number>;
  /** Columns that say what a row is: labels, and declared ones that are not of figures. */
  readonly #names: readonly number[];
  #held: Held[] = [];
  #hasEnded = false;
  #notesBegan = false;

  /** @param write - takes a tidy row; the array is the taker's. */
  constructor(layout: Layout, context: TableContext, write: (values: TidyValue[]) => void) {
    this.#layout = layout;
    this.#context = context;
    this.#filter = new RowFilter(layout);
    this.counts = new TableCounts(layout, this.#filter);
    this.#rows = new RowColumns(layout, context, this.counts.cuts);
    this.#figures = new FigureColumns(layout, context, (column, problem) =>
      this.#refuse(`column ${toLetters(column)}`, problem),
    );
    this.#until = layout.until === null ? undefined : compileWish(layout.until, context.table.fields);
    this.#write = write;
    this.#hasFigures = this.#figures.sources.length > 0;
    this.#hasSections = specsOf(layout, "section").length > 0;
    this.#neededCount = Math.min(2, context.table.columns.size);
    const { columns } = context.table;
    const labels = [...context.table.labels.values()].flat();
    const claimed = [...columns.values(), ...this.#figures.sources].map(({ column }) => column);
    const figures = new Set(this.#figures.sources.map(({ column }) => column));
    const named = [...columns.values()].map(({ column }) => column).filter((column) => !figures.has(column));
    this.#names = [...labels, ...named];
    this.#used = new Set([...claimed, ...labels]);
  }

  /** Takes in the next row of the sheet. Rows of the header and above are passed over. */
  add(row: SheetRow): void {
    if (row.number <= this.#context.table.headerBottom) return;
    if (row.isHidden) this.counts.hidden++;
    if (this.#hasEnded) this.#addBelow(row);
    else this.#addInside(row);
  }

  #addInside(row: SheetRow): void {
    const { filled, good } = this.#figures.read(row);
    const isData = this.#hasFigures
      ? filled > 0 && good * 2 >= filled && !this.#isNumberedNote(row)
      : this.#filledCount(row) >= this.#neededCount;
    if (this.#isHeaderAgain(row)) {
      this.counts.repeatedHeaders++;
    } else if (this.#ends(row, good)) {
      this.#hasEnded = true;
      this.end();
      this.counts.addBelow(textsOf(row));
    } else if (isData) {
      if (this.#isOtherHeader(row))
        this.#refuse(
          `row ${row.number}`,
          "a row of numbers without a label looks like the header of another table",
          hintOfEnd,
        );
      this.#addData(row);
    } else {
      // A row that names nothing and holds no figure, or stands among notes, is refused only if data follows.
      const isBroken = filled > 0 && !this.#notesBegan && (good > 0 || this.#isLabelled(row));
      if (isBroken) this.#refuseFirst(row);
      this.#hold(row, filled > 0);
    }
  }

  /** Says that the table has no more rows: what was held was below it. */
  end(): void {
    for (const { texts } of this.#held) this.counts.addBelow(texts);
    this.#held = [];
  }

  #addBelow(row: SheetRow): void {
    const { good } = this.#figures.read(row);
    if (good > 0) this.counts.belowNotes++;
    this.counts.addBelow(textsOf(row));
  }

  /** Whether notes have begun and the row is one more: a number, and a text beside it. */
  #isNumberedNote(row: SheetRow): boolean {
    return this.#notesBegan && textsOf(row).length === 2 && markOfNote(row) !== undefined;
  }

  /** Whether the table is over at this row. */
  #ends(row: SheetRow, good: number): boolean {
    if (this.#until !== undefined && textsOf(row).some((text) => this.#until!.fit(text) !== undefined))
      return true;
    if (good > 0) return false;
    const first = row.cells.find((cell) => !isBlank(cell));
    if (first?.kind !== "text" || !isNoteText(cleanText(first.text))) return false;
    // In a table without figures nothing but a note's own words tells it from a row of texts.
    return isNotesHeading(row) || (!this.#hasFigures && this.counts.data > 0);
  }

  /** Whether anything stands in a column of labels, or in a declared one that is not of figures. */
  #isLabelled({ cells }: SheetRow): boolean {
    return this.#names.some((column) => !isBlank(cells[column]));
  }

  /** Whether a row without a label is a header of numbers, such as years or weeks, of another table. */
  #isOtherHeader(row: SheetRow): boolean {
    if (this.#names.length === 0 || this.#isLabelled(row)) return false;
    const cells = this.#figures.sources
      .map(({ column }) => row.cells[column])
      .filter((cell) => cell !== undefined);
    const numbers = cells.map((cell) => (cell.kind === "number" ? cell.value : Number.NaN));
    const steps = numbers.slice(1).map((value, index) => value - numbers[index]!);
    return steps.length > 0 && Math.abs(steps[0]!) === 1 && steps.every((step) => step === steps[0]);
  }

  /** How many of the declared columns are filled. */
  #filledCount(row: SheetRow): number {
    let count = 0;
    for (const { column } of this.#context.table.columns.values()) if (!isBlank(row.cells[column])) count++;
    return count;
  }

  #isHeaderAgain(row: SheetRow): boolean {
    const { signature } = this.#context.table;
    if (signature.size === 0) return false;
    let same = 0;
    for (const [column, text] of signature) {
      const cell = row.cells[column];
      if (cell === undefined) continue;
      if (readText(cell) !== text) return false;
      same++;
    }
    return same > 0 && same * 2 >= signature.size;
  }

  #hold(row: SheetRow, isDoubtful: boolean): void {
    const texts = textsOf(row);
    if (texts.length === 0) return;
    if (this.#held.length === heldMax) {
      this.#hasEnded = true;
      this.end();
      this.counts.addBelow(texts);
      return;
    }
    if (this.counts.data > 0 && isNote(row)) this.#notesBegan = true;
    this.#held.push({ row, texts, isDoubtful });
  }

  #addData(row: SheetRow): void {
    this.#release();
    this.#rows.advance(row);
    if (this.counts.firstRow === null) this.counts.firstRow = row.number;
    this.counts.lastRow = row.number;
    this.counts.data++;
    if (!this.#rows.isNamed()) this.counts.unlabelled++;
    this.counts.addUnused(row, this.#used);
    if (!this.#filter.accepts(row.number, (column) => this.#rows.textOf(column))) return;
    const split = this.#rows.read();
    if (split !== undefined && "problem" in split) {
      this.#rejectSlot(split);
      return;
    }
    this.counts.addNulls(this.#rows.values);
    this.#writeGroups(row, split);
  }

  #writeGroups(
    row: SheetRow,
    split: Readonly<{ index: number; each: readonly TidyValue[] }> | undefined,
  ): void {
    const figures = this.#figures;
    for (const group of figures.groups) {
      const bad = group.sources.find((place) => figures.found[place] instanceof Unreadable);
      if (bad !== undefined) {
        this.#rejectFigure(row, bad);
        continue;
      }
      const values = this.#rows.values.slice();
      const isFilled = figures.fill(group, row, values);
      if (!isFilled && this.#hasFigures) continue;
      for (const place of group.sources) {
        const found = figures.found[place];
        if (found instanceof Figure) this.counts.addSymbol(found.sign);
      }
      for (const { index, period, spec } of group.late) {
        const problem = this.#rows.fillPeriod(index, period, spec, values);
        if (problem !== undefined) this.#refuse(`row ${row.number}`, `${problem} (column "${spec.name}")`);
      }
      for (const value of split?.each ?? [undefined]) {
        const written = value === undefined ? values : values.slice();
        if (value !== undefined) written[split!.index] = value;
        this.counts.written++;
        this.#write(written);
      }
    }
  }

  /** Data has come: what was held is in the table. */
  #release(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    const doubtful = held.find(({ isDoubtful }) => isDoubtful);
    if (doubtful !== undefined) {
      this.#figures.read(doubtful.row);
      this.#refuseFirst(doubtful.row);
    }
    this.#held = [];
    this.#notesBegan = false;
    if (!this.#hasFigures && !this.#hasSections && this.counts.data > 0) {
      // Rows of a table without figures that hold one value only: data after all, since data follows.
      for (const { row } of held) this.#addData(row);
      return;
    }
    for (const { row } of held) this.#rows.advance(row);
    this.counts.withoutFigures += held.length;
    if (!this.#hasSections) return;
    const labels = held.filter(({ texts }) => !isNoteText(texts[0]!));
    // The last run of rows without a blank one between them is what heads the rows that follow.
    let start = labels.length - 1;
    while (start > 0 && labels[start]!.row.number - labels[start - 1]!.row.number === 1) start--;
    if (labels.length > 0) this.#rows.setSection(labels.slice(start).map(({ texts }) => texts.at(-1)!));
  }

  #refuseFirst(row: SheetRow): never {
    const place = this.#figures.found.findIndex((found) => found instanceof Unreadable);
    const { column, spec } = this.#figures.sources[place]!;
    const cell = row.cells[column]!;
    const problem = describeProblem(cell, this.#figures.found[place] as Unreadable); // Found to be one just above.
    return this.#refuse(
      `cell ${toCellName(row.number, column)}`,
      `${problem} (column "${spec.name}"), as most of what stands in its row`,
      hintOfEnd,
    );
  }

  #rejectFigure(row: SheetRow, place: number): void {
    const { column, spec } = this.#figures.sources[place]!;
    const cell = row.cells[column]!;
    const problem = describeProblem(cell, this.#figures.found[place] as Unreadable); // The caller has looked.
    const name = toCellName(row.number, column);
    if (this.#layout.unreadable === "reject") {
      this.counts.addReject({ cell: name, column: spec.name, problem });
      return;
    }
    const sign = cell.kind === "text" || cell.kind === "error" ? cleanText(cell.text) : undefined;
    const isSign = sign !== undefined && sign.length <= 20 && !isBlank(cell);
    const hint = isSign
      ? `Say what it means, e.g. \`symbols: { ${JSON.stringify(sign)}: "missing" }\`, or leave such cells out with \`unreadable: "reject"\`.`
      : undefined;
    this.#refuse(`cell ${name}`, `${problem} (column "${spec.name}")`, hint);
  }

  #rejectSlot({ column, cell, place, problem }: SlotProblem): void {
    const text = describeProblem(cell, problem);
    if (this.#layout.unreadable === "reject") {
      this.counts.addReject({ cell: place.replace("cell ", ""), column, problem: text });
      return;
    }
    const hint =
      "If the row is none of the table's, leave it out with `keep` or `drop`; or declare the column's kind as it is.";
    this.#refuse(place, `${text} (column "${column}")`, hint);
  }

  #refuse(place: string, problem: string, hint?: string): never {
    const { file, sheet } = this.#context;
    throw new LeatError("WORKBOOK_CELL_INVALID", {
      message: `${file}, sheet ${JSON.stringify(sheet)}, ${place}: ${problem}.`,
      hint,
      details: { file, sheet, place },
    });
  }
}
