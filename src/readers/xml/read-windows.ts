/** Streamed XML cut where elements begin, so that their readers never meet half of one. */
import { XmlError } from "./xml-cursor.ts";

/** Longest element, in bytes. A row of 16,384 cells with 32,767 characters each is longer, and nobody's. */
const elementBytesMax = 64 * 2 ** 20;

/** Elements that follow each other, and the closing tag behind the last. Names without prefix. */
export type WindowElements = Readonly<{
  name: string;
  parent: string;
  /** `x:` or nothing; `undefined`: as the first tag of the stream has it. */
  prefix?: string;
}>;

/**
 * Yields the bytes in windows that end where an element begins, behind the last one, or at the end of the stream.
 *
 * What follows the parent's closing tag is not read.
 */
export async function* readWindows(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  { name, parent, prefix }: WindowElements,
): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  let marks: { start: string; stop: string } | undefined;
  for await (const chunk of chunks) {
    const window = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (marks === undefined) {
      const used = prefix ?? rootPrefix(window);
      marks = { start: `<${used}${name}`, stop: `</${used}${parent}>` };
    }
    // The closing tag may lie across the border of two chunks, but not before it.
    const stopAt = window.indexOf(marks.stop, Math.max(0, rest.length - marks.stop.length), "latin1");
    if (stopAt >= 0) {
      yield window.subarray(0, stopAt + marks.stop.length);
      return;
    }
    const cut = window.lastIndexOf(marks.start, undefined, "latin1");
    if (cut > 0) yield window.subarray(0, cut);
    rest = cut > 0 ? window.subarray(cut) : window;
    if (rest.length > elementBytesMax) {
      throw new XmlError(`an element <${name}> is longer than ${elementBytesMax} bytes`);
    }
  }
  if (rest.length > 0) yield rest;
}

/** Prefix of the first element, `x:` in `<x:sst>`. */
function rootPrefix(window: Buffer): string {
  const beginning = window.toString("latin1", 0, Math.min(window.length, 4096));
  return /<([A-Za-z_][\w.-]*:)?[A-Za-z_]/.exec(beginning)?.[1] ?? "";
}
