/**
 * Rows whose columns equal given values: the search of a declared route, planned when a version is loaded. Where the
 * first column of the order is named, the rows of each of its values begin at a known place. At ten million rows a binary
 * search waits for memory some twenty times at either end; this once.
 */
import type { Pack } from "./pack.ts";
import type { Codes, PackedColumn } from "./packed-column.ts";
import type { SearchOrder } from "./row-search.ts";

/** A value that is wanted: place among the values given, and where the column has its codes. */
type Wanted = Readonly<{ at: number; codes: Codes }>;

export class EqualSearch {
  readonly #columns: readonly PackedColumn[];
  readonly #rows: Uint32Array | undefined;
  readonly #rowCount: number;
  /** Of the order's first column, if it is among the values: first place of each code, and the end. */
  readonly #first: Readonly<{ at: number; places: Uint32Array }> | undefined;
  /** Columns that come next in the order: their rows stand together within those of the one before. */
  readonly #next: readonly Wanted[];
  /** Columns whose rows may stand anywhere. */
  readonly #tests: readonly Wanted[];

  private constructor(pack: Pack, order: SearchOrder, columns: readonly PackedColumn[]) {
    this.#columns = columns;
    this.#rows = order.rows;
    this.#rowCount = pack.rowCount;
    const left = columns.map(({ codes }, at) => ({ at, codes: codes!, name: columns[at]!.name })); // `plan` has looked.
    const led: Wanted[] = [];
    for (const name of order.columns) {
      const found = left.findIndex((wanted) => wanted.name === name);
      if (found < 0) break;
      led.push(...left.splice(found, 1));
    }
    const [first, ...next] = led;
    this.#first = first === undefined ? undefined : { at: first.at, places: placesOf(columns[first.at]!) };
    this.#next = next;
    this.#tests = left;
  }

  /** @returns `undefined` where a column has no codes. */
  static plan(pack: Pack, order: SearchOrder, columns: readonly PackedColumn[]): EqualSearch | undefined {
    return columns.every(({ codes }) => codes !== undefined)
      ? new EqualSearch(pack, order, columns)
      : undefined;
  }

  /**
   * Finds rows, in the order.
   *
   * @param values - canonical texts, one for each column.
   */
  find(values: readonly string[], limit: number): number[] {
    const codes: number[] = [];
    for (const [at, column] of this.#columns.entries()) {
      const code = column.codeOf(column.kind.toFragment(values[at]!));
      if (code < 0) return [];
      codes.push(code);
    }
    let [from, to] = [0, this.#rowCount];
    if (this.#first !== undefined) {
      const { at, places } = this.#first;
      const code = codes[at]!;
      [from, to] = [places[code]!, places[code + 1]!];
    }
    for (const wanted of this.#next) {
      const code = codes[wanted.at]!;
      from = this.#placeOf(wanted.codes, code, from, to);
      to = this.#placeOf(wanted.codes, code + 1, from, to);
    }
    const rows: number[] = [];
    for (let place = from; place < to && rows.length < limit; place++) {
      const row = this.#rows === undefined ? place : this.#rows[place]!;
      if (this.#passes(row, codes)) rows.push(row);
    }
    return rows;
  }

  #passes(row: number, codes: readonly number[]): boolean {
    for (const test of this.#tests) if (test.codes[row] !== codes[test.at]) return false;
    return true;
  }

  /** First place whose code is not less. */
  #placeOf(codes: Codes, code: number, from: number, to: number): number {
    const rows = this.#rows;
    let [low, high] = [from, to];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (codes[rows === undefined ? middle : rows[middle]!]! < code) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where the rows of each code begin when they are sorted by it; the last is where all end. */
function placesOf({ counts }: PackedColumn): Uint32Array {
  const places = new Uint32Array(counts!.length + 1); // A dictionary has counts.
  for (let code = 0; code < counts!.length; code++) places[code + 1] = places[code]! + counts![code]!;
  return places;
}
