/** Numbers that stand in a cell as text, exactly: `1,234`, ` 12 `, `−3`, `5.0`; or `1.234,5` where it is declared. */
import { cleanText } from "./cell-text.ts";
import type { DecimalSign } from "./layout.ts";

/** Thousands by commas or spaces, in groups of three: `1,23` is no number, it may be one and a bit elsewhere. */
const grouped = /^([+\-−]?)(\d{1,3}(?:[, ]\d{3})+)(\.\d+)?$/;
const plain = /^([+\-−]?)(\d+(?:\.\d*)?|\.\d+)(?:e([+-]?\d{1,3}))?$/i;
/** In accounts a number in brackets is below zero. */
const bracketed = /^\(\s?([\d., ]+)\s?\)$/;
/** Digits of one number; longer ones are texts. */
const digitsMax = 100;

/**
 * The decimal text of a number written as text, without separators.
 *
 * @returns `undefined`: the text is no number.
 */
export function parseNumberText(text: string, decimal: DecimalSign = "."): string | undefined {
  const written = cleanText(text);
  if (written.length > digitsMax) return undefined;
  const clean =
    decimal === "." ? written : written.replace(/[.,]/g, (separator) => (separator === "." ? "," : "."));
  const inBrackets = bracketed.exec(clean);
  if (inBrackets !== null) {
    const inner = parseNumberText(inBrackets[1]!);
    return inner === undefined || inner.startsWith("-") ? undefined : `-${inner}`;
  }
  const parts = grouped.exec(clean);
  if (parts !== null) return sign(parts[1]!) + parts[2]!.replace(/[, ]/g, "") + (parts[3] ?? "");
  const simple = plain.exec(clean);
  if (simple === null) return undefined;
  const [digits, exponent] = [simple[2]!, simple[3]];
  const whole = digits.startsWith(".") ? `0${digits}` : digits.endsWith(".") ? digits.slice(0, -1) : digits;
  return sign(simple[1]!) + whole + (exponent === undefined ? "" : `e${Number(exponent)}`);
}

function sign(text: string): string {
  return text === "" || text === "+" ? "" : "-";
}

/** Whether a text that is no number would be one if its comma began the fraction: `1,5`, `1.234,5`. */
export function mayBeWithComma(text: string): boolean {
  return (
    text.includes(",") && parseNumberText(text) === undefined && parseNumberText(text, ",") !== undefined
  );
}

/** Whether a decimal text stands for a whole number. */
export function isWhole(text: string): boolean {
  return /^-?\d+(\.0*)?$/.test(text) || (text.includes("e") && Number.isInteger(Number(text)));
}

/**
 * A decimal text as a number where a double says the same, else as the text itself.
 *
 * `0.10` is the number 0.1; `123456789012345678901` stays text, because the nearest double is another number.
 */
export function toExactNumber(text: string): number | string {
  const value = Number(text);
  if (Number.isSafeInteger(value) || canonical(String(value)) === canonical(text))
    return value === 0 ? 0 : value;
  return text;
}

/** Digits without what does not change the value: leading zeros, trailing zeros of a fraction, the place of the point. */
function canonical(text: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(text);
  if (parts === null) return text;
  const fraction = parts[3] ?? "";
  const digits = (parts[2]! + fraction).replace(/^0+/, "");
  const trimmed = digits.replace(/0+$/, "");
  const power = Number(parts[4] ?? 0) - fraction.length + (digits.length - trimmed.length);
  return `${parts[1]}${trimmed}e${power}`;
}
