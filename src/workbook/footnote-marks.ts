/**
 * Footnote marks at the ends of labels and headers: `Isles of Scilly UA 11`, `New England6`, `Total (a)`, `Apr¹`.
 *
 * A superscript arrives as a plain digit, so a mark cannot be told from a value by looking at one cell. A digit is cut
 * only where a note of the sheet begins with it *and* nothing before it makes it a value; the report lists every cut.
 */
import { readText } from "./cell-text.ts";
import type { SheetRow } from "./sheet.ts";

/** Marks that are nothing else: superscripts, stars and daggers. */
const typographic = "*†‡§¶⁎⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵖʳ";
const typographicEnd: RegExp = new RegExp(`\\s*[${typographic}]+$`);
const bracketEnd = /\s*[([](?:note )?([0-9]{1,2}|[a-z])[)\]]$/i;
const digitsEnd = /(\s*)(\d{1,2}(?:\s?,\s?\d{1,2})*)$/;

/** A pattern's source for marks that may follow any word of a name one knows; see {@link toNamePattern}. */
const anyMark: string = `(?:\\s?(?:[${typographic}]+|[([](?:note )?[0-9a-z]{1,3}[)\\]]|\\d{1,2}(?:\\s?,\\s?\\d{1,2})*))?`;

/**
 * Words after which a number is part of what is said: ranges, ages and things that are numbered. `Under 1` and
 * `Ward 12` keep their digits even where notes 1 and 12 exist.
 */
const numberedWord =
  /(?:\b(?:to|and|or|under|over|than|aged?|ages|least|most|no|nr|number|week|weeks|month|months|year|years|day|days|quarter|zone|ward|district|area|region|sector|grade|band|level|part|table|figure|type|class|category|group|stage|phase|tier|type|age|step|unit|site|route|line|house|block)|[-–—/.:#<>≤≥=&+])\s*$/i;

export type CutText = Readonly<{ text: string; marks: readonly string[] }>;

/**
 * Cuts marks from the end of a label.
 *
 * @param known - marks with which notes of the same sheet begin, lower case.
 * @returns the label as it was where no mark is sure.
 */
export function cutMarks(label: string, known: ReadonlySet<string>): CutText {
  let text = label;
  const marks: string[] = [];
  for (;;) {
    const cut = cutOne(text, known);
    if (cut === undefined || cut.text === "") return { text, marks };
    text = cut.text;
    marks.unshift(...cut.marks);
  }
}

/** A mark behind a value: `14a`, `2015 *`, `12 (b)`. */
const behindValue: RegExp = new RegExp(
  `^(.*\\d)\\s?(?:([a-z])|[([]([a-z]|\\d{1,2})[)\\]]|([${typographic}]+))$`,
  "i",
);

/**
 * Cuts a mark from a value that is a number, date or period: the kind that is declared says what belongs to it.
 *
 * Letters and bracketed marks only where a note begins with them; digits never, they are the value's own.
 */
export function cutValueMark(text: string, known: ReadonlySet<string>): CutText {
  const parts = behindValue.exec(text);
  const mark = parts?.[2] ?? parts?.[3];
  if (parts === null || (mark !== undefined && !known.has(mark.toLowerCase()))) return { text, marks: [] };
  return { text: parts[1]!, marks: [mark ?? parts[4]!] };
}

function cutOne(text: string, known: ReadonlySet<string>): CutText | undefined {
  const sign = typographicEnd.exec(text);
  if (sign !== null) return { text: text.slice(0, sign.index), marks: [sign[0].trim()] };
  const bracket = bracketEnd.exec(text);
  if (bracket !== null) {
    const isNote = known.has(bracket[1]!.toLowerCase()) || bracket[0].includes("note");
    return isNote ? { text: text.slice(0, bracket.index), marks: [bracket[1]!] } : undefined;
  }
  const digits = digitsEnd.exec(text);
  if (digits === null) return undefined;
  const marks = digits[2]!.split(",").map((mark) => mark.trim());
  const before = text.slice(0, digits.index);
  // Glued digits follow a letter or a bracket: in `E06000001` and `20-24` they follow what they belong to.
  const isApart = digits[1] !== "" || /[\p{L})\]]$/u.test(before);
  if (!isApart || !/\p{L}{2}/u.test(before) || numberedWord.test(before)) return undefined;
  return marks.every((mark) => known.has(mark)) ? { text: before.trimEnd(), marks } : undefined;
}

/**
 * The pattern of a name one looks for: marks may follow any of its words (`Respiratory2 deaths`, `Week number3`).
 *
 * Since the name is known, nothing that belongs to it can be cut: `Covid-19` finds `Covid-193`. Beside a field
 * (`{year}`) no mark is looked for, because it would take the field's digits.
 *
 * @param name - as `comparable` gives it; fields in it are captured by their names, as `fields` has them.
 */
export function toNamePattern(name: string, fields: readonly string[] = []): RegExp {
  const words = name.split(" ").map((word) => {
    const text = word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    const captured = text.replace(/\\\{(\w+)\\\}/g, (whole, field: string) => {
      const own = fields.find((one) => one.toLowerCase() === field);
      return own === undefined ? whole : `(?<${own}>[^\\s()]+)`;
    });
    return { text: captured, isField: captured !== text };
  });
  const source = words.map(({ text, isField }, place) => {
    const isBeside = isField || words[place + 1]?.isField === true;
    return isBeside ? text : text + anyMark;
  });
  return new RegExp(`^${source.join("\\s?")}[.:]?$`, "u");
}

/** How a note begins: `1 text`, `1) text`, `(a) text`, `P text`, `† text`, `Note 3: text`. */
const noteStart: RegExp = new RegExp(
  `^(?:note )?[([]?([0-9]{1,2}|[a-z]|[${typographic}]{1,3})[)\\].:]{0,2}(?: +|(?<=[)\\].:${typographic}]))\\S`,
  "i",
);

/** The mark that a row of notes defines, lower case; also where it stands in a cell of its own. */
export function markOfNote(row: SheetRow): string | undefined {
  const filled = row.cells.filter((cell) => cell !== undefined && readText(cell) !== "").slice(0, 2);
  const first = readText(filled[0]);
  const second = filled[1];
  if (second?.kind === "text" && /^[([]?(?:\d{1,2}|[a-z])[)\].:]{0,2}$/i.test(first)) {
    return first.replace(/[^0-9a-z]/gi, "").toLowerCase();
  }
  return noteStart.exec(first)?.[1]?.toLowerCase();
}
