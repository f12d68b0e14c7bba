/** Which rows are notes: what stands below a table, and sometimes in its midst. */
import { readText } from "./cell-text.ts";
import { markOfNote } from "./footnote-marks.ts";
import type { SheetRow } from "./sheet.ts";

/** A heading of its own after which no table goes on: `Footnotes:`, `Notes`, `Source`. */
const headingOfNotes = /^(?:foot ?)?notes?\s*[:.]?$|^sources?\s*:?$|^footnotes?\b.{0,20}$/i;
/** How notes begin that have no mark: `Note: …`, `Source: …`, `© Crown copyright`. */
const startOfNote = /^(?:foot ?)?notes?\b|^sources?\s*(?::|$)|^©|^crown copyright|^\(?c\)? crown/i;

/** Texts of a row, in order. */
export function textsOf(row: SheetRow): readonly string[] {
  return row.cells.map(readText).filter((text) => text !== "");
}

/** Whether the row is the heading of the notes: alone in its row, and nothing else. */
export function isNotesHeading(row: SheetRow): boolean {
  const texts = textsOf(row);
  return texts.length === 1 && headingOfNotes.test(texts[0]!);
}

/** Whether a text says of itself that it is a note. */
export function isNoteText(text: string): boolean {
  return startOfNote.test(text);
}

/** Whether a row without figures reads as a note, also by the mark it begins with. */
export function isNote(row: SheetRow): boolean {
  const texts = textsOf(row);
  return texts.length > 0 && (isNoteText(texts[0]!) || markOfNote(row) !== undefined);
}
