/** Texts of the rows that may be a header: merged cells filled, every cell as text. */
import { isBlank, readText } from "./cell-text.ts";
import type { MergedRange, SheetCell } from "./sheet.ts";
import type { SheetHead } from "./sheet-head.ts";

/** Merged ranges kept for one row; a header has a few dozen. */
const mergesOfRowMax = 2000;

/** A cell of the header: what it says, and the range it stands for. */
export type HeaderCell = Readonly<{
  text: string;
  /** Set where it is a date. */
  iso: string | undefined;
  /** Columns and rows it covers: itself, or its merged range. */
  range: MergedRange;
}>;

/** Reads cells of the head by place in its list of rows. */
export class HeaderGrid {
  readonly head: SheetHead;
  /** One more than the last column that holds anything. */
  readonly width: number;
  readonly #merges: ReadonlyMap<number, readonly MergedRange[]>;
  readonly #rowIndex: ReadonlyMap<number, number>;
  readonly #cells = new Map<number, HeaderCell | undefined>();

  /** @param rowsMax - rows that are asked for; others are data. */
  constructor(head: SheetHead, rowsMax: number) {
    this.head = head;
    const rows = head.rows.slice(0, rowsMax);
    this.width = head.rows.reduce((width, row) => Math.max(width, row.cells.length), 0);
    this.#rowIndex = new Map(rows.map((row, index) => [row.number, index]));
    this.#merges = indexMerges(head.merges, this.#rowIndex);
  }

  /** Sheet row number of a row of the list. */
  numberOf(index: number): number {
    return this.head.rows[index]!.number;
  }

  /** Sheet row number of the last row that merged cells of a row reach down to; its own without such. */
  bottomOf(index: number): number {
    const number = this.numberOf(index);
    const merges = this.#merges.get(number) ?? [];
    return merges.reduce((bottom, merge) => Math.max(bottom, merge.bottom), number);
  }

  rawCell(index: number, column: number): SheetCell | undefined {
    return this.head.rows[index]?.cells[column];
  }

  /** What stands in a place, merged cells filled; `undefined`: nothing. */
  cell(index: number, column: number): HeaderCell | undefined {
    const key = index * 16_384 + column;
    if (this.#cells.has(key)) return this.#cells.get(key);
    const cell = this.#read(index, column);
    this.#cells.set(key, cell);
    return cell;
  }

  #read(index: number, column: number): HeaderCell | undefined {
    const number = this.numberOf(index);
    const range = this.#merges.get(number)?.find((merge) => merge.left <= column && merge.right >= column);
    const origin = range === undefined ? index : this.#rowIndex.get(range.top);
    if (origin === undefined) return undefined;
    const cell = this.rawCell(origin, range?.left ?? column);
    if (isBlank(cell)) return undefined;
    return {
      text: readText(cell),
      iso: cell?.kind === "date" ? cell.iso : undefined,
      range: range ?? { top: number, bottom: number, left: column, right: column },
    };
  }
}

function indexMerges(
  merges: readonly MergedRange[],
  rowIndex: ReadonlyMap<number, number>,
): ReadonlyMap<number, readonly MergedRange[]> {
  const byRow = new Map<number, MergedRange[]>();
  for (const merge of merges) {
    for (const number of rowIndex.keys()) {
      if (number < merge.top || number > merge.bottom) continue;
      const list = byRow.get(number) ?? [];
      if (list.length < mergesOfRowMax) list.push(merge);
      byRow.set(number, list);
    }
  }
  return byRow;
}
