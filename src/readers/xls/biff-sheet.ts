/** Cells of one sheet of an .xls. */
import type { MergedRange, SheetCell, SheetRow } from "../../workbook/sheet.ts";
import { makeNumberCell, makeTextCell } from "../cells/make-cells.ts";
import type { NumberFormat } from "../cells/number-format.ts";
import { BiffRecords, RecordPieces, recordTypes } from "./biff-records.ts";
import { type DecodePage, readUnicode } from "./biff-text.ts";

/** What cells refer to. */
export type BiffContext = Readonly<{
  /** Stream of the workbook, all sheets in it. */
  bytes: Buffer;
  /** Excel 97 and later; before, texts are in a code page. */
  isUnicode: boolean;
  decodePage: DecodePage;
  is1904: boolean;
  strings: readonly (SheetCell | undefined)[];
  /** Format of each style; `undefined`: General. */
  formats: readonly (NumberFormat | undefined)[];
}>;

export type BiffSheet = Readonly<{
  rows: readonly SheetRow[];
  merges: readonly MergedRange[];
  hiddenColumns: ReadonlySet<number>;
}>;

/** Columns of a sheet of .xls. */
const columnsMax = 256;

const errorTexts: ReadonlyMap<number, string> = new Map([
  [0x00, "#NULL!"],
  [0x07, "#DIV/0!"],
  [0x0f, "#VALUE!"],
  [0x17, "#REF!"],
  [0x1d, "#NAME?"],
  [0x24, "#NUM!"],
  [0x2a, "#N/A"],
  [0x2b, "#GETTING_DATA"],
]);

/**
 * Reads a sheet.
 *
 * @param offset - of its beginning in the stream.
 * @throws RangeError where it is cut off or refers to what is not there.
 */
export function readBiffSheet(context: BiffContext, offset: number): BiffSheet {
  return new BiffSheetReader(context, offset).read();
}

class BiffSheetReader {
  readonly #context: BiffContext;
  readonly #records: BiffRecords;
  readonly #rows = new Map<number, (SheetCell | undefined)[]>();
  readonly #hiddenRows = new Set<number>();
  readonly #hiddenColumns = new Set<number>();
  readonly #merges: MergedRange[] = [];
  /** Cell of a formula whose text comes in a record of its own. */
  #pending: { row: number; column: number } | undefined;

  constructor(context: BiffContext, offset: number) {
    this.#context = context;
    this.#records = new BiffRecords(context.bytes, offset);
  }

