/** Figures: numbers, signs that stand for one, and marks behind one. Empty is not zero is not "-". */
import { cleanText, isBlank } from "./cell-text.ts";
import type { DecimalSign, Symbols, TypedPart } from "./layout.ts";
import { parseNumberText } from "./number-text.ts";
import type { SheetCell } from "./sheet.ts";
import { readValue, type TidyValue, Unreadable } from "./typed-value.ts";

/** A figure that came with a sign or mark; plain ones, which are nearly all, are their value alone. */
export class Figure {
  readonly value: TidyValue;
  /** `missing`, `suppressed`, or the mark; null for a sign that means zero. */
  readonly flag: string | null;
  /** The sign as it stands in the cell, for the report. */
  readonly sign: string;

  constructor(value: TidyValue, flag: string | null, sign: string) {
    this.value = value;
    this.flag = flag;
    this.sign = sign;
  }
}

/**
 * Reads a cell in the place of a figure.
 *
 * @returns `undefined`: the cell is empty, or holds a sign that means so.
 */
export function readFigure(
  cell: SheetCell | undefined,
  part: TypedPart,
  symbols: Symbols,
): TidyValue | Figure | Unreadable | undefined {
  if (cell === undefined) return undefined;
  if (cell.kind === "number") return readValue(cell, part);
  if (isBlank(cell)) return undefined;
  if (cell.kind === "text" || cell.kind === "error") {
    const signed = readSign(cleanText(cell.text), part, symbols);
    if (signed !== "none") return signed;
  }
  return readValue(cell, part);
}

function readSign(text: string, part: TypedPart, symbols: Symbols): Figure | undefined | "none" {
  const meaning = Object.hasOwn(symbols, text) ? symbols[text]! : undefined;
  switch (meaning) {
    case "zero":
      return new Figure(part.kind === "decimal" || part.kind === "text" ? "0" : 0, null, text);
    case "empty":
      return undefined;
    case "missing":
    case "suppressed":
      return new Figure(null, meaning, text);
    default:
      return readMarked(text, part, symbols);
  }
}

/** `123p`, `1,234 [r]`: a figure with a declared mark behind it. */
function readMarked(text: string, part: TypedPart, symbols: Symbols): Figure | "none" {
  for (const [mark, meaning] of Object.entries(symbols)) {
    if (meaning !== "mark" || !text.endsWith(mark)) continue;
    const number = text.slice(0, -mark.length);
    if (parseNumberText(number, part.decimal) === undefined) continue;
    const value = readValue({ kind: "text", text: number }, part);
    if (!(value instanceof Unreadable)) return new Figure(value, mark, mark);
  }
  return "none";
}

/** Whether a cell holds what stands in a column of figures: a number or a declared sign. Cheap, for many cells. */
export function isFigureCell(cell: SheetCell | undefined, symbols: Symbols, decimal: DecimalSign): boolean {
  if (cell === undefined) return false;
  if (cell.kind === "number") return true;
  if (cell.kind !== "text" && cell.kind !== "error") return false;
  const text = cleanText(cell.text);
  if (text === "") return false;
  if (Object.hasOwn(symbols, text) || parseNumberText(text, decimal) !== undefined) return true;
  return Object.entries(symbols).some(
    ([mark, meaning]) =>
      meaning === "mark" &&
      text.endsWith(mark) &&
      parseNumberText(text.slice(0, -mark.length), decimal) !== undefined,
  );
}
