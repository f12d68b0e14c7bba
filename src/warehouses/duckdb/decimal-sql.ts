/**
 * Numbers in text, taken apart in SQL.
 *
 * The engine's own cast of text to a decimal of more than 18 digits takes 15 to 100 µs a value (1.5.5, measured over
 * 100,000 values), its cast to HUGEINT 0.1 µs, and it knows `1e-3` only up to some scales. So the digits without
 * their point are read as a whole number, and one multiplication by the decimal's unit puts the point back: 0.5 µs.
 */
import { quoteText } from "./sql-text.ts";

/** A number as JSON writes it, and as people write it in strings: a plus, a bare point. */
export const numberPattern = "[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,4})?";

/** Whether all of a text matches a pattern. */
export function matches(cell: string, pattern: string): string {
  return `regexp_full_match(${cell}, ${quoteText(pattern)})`;
}

const plainPattern = (scale: number) => (scale === 0 ? "-?[0-9]+" : `-?[0-9]+(\\.[0-9]{1,${scale}})?`);

const whole = (cell: string) => `regexp_extract(${cell}, '^[+-]?([0-9]*)', 1)`;
const fraction = (cell: string) => `regexp_extract(${cell}, '^[+-]?[0-9]*\\.?([0-9]*)', 1)`;
const exponent = (cell: string) =>
  `COALESCE(TRY_CAST(regexp_extract(${cell}, '[eE]([+-]?[0-9]+)$', 1) AS INTEGER), 0)`;
const digits = (cell: string) => `concat(${whole(cell)}, ${fraction(cell)})`;

/** Whether a text is a number with at most `scale` digits after the point, exponent applied, trailing zeros aside. */
export function isNumberSql(cell: string, scale: number): string {
  const zeros = `(length(${digits(cell)}) - length(rtrim(${digits(cell)}, '0')))`;
  const shifted =
    `${matches(cell, numberPattern)} AND (rtrim(${digits(cell)}, '0') = '' ` +
    `OR length(${fraction(cell)}) - ${exponent(cell)} - ${zeros} <= ${scale})`;
  return `CASE WHEN ${matches(cell, plainPattern(scale))} THEN true ELSE ${shifted} END`;
}

/**
 * A text as a decimal. Exact wherever {@link isNumberSql} holds; digits beyond the scale are cut off.
 *
 * @param onWrong - what becomes of no number, and of one with too many digits before the point.
 */
export function decimalSql(
  cell: string,
  precision: number,
  scale: number,
  onWrong: "null" | "error",
): string {
  const cast = onWrong === "null" ? "TRY_CAST" : "CAST";
  const point = `strpos(${cell}, '.')`;
  const held = `CASE ${point} WHEN 0 THEN 0 ELSE length(${cell}) - ${point} END`;
  const plain = scale === 0 ? cell : `replace(${cell}, '.', '') || repeat('0', ${scale} - ${held})`;
  const shift = `(${scale} - length(${fraction(cell)}) + ${exponent(cell)})`;
  const sign = `CASE left(${cell}, 1) WHEN '-' THEN '-' ELSE '' END`;
  const kept = `left(${digits(cell)}, greatest(length(${digits(cell)}) + ${shift}, 0)::BIGINT)`;
  const shifted = `${sign} || '0' || ltrim(${kept} || repeat('0', greatest(${shift}, 0)::BIGINT), '0')`;
  const unscaled =
    `CASE WHEN ${matches(cell, plainPattern(scale))} THEN ${plain} ` +
    `WHEN ${matches(cell, numberPattern)} THEN ${shifted}` +
    (onWrong === "null" ? " END" : ` WHEN ${cell} IS NOT NULL THEN error('no number: ' || ${cell}) END`);
  const number = `${cast}(${cast}(${unscaled} AS HUGEINT) AS DECIMAL(38,0))`;
  const scaled = scale === 0 ? number : `${number} * ${unitSql(scale)}`;
  return precision === 38 ? scaled : `${cast}(${scaled} AS DECIMAL(${precision},${scale}))`;
}

/** The least positive value of a scale. */
function unitSql(scale: number): string {
  return `CAST('0.${"0".repeat(scale - 1)}1' AS DECIMAL(${Math.min(scale + 1, 38)},${scale}))`;
}
