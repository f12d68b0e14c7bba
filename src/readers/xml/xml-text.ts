/** Text of XML: entities, line ends, and the escapes that spreadsheets put on top. */
import { isUtf8 } from "node:buffer";

const ampersand = 0x26;
const carriageReturn = 0x0d;
const underscore = 0x5f;

const namedEntities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Text that XML does not allow: an entity that only a DTD could define, or a character that is none. */
export class XmlTextError extends Error {}

/**
 * Decodes the bytes between two tags.
 *
 * @param hasEscapes - whether `_x000D_` stands for a character, as in cells' text.
 * @throws XmlTextError an unknown entity.
 */
export function decodeXmlText(bytes: Buffer, from: number, to: number, hasEscapes: boolean): string {
  let isPlain = true;
  let isAscii = true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === ampersand || byte === carriageReturn || (byte === underscore && hasEscapes)) isPlain = false;
    if (byte >= 0x80) isAscii = false;
  }
  const text = isAscii ? bytes.toString("latin1", from, to) : bytes.toString("utf8", from, to);
  // A replacement character is one that the file has, or stands for bytes that are no UTF-8.
  if (!isAscii && text.includes("\ufffd") && !isUtf8(bytes.subarray(from, to))) {
    throw new XmlTextError("text that is not UTF-8");
  }
  return isPlain ? text : unescapeXmlText(text, hasEscapes);
}

/** Puts characters in the place of entities and escapes; see {@link decodeXmlText}. */
export function unescapeXmlText(raw: string, hasEscapes: boolean): string {
  let text = raw.includes("\r") ? raw.replace(/\r\n?/g, "\n") : raw;
  if (text.includes("&"))
    text = text.replace(/&([^;&<]{0,12});?/g, (whole, name: string) => entity(whole, name));
  return hasEscapes && text.includes("_x") ? text.replace(/_x([0-9A-Fa-f]{4})_/g, unescapeUnit) : text;
}

/** UTF-16 units one by one, so that two escapes make the two halves of one character. */
const unescapeUnit = (_whole: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));

function entity(whole: string, name: string): string {
  const named = namedEntities.get(name);
  if (named !== undefined && whole.endsWith(";")) return named;
  const numeric = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
  const code =
    numeric === null ? Number.NaN : Number.parseInt(numeric[1] ?? numeric[2]!, numeric[1] ? 16 : 10);
  if (!(code > 0 && code <= 0x10ffff) || !whole.endsWith(";")) {
    throw new XmlTextError(`unknown entity ${whole.slice(0, 20)}`);
  }
  return String.fromCodePoint(code); // Some writers split a character into two entities: they meet again here.
}
