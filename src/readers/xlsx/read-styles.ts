/** Styles of a workbook, as far as they tell what a number means. */
import { builtInCode, type NumberFormat, parseNumberFormat } from "../cells/number-format.ts";
import { beginXml, XmlCursor } from "../xml/xml-cursor.ts";

/** Number format of each style of a cell, by the style's number; `undefined`: General, which changes nothing. */
export function readStyles(bytes: Buffer): readonly (NumberFormat | undefined)[] {
  const cursor = new XmlCursor(bytes, beginXml(bytes));
  const codes = new Map<number, string>();
  const formats = new Map<string, NumberFormat | undefined>();
  const styles: (NumberFormat | undefined)[] = [];
  let isInCells = false;
  while (cursor.next()) {
    if (cursor.name === "cellXfs") isInCells = !cursor.isClose;
    else if (cursor.isClose) continue;
    else if (cursor.name === "numFmt" && styles.length === 0) {
      codes.set(Number(cursor.attribute("numFmtId")), cursor.attribute("formatCode") ?? "General");
    } else if (cursor.name === "xf" && isInCells) {
      const id = Number(cursor.attribute("numFmtId") ?? 0);
      const code = codes.get(id) ?? builtInCode(id);
      if (!formats.has(code)) formats.set(code, code === "General" ? undefined : parseNumberFormat(code));
      styles.push(formats.get(code));
    } else if (cursor.name === "dxfs" && !cursor.isEmpty) cursor.skip(); // Formats of conditional styles: not of cells.
  }
  return styles;
}
