/** What a cell says, as text that can be compared: blanks told from texts, codes typed as numbers kept as codes. */
import type { SheetCell } from "./sheet.ts";

/** Spaces of all kinds, line breaks and tabs; zero-width characters and soft hyphens, which nobody sees. */
const blanks = /[\s\u00a0\u2000-\u200a\u202f\u3000]+/g;
const invisible = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;
/** Texts without any of these are already clean: most are, and a test is cheaper than three replacements. */
const unclean = /[^\x21-\x7e\u00a1-\u00ac\u00ae-\u1fff ]| {2}|^ | $/;

/** Text without blanks at its ends, with single spaces inside. */
export function cleanText(text: string): string {
  if (!unclean.test(text)) return text;
  return text.normalize("NFC").replace(invisible, "").replace(blanks, " ").trim();
}

/**
 * A cell as text, clean; `""` for a blank one.
 *
 * A number is its shortest decimal text, unless its format shows the same integer with leading zeros: `0012` typed as
 * a number and formatted `0000` is a code. Nothing else of a format is taken: `1,234` shown is still `1234`.
 */
export function readText(cell: SheetCell | undefined): string {
  if (cell === undefined) return "";
  switch (cell.kind) {
    case "text":
    case "error":
      return cleanText(cell.text);
    case "number":
      return cell.shown?.startsWith("0") === true && isPadded(cell.shown, cell.value)
        ? cell.shown
        : cell.text;
    case "date":
      return cell.iso;
    case "boolean":
      return String(cell.value);
  }
}

/** Whether there is nothing to see in a cell. */
export function isBlank(cell: SheetCell | undefined): boolean {
  return cell === undefined || (cell.kind === "text" && (cell.text === "" || cleanText(cell.text) === ""));
}

function isPadded(shown: string, value: number): boolean {
  return /^0\d+$/.test(shown) && Number(shown) === value;
}

/** Text as it is compared: without case, with one kind of dash, quote and space, `_` being a space. */
export function comparable(text: string): string {
  return cleanText(text.replaceAll("_", " "))
    .toLowerCase()
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/[\u2018\u2019\u02bc]/g, "'")
    .replace(/[\u201c\u201d]/g, '"');
}

/** Longest text shown in a message, in characters: the rest does not help to find the cell. */
const shownMax = 80;

/** A text for a message: quoted, on one line, cut. */
export function quote(text: string): string {
  const clean = cleanText(text);
  return JSON.stringify(clean.length > shownMax ? `${clean.slice(0, shownMax)}…` : clean);
}
