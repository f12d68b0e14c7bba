/** Rows of a sheet out of its XML, byte by byte: the one loop that runs for each cell of a large workbook. */
import type { LeatError } from "../../errors/leat-error.ts";
import type { SheetCell, SheetRow } from "../../workbook/sheet.ts";
import { makeNumberCell, makeTextCell } from "../cells/make-cells.ts";
import type { NumberFormat } from "../cells/number-format.ts";
import { isoToSerial, serialToIso } from "../cells/serial-date.ts";
import { columnLetters, columnsMax, rowsMax } from "../cells/sheet-bounds.ts";
import { XmlCursor, XmlError } from "../xml/xml-cursor.ts";
import { decodeXmlText } from "../xml/xml-text.ts";
import { parseNumber } from "./parse-number.ts";
import { readRichText } from "./shared-strings.ts";

/** What cells refer to, and how a fault is told. */
export type SheetContext = Readonly<{
  strings: readonly (SheetCell | undefined)[];
  /** Format of each style; `undefined`: General. */
  formats: readonly (NumberFormat | undefined)[];
  is1904: boolean;
  /** @param place - `row 4` or `cell B4`. */
  damaged(place: string, problem: string): LeatError;
}>;

const [lessThan, greaterThan, slash, equals, colon] = [0x3c, 0x3e, 0x2f, 0x3d, 0x3a];
const [quote, apostrophe, bang, question, dash, zero, nine] = [0x22, 0x27, 0x21, 0x3f, 0x2d, 0x30, 0x39];
const [letterC, letterF, letterR, letterS, letterT, letterV] = [0x63, 0x66, 0x72, 0x73, 0x74, 0x76];

/** Most rows handed over at once. */
const batchRowsMax = 4096;
/** Most places of a batch of rows: a row with one cell in the last column has 16,384, nearly all of them blank. */
const batchPlacesMax = 1_000_000;

/** Kinds of a cell by the first letter of its `t`, with `str` apart from `s`. */
type CellType = "n" | "s" | "str" | "inlineStr" | "b" | "e" | "d";

/** Reads windows of rows (see `readWindows`); knows the row it stopped at. */
export class SheetRows {
  readonly #context: SheetContext;
  /** Last row read, 1-based. */
  #row = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  // Of the tag or cell at hand; members, so that the loop makes no object for each.
  #nameFrom = 0;
  #nameTo = 0;
  #column = -1;
  #style = -1;
  #type: CellType = "n";
  #isHidden = false;

  constructor(context: SheetContext) {
    this.#context = context;
  }

