/**
 * Reads one JSON object in a buffer strictly (RFC 8259), noting the kinds of its columns and where wanted values are.
 *
 * This is the hot path. Behind the last byte stands a zero, which no loop passes, so that no position is tested; a
 * failure at or behind the limit means that the record is not all there yet. Nothing is allocated for a record like
 * those before it.
 */
import { kindBits } from "../model/column-kinds.ts";
import type { ColumnFold } from "./column-fold.ts";
import { isStringSpecial } from "./json-bytes.ts";
import {
  type KeyTrie,
  nodeCanonical,
  nodeColumn,
  nodeField,
  nodeFirst,
  nodeKey,
  nodeLength,
  nodeMask,
  nodeNext,
  nodeReserved,
  nodeStamp,
  nodeWords,
} from "./key-trie.ts";
import { codeOf } from "./record-batch.ts";
import { StringCheck } from "./string-check.ts";
import { escapedStringKind, stringKind } from "./string-kind.ts";

const duplicateKey = codeOf("duplicate-key");
const tooDeep = codeOf("too-deep");
const invalidJson = codeOf("invalid-json");
const reservedColumn = codeOf("reserved-column");

const { null: nullBit, boolean: booleanBit, integer: integerBit, decimal: decimalBit } = kindBits;
const { text: textBit, object: objectBit, array: arrayBit } = kindBits;
const trueWord = 0x65757274;
const alseWord = 0x65736c61;
const nullWord = 0x6c6c756e;
/** Numbers of so few digits and no exponent survive a double, whatever they are. */
const digitsSafe = 15;

export type ValidatorOptions = Readonly<{ depthMax: number; isLineBound: boolean }>;

export class RecordValidator {
  /** After a failure: its code, and the position of the byte that showed it. */
  problem = 0;
  failedAt = 0;
  /** Where extents of wanted fields go; `fieldBase` is the first place of the record being read. */
  fieldStarts: Int32Array = new Int32Array(0);
  fieldEnds: Int32Array = new Int32Array(0);
  fieldBase = 0;

  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #keys: KeyTrie;
  #columns: ColumnFold;
  #depthMax: number;
  #isLineBound: boolean;
  #stamp = 0;
  #strings = new StringCheck();
  // What is left open around the value being read, by depth.
  #isArray: Uint8Array;
  #nodes: Int32Array;
  #lasts: Int32Array;
  #stamps: Int32Array;
  #starts: Int32Array;

  constructor(keys: KeyTrie, columns: ColumnFold, options: ValidatorOptions) {
    this.#keys = keys;
    this.#columns = columns;
    this.#depthMax = options.depthMax;
    this.#isLineBound = options.isLineBound;
    this.#isArray = new Uint8Array(options.depthMax + 1);
    this.#nodes = new Int32Array(options.depthMax + 1);
    this.#lasts = new Int32Array(options.depthMax + 1);
    this.#stamps = new Int32Array(options.depthMax + 1);
    this.#starts = new Int32Array(options.depthMax + 1);
  }

