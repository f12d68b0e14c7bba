/** The bytes of an envelope, up to a bound, and their meaning. */
import type { JsonValue } from "../model/json-value.ts";
import { isTokenEnd } from "./json-bytes.ts";
import { measureNumber, type NumberMeasure } from "./number-measure.ts";

const quote = 0x22;

export class EnvelopeText {
  #bytes: Buffer = Buffer.alloc(1024);
  #length = 0;
  #bytesMax: number;
  #numberStart = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  append(byte: number): void {
    if (this.#length > this.#bytesMax) return;
    if (this.#length === this.#bytes.length) {
      const wider = Buffer.alloc(this.#bytes.length * 2);
      this.#bytes.copy(wider);
      this.#bytes = wider;
    }
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  /** The next byte appended is a number's first. */
  beginNumber(): void {
    this.#numberStart = this.#length;
  }

  /**
   * The last byte appended was a number's last. One that does not survive a double becomes its text: a token for the
   * next page must be sent back exactly. (A reviver does not do: V8 does not tell it the source of some numbers of
   * objects that have a key twice.)
   */
  endNumber(): void {
    const measure: NumberMeasure = { isInteger: false, intDigits: 0, scale: 0, isExact: false };
    measureNumber(this.#bytes, this.#numberStart, this.#length, measure, false);
    if (!measure.isExact) return;
    const end = this.#length;
    this.append(quote);
    this.append(quote);
    if (this.#length > this.#bytesMax) return;
    this.#bytes.copyWithin(this.#numberStart + 1, this.#numberStart, end);
    this.#bytes[this.#numberStart] = quote;
  }

  /** Appends a valid JSON value, its numbers treated alike. */
  appendValue(value: Uint8Array): void {
    let isInString = false;
    for (let at = 0; at < value.length; at += 1) {
      const c = value[at]!;
      if (isInString && c === 0x5c) {
        this.append(c);
        at += 1; // What follows a backslash neither ends the string nor begins another escape.
        this.append(value[at]!);
        continue;
      }
      if (c === quote) isInString = !isInString;
      const isNumber = !isInString && (c === 0x2d || (c >= 0x30 && c <= 0x39));
      if (!isNumber) {
        this.append(c);
        continue;
      }
      this.beginNumber();
      for (; isTokenEnd[value[at]!] === 0; at += 1) this.append(value[at]!);
      this.endNumber();
      at -= 1;
    }
  }

  /** Parses the envelope, which has been checked to be JSON; `undefined` above the bound. */
  parse(): JsonValue | undefined {
    if (this.#length > this.#bytesMax) return undefined;
    return JSON.parse(this.#bytes.toString("utf8", 0, this.#length)) as JsonValue; // Checked JSON is a JsonValue.
  }
}
