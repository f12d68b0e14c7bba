/** The kinds of columns seen by a scanner, folded record by record without allocating. */
import { type ColumnKinds, type ColumnTable, kindBits } from "../model/column-kinds.ts";
import { measureNumber, type NumberMeasure } from "./number-measure.ts";
import type { ScanMemory } from "./scan-memory.ts";

/** What a record would add to the fold, until it is known that it has no problem. */
type Pending = { column: number; kinds: number; intDigits: number; scale: number; isExact: boolean };

/**
 * Columns by index, kinds in typed arrays.
 *
 * After the first records hardly any record adds anything, so that a scanner looks only whether it would, and notes
 * what it would in a list that `commit` takes over and `drop` forgets.
 */
export class ColumnFold {
  kinds: Int32Array;
  intDigitsMax: Int32Array;
  scaleMax: Int32Array;
  /** 1 where a number did not survive a double. */
  exact: Uint8Array;
  #names: string[] = [];
  #indexes = new Map<string, number>();
  #pending: Pending[] = [];
  #pendingCount = 0;
  #measure: NumberMeasure = { isInteger: false, intDigits: 0, scale: 0, isExact: false };
  #memory: ScanMemory;

  constructor(memory: ScanMemory) {
    this.#memory = memory;
    this.kinds = memory.kinds(64);
    this.intDigitsMax = memory.intDigits(64);
    this.scaleMax = memory.scales(64);
    this.exact = memory.exact(64);
  }

  /** The index of a column by its decoded name; made when it is new. */
  indexOf(name: string): number {
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    const index = this.#names.length;
    this.#names.push(name);
    this.#indexes.set(name, index);
    if (index === this.kinds.length) this.#grow(index * 2);
    return index;
  }

  /** Notes a sighting of the record being read. */
  note(column: number, kinds: number, intDigits: number, scale: number, isExact: boolean): void {
    const last = this.#pendingCount > 0 ? this.#pending[this.#pendingCount - 1]! : undefined;
    // A nested array of a million exact numbers is one sighting.
    if (
      last?.column === column &&
      last.kinds === kinds &&
      last.isExact === isExact &&
      intDigits + scale === 0
    )
      return;
    if (this.#pendingCount === this.#pending.length) {
      this.#pending.push({ column, kinds, intDigits, scale, isExact });
    } else {
      const entry = this.#pending[this.#pendingCount]!;
      entry.column = column;
      entry.kinds = kinds;
      entry.intDigits = intDigits;
      entry.scale = scale;
      entry.isExact = isExact;
    }
    this.#pendingCount += 1;
  }

  /** Notes a number that must be measured; one that is not the column's own value tells only whether it is exact. */
  noteNumber(bytes: Buffer, start: number, end: number, column: number, isOwn: boolean): void {
    const isExactKnown = this.exact[column] === 1;
    const measure = this.#measure;
    measureNumber(bytes, start, end, measure, isExactKnown);
    const isExactNew = measure.isExact && !isExactKnown;
    if (!isOwn) {
      if (isExactNew) this.note(column, 0, 0, 0, true);
      return;
    }
    const bit = measure.isInteger ? kindBits.integer : kindBits.decimal;
    const isNew =
      (this.kinds[column]! & bit) === 0 ||
      measure.intDigits > this.intDigitsMax[column]! ||
      measure.scale > this.scaleMax[column]!;
    if (isNew || isExactNew) this.note(column, bit, measure.intDigits, measure.scale, measure.isExact);
  }

  /** Forgets what was noted since the last commit: the record has a problem or is not all there. */
  drop(): void {
    this.#pendingCount = 0;
  }

  /** Takes over what was noted: the record is a row. */
  commit(): void {
    for (let i = 0; i < this.#pendingCount; i += 1) {
      const { column, kinds, intDigits, scale, isExact } = this.#pending[i]!;
      this.kinds[column]! |= kinds;
      if (intDigits > this.intDigitsMax[column]!) this.intDigitsMax[column] = intDigits;
      if (scale > this.scaleMax[column]!) this.scaleMax[column] = scale;
      if (isExact) this.exact[column] = 1;
    }
    this.#pendingCount = 0;
  }

  /** The columns that records without problem have had, in the order of first sight. */
  table(): ColumnTable {
    const table = new Map<string, ColumnKinds>();
    for (const [index, name] of this.#names.entries()) {
      const kinds = this.kinds[index]!;
      if (kinds === 0) continue; // Only records with a problem had it, or none since the reset.
      table.set(name, {
        kinds,
        intDigitsMax: this.intDigitsMax[index]!,
        scaleMax: this.scaleMax[index]!,
        hasExactNumbers: this.exact[index] === 1,
      });
    }
    return table;
  }

  /** Forgets all kinds; the indexes stay as they are. */
  reset(): void {
    this.kinds.fill(0);
    this.intDigitsMax.fill(0);
    this.scaleMax.fill(0);
    this.exact.fill(0);
    this.#pendingCount = 0;
  }

  #grow(size: number): void {
    const memory = this.#memory;
    this.kinds = widened(this.kinds, memory.kinds(size));
    this.intDigitsMax = widened(this.intDigitsMax, memory.intDigits(size));
    this.scaleMax = widened(this.scaleMax, memory.scales(size));
    this.exact = widened(this.exact, memory.exact(size));
  }
}

function widened<Table extends Int32Array | Uint8Array>(from: Table, to: Table): Table {
  to.set(from);
  to.fill(0, from.length);
  return to;
}
