/** What stands around a sheet's rows: hidden columns before them, merged cells behind. */
import type { MergedRange } from "../../workbook/sheet.ts";
import { columnsMax, parseReference } from "../cells/sheet-bounds.ts";
import { beginXml, XmlCursor, XmlError } from "../xml/xml-cursor.ts";

/** Most merged ranges of a sheet; each is a heading, and nobody reads a million. */
const mergesMax = 1_000_000;
/** Most bytes of what stands before the rows, or behind them. */
const frameBytesMax = 64 * 2 ** 20;

export type SheetFrame = Readonly<{
  /** Of the elements' names: `x:` in `<x:row>`, mostly nothing. */
  prefix: string;
  /** Where the rows begin, in bytes of the part. */
  rowsAt: number;
  hiddenColumns: ReadonlySet<number>;
  merges: readonly MergedRange[];
}>;

/** Reads the frame of a part in memory. */
export function readFrame(bytes: Buffer): SheetFrame {
  const head = readHead(bytes);
  if (head === undefined) throw new XmlError("it has no rows, not even none");
  const end = bytes.lastIndexOf(`</${head.prefix}sheetData>`, undefined, "latin1");
  return { ...head, merges: readMerges(bytes, Math.max(end, head.rowsAt)) };
}

/** Reads the frame of a part too large to be kept, passing over its rows. */
export async function readStreamedFrame(chunks: AsyncIterable<Buffer>): Promise<SheetFrame> {
  let head: Omit<SheetFrame, "merges"> | undefined;
  let isBehind = false;
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    if (head === undefined) {
      head = readHead(kept);
      if (head !== undefined) kept = kept.subarray(head.rowsAt);
    }
    if (head !== undefined && !isBehind) {
      const stop = `</${head.prefix}sheetData>`;
      const at = kept.indexOf(stop, 0, "latin1");
      isBehind = at >= 0;
      // Of the rows only as much is kept as may be the beginning of their closing tag.
      kept = isBehind ? kept.subarray(at) : kept.subarray(Math.max(0, kept.length - stop.length));
    }
    if (kept.length > frameBytesMax)
      throw new XmlError(`more than ${frameBytesMax} bytes stand around its rows`);
  }
  if (head === undefined) throw new XmlError("it has no rows, not even none");
  return { ...head, merges: isBehind ? readMerges(kept, 0) : [] };
}

/** Reads up to the rows; `undefined`: they have not come yet. */
function readHead(bytes: Buffer): Omit<SheetFrame, "merges"> | undefined {
  const lastTag = bytes.lastIndexOf(">") + 1; // A tag that has not come whole is none yet.
  const cursor = new XmlCursor(bytes, beginXml(bytes), lastTag);
  const hiddenColumns = new Set<number>();
  while (cursor.next()) {
    if (cursor.name === "sheetData") {
      return {
        prefix: cursor.fullName.slice(0, -"sheetData".length),
        rowsAt: cursor.position,
        hiddenColumns,
      };
    }
    if (cursor.name !== "col" || cursor.isClose || !/^(1|true)$/.test(cursor.attribute("hidden") ?? ""))
      continue;
    const first = Number(cursor.attribute("min"));
    const last = Math.min(Number(cursor.attribute("max")), columnsMax);
    for (let column = Math.max(1, first); column <= last; column++) hiddenColumns.add(column - 1);
  }
  return undefined;
}

function readMerges(bytes: Buffer, from: number): readonly MergedRange[] {
  const merges: MergedRange[] = [];
  const cursor = new XmlCursor(bytes, from);
  while (cursor.next()) {
    if (cursor.name !== "mergeCell" || cursor.isClose) continue;
    const reference = cursor.attribute("ref") ?? "";
    const [first, last] = reference.split(":").map(parseReference);
    if (first === undefined)
      throw new XmlError(`it merges the cells "${reference.slice(0, 40)}", which are none`);
    if (last === undefined) continue; // One cell merged with itself.
    if (merges.length >= mergesMax) throw new XmlError(`it has more than ${mergesMax} merged ranges`);
    merges.push({
      top: Math.min(first.row, last.row),
      left: Math.min(first.column, last.column),
      bottom: Math.max(first.row, last.row),
      right: Math.max(first.column, last.column),
    });
  }
  return merges;
}