  /** Names the buffer to read in; at least 8 bytes must lie between a limit and the buffer's end. */
  attach(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Reads the object that begins at `start`. CR and LF between its tokens become blanks.
   *
   * @returns the position behind its last byte; or -1, then see `problem` and `failedAt`.
   */
  validate(start: number): number {
    if (this.#keys.trim(this.#stamp)) this.#stamp = 0;
    this.#columns.drop();
    const bytes = this.#bytes;
    const view = this.#view;
    const keys = this.#keys;
    const columns = this.#columns;
    let nodes = keys.nodes;
    let words = keys.words;
    let kinds = columns.kinds;

    let depth = 1;
    let isArray = false;
    let parent = 0; // The node in which keys are looked up.
    let last = 0; // The key before, in this object; 0: none yet.
    let stamp = ++this.#stamp;
    let key = 0; // The node of the value being read.
    let column = 0;
    let p = start + 1;

    let c = bytes[p]!;
    if (c <= 0x20) {
      p = this.#skipBlanks(p);
      c = bytes[p]!;
    }
    if (c === 0x7d) return p + 1;

    members: for (;;) {
      // `p` is at the first byte of a key or, in an array, of a value.
      if (!isArray) {
        if (bytes[p] !== 0x22) return this.#fail(p, invalidJson);
        p += 1;
        const expected = last === 0 ? nodes[parent + nodeFirst]! : nodes[last + nodeNext]!;
        key = 0;
        if (expected !== 0) {
          let word = nodes[expected + nodeKey]!;
          const wordEnd = word + nodes[expected + nodeWords]!;
          let q = p;
          while (word < wordEnd && view.getInt32(q, true) === words[word]) {
            word += 1;
            q += 4;
          }
          if (word === wordEnd) {
            const mask = nodes[expected + nodeMask]!;
            if (mask === 0 || ((view.getInt32(q, true) ^ words[word]!) & mask) === 0) {
              key = expected;
              p += nodes[expected + nodeLength]!;
            }
          }
        }
        if (key === 0) {
          let q = p;
          while (isStringSpecial[bytes[q]!] === 0) q += 1;
          this.#strings.hasEscape = false;
          if (bytes[q] !== 0x22) {
            q = this.#finishString(q);
            if (q < 0) return -1;
          }
          key = keys.find(bytes, p, q, parent, this.#strings.hasEscape);
          nodes = keys.nodes;
          words = keys.words;
          kinds = columns.kinds;
          if (last === 0) nodes[parent + nodeFirst] = key;
          else nodes[last + nodeNext] = key;
          p = q + 1;
        }
        last = key;
        const canonical = nodes[key + nodeCanonical]!;
        if (nodes[canonical + nodeStamp] === stamp) return this.#fail(p - 1, duplicateKey);
        nodes[canonical + nodeStamp] = stamp;
        if (depth === 1) {
          column = nodes[key + nodeColumn]!;
          if (nodes[key + nodeReserved] === 1) return this.#fail(p - 1, reservedColumn);
        }
        c = bytes[p]!;
        if (c <= 0x20) {
          p = this.#skipBlanks(p);
          c = bytes[p]!;
        }
        if (c !== 0x3a) return this.#fail(p, invalidJson);
        p += 1;
        c = bytes[p]!;
        if (c <= 0x20) {
          p = this.#skipBlanks(p);
          c = bytes[p]!;
        }
      } else {
        key = parent;
        c = bytes[p]!;
      }

      // The value, whose first byte is `c`.
      const valueStart = p;
      let isWhole = true;
      if (c === 0x22) {
        p += 1;
        let q = p;
        // Four bytes at once, 8 % of the whole faster than the table: the high bit of each byte that is special, and
        // perhaps of some after the first such. Quote and backslash become zero, from which taking one borrows.
        let special = 0;
        for (;;) {
          const four = view.getInt32(q, true);
          const quotes = (four ^ 0x22222222) - 0x01010101;
          const backslashes = (four ^ 0x5c5c5c5c) - 0x01010101;
          special = (four | quotes | backslashes | (four - 0x20202020)) & 0x80808080;
          if (special !== 0) break;
          q += 4;
        }
        q += (31 - Math.clz32(special & -special)) >> 3;
        let hasEscape = false;
        if (bytes[q] !== 0x22) {
          this.#strings.hasEscape = false;
          q = this.#finishString(q);
          if (q < 0) return -1;
          hasEscape = this.#strings.hasEscape;
        }
        if (depth === 1) {
          let bit: number = textBit;
          const first = bytes[p]!;
          if (hasEscape) bit = escapedStringKind(bytes, p, q);
          else if (first >= 0x30 && first <= 0x39 && q - p >= 10) bit = stringKind(bytes, p, q);
          if ((kinds[column]! & bit) === 0) columns.note(column, bit, 0, 0, false);
        }
        p = q + 1;
      } else if ((c >= 0x30 && c <= 0x39) || c === 0x2d) {
        // A number.
        if (c === 0x2d) {
          p += 1;
          c = bytes[p]!;
        }
        const digitsStart = p;
        if (c === 0x30) {
          p += 1;
          c = bytes[p]!;
        } else if (c >= 0x31 && c <= 0x39) {
          do {
            p += 1;
            c = bytes[p]!;
          } while (c >= 0x30 && c <= 0x39);
        } else return this.#fail(p, invalidJson);
        const isZero = bytes[digitsStart] === 0x30;
        const whole = p - digitsStart;
        let fraction = 0;
        if (c === 0x2e) {
          const fractionStart = p + 1;
          p = this.#skipDigits(fractionStart);
          if (p < 0) return -1;
          c = bytes[p]!;
          fraction = p - fractionStart;
        }
        const isPlain = c !== 0x65 && c !== 0x45;
        if (isPlain && whole + fraction <= digitsSafe) {
          // The common case; `measureNumber` says the same.
          if (depth === 1) {
            const bit = fraction === 0 ? integerBit : decimalBit;
            const intDigits = isZero ? 0 : whole;
            let scale = fraction;
            while (scale > 0 && bytes[p - 1 - fraction + scale] === 0x30) scale -= 1;
            if (
              (kinds[column]! & bit) === 0 ||
              intDigits > columns.intDigitsMax[column]! ||
              scale > columns.scaleMax[column]!
            ) {
              columns.note(column, bit, intDigits, scale, false);
            }
          }
        } else {
          if (!isPlain) {
            p = this.#skipExponent(p + 1);
            if (p < 0) return -1;
          }
          if (depth === 1 || columns.exact[column] === 0)
            columns.noteNumber(bytes, valueStart, p, column, depth === 1);
        }
      } else if (c === 0x7b || c === 0x5b) {
        if (depth === 1) {
          const bit = c === 0x7b ? objectBit : arrayBit;
          if ((kinds[column]! & bit) === 0) columns.note(column, bit, 0, 0, false);
        }
        if (depth === this.#depthMax) return this.#fail(p, tooDeep);
        // Pushed also for an empty one: what follows is then the same.
        this.#isArray[depth] = isArray ? 1 : 0;
        this.#nodes[depth] = parent;
        this.#lasts[depth] = isArray ? 0 : last;
        this.#stamps[depth] = stamp;
        this.#starts[depth] = valueStart;
        depth += 1;
        isArray = c === 0x5b;
        if (isArray) {
          parent = keys.elementsOf(key);
          nodes = keys.nodes;
        } else {
          parent = key;
          stamp = ++this.#stamp;
        }
        last = 0;
        p += 1;
        c = bytes[p]!;
        if (c <= 0x20) {
          p = this.#skipBlanks(p);
          c = bytes[p]!;
        }
        if (c !== (isArray ? 0x5d : 0x7d)) continue;
        isWhole = false;
      } else {
        let bit: number = booleanBit;
        if (c === 0x74) {
          if (view.getInt32(p, true) !== trueWord) return this.#failLiteral(p, "true");
          p += 4;
        } else if (c === 0x66) {
          if (view.getInt32(p + 1, true) !== alseWord) return this.#failLiteral(p, "false");
          p += 5;
        } else if (c === 0x6e) {
          if (view.getInt32(p, true) !== nullWord) return this.#failLiteral(p, "null");
          p += 4;
          bit = nullBit;
        } else return this.#fail(p, invalidJson);
        if (depth === 1 && (kinds[column]! & bit) === 0) columns.note(column, bit, 0, 0, false);
      }
      if (isWhole) {
        const field = nodes[key + nodeField]!;
        if (field >= 0) this.#setField(field, valueStart, p);
      }

      // Behind a value, or at the bracket that closes an empty one.
      for (;;) {
        c = bytes[p]!;
        if (c <= 0x20) {
          p = this.#skipBlanks(p);
          c = bytes[p]!;
        }
        if (c === 0x2c) {
          p += 1;
          if (bytes[p]! <= 0x20) p = this.#skipBlanks(p);
          continue members;
        }
        if (c !== (isArray ? 0x5d : 0x7d)) return this.#fail(p, invalidJson);
        p += 1;
        depth -= 1;
        if (depth === 0) return p;
        isArray = this.#isArray[depth] === 1;
        parent = this.#nodes[depth]!;
        last = this.#lasts[depth]!;
        stamp = this.#stamps[depth]!;
        const field = isArray ? -1 : nodes[last + nodeField]!;
        if (field >= 0) this.#setField(field, this.#starts[depth]!, p);
      }
    }
  }

  #setField(field: number, start: number, end: number): void {
    this.fieldStarts[this.fieldBase + field] = start;
    this.fieldEnds[this.fieldBase + field] = end;
  }

  #fail(at: number, problem: number): -1 {
    this.failedAt = at;
    this.problem = problem;
    return -1;
  }

  #failLiteral(at: number, literal: string): -1 {
    let i = 1;
    while (this.#bytes[at + i] === literal.charCodeAt(i)) i += 1;
    return this.#fail(at + i, invalidJson);
  }

  /** Skips white space, blanking CR and LF (they would end the line of NDJSON); stops at a line's end if bound to it. */
  #skipBlanks(from: number): number {
    const bytes = this.#bytes;
    let p = from;
    for (;;) {
      const c = bytes[p];
      if (c === 0x0a || c === 0x0d) {
        if (c === 0x0a && this.#isLineBound) return p;
        bytes[p] = 0x20;
      } else if (c !== 0x20 && c !== 0x09) return p;
      p += 1;
    }
  }

  /** From the first special byte of a string to its closing quote, or -1. */
  #finishString(from: number): number {
    const end = this.#strings.finish(this.#bytes, from);
    return end < 0 ? this.#fail(this.#strings.failedAt, this.#strings.problem) : end;
  }

  /** Behind the digits of an exponent, or -1. */
  #skipExponent(from: number): number {
    const sign = this.#bytes[from];
    return this.#skipDigits(sign === 0x2b || sign === 0x2d ? from + 1 : from);
  }

  /** Behind one or more digits, or -1. */
  #skipDigits(from: number): number {
    const bytes = this.#bytes;
    let p = from;
    while (bytes[p]! >= 0x30 && bytes[p]! <= 0x39) p += 1;
    return p === from ? this.#fail(p, invalidJson) : p;
  }
}
