/** Numbers of cells from bytes, without a text in between: half of the time of a large sheet otherwise. */

const [plus, minus, point, zero] = [0x2b, 0x2d, 0x2e, 0x30];

/** Whole numbers of this many digits are exact in a double. */
const exactDigits = 15;
/** Powers of ten that are exact in a double: dividing a whole number by one rounds once, and so rightly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/**
 * Reads the decimal text of a number, as `Number` does.
 *
 * @returns `NaN` for what is no decimal number.
 */
export function parseNumber(bytes: Buffer, from: number, to: number): number {
  let at = from;
  const isNegative = bytes[at] === minus;
  if (isNegative) at++;
  let mantissa = 0;
  let digits = 0;
  let decimals = 0;
  let hasPoint = false;
  for (; at < to; at++) {
    const digit = bytes[at]! - zero;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (hasPoint) decimals++;
    } else if (bytes[at] === point && !hasPoint) hasPoint = true;
    else return parseOther(bytes, from, to);
  }
  if (digits === 0 || digits > exactDigits) return parseOther(bytes, from, to);
  const value = decimals === 0 ? mantissa : mantissa / powers[decimals]!;
  return isNegative ? -value : value;
}

/** Exponents, more digits than a double holds exactly, blanks around the number. */
function parseOther(bytes: Buffer, from: number, to: number): number {
  const text = bytes.toString("latin1", from, to).trim();
  const first = text.charCodeAt(0);
  const isDecimal = (first >= zero && first <= 0x39) || first === minus || first === plus || first === point;
  return isDecimal && !/[xob]/i.test(text) ? Number(text) : Number.NaN; // 0x10 is a number to `Number` only.
}
