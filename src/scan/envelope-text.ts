/** The bytes of an envelope, up to a bound, and their meaning. */
import type { JsonValue } from "../model/json-value.ts";
import { isExactNumber } from "./number-measure.ts";

export class EnvelopeText {
  #bytes: Buffer = Buffer.alloc(1024);
  #length = 0;
  #bytesMax: number;

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

  /**
   * Parses the envelope, which has been checked to be JSON; `undefined` above the bound.
   *
   * Numbers that do not survive a double become their text: a token for the next page must be sent back exactly.
   */
  parse(): JsonValue | undefined {
    if (this.#length > this.#bytesMax) return undefined;
    const exactly = (_key: string, value: unknown, context?: { source?: string }): unknown =>
      typeof value === "number" && context?.source !== undefined && isExactNumber(context.source)
        ? context.source
        : value;
    // The reviver gets the source text since Node 21; the result is JSON, whose numbers may have become strings.
    return JSON.parse(this.#bytes.toString("utf8", 0, this.#length), exactly) as JsonValue;
  }
}
