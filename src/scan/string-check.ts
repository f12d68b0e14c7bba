/** Strict reading of a string from the first byte that is not plain ASCII: escapes, surrogates, UTF-8. */
import {
  isSimpleEscape,
  isStringSpecial,
  readHex4,
  utf8Length,
  utf8SecondMax,
  utf8SecondMin,
} from "./json-bytes.ts";
import { codeOf } from "./record-batch.ts";

const invalidUtf8 = codeOf("invalid-utf8");
const loneSurrogate = codeOf("lone-surrogate");
const invalidJson = codeOf("invalid-json");

export class StringCheck {
  /** After a failure: its code, and the position of the byte that showed it. */
  problem = 0;
  failedAt = 0;
  /** Set when an escape was passed; never taken back here. */
  hasEscape = false;

  /** From the first special byte of a string to its closing quote, or -1. */
  finish(bytes: Uint8Array, from: number): number {
    let q = from;
    for (;;) {
      const c = bytes[q]!;
      if (c === 0x22) return q;
      if (c === 0x5c) {
        q = this.#skipEscape(bytes, q);
        if (q < 0) return -1;
      } else if (c < 0x20) return this.#fail(q, invalidJson);
      else {
        const length = utf8Length(c);
        if (length === 0) return this.#fail(q, invalidUtf8);
        const second = bytes[q + 1]!;
        if (second < utf8SecondMin(c) || second > utf8SecondMax(c)) return this.#fail(q + 1, invalidUtf8);
        if (length > 2 && (bytes[q + 2]! & 0xc0) !== 0x80) return this.#fail(q + 2, invalidUtf8);
        if (length > 3 && (bytes[q + 3]! & 0xc0) !== 0x80) return this.#fail(q + 3, invalidUtf8);
        q += length;
      }
      while (isStringSpecial[bytes[q]!] === 0) q += 1;
    }
  }

  /** Behind an escape (both halves of a surrogate pair), or -1. */
  #skipEscape(bytes: Uint8Array, at: number): number {
    this.hasEscape = true;
    const c = bytes[at + 1]!;
    if (isSimpleEscape[c] === 1) return at + 2;
    if (c !== 0x75) return this.#fail(at + 1, invalidJson);
    const unit = readHex4(bytes, at + 2);
    if (unit < 0) return this.#fail(at + 1 - unit, invalidJson);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    if (unit > 0xdbff) return this.#fail(at + 5, loneSurrogate);
    if (bytes[at + 6] !== 0x5c) return this.#fail(at + 6, loneSurrogate);
    if (bytes[at + 7] !== 0x75) return this.#fail(at + 7, loneSurrogate);
    const low = readHex4(bytes, at + 8);
    if (low < 0) return this.#fail(at + 7 - low, invalidJson);
    return low >= 0xdc00 && low <= 0xdfff ? at + 12 : this.#fail(at + 11, loneSurrogate);
  }

  #fail(at: number, problem: number): -1 {
    this.failedAt = at;
    this.problem = problem;
    return -1;
  }
}
