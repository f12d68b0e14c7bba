/** A column of a pack: fragments by row, rows by fragment, and the order of its values. */
import assert from "node:assert/strict";
import { parseColumnType } from "../model/column-types.ts";
import { hashFragment, type PackColumn, type PackSection } from "../model/serving-pack.ts";
import { comparableOf, isBefore, isUsual, type ValueKind, valueKind } from "./column-value.ts";

/** Codes of rows; each column has its own width. */
export type Codes = Uint8Array | Uint16Array | Uint32Array;

/**
 * Dictionaries of at most so many entries keep their fragments as strings once they were asked for: 3 ns instead of 90.
 * At some 50 bytes each that is 6 MB a column.
 */
const keptEntriesMax = 131_072;

/** One column. */
export class PackedColumn {
  readonly name: string;
  readonly kind: ValueKind;
  readonly rowCount: number;
  /** Fragments: of a dictionary one a value, and `null` as the last. */
  readonly entries: number;
  readonly nullCount: number;
  /** Code of each row; `undefined`: every row has a fragment of its own. */
  readonly codes: Codes | undefined;
  /** Rows of each code. */
  readonly counts: Uint32Array | undefined;
  readonly #slots: Uint32Array | undefined;
  readonly #offsets: Uint32Array;
  readonly #text: Buffer;
  readonly #kept: (string | undefined)[] | undefined;

  constructor(memory: SharedArrayBuffer, column: PackColumn, rowCount: number) {
    const type = parseColumnType(column.type);
    assert(type !== undefined, `a pack has a column of the type ${column.type}`);
    const words = ({ at, length }: PackSection): Uint32Array => new Uint32Array(memory, at, length);
    this.name = column.name;
    this.kind = valueKind(type);
    this.rowCount = rowCount;
    this.entries = column.entries;
    this.nullCount = column.nullCount;
    this.codes = column.codes === undefined ? undefined : openCodes(memory, column.codes, column.codeBytes);
    this.counts = column.counts === undefined ? undefined : words(column.counts);
    this.#slots = column.slots === undefined ? undefined : words(column.slots);
    this.#offsets = words(column.offsets);
    this.#text = Buffer.from(memory, column.text.at, column.text.length);
    this.#kept =
      this.codes !== undefined && column.entries <= keptEntriesMax ? new Array(column.entries) : undefined;
  }

  /** Code of null; dictionaries only. */
  get nullCode(): number {
    return this.entries - 1;
  }

  /** The JSON text of a cell, one character a byte. */
  fragment(row: number): string {
    return this.fragmentOf(this.codes === undefined ? row : this.codes[row]!);
  }

  fragmentOf(entry: number): string {
    const kept = this.#kept;
    if (kept === undefined)
      return this.#text.toString("latin1", this.#offsets[entry], this.#offsets[entry + 1]);
    const known = kept[entry];
    if (known !== undefined) return known;
    const fragment = this.#text.toString("latin1", this.#offsets[entry], this.#offsets[entry + 1]);
    kept[entry] = fragment;
    return fragment;
  }

  /** Whether no value is beyond what is usual: in a dictionary such values stand at its ends; elsewhere nobody knows. */
  get isUsual(): boolean {
    if (this.codes === undefined) return false;
    const ends = this.nullCode === 0 ? [] : [0, this.nullCode - 1];
    return ends.every((code) => isUsual(this.kind, this.fragmentOf(code)));
  }

  fragmentBytes(entry: number): number {
    return this.#offsets[entry + 1]! - this.#offsets[entry]!;
  }

  /** The code of a fragment, or -1; dictionaries only. */
  codeOf(fragment: string): number {
    const slots = this.#slots;
    assert(slots !== undefined, "only a dictionary has codes");
    for (let slot = hashFragment(fragment) & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return -1;
      if (this.#equals(entry, fragment)) return entry;
    }
  }

  #equals(entry: number, fragment: string): boolean {
    const from = this.#offsets[entry]!;
    if (this.#offsets[entry + 1]! - from !== fragment.length) return false;
    for (let at = 0; at < fragment.length; at++)
      if (this.#text[from + at] !== fragment.charCodeAt(at)) return false;
    return true;
  }

  /** First code whose value is not less (`isAfter`: is greater) than a canonical text; dictionaries only. */
  lowerCode(canonical: string, isAfter: boolean): number {
    const wanted = comparableOf(this.kind, canonical);
    let [low, high] = [0, this.nullCode];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.kind, this.fragmentOf(middle), wanted, isAfter)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function openCodes(memory: SharedArrayBuffer, { at, length }: PackSection, bytes: 1 | 2 | 4): Codes {
  if (bytes === 1) return new Uint8Array(memory, at, length);
  return bytes === 2 ? new Uint16Array(memory, at, length) : new Uint32Array(memory, at, length);
}