  /**
   * Reads the rows of one window, up to the end of the sheet's data.
   *
   * @returns batches of rows that hold at least one cell, in order.
   * @throws LeatError `WORKBOOK_DAMAGED` naming the cell.
   */
  *read(window: Buffer): Generator<readonly SheetRow[], void, undefined> {
    this.#bytes = window;
    this.#at = 0;
    this.#end = window.length;
    let rows: SheetRow[] = [];
    let places = 0;
    while (this.#nextTag()) {
      if (this.#isClosing() || !this.#isNamed("row")) {
        if (this.#isNamed("sheetData")) break; // Behind it, other things have rows: anchors of buttons.
        this.#skipTag();
        continue;
      }
      const row = this.#readRow();
      if (row === undefined) continue;
      rows.push(row);
      places += row.cells.length;
      if (rows.length < batchRowsMax && places < batchPlacesMax) continue;
      yield rows;
      rows = [];
      places = 0;
    }
    if (rows.length > 0) yield rows;
  }

  /** Goes behind the name of the next tag. */
  #nextTag(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    for (;;) {
      while (at < end && bytes[at] !== lessThan) at++;
      if (++at >= end) return false;
      const first = bytes[at]!;
      if (first !== bang && first !== question) break;
      at = this.#skipOther(at);
    }
    if (bytes[at] === slash) at++;
    this.#nameFrom = at;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte <= 0x20 || byte === greaterThan || byte === slash) break;
      if (byte === colon) this.#nameFrom = at + 1;
    }
    this.#nameTo = at;
    this.#at = at;
    return true;
  }

  #skipOther(at: number): number {
    const isComment = this.#bytes[at + 1] === dash;
    const isInstruction = this.#bytes[at] === question;
    if (!isComment && !isInstruction) throw new XmlError("it has plain text or a declaration among its rows");
    const end = this.#bytes.indexOf(isComment ? "-->" : "?>", at, "latin1");
    if (end < 0) throw new XmlError("a comment does not end");
    return end + (isComment ? 3 : 2);
  }

  #isNamed(name: string): boolean {
    if (this.#nameTo - this.#nameFrom !== name.length) return false;
    for (let index = 0; index < name.length; index++) {
      if (this.#bytes[this.#nameFrom + index] !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Whether the name at hand is one letter, and which: cells and values have names of one. */
  #letter(): number {
    return this.#nameTo - this.#nameFrom === 1 ? this.#bytes[this.#nameFrom]! : 0;
  }

  /** A closing tag has its slash before the name, or before the prefix of the name. */
  #isClosing(): boolean {
    let at = this.#nameFrom - 1;
    if (this.#bytes[at] === colon) while (this.#bytes[at] !== lessThan && this.#bytes[at] !== slash) at--;
    return this.#bytes[at] === slash;
  }

  /** Goes behind the tag at hand. @returns whether it is `<tag/>`. */
  #skipTag(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let inside = 0;
    for (let at = this.#at; at < end; at++) {
      const byte = bytes[at]!;
      if (inside !== 0) {
        if (byte === inside) inside = 0;
      } else if (byte === greaterThan) {
        this.#at = at + 1;
        return bytes[at - 1] === slash;
      } else if (byte === quote || byte === apostrophe) inside = byte;
    }
    throw new XmlError("a tag does not end");
  }

  #readRow(): SheetRow | undefined {
    this.#column = -1;
    this.#isHidden = false;
    const before = this.#row;
    this.#row = before + 1;
    const isEmpty = this.#readAttributes(true);
    const number = this.#row;
    if (number <= before || number > rowsMax) {
      const problem =
        number > rowsMax ? `is beyond row ${rowsMax}, the last of a sheet` : `follows row ${before}`;
      throw this.#context.damaged(`row ${number}`, problem);
    }
    if (isEmpty) return undefined;
    const isHidden = this.#isHidden;
    const cells: (SheetCell | undefined)[] = [];
    let hasCell = false;
    while (this.#nextTag()) {
      const isClosing = this.#isClosing();
      if (this.#letter() === letterC && !isClosing) {
        const cell = this.#readCell();
        if (cell === undefined) continue;
        hasCell = true;
        const column = this.#column;
        while (cells.length < column) cells.push(undefined);
        cells[column] = cell;
      } else {
        const isEnd = isClosing && this.#isNamed("row");
        this.#skipTag();
        if (isEnd) return hasCell ? { number, isHidden, cells } : undefined;
      }
    }
    throw new XmlError(`row ${number} does not end`);
  }

  /**
   * Reads the attributes of a row or cell, and goes behind its tag.
   *
   * @returns whether it is `<tag/>`.
   */
  #readAttributes(isRow: boolean): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    for (;;) {
      while (at < end && bytes[at]! <= 0x20) at++;
      if (at >= end) throw new XmlError("a tag does not end");
      if (bytes[at] === greaterThan) {
        this.#at = at + 1;
        return false;
      }
      if (bytes[at] === slash) {
        this.#at = at + 2;
        return true;
      }
      const nameFrom = at;
      while (at < end && bytes[at] !== equals && bytes[at]! > 0x20) at++;
      const nameLength = at - nameFrom;
      while (at < end && bytes[at] !== quote && bytes[at] !== apostrophe) at++;
      const closing = bytes[at]!;
      const from = ++at;
      while (at < end && bytes[at] !== closing) at++;
      if (at >= end) throw new XmlError("a tag does not end");
      const first = bytes[nameFrom]!;
      if (nameLength === 1) {
        if (first === letterR) {
          if (isRow) this.#row = this.#readInteger(from, at);
          else this.#readReference(from, at);
        } else if (first === letterS) this.#style = this.#readInteger(from, at);
        else if (first === letterT) this.#type = this.#readType(from, at);
      } else if (isRow && nameLength === 6 && bytes.toString("latin1", nameFrom, nameFrom + 6) === "hidden") {
        this.#isHidden = bytes[from] === 0x31 || bytes[from] === letterT; // "1" or "true"
      }
      at++;
    }
  }

  #readInteger(from: number, to: number): number {
    let value = 0;
    for (let at = from; at < to; at++) {
      const digit = this.#bytes[at]! - zero;
      if (digit < 0 || digit > 9 || to - from > 10) {
        throw this.#fault(
          `"${this.#bytes.toString("latin1", from, Math.min(to, from + 20))}" is no number of a row or style`,
        );
      }
      value = value * 10 + digit;
    }
    return value;
  }

  /** `AB12`: the column; the row is that of the row, or the file contradicts itself. */
  #readReference(from: number, to: number): void {
    const bytes = this.#bytes;
    let at = from;
    let column = 0;
    for (; at < to; at++) {
      const letter = bytes[at]! & 0xdf; // Capitals.
      if (letter < 0x41 || letter > 0x5a || column > columnsMax) break;
      column = column * 26 + letter - 0x40;
    }
    let row = 0;
    for (; at < to && bytes[at]! >= zero && bytes[at]! <= nine && row <= rowsMax; at++)
      row = row * 10 + bytes[at]! - zero;
    if (at < to || column === 0 || column > columnsMax || row !== this.#row) {
      const reference = bytes.toString("latin1", from, Math.min(to, from + 20));
      throw this.#context.damaged(`row ${this.#row}`, `has a cell "${reference}", which is no place in it`);
    }
    this.#column = column - 1;
  }

  #readType(from: number, to: number): CellType {
    const name = to - from === 1 ? this.#bytes[from] : 0;
    if (name === letterS) return "s";
    const type = this.#bytes.toString("latin1", from, to);
    if (!/^(n|str|inlineStr|b|e|d)$/.test(type))
      throw this.#fault(`has the unknown type "${type.slice(0, 20)}"`);
    return type as CellType; // One of those listed a line above.
  }

  #readCell(): SheetCell | undefined {
    this.#column++;
    this.#style = -1;
    this.#type = "n";
    if (this.#readAttributes(false)) return undefined;
    if (this.#column >= columnsMax)
      throw this.#context.damaged(`row ${this.#row}`, "has more cells than a row can");
    const bytes = this.#bytes;
    let cell: SheetCell | undefined;
    let [hasValue, hasFormula] = [false, false];
    for (;;) {
      if (!this.#nextTag()) throw this.#fault("does not end");
      const letter = this.#letter();
      if (this.#isClosing()) {
        this.#skipTag();
        if (letter === letterC) break;
      } else if (letter === letterV) {
        hasValue = true;
        if (this.#skipTag()) continue;
        const from = this.#at;
        let at = from;
        while (at < this.#end && bytes[at] !== lessThan) at++;
        if (bytes[at + 1] !== slash) throw this.#fault("has something else than text as its value");
        this.#at = at;
        cell = this.#makeCell(from, at);
      } else if (this.#isNamed("is")) cell = this.#readInline();
      else if (letter === letterF) {
        hasFormula = true;
        this.#skipElement();
      } else this.#skipElement();
    }
    // A formula that was never calculated is not a blank cell: as one, its figure would be missing without a word.
    if (hasFormula && !hasValue && !this.#isText())
      return { kind: "error", text: "(formula without a value)" };
    return cell;
  }

  #isText(): boolean {
    return this.#type === "str";
  }

  #makeCell(from: number, to: number): SheetCell | undefined {
    const { strings, formats, is1904 } = this.#context;
    if (from === to) return undefined;
    switch (this.#type) {
      case "s": {
        const index = parseNumber(this.#bytes, from, to);
        if (!(index >= 0 && index < strings.length)) throw this.#fault("refers to a text that is not there");
        return strings[index];
      }
      case "n": {
        const value = parseNumber(this.#bytes, from, to);
        if (!Number.isFinite(value)) throw this.#fault(`holds "${this.#text(from, to)}", which is no number`);
        const format = this.#style < 0 ? formats[0] : this.#formatOf(this.#style, formats);
        const digits = to - from > 15 ? exactDigits(this.#text(from, to), value) : undefined;
        return makeNumberCell(value, format, is1904, digits);
      }
      case "b":
        return { kind: "boolean", value: this.#bytes[from] === 0x31 || this.#bytes[from] === letterT };
      case "e":
        return { kind: "error", text: this.#text(from, to) };
      case "d":
        return this.#makeDate(this.#text(from, to).trim());
      default:
        return makeTextCell(decodeXmlText(this.#bytes, from, to, true));
    }
  }

  /** Strict workbooks may store dates as text. Told as any other date is. */
  #makeDate(iso: string): SheetCell {
    const { is1904 } = this.#context;
    const serial = isoToSerial(iso, is1904);
    if (serial === undefined) throw this.#fault(`holds "${iso.slice(0, 40)}", which is no date`);
    const parts = iso.includes("T") ? "datetime" : iso.includes(":") ? "time" : "date";
    return { kind: "date", iso: serialToIso(serial, parts, is1904) ?? iso, serial };
  }

  #formatOf(style: number, formats: SheetContext["formats"]): NumberFormat | undefined {
    // A workbook without any styles is plain; one that lacks this style may lack that a number is a date.
    if (style >= formats.length && formats.length > 0)
      throw this.#fault(`has the style ${style}, which is not there`);
    return formats[style];
  }

  #text(from: number, to: number): string {
    return decodeXmlText(this.#bytes, from, to, false);
  }

  #readInline(): SheetCell | undefined {
    const cursor = new XmlCursor(this.#bytes, this.#nameFrom - 1 - this.#prefixLength(), this.#end);
    cursor.next();
    const text = readRichText(cursor);
    this.#at = cursor.position;
    return makeTextCell(text);
  }

  /** Goes behind the element whose opening tag is at hand. */
  #skipElement(): void {
    const cursor = new XmlCursor(this.#bytes, this.#nameFrom - 1 - this.#prefixLength(), this.#end);
    cursor.next();
    cursor.skip();
    this.#at = cursor.position;
  }

  #prefixLength(): number {
    let at = this.#nameFrom - 1;
    while (this.#bytes[at] !== lessThan) at--;
    return this.#nameFrom - 1 - at;
  }

  #fault(problem: string): LeatError {
    const place = this.#column < 0 ? `row ${this.#row}` : `cell ${columnLetters(this.#column)}${this.#row}`;
    return this.#context.damaged(place, problem);
  }
}

/** Digits of a whole number of which a double does not hold all: identifiers, written by programs that are no spreadsheet. */
function exactDigits(text: string, value: number): string | undefined {
  return /^-?[1-9]\d{15,}$/.test(text) && String(value) !== text ? text : undefined;
}
