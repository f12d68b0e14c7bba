/** Cells of numbers and dates: what is written of them is made when it is asked for, since most numbers are only counted. */
import type { SheetCell } from "../../workbook/sheet.ts";
import { type NumberFormat, showNumber } from "./number-format.ts";
import { serialToIso } from "./serial-date.ts";

/** A number of a sheet. */
export class NumberCell {
  readonly kind = "number";
  readonly value: number;
  readonly #digits: string | undefined;
  readonly #format: NumberFormat | undefined;

  /** @param digits - as stored, where a double does not hold all of them. */
  constructor(value: number, format: NumberFormat | undefined, digits?: string) {
    this.value = value;
    this.#format = format;
    this.#digits = digits;
  }

  get text(): string {
    return this.#digits ?? String(this.value);
  }

  get shown(): string | undefined {
    return this.#format === undefined ? undefined : showNumber(this.value, this.#format);
  }
}

/**
 * Makes the cell of a stored number.
 *
 * @returns a date where the format is one and the calendar has the day; else a number.
 */
export function makeNumberCell(
  value: number,
  format: NumberFormat | undefined,
  is1904: boolean,
  digits?: string,
): SheetCell {
  if (format?.dateParts !== undefined) {
    const iso = serialToIso(value, format.dateParts, is1904);
    if (iso !== undefined) return { kind: "date", iso, serial: value };
  }
  return new NumberCell(value === 0 ? 0 : value, format, digits); // No file means -0.
}

/** Makes the cell of a text; an empty one holds nothing. */
export function makeTextCell(text: string): SheetCell | undefined {
  return text === "" ? undefined : { kind: "text", text };
}
