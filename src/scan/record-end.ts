/**
 * Finds where a value ends without understanding it, over as many chunks as it takes.
 *
 * Needed for what cannot be read as a whole: records that are not all there yet, that are larger than allowed, and
 * that have a problem. Only strings and brackets count.
 */
import { isStringSpecial, isTokenEnd } from "./json-bytes.ts";

/** How deep brackets may nest before the end of a value counts as unclear; bounds the memory for them. */
const bracketsMax = 1_048_576;

/** How the value being passed ends: with its bracket, its quote, its last byte, or its line. */
type Form = "brackets" | "string" | "token" | "line";

export class RecordEnd {
  /** Where to go on. Moves with the buffer. */
  at = 0;
  #form: Form = "line";
  #isLineBound: boolean;
  #isInString = false;
  #isEscaped = false;
  #brackets: Uint8Array = new Uint8Array(64);
  #depth = 0;

  /** @param isLineBound - JSON Lines: a line feed ends every value, whatever is still open. */
  constructor(isLineBound: boolean) {
    this.#isLineBound = isLineBound;
  }

  /** Starts at the first byte of a value. */
  begin(at: number, firstByte: number): void {
    this.at = at;
    this.#isInString = false;
    this.#isEscaped = false;
    this.#depth = 0;
    if (firstByte === 0x7b || firstByte === 0x5b) this.#form = "brackets";
    else if (firstByte === 0x22) this.#form = "string";
    else {
      const mayBeValue = firstByte === 0x2d || isAlphanumeric(firstByte);
      this.#form = this.#isLineBound && !mayBeValue ? "line" : "token";
    }
  }

  /** Starts at something that is no value: it goes to the end of its line. */
  beginLine(at: number): void {
    this.at = at;
    this.#form = "line";
  }

  /**
   * Goes on to `limit`, blanking CR and LF outside strings.
   *
   * @returns the position behind the value, -1 when it goes on behind `limit`, -2 when brackets do not match.
   */
  advance(bytes: Uint8Array, limit: number): number {
    for (let p = this.at; p < limit; p += 1) {
      if (this.#isInString && !this.#isEscaped) {
        while (isStringSpecial[bytes[p]!] === 0) p += 1; // Stops at the zero behind the limit.
        if (p >= limit) break;
      }
      const c = bytes[p]!;
      if (c === 0x0a && this.#isLineBound) return p;
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (c === 0x5c) this.#isEscaped = true;
        else if (c === 0x22) {
          this.#isInString = false;
          if (this.#form === "string") return p + 1;
        }
      } else if (this.#form === "line") continue;
      else if (this.#form === "token") {
        if (isTokenEnd[c] === 1) return p;
      } else if (c === 0x22) this.#isInString = true;
      else if (c === 0x7b || c === 0x5b) {
        if (this.#depth === bracketsMax) return -2;
        if (this.#depth === this.#brackets.length) this.#widen();
        this.#brackets[this.#depth] = c + 2; // The bracket that closes it, in ASCII.
        this.#depth += 1;
      } else if (c === 0x7d || c === 0x5d) {
        this.#depth -= 1;
        if (this.#brackets[this.#depth] !== c) {
          if (!this.#isLineBound) return -2;
          this.#form = "line";
        } else if (this.#depth === 0) return p + 1;
      } else if (c === 0x0a || c === 0x0d) bytes[p] = 0x20;
    }
    this.at = limit;
    return -1;
  }

  #widen(): void {
    const wider = new Uint8Array(this.#brackets.length * 2);
    wider.set(this.#brackets);
    this.#brackets = wider;
  }
}

function isAlphanumeric(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}
