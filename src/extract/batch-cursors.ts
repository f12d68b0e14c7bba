/** Usable cursor values of a batch, without a big integer for each record: most are only compared, and then forgotten. */
import type { CursorValue } from "../model/cursor.ts";

/** Values are kept as doubles where those hold them exactly, which is all times up to the year 2255. */
export class BatchCursors {
  #plain = new Float64Array(0);
  /** Values beyond what a double holds exactly, by record. */
  readonly #wide = new Map<number, CursorValue>();

  /** Forgets the batch before; no record has a value. */
  begin(count: number): void {
    if (this.#plain.length < count) this.#plain = new Float64Array(count);
    this.#plain.fill(Number.NaN, 0, count);
    this.#wide.clear();
  }

  /** @param value - a number is a safe integer. */
  set(i: number, value: number | CursorValue): void {
    if (typeof value === "number") this.#plain[i] = value;
    else if (isSafe(value)) this.#plain[i] = Number(value);
    else this.#wide.set(i, value);
  }

  has(i: number): boolean {
    return !Number.isNaN(this.#plain[i]) || this.#wide.has(i);
  }

  /** The value of record i; made anew with each call. */
  get(i: number): CursorValue | undefined {
    const plain = this.#plain[i] ?? Number.NaN;
    return Number.isNaN(plain) ? this.#wide.get(i) : BigInt(plain);
  }

  /** Whether record i has a value and it is below the floor. */
  isBelow(i: number, floor: CursorValue | undefined): boolean {
    if (floor === undefined) return false;
    const plain = this.#plain[i] ?? Number.NaN;
    if (!Number.isNaN(plain)) return plain < floor; // Exact between the two kinds of number.
    const wide = this.#wide.get(i);
    return wide !== undefined && wide < floor;
  }
}

const isSafe = (value: CursorValue): boolean =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
