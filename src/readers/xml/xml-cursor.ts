/** Walks over the tags of an XML part in memory. Prefixes are left off: parts of workbooks tell elements by name. */
import { decodeXmlText, XmlTextError } from "./xml-text.ts";

const [space, tab, lineFeed, carriageReturn] = [0x20, 0x09, 0x0a, 0x0d];
const [lessThan, greaterThan, slash, equals, colon] = [0x3c, 0x3e, 0x2f, 0x3d, 0x3a];
const [quote, apostrophe, bang, question, dash, bracket] = [0x22, 0x27, 0x21, 0x3f, 0x2d, 0x5b];

/** XML that is not well-formed, or that no office program writes (a DTD). */
export class XmlError extends Error {}

export class XmlCursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #nameFrom = 0;
  #nameTo = 0;
  /** Local name of the tag. */
  name = "";
  isClose = false;
  /** `<tag/>`: no closing tag follows. */
  isEmpty = false;

  constructor(bytes: Buffer, from = 0, to: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Offset behind the tag. */
  get position(): number {
    return this.#at;
  }

  /** The tag's name as written, prefix included. */
  get fullName(): string {
    let from = this.#nameFrom;
    while (from > 0 && this.#bytes[from - 1] !== lessThan && this.#bytes[from - 1] !== slash) from--;
    return this.#bytes.toString("latin1", from, this.#nameTo);
  }

  /** Goes to the next opening or closing tag; `false`: there is none. */
  next(): boolean {
    const bytes = this.#bytes;
    for (;;) {
      const start = bytes.indexOf(lessThan, this.#at);
      if (start < 0 || start >= this.#end) {
        this.#at = this.#end;
        return false;
      }
      const first = bytes[start + 1];
      if (first === bang || first === question) this.#at = this.#skipOther(start);
      else {
        this.#readTag(start + 1);
        return true;
      }
    }
  }

  /** Value of an attribute of this tag by its local name; `undefined`: the tag has none. */
  attribute(name: string): string | undefined {
    const bytes = this.#bytes;
    const end = this.#at - 1;
    for (let at = this.#nameTo; at < end; ) {
      while (at < end && (isBlank(bytes[at]!) || bytes[at] === slash)) at++;
      let nameFrom = at;
      while (at < end && bytes[at] !== equals && !isBlank(bytes[at]!)) {
        if (bytes[at] === colon) nameFrom = at + 1;
        at++;
      }
      const nameTo = at;
      while (at < end && bytes[at] !== quote && bytes[at] !== apostrophe) at++;
      const closing = at < end ? bytes.indexOf(bytes[at]!, at + 1) : -1;
      if (closing < 0 || closing > end) return undefined;
      if (nameTo - nameFrom === name.length && bytes.toString("latin1", nameFrom, nameTo) === name) {
        return decodeXmlText(bytes, at + 1, closing, false);
      }
      at = closing + 1;
    }
    return undefined;
  }

  /** Text from this opening tag to its closing one, which it goes to; of elements inside, nothing. */
  text(hasEscapes: boolean): string {
    if (this.isEmpty) return "";
    const bytes = this.#bytes;
    const { name } = this;
    let text = "";
    for (let depth = 1; depth > 0; ) {
      const start = bytes.indexOf(lessThan, this.#at);
      if (start < 0 || start >= this.#end) throw new XmlError(`<${name}> does not end`);
      if (depth === 1) text += decodeXmlText(bytes, this.#at, start, hasEscapes);
      const first = bytes[start + 1];
      if (first === bang && bytes[start + 2] === bracket) {
        const closing = this.#find("]]>", start);
        if (depth === 1) text += bytes.toString("utf8", start + "<![CDATA[".length, closing);
        this.#at = closing + 3;
      } else if (first === bang || first === question) this.#at = this.#skipOther(start);
      else {
        this.#readTag(start + 1);
        if (!this.isEmpty) depth += this.isClose ? -1 : 1;
      }
    }
    return text;
  }

  /** Goes to the closing tag of this opening one. */
  skip(): void {
    if (this.isEmpty) return;
    const { name } = this;
    for (let depth = 1; depth > 0; ) {
      if (!this.next()) throw new XmlError(`<${name}> does not end`);
      if (!this.isEmpty) depth += this.isClose ? -1 : 1;
    }
  }

  #readTag(from: number): void {
    const bytes = this.#bytes;
    this.isClose = bytes[from] === slash;
    let at = this.isClose ? from + 1 : from;
    this.#nameFrom = at;
    for (; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (byte === colon) this.#nameFrom = at + 1;
      else if (byte === greaterThan || byte === slash || isBlank(byte)) break;
    }
    this.#nameTo = at;
    for (let inside = 0; at < this.#end; at++) {
      const byte = bytes[at]!;
      if (inside !== 0) {
        if (byte === inside) inside = 0;
      } else if (byte === quote || byte === apostrophe) inside = byte;
      else if (byte === greaterThan) break;
    }
    if (at >= this.#end) throw new XmlError("a tag does not end");
    this.isEmpty = bytes[at - 1] === slash && at - 1 >= this.#nameTo;
    this.name = bytes.toString("latin1", this.#nameFrom, this.#nameTo);
    this.#at = at + 1;
  }

  /** Offset behind a comment, an instruction or a run of plain text. */
  #skipOther(start: number): number {
    const bytes = this.#bytes;
    if (bytes[start + 1] === question) return this.#find("?>", start) + 2;
    if (bytes[start + 2] === dash) return this.#find("-->", start) + 3;
    if (bytes[start + 2] === bracket) return this.#find("]]>", start) + 3;
    // Entities of its own are the one thing by which small XML becomes large.
    throw new XmlError("it has a document type declaration, which no workbook has");
  }

  #find(end: string, from: number): number {
    const at = this.#bytes.indexOf(end, from, "latin1");
    if (at < 0 || at >= this.#end) throw new XmlError("a comment, instruction or plain text does not end");
    return at;
  }
}

const isBlank = (byte: number): boolean =>
  byte === space || byte === lineFeed || byte === tab || byte === carriageReturn;

/**
 * Refuses XML in another encoding than UTF-8. Office programs write no other.
 *
 * @returns where the XML begins, behind a byte order mark.
 */
export function beginXml(bytes: Buffer): number {
  const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const isWide = bytes[0] === 0xff || bytes[0] === 0xfe || bytes[0] === 0 || bytes[1] === 0;
  const declaration = bytes.toString("latin1", from, Math.min(bytes.length, from + 200));
  const encoding = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(declaration)?.[1];
  if (isWide || (encoding !== undefined && !/^(utf-?8|us-ascii|ascii)$/i.test(encoding))) {
    throw new XmlError(`its XML is in ${isWide ? "UTF-16" : encoding}; workbooks are in UTF-8`);
  }
  return from;
}

/** Whether a failure is one of the XML, and not of our code. */
export const isXmlError = (error: unknown): error is Error =>
  error instanceof XmlError || error instanceof XmlTextError;
