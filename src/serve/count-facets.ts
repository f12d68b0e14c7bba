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

/** Counts of columns over the rows that pass all masks, slice by slice. */
export class FacetCounter {
  readonly #rowCount: number;
  readonly #filters: readonly Readonly<{ codes: Codes; mask: Uint8Array }>[];
  readonly #columns: readonly Readonly<{ codes: Codes; counts: Uint32Array }>[];
  readonly #codes = new Uint32Array(blockRows);
  readonly #marks = new Uint8Array(blockRows);
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
    const [codes, marks, count] = [this.#codes, this.#marks, to - from];
    marks.fill(1, 0, count);
    for (const filter of this.#filters) {
      // Copied, so that the loops below see one kind of array whatever the column's width: they run twice as fast.
      codes.set(filter.codes.subarray(from, to));
      markRows(codes, filter.mask, marks, count);
    }
    for (const column of this.#columns) {
      codes.set(column.codes.subarray(from, to));
      countRows(codes, marks, column.counts, count);
    }
  }

  /** The commonest values of each column, in the order in which they were named. */
  best(limit: number): readonly CountedFacet[] {
    return this.#columns.map(({ counts }) => bestOf(counts, limit));
  }
}

function markRows(codes: Uint32Array, mask: Uint8Array, marks: Uint8Array, count: number): void {
  for (let at = 0; at < count; at++) marks[at] = marks[at]! & mask[codes[at]!]!;
}

/** Without a branch: whether a row counts is as good as random. */
function countRows(codes: Uint32Array, marks: Uint8Array, counts: Uint32Array, count: number): void {
  for (let at = 0; at < count; at++) {
    const code = codes[at]!;
    counts[code] = counts[code]! + marks[at]!;
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
