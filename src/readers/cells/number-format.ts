/** Number formats of spreadsheets: which make a number a date, and what a formatted code looks like. */
import type { DateParts } from "./serial-date.ts";

/** A number format, read once per style and asked for each number. */
export type NumberFormat = Readonly<{
  code: string;
  /** Set: numbers in this format are dates or times. Elapsed time (`[h]:mm`) is a number: 36 hours are no date. */
  dateParts: DateParts | undefined;
  /** Sections for positive numbers, negative ones and zero, where digits can be laid out; see {@link showNumber}. */
  sections: readonly (Section | undefined)[];
  /** What numbers were shown as: figures of a column repeat, and laying out their digits takes a microsecond. */
  remembered: Map<number, string>;
}>;

/** Fixed text and digits of a format's section. */
type Section = Readonly<{
  before: string;
  /** Digits before the point, with text between them: `000-00`. `digit: ""` is text, `0` and `#` are digits. */
  digits: readonly Readonly<{ digit: "" | "0" | "#"; text: string }>[];
  hasThousands: boolean;
  /** Decimals shown always, and at most. */
  decimalsMin: number;
  decimalsMax: number;
  isPercent: boolean;
  after: string;
}>;

/** Longest format code looked at, in characters; programs allow 255. */
const codeLengthMax = 1000;
/** Most decimals of a section; beyond them a double has none. */
const decimalsMost = 20;
/** Most numbers remembered of a format. */
const rememberedMax = 10_000;

/** Formats without a code of their own in the file, by number: ECMA-376 part 1, 18.8.30; dates of East Asia 27-36, 50-58. */
const builtInCodes: ReadonlyMap<number, string> = new Map([
  [0, "General"],
  [1, "0"],
  [2, "0.00"],
  [3, "#,##0"],
  [4, "#,##0.00"],
  [9, "0%"],
  [10, "0.00%"],
  [11, "0.00E+00"],
  [12, "# ?/?"],
  [13, "# ??/??"],
  [14, "m/d/yyyy"],
  [15, "d-mmm-yy"],
  [16, "d-mmm"],
  [17, "mmm-yy"],
  [18, "h:mm AM/PM"],
  [19, "h:mm:ss AM/PM"],
  [20, "h:mm"],
  [21, "h:mm:ss"],
  [22, "m/d/yyyy h:mm"],
  [37, "#,##0 ;(#,##0)"],
  [38, "#,##0 ;[Red](#,##0)"],
  [39, "#,##0.00;(#,##0.00)"],
  [40, "#,##0.00;[Red](#,##0.00)"],
  [45, "mm:ss"],
  [46, "[h]:mm:ss"],
  [47, "mm:ss.0"],
  [48, "##0.0E+0"],
  [49, "@"],
  ...Array.from({ length: 10 }, (_, index): [number, string] => [27 + index, "yyyy/m/d"]),
  ...Array.from({ length: 9 }, (_, index): [number, string] => [50 + index, "yyyy/m/d"]),
]);

/** Code of a built-in format; `General` for a number that stands for none. */
export const builtInCode = (id: number): string => builtInCodes.get(id) ?? "General";

/** Reads a format's code. Codes that nobody can read make a format that shows nothing and is no date. */
export function parseNumberFormat(code: string): NumberFormat {
  if (/^general$/i.test(code) || code === "@" || code.length > codeLengthMax) {
    return { code, dateParts: undefined, sections: [], remembered: new Map() };
  }
  const sections = splitSections(code);
  const dateParts = datePartsOf(sections);
  const shown = dateParts === undefined ? sections.map(parseSection) : [];
  return { code, dateParts, sections: shown, remembered: new Map() };
}

/** Parts of a code: text in quotes, one escaped or padded character, a bracket, AM/PM, General, any other character. */
const partPattern = /"[^"]*"?|[\\_*][\s\S]?|\[[^\]]*\]?|am\/pm|a\/p|general|[\s\S]/gi;

function splitSections(code: string): readonly (readonly string[])[] {
  const sections: string[][] = [[]];
  for (const part of code.match(partPattern) ?? []) {
    if (part === ";") sections.push([]);
    else sections.at(-1)!.push(part);
  }
  return sections;
}

