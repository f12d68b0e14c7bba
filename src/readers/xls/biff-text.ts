/** Texts of .xls: UTF-16 or its lower halves since Excel 97, a code page before. */
import { decodeWindows1252 } from "../text/windows-1252.ts";
import type { RecordPieces } from "./biff-records.ts";

/** A code page that this cannot read. */
export class CodePageError extends Error {}

/** Labels of code pages as the Encoding standard has them, where they are not `windows-<number>`. */
const codePageLabels: ReadonlyMap<number, string> = new Map([
  [367, "windows-1252"],
  [866, "ibm866"],
  [874, "windows-874"],
  [932, "shift_jis"],
  [936, "gbk"],
  [949, "euc-kr"],
  [950, "big5"],
  [1200, "utf-16le"],
  [10_000, "macintosh"],
  [32_768, "macintosh"],
  [32_769, "windows-1252"],
]);

/** Decodes bytes of a code page. @throws CodePageError a page that is not known here. */
export type DecodePage = (bytes: Buffer) => string;

export function openCodePage(page: number): DecodePage {
  const isWindows = page >= 1250 && page <= 1258;
  const label = codePageLabels.get(page) ?? (isWindows ? `windows-${page}` : undefined);
  if (label === undefined) throw new CodePageError(`its texts are in code page ${page}`);
  if (label === "windows-1252") return decodeWindows1252;
  const decoder = new TextDecoder(label);
  return (bytes) => decoder.decode(bytes);
}

/**
 * Reads a text of Excel 97 and later. Formatting runs and pronunciation behind it are passed over.
 *
 * @param length - characters, as its record has them before the text.
 */
export function readUnicode(pieces: RecordPieces, length: number): string {
  let flags = pieces.readByte();
  const runs = (flags & 8) === 0 ? 0 : pieces.readNumber(2);
  const phonetic = (flags & 4) === 0 ? 0 : pieces.readNumber(4);
  let text = "";
  for (let left = length; left > 0; ) {
    if (pieces.left === 0) {
      pieces.nextPiece();
      flags = pieces.readByte(); // A text goes on in the next record in the width that this says.
    }
    const width = (flags & 1) === 0 ? 1 : 2;
    const count = Math.min(left, Math.floor(pieces.left / width));
    if (count === 0) throw new RangeError("a character is cut off");
    text += pieces.readBytes(count * width).toString(width === 1 ? "latin1" : "utf16le");
    left -= count;
  }
  pieces.skip(runs * 4 + phonetic);
  return text;
}
