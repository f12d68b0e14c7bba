/**
 * Rewrites landed rows for an engine that reads every JSON number through a double: in the columns named, numbers are
 * quoted and nested values become strings of their own text. All else goes through byte for byte.
 *
 * `{"id":1,"price":12345678901234567.89,"box":{"w":1e400}}` →
 * `{"id":1,"price":"12345678901234567.89","box":"{\"w\":1e400}"}` for the columns price and box.
 */
import assert from "node:assert/strict";
import { isStringSpecial } from "./json-bytes.ts";

const lineFeed = 0x0a;
const quote = 0x22;
const backslash = 0x5c;

/**
 * Quotes the numbers, objects and arrays of top-level columns.
 *
 * @param chunks - landed rows: NDJSON of valid objects, cut anywhere; the last line may lack its end.
 * @param columns - decoded names, in whatever way rows spell them.
 * @returns the same lines in chunks of whole lines, in order.
 */
export async function* quoteExactColumns(
  chunks: AsyncIterable<Uint8Array>,
  columns: ReadonlySet<string>,
): AsyncIterable<Uint8Array> {
  const wanted = new WantedColumns(columns);
  let held: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) yield quoteLines([...held, chunk.subarray(0, end)], wanted);
    // A copy: whoever made the chunk may use its memory again.
    const rest = new Uint8Array(chunk.subarray(end));
    held = end > 0 ? [rest] : [...held, rest];
  }
  const last = quoteLines(held, wanted);
  if (last.length > 0) yield last;
}

/** Tells by its bytes whether a key is one of the columns. */
class WantedColumns {
  #columns: ReadonlySet<string>;
  #byLength = new Map<number, Buffer[]>();

  constructor(columns: ReadonlySet<string>) {
    this.#columns = columns;
    for (const column of columns) {
      const bytes = Buffer.from(column, "utf8");
      this.#byLength.set(bytes.length, [...(this.#byLength.get(bytes.length) ?? []), bytes]);
    }
  }

  /** @param bytes - the key at `[start, end)`, quotes apart. */
  has(bytes: Uint8Array, start: number, end: number, hasEscape: boolean): boolean {
    if (hasEscape) {
      const text = Buffer.from(bytes.subarray(start, end)).toString("utf8");
      return this.#columns.has(JSON.parse(`"${text}"`) as string); // A valid key with escapes: a string.
    }
    const candidates = this.#byLength.get(end - start);
    return candidates?.some((candidate) => isSame(candidate, bytes, start)) ?? false;
  }
}

function isSame(candidate: Uint8Array, bytes: Uint8Array, start: number): boolean {
  let i = 0;
  while (i < candidate.length && candidate[i] === bytes[start + i]) i += 1;
  return i === candidate.length;
}

function quoteLines(pieces: readonly Uint8Array[], wanted: WantedColumns): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = new Uint8Array(length + 1); // The zero behind the last byte ends every loop.
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return new LineQuoter(bytes, length, wanted).run();
}

/** Copies lines, changing values on the way. */
class LineQuoter {
  #bytes: Uint8Array;
  #length: number;
  #wanted: WantedColumns;
  #out: Uint8Array;
  #outAt = 0;
  /** Everything before has been written. */
  #copied = 0;
  /** Whether the string passed last had an escape. */
  #hasEscape = false;

  constructor(bytes: Uint8Array, length: number, wanted: WantedColumns) {
    this.#bytes = bytes;
    this.#length = length;
    this.#wanted = wanted;
    this.#out = new Uint8Array(length + (length >> 3) + 64);
  }

