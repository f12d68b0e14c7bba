/** A column of the sheet read from top to bottom, its merged cells filled and, if asked for, its blanks. */
import { isBlank } from "./cell-text.ts";
import type { MergedRange, SheetCell, SheetRow } from "./sheet.ts";

export class FilledColumn {
  readonly column: number;
  readonly #merges: readonly MergedRange[];
  readonly #fillsDown: boolean;
  #place = 0;
  #merged: SheetCell | undefined;
  #last: SheetCell | undefined;

  /**
   * @param merges - of the whole sheet. Only those of several rows matter: across columns a value stands once, because
   *   labels beside each other are different things.
   */
  constructor(column: number, merges: readonly MergedRange[], fillsDown: boolean) {
    this.column = column;
    this.#merges = merges
      .filter((merge) => merge.left === column && merge.bottom > merge.top)
      .sort((one, other) => one.top - other.top);
    this.#fillsDown = fillsDown;
  }

  /** The cell of a row. Rows are given in order, each once. */
  next(row: SheetRow): SheetCell | undefined {
    const cell = row.cells[this.column];
    const merge = this.#mergeAt(row.number);
    if (cell !== undefined && !isBlank(cell)) {
      if (merge !== undefined) this.#merged = cell;
      this.#last = cell;
      return cell;
    }
    if (merge !== undefined && merge.top < row.number) return this.#merged;
    return this.#fillsDown ? this.#last : undefined;
  }

  #mergeAt(number: number): MergedRange | undefined {
    while (this.#place < this.#merges.length && this.#merges[this.#place]!.bottom < number) {
      this.#place++;
      this.#merged = undefined;
    }
    const merge = this.#merges[this.#place];
    return merge !== undefined && merge.top <= number ? merge : undefined;
  }
}
