/** Texts that a workbook's cells share, each kept once: a cell holds the number of its text. */
import type { LeatError } from "../../errors/leat-error.ts";
import type { SheetCell } from "../../workbook/sheet.ts";
import { makeTextCell } from "../cells/make-cells.ts";
import { readWindows } from "../xml/read-windows.ts";
import { beginXml, XmlCursor } from "../xml/xml-cursor.ts";

/** Most texts of a workbook. Ten million short ones take the memory that a reader has. */
const stringsMax = 10_000_000;

/**
 * Reads the shared texts.
 *
 * @param tooMany - the error to throw when there are more than can be kept.
 * @returns a cell for each, ready to be handed out; `undefined` for an empty text.
 */
export async function readSharedStrings(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  tooMany: (count: number) => LeatError,
): Promise<readonly (SheetCell | undefined)[]> {
  const strings: (SheetCell | undefined)[] = [];
  let isFirst = true;
  for await (const window of readWindows(chunks, { name: "si", parent: "sst" })) {
    const cursor = new XmlCursor(window, isFirst ? beginXml(window) : 0);
    isFirst = false;
    while (cursor.next()) {
      if (cursor.name !== "si" || cursor.isClose) continue;
      if (strings.length >= stringsMax) throw tooMany(stringsMax);
      strings.push(makeTextCell(readRichText(cursor)));
    }
  }
  return strings;
}

/** Text of a cell or shared item: its runs joined, what tells how to pronounce it left out. Ends behind the element. */
export function readRichText(cursor: XmlCursor): string {
  if (cursor.isEmpty) return "";
  let text = "";
  let depth = 1;
  while (depth > 0 && cursor.next()) {
    if (cursor.isClose) depth--;
    else if (cursor.name === "t") text += cursor.text(true);
    else if (cursor.name === "rPh") cursor.skip();
    else if (!cursor.isEmpty) depth++;
  }
  return text;
}