  run(): Uint8Array {
    let at = 0;
    while (at < this.#length) at = this.#quoteLine(at);
    this.#copy(this.#length);
    return this.#out.subarray(0, this.#outAt);
  }

  /** One line; returns where the next begins. */
  #quoteLine(start: number): number {
    const bytes = this.#bytes;
    let at = this.#skipBlanks(start);
    if (bytes[at] === lineFeed || at === this.#length) return at + 1;
    this.#expect(at, 0x7b);
    at = this.#skipBlanks(at + 1);
    while (bytes[at] !== 0x7d) {
      this.#expect(at, quote);
      const keyEnd = this.#skipString(at);
      const isWanted = this.#wanted.has(bytes, at + 1, keyEnd - 1, this.#hasEscape);
      at = this.#skipBlanks(keyEnd);
      this.#expect(at, 0x3a);
      at = this.#skipBlanks(at + 1);
      const valueEnd = this.#skipValue(at);
      if (isWanted) this.#quoteValue(at, valueEnd);
      at = this.#skipBlanks(valueEnd);
      if (bytes[at] === 0x2c) at = this.#skipBlanks(at + 1);
      else this.#expect(at, 0x7d);
    }
    at = this.#skipBlanks(at + 1);
    if (at < this.#length) this.#expect(at, lineFeed);
    return at + 1;
  }

  /** Writes a number in quotes, a nested value as a string of its text; leaves other values for copying. */
  #quoteValue(start: number, end: number): void {
    const first = this.#bytes[start]!;
    const isNested = first === 0x7b || first === 0x5b;
    const isNumber = first === 0x2d || (first >= 0x30 && first <= 0x39);
    if (!isNested && !isNumber) return;
    this.#copy(start);
    this.#reserve(2 * (end - start) + 2);
    const out = this.#out;
    let to = this.#outAt;
    out[to++] = quote;
    for (let at = start; at < end; at += 1) {
      const c = this.#bytes[at]!;
      if (c === quote || c === backslash) out[to++] = backslash;
      if (c === 0x09) {
        out[to++] = backslash; // A tab between tokens; inside strings there is none.
        out[to++] = 0x74;
      } else out[to++] = c;
    }
    out[to++] = quote;
    this.#outAt = to;
    this.#copied = end;
  }

  #skipValue(start: number): number {
    const bytes = this.#bytes;
    const first = bytes[start]!;
    if (first === quote) return this.#skipString(start);
    let at = start;
    if (first !== 0x7b && first !== 0x5b) {
      while (bytes[at]! > 0x20 && bytes[at] !== 0x2c && bytes[at] !== 0x7d) at += 1;
      return at;
    }
    let depth = 0;
    do {
      const c = bytes[at]!;
      if (c === quote) {
        at = this.#skipString(at);
        continue;
      }
      assert(c !== 0 && c !== lineFeed, `a landed row ends within a value, at byte ${at}`);
      if (c === 0x7b || c === 0x5b) depth += 1;
      else if (c === 0x7d || c === 0x5d) depth -= 1;
      at += 1;
    } while (depth > 0);
    return at;
  }

  /** From the opening quote to behind the closing one. */
  #skipString(start: number): number {
    const bytes = this.#bytes;
    this.#hasEscape = false;
    let at = start + 1;
    for (;;) {
      while (isStringSpecial[bytes[at]!] === 0) at += 1;
      const c = bytes[at]!;
      if (c === quote) return at + 1;
      assert(c >= 0x20, `a landed row ends within a string, at byte ${at}`);
      if (c === backslash) {
        this.#hasEscape = true;
        at += 2;
      } else at += 1;
    }
  }

  #skipBlanks(start: number): number {
    let at = start;
    while (this.#bytes[at] === 0x20 || this.#bytes[at] === 0x09 || this.#bytes[at] === 0x0d) at += 1;
    return at;
  }

  #expect(at: number, byte: number): void {
    assert(this.#bytes[at] === byte, `a landed row is no JSON object, at byte ${at}`);
  }

  #copy(until: number): void {
    if (until <= this.#copied) return;
    this.#reserve(until - this.#copied);
    this.#out.set(this.#bytes.subarray(this.#copied, until), this.#outAt);
    this.#outAt += until - this.#copied;
    this.#copied = until;
  }

  #reserve(count: number): void {
    if (this.#outAt + count <= this.#out.length) return;
    const wider = new Uint8Array(Math.max(this.#out.length * 2, this.#outAt + count));
    wider.set(this.#out.subarray(0, this.#outAt));
    this.#out = wider;
  }
}