/** The first section that shows a number or a date decides: `;;;` and plain text before it say nothing. */
function datePartsOf(sections: readonly (readonly string[])[]): DateParts | undefined {
  for (const parts of sections) {
    if (parts.some((part) => /^\[(h+|m+|s+)\]$/i.test(part))) return undefined;
    // Before an exponent `E` is no year of an era; beside digits it never is one.
    const isNumber = parts.some((part) => /^[0#?]$/.test(part));
    const hasDay = parts.some((part) => /^[ydgb]$/i.test(part) || (/^e$/i.test(part) && !isNumber));
    const hasClock = parts.some((part) => /^([hs]|am\/pm|a\/p)$/i.test(part));
    const hasMonth = parts.some((part) => /^m$/i.test(part)); // Minutes beside hours or seconds.
    if (hasDay) return hasClock ? "datetime" : "date";
    if (hasClock) return "time";
    if (hasMonth) return "date";
    if (isNumber || parts.some((part) => /^general$/i.test(part))) return undefined;
  }
  return undefined;
}

/** Text that a part shows as it stands; `undefined`: it is not such a part. */
function literalOf(part: string): string | undefined {
  if (part.startsWith('"')) return part.slice(1).replace(/"$/, "");
  if (part.startsWith("\\")) return part.slice(1);
  if (part.startsWith("_")) return " ";
  if (part.startsWith("*")) return "";
  if (part.startsWith("[")) {
    const currency = /^\[\$([^\]-]*)/.exec(part);
    if (currency !== null) return currency[1];
    return /^\[(black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]$/i.test(part) ? "" : undefined;
  }
  return /^[0#?.,%@ems]$/i.test(part) || part.length > 1 ? undefined : part;
}

/** Reads a section of digits and text; `undefined`: exponents, fractions, conditions and what else is not laid out here. */
function parseSection(parts: readonly string[]): Section | undefined {
  let [before, after] = ["", ""];
  const digits: { digit: "" | "0" | "#"; text: string }[] = [];
  let [hasThousands, isPercent, hasPoint] = [false, false, false];
  let [decimalsMin, decimalsMax] = [0, 0];
  for (const [index, part] of parts.entries()) {
    const literal = literalOf(part);
    if (literal !== undefined) {
      const hasDigitsAhead = !hasPoint && parts.slice(index + 1).some((next) => /^[0#]$/.test(next));
      if (digits.length === 0 && !hasPoint) before += literal;
      else if (hasDigitsAhead) digits.push({ digit: "", text: literal });
      else after += literal;
    } else if (part === "0" || part === "#") {
      if (after !== "") return undefined;
      if (!hasPoint) digits.push({ digit: part, text: "" });
      else {
        decimalsMax++;
        if (part === "0") decimalsMin = decimalsMax;
      }
    } else if (part === "." && !hasPoint) hasPoint = true;
    else if (part === "," && !hasPoint && /^[0#]$/.test(parts[index + 1] ?? "")) hasThousands = true;
    else if (part === "%" && !isPercent) {
      isPercent = true;
      after += "%";
    } else return undefined;
  }
  if (decimalsMax > decimalsMost || (digits.length === 0 && hasPoint)) return undefined;
  return { before, digits, hasThousands, decimalsMin, decimalsMax, isPercent, after };
}

/**
 * Shows a number as its format does, for codes stored as numbers: 7 in the format `00000` is `00007`.
 *
 * @returns `undefined` where the format adds nothing (General, text) or is not laid out here: dates, exponents,
 *   fractions, conditions.
 */
export function showNumber(value: number, format: NumberFormat): string | undefined {
  const { sections, remembered } = format;
  if (sections.length === 0 || !Number.isFinite(value)) return undefined;
  const before = remembered.get(value);
  if (before !== undefined) return before;
  const shown = layOut(value, sections);
  if (shown !== undefined && remembered.size < rememberedMax) remembered.set(value, shown);
  return shown;
}

function layOut(value: number, sections: NumberFormat["sections"]): string | undefined {
  const hasOwnNegative = sections.length > 1;
  const section =
    value < 0 && hasOwnNegative
      ? sections[1]
      : value === 0 && sections.length > 2
        ? sections[2]
        : sections[0];
  if (section === undefined) return undefined;
  const isNegative = value < 0 && !hasOwnNegative;
  if (section.digits.length === 0) return `${isNegative ? "-" : ""}${section.before}${section.after}`;
  const rounded = roundText(Math.abs(value), section);
  if (rounded === undefined) return undefined;
  const [whole = "", decimals = ""] = rounded.split(".");
  const shown = layDigits(whole === "0" ? "" : whole, section);
  let shortened = decimals;
  while (shortened.length > section.decimalsMin && shortened.endsWith("0"))
    shortened = shortened.slice(0, -1);
  const point = section.decimalsMax > 0 ? "." : "";
  const hasFigure = /[1-9]/.test(rounded);
  return `${isNegative && hasFigure ? "-" : ""}${section.before}${shown}${point}${shortened}${section.after}`;
}

/** Plain decimal text with the section's decimals; `undefined`: too great to be written so. */
function roundText(value: number, section: Section): string | undefined {
  // A percentage is moved in its text: 0.285 * 100 is 28.499999999999996.
  const text = section.isPercent ? String(Number(`${value}e2`)) : String(value);
  if (Number(text) >= 1e21) return undefined;
  // Shown digits are those of the decimal text, half up as programs do, and not of the double: 1.005 is 1.01.
  const moved = Math.round(Number(`${/e/.test(text) ? value : text}e${section.decimalsMax}`));
  if (!/e/.test(text) && Number.isSafeInteger(moved)) {
    const digits = String(moved).padStart(section.decimalsMax + 1, "0");
    const at = digits.length - section.decimalsMax;
    return section.decimalsMax === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`;
  }
  return Number(text).toFixed(section.decimalsMax);
}

/** Puts digits into their places from the right; what is more than the places stands before the first of them. */
function layDigits(whole: string, section: Section): string {
  let shown = "";
  let left = whole.length;
  let placed = 0;
  const put = (digit: string): void => {
    if (section.hasThousands && placed > 0 && placed % 3 === 0) shown = `,${shown}`;
    shown = digit + shown;
    placed++;
  };
  const firstDigit = section.digits.findIndex((place) => place.digit !== "");
  for (let index = section.digits.length - 1; index >= 0; index--) {
    const { digit, text } = section.digits[index]!;
    if (digit === "") {
      shown = text + shown;
      continue;
    }
    if (left > 0) put(whole[--left]!);
    else if (digit === "0") put("0");
    if (index === firstDigit) while (left > 0) put(whole[--left]!);
  }
  return shown;
}
