/**
 * Rewrites JSON for an engine that reads most numbers through a double: those that it would change are quoted. All else
 * goes through byte for byte. Whole numbers of a record's own members stay as they are: of these the engine keeps the
 * text. What is no JSON goes through as well; whoever reads it next says so.
 *
 * `{"id":12345678901234567890,"price":12345678901234567.89,"box":{"w":0.1234567890123456789}}` →
 * `{"id":12345678901234567890,"price":"12345678901234567.89","box":{"w":"0.1234567890123456789"}}`
 */
import { measureNumber, type NumberMeasure } from "./number-measure.ts";

const quote = 0x22;
const backslash = 0x5c;

/** Numbers that might not survive: of 16 digits and more, or with an exponent. Some texts look like one, too. */
const suspicious = /[0-9][0-9.]{15}|[0-9][eE][+-]?[0-9]/;
/** Characters of a chunk that are looked at again with the next: a number may be cut. */
const overlap = 20;

/** Whether a file may hold such a number: ten times as fast as rewriting it, and nearly all hold none. */
export async function mayBeLossy(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
  let before = "";
  for await (const chunk of chunks) {
    const text = before + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    if (suspicious.test(text)) return true;
    before = text.slice(-overlap);
  }
  return false;
}

/** Whole numbers of so many digits the engine may not keep inside of nested values. */
const nestedDigitsMax = 18;

/**
 * Quotes numbers that a double would change.
 *
 * @param chunks - one object after another, or an array of them, in UTF-8, cut anywhere.
 */
export async function* quoteLossyNumbers(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const quoter = new NumberQuoter();
  for await (const chunk of chunks) yield quoter.take(chunk);
  yield quoter.end();
}

/** What is known between two chunks. */
class NumberQuoter {
  readonly #measure: NumberMeasure = { isInteger: false, intDigits: 0, scale: 0, isExact: false };
  /** Objects and arrays that are open, and how many are around a record's own members. */
  #depth = 0;
  #recordDepth: number | undefined;
  #isInString = false;
  #isEscaped = false;
  /** The beginning of a number that goes on in the next chunk. */
  #held: Buffer = Buffer.alloc(0);

  take(chunk: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    const out: Uint8Array[] = [];
    let copied = 0;
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (this.#isInString) this.#passString(byte);
      else if (isNumberByte(byte)) {
        const end = endOfNumber(bytes, at);
        if (end === bytes.length) {
          this.#held = Buffer.from(bytes.subarray(at));
          out.push(bytes.subarray(copied, at));
          return Buffer.concat(out);
        }
        if (this.#isLossy(bytes, at, end)) {
          out.push(bytes.subarray(copied, at), quoted(bytes.subarray(at, end)));
          copied = end;
        }
        at = end;
        continue;
      } else this.#pass(byte);
      at++;
    }
    out.push(bytes.subarray(copied));
    return Buffer.concat(out);
  }

  /** What was held back: a number that nothing follows is no part of an object. */
  end(): Uint8Array {
    return this.#held;
  }

  #passString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === backslash) this.#isEscaped = true;
    else if (byte === quote) this.#isInString = false;
  }

  #pass(byte: number): void {
    if (byte === quote) this.#isInString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      this.#depth++;
      // The records of an array stand one deeper.
      this.#recordDepth ??= byte === 0x5b ? 2 : 1;
    } else if (byte === 0x7d || byte === 0x5d) this.#depth--;
  }

  #isLossy(bytes: Buffer, start: number, end: number): boolean {
    const measure = this.#measure;
    measureNumber(bytes, start, end, measure, false);
    if (!measure.isExact) return false;
    if (!measure.isInteger) return true;
    return this.#depth > (this.#recordDepth ?? 1) && measure.intDigits > nestedDigitsMax;
  }
}

const isNumberByte = (byte: number): boolean => byte === 0x2d || (byte >= 0x30 && byte <= 0x39);

function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    const goesOn = isNumberByte(byte) || byte === 0x2b || byte === 0x2e || byte === 0x45 || byte === 0x65;
    if (!goesOn) return at;
  }
  return at;
}

const quoted = (text: Uint8Array): Uint8Array => Buffer.concat([Buffer.from('"'), text, Buffer.from('"')]);
