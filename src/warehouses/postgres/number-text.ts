/** Numbers as text: what they are worth, without a double in between. */

/** A number as JSON writes it, and as people write it in strings: a plus, a bare point. */
const numberPattern = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]{1,4}))?$/;

/** A number's digits without zeros at either end, and its power of ten. `digits` is empty for zero. */
export type NumberParts = Readonly<{ isNegative: boolean; digits: string; exponent: number }>;

/** Takes a number apart; `undefined`: the text is none. */
export function parseNumber(text: string): NumberParts | undefined {
  const match = numberPattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", bare = ""] = match;
  const after = fraction + bare;
  const all = (whole + after).replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  const exponent = Number(match[5] ?? 0) - after.length + (all.length - digits.length);
  return { isNegative: sign === "-", digits, exponent };
}

/** Whether a number has at most so many digits before and after the point. */
export function hasRoom({ digits, exponent }: NumberParts, wholeMax: number, scaleMax: number): boolean {
  return digits === "" || (digits.length + exponent <= wholeMax && -exponent <= scaleMax);
}

/** The number written out, without an exponent. Only for numbers of few digits: see {@link hasRoom}. */
export function printNumber({ isNegative, digits, exponent }: NumberParts): string {
  if (digits === "") return "0";
  const sign = isNegative ? "-" : "";
  if (exponent >= 0) return `${sign}${digits}${"0".repeat(exponent)}`;
  const whole = digits.length + exponent;
  if (whole <= 0) return `${sign}0.${"0".repeat(-whole)}${digits}`;
  return `${sign}${digits.slice(0, whole)}.${digits.slice(whole)}`;
}