  read(): BiffSheet {
    const records = this.#records;
    if (!records.next() || records.type !== recordTypes.beginning)
      throw new RangeError("a sheet does not begin");
    for (let depth = 1; depth > 0; ) {
      if (!records.next()) throw new RangeError("a sheet does not end");
      // Charts that lie on the sheet are streams in the stream.
      if (records.type === recordTypes.beginning) depth++;
      else if (records.type === recordTypes.eof) depth--;
      else if (depth === 1) this.#readRecord();
    }
    const rows = [...this.#rows]
      .sort(([one], [other]) => one - other)
      .map(([row, cells]) => ({ number: row + 1, isHidden: this.#hiddenRows.has(row), cells }));
    return { rows, merges: this.#merges, hiddenColumns: this.#hiddenColumns };
  }

  #readRecord(): void {
    const { bytes, type, from } = this.#records;
    switch (type) {
      case recordTypes.labelShared: {
        const index = bytes.readUInt32LE(from + 6);
        const { strings } = this.#context;
        if (index >= strings.length) throw new RangeError("a cell refers to a text that is not there");
        this.#put(strings[index]);
        break;
      }
      case recordTypes.number:
        this.#putNumber(bytes.readDoubleLE(from + 6));
        break;
      case recordTypes.rk:
        this.#putNumber(readRk(bytes, from + 6));
        break;
      case recordTypes.multipleRk:
        this.#readMultiple();
        break;
      case recordTypes.label:
      case recordTypes.richString:
        this.#put(makeTextCell(this.#readText(from + 6)));
        break;
      case recordTypes.booleanOrError:
        this.#put(booleanOrError(bytes.readUInt8(from + 6), bytes.readUInt8(from + 7) === 1));
        break;
      case recordTypes.formula:
        this.#readFormula();
        break;
      case recordTypes.string: {
        const cell = makeTextCell(this.#readText(from));
        if (this.#pending !== undefined) this.#place(this.#pending, cell);
        this.#pending = undefined;
        break;
      }
      case recordTypes.row:
        if ((bytes.readUInt16LE(from + 12) & 0x20) !== 0) this.#hiddenRows.add(bytes.readUInt16LE(from));
        break;
      case recordTypes.columnInfo:
        this.#readColumns();
        break;
      case recordTypes.mergedCells:
        this.#readMerges();
        break;
    }
  }

  #readMultiple(): void {
    const { bytes, from, to } = this.#records;
    let column = bytes.readUInt16LE(from + 2);
    for (let at = from + 4; at + 6 <= to - 2; at += 6) {
      this.#put(this.#numberCell(readRk(bytes, at + 2), bytes.readUInt16LE(at)), column++);
    }
  }

  #readColumns(): void {
    const { bytes, from } = this.#records;
    if ((bytes.readUInt16LE(from + 8) & 1) === 0) return;
    const last = Math.min(bytes.readUInt16LE(from + 2), columnsMax - 1);
    for (let column = bytes.readUInt16LE(from); column <= last; column++) this.#hiddenColumns.add(column);
  }

  #readMerges(): void {
    const { bytes, from, to } = this.#records;
    const count = bytes.readUInt16LE(from);
    if (from + 2 + 8 * count > to) throw new RangeError("a list of merged cells is cut off");
    for (let at = from + 2; at < from + 2 + 8 * count; at += 8) {
      const [top, bottom, left, right] = [0, 2, 4, 6].map((step) => bytes.readUInt16LE(at + step));
      this.#merges.push({ top: top! + 1, bottom: bottom! + 1, left: left!, right: right! });
    }
  }

  /** Of a formula its last result is read: a number, or a mark for what else it may be. */
  #readFormula(): void {
    const { bytes, from } = this.#records;
    if (bytes.readUInt16LE(from + 12) !== 0xffff) {
      this.#putNumber(bytes.readDoubleLE(from + 6));
      return;
    }
    const [kind, value] = [bytes[from + 6], bytes.readUInt8(from + 8)];
    if (kind === 0) this.#pending = { row: bytes.readUInt16LE(from), column: bytes.readUInt16LE(from + 2) };
    else if (kind === 1 || kind === 2) this.#put(booleanOrError(value, kind === 2));
  }

  #putNumber(value: number): void {
    this.#put(this.#numberCell(value, this.#records.bytes.readUInt16LE(this.#records.from + 4)));
  }

  #numberCell(value: number, style: number): SheetCell {
    const { formats, is1904 } = this.#context;
    if (style >= formats.length) throw new RangeError("a cell has a style that is not there");
    if (!Number.isFinite(value)) throw new RangeError("a cell holds a number that is none");
    return makeNumberCell(value, formats[style], is1904);
  }

  #readText(from: number): string {
    const { bytes, to } = this.#records;
    const length = bytes.readUInt16LE(from);
    if (this.#context.isUnicode) return readUnicode(new RecordPieces(this.#records, from + 2), length);
    if (from + 2 + length > to) throw new RangeError("a text is cut off");
    return this.#context.decodePage(bytes.subarray(from + 2, from + 2 + length));
  }

  #put(cell: SheetCell | undefined, column?: number): void {
    const { bytes, from } = this.#records;
    this.#place({ row: bytes.readUInt16LE(from), column: column ?? bytes.readUInt16LE(from + 2) }, cell);
  }

  #place({ row, column }: { row: number; column: number }, cell: SheetCell | undefined): void {
    if (cell === undefined) return;
    if (column >= columnsMax) throw new RangeError("a cell is beyond the last column");
    let cells = this.#rows.get(row);
    if (cells === undefined) {
      cells = [];
      this.#rows.set(row, cells);
    }
    while (cells.length < column) cells.push(undefined);
    cells[column] = cell;
  }
}

function booleanOrError(value: number, isError: boolean): SheetCell {
  if (!isError) return { kind: "boolean", value: value !== 0 };
  return { kind: "error", text: errorTexts.get(value) ?? `#ERROR ${value}` };
}

/** Numbers in four bytes: a whole number or the upper part of a double, either of them perhaps times 100. */
function readRk(bytes: Buffer, at: number): number {
  const rk = bytes.readInt32LE(at);
  let value: number;
  if ((rk & 2) !== 0) value = rk >> 2;
  else {
    doubleBytes.writeInt32LE(rk & ~3, 4);
    value = doubleBytes.readDoubleLE(0);
  }
  return (rk & 1) !== 0 ? value / 100 : value;
}

/** Scratch: the lower four bytes stay zero. */
const doubleBytes = Buffer.alloc(8);
