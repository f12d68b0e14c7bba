/** Rows in the text form of COPY, put together in pieces of a bounded size. */

/** Bytes of a piece: large enough that sending costs little, small enough that a few of them are no matter. */
const pieceBytes = 256 * 1024;

const tab = 0x09;
const lineFeed = 0x0a;
const backslash = 0x5c;

/** Collects rows. Room is made once for each row, so that writing a cell tests nothing. */
export class CopyBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(pieceBytes);
  #at = 0;
  #rowStart = 0;
  readonly #full: Buffer[] = [];

  /** Begins a row of at most `bytesMax` bytes. */
  beginRow(bytesMax: number): void {
    if (this.#at + bytesMax > this.#bytes.length) {
      if (this.#at > 0) this.#full.push(this.#bytes.subarray(0, this.#at));
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(pieceBytes, bytesMax));
      this.#at = 0;
    }
    this.#rowStart = this.#at;
  }

  /** Throws away what was written of the row. */
  dropRow(): void {
    this.#at = this.#rowStart;
  }

  endRow(): void {
    this.#bytes[this.#at - 1] = lineFeed; // In place of the last cell's tab.
  }

  /** Pieces that are full. */
  takeFull(): readonly Buffer[] {
    return this.#full.splice(0);
  }

  /** What is left, at the end. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(0, this.#at);
    this.#bytes = Buffer.allocUnsafeSlow(pieceBytes);
    this.#at = 0;
    this.#rowStart = 0;
    return rest;
  }

  /** `\N`. */
  writeNull(): void {
    const bytes = this.#bytes;
    bytes[this.#at++] = backslash;
    bytes[this.#at++] = 0x4e;
    bytes[this.#at++] = tab;
  }

  /** Bytes without anything to escape. */
  writePlain(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    if (end - start > 64) {
      bytes.set(from.subarray(start, end), at);
      at += end - start;
    } else for (let i = start; i < end; i += 1) bytes[at++] = from[i]!;
    bytes[at] = tab;
    this.#at = at + 1;
  }

  /** Bytes of JSON text: no control characters but tabs between tokens. */
  writeJson(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = start; i < end; i += 1) {
      const c = from[i]!;
      if (c === backslash) bytes[at++] = backslash;
      if (c === tab || c === 0x0d) {
        bytes[at++] = backslash;
        bytes[at++] = c === tab ? 0x74 : 0x72;
      } else bytes[at++] = c;
    }
    bytes[at] = tab;
    this.#at = at + 1;
  }

  /** Any text without U+0000. */
  writeText(text: string): void {
    this.writeEscaped(escapeCopyText(text));
  }

  /** Text that {@link escapeCopyText} has made; its tabs end cells. */
  writeEscaped(escaped: string): void {
    this.#at += this.#bytes.write(escaped, this.#at, "utf8");
    this.#bytes[this.#at++] = tab;
  }
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text as COPY reads it. */
export function escapeCopyText(text: string): string {
  return text.replace(/[\\\n\r\t]/g, (sign) => escapes[sign]!);
}
