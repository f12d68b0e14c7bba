/**
 * Values of columns counted over the codes of a pack: a pass over memory instead of a query. Where the commonest of 83
 * thousand values are looked for among ten million rows that a filter leaves, the engine takes 100 ms of two cores and
 * this 40 of one.
 */
import assert from "node:assert/strict";
import type { QueryFilter } from "../ports/dataset-query.ts";
import { filterIntervals } from "./code-intervals.ts";
import type { Pack } from "./pack.ts";
import type { Codes, PackedColumn } from "./packed-column.ts";

/** A condition on a column: for each of its codes 1 or 0. */
export type CodeMask = Readonly<{ column: string; mask: Uint8Array }>;

/** The commonest values: codes and counts, in order, and how many different ones there are. */
export type CountedFacet = Readonly<{
  codes: readonly number[];
  counts: readonly number[];
  distinct: number;
}>;

/** Filters as masks; `undefined`: one of them is about more than codes. */
export function planMasks(
  filters: readonly QueryFilter[],
  columnOf: (name: string) => PackedColumn,
): readonly CodeMask[] | undefined {
  const masks: CodeMask[] = [];
  for (const filter of filters) {
    const packed = columnOf(filter.column);
    const intervals = filterIntervals(packed, filter);
    if (intervals === undefined) return undefined;
    const mask = new Uint8Array(packed.entries);
    for (const [from, to] of intervals) mask.fill(1, from, to);
    masks.push({ column: filter.column, mask });
  }
  return masks;
}

/** Rows looked at together: codes and marks of a block stay in the processor's nearest cache. */
const blockRows = 4096;
/** Rows at the beginning of a block from which is told whether equal codes stand together in it. */
const runRows = 8;

/** Counts of columns over the rows that pass all masks, slice by slice. */
export class FacetCounter {
  readonly #rowCount: number;
  readonly #filters: readonly Readonly<{ codes: Codes; mask: Uint8Array }>[];
  readonly #columns: readonly Readonly<{ codes: Codes; counts: Uint32Array }>[];
  readonly #codes = new Uint32Array(blockRows);
  readonly #marks = new Uint8Array(blockRows);
  /** The codes that are looked at: the column's own, or the copies. */
  #looked: Uint32Array = this.#codes;
  #row = 0;

  constructor(pack: Pack, masks: readonly CodeMask[], columns: readonly string[]) {
    const codesOf = (name: string): Readonly<{ codes: Codes; entries: number }> => {
      const column = pack.column(name);
      assert(column?.codes !== undefined, "whoever asks has looked whether the column has codes");
      return { codes: column.codes, entries: column.entries };
    };
    this.#rowCount = pack.rowCount;
    this.#filters = masks.map(({ column, mask }) => ({ codes: codesOf(column).codes, mask }));
    this.#columns = columns.map((name) => {
      const { codes, entries } = codesOf(name);
      return { codes, counts: new Uint32Array(entries) };
    });
  }

  get isDone(): boolean {
    return this.#row >= this.#rowCount;
  }

  /** Looks at some more rows. */
  step(rows: number): void {
    const end = Math.min(this.#rowCount, this.#row + rows);
    while (this.#row < end) {
      const to = Math.min(end, this.#row + blockRows);
      this.#countBlock(this.#row, to);
      this.#row = to;
    }
  }

  #countBlock(from: number, to: number): void {
    const [marks, count] = [this.#marks, to - from];
    if (this.#filters.length === 0) marks.fill(1, 0, count);
    for (const [at, { codes, mask }] of this.#filters.entries()) {
      const offset = this.#look(codes, from, to);
      if (at === 0) markRows(this.#looked, offset, mask, marks, count);
      else unmarkRows(this.#looked, offset, mask, marks, count);
    }
    for (const { codes, counts } of this.#columns) {
      const offset = this.#look(codes, from, to);
      const isInRuns = this.#looked[offset] === this.#looked[offset + Math.min(runRows, count) - 1];
      if (isInRuns) countRuns(this.#looked, offset, marks, counts, count);
      else countRows(this.#looked, offset, marks, counts, count);
    }
  }

  /**
   * Takes the codes of a block to `#looked`; where they begin there. Narrow ones are copied, so that the loops below see
   * one kind of array whatever a column's width: they run twice as fast.
   */
  #look(codes: Codes, from: number, to: number): number {
    this.#looked = codes instanceof Uint32Array ? codes : this.#codes;
    if (codes instanceof Uint32Array) return from;
    this.#codes.set(codes.subarray(from, to));
    return 0;
  }

  /** The commonest values of each column, in the order in which they were named. */
  best(limit: number): readonly CountedFacet[] {
    return this.#columns.map(({ counts }) => bestOf(counts, limit));
  }
}

function markRows(
  codes: Uint32Array,
  offset: number,
  mask: Uint8Array,
  marks: Uint8Array,
  count: number,
): void {
  for (let at = 0; at < count; at++) marks[at] = mask[codes[offset + at]!]!;
}

/** Of rows that are marked those stay that pass another filter. */
function unmarkRows(
  codes: Uint32Array,
  offset: number,
  mask: Uint8Array,
  marks: Uint8Array,
  count: number,
): void {
  for (let at = 0; at < count; at++) marks[at] = marks[at]! & mask[codes[offset + at]!]!;
}

/** Without a branch: whether a row counts is as good as random. */
function countRows(
  codes: Uint32Array,
  offset: number,
  marks: Uint8Array,
  counts: Uint32Array,
  count: number,
): void {
  for (let at = 0; at < count; at++) {
    const code = codes[offset + at]!;
    counts[code] = counts[code]! + marks[at]!;
  }
}

/** The same where equal codes stand together: each addition would wait for the one before to be written. */
function countRuns(
  codes: Uint32Array,
  offset: number,
  marks: Uint8Array,
  counts: Uint32Array,
  count: number,
): void {
  for (let at = 0; at < count; ) {
    const code = codes[offset + at]!;
    let held = 0;
    do held += marks[at++]!;
    while (at < count && codes[offset + at] === code);
    counts[code] = counts[code]! + held;
  }
}

/** The greatest of all counts; of equal ones those of lower values. */
export function bestOf(counts: Uint32Array, limit: number): CountedFacet {
  const best: number[] = [];
  let least = 0; // Count of the last of the best, once there are enough of them.
  let distinct = 0;
  for (let code = 0; code < counts.length; code++) {
    const count = counts[code]!;
    if (count === 0) continue;
    distinct++;
    if (best.length >= limit && count <= least) continue; // Of equal counts the lower value stays.
    best.push(code);
    if (best.length < limit * 2) continue;
    cut(best, counts, limit);
    least = counts[best[limit - 1]!]!;
  }
  cut(best, counts, limit);
  return { distinct, codes: best, counts: best.map((code) => counts[code]!) };
}

function cut(codes: number[], counts: Uint32Array, limit: number): void {
  codes.sort((one, other) => counts[other]! - counts[one]! || one - other);
  codes.splice(limit);
}
