/**
 * What kinds of values a stream's columns have shown: a commutative fold, kept in manifests, from which every
 * warehouse derives its types (I14). Nothing else stores a stream's schema.
 */

/** Bits of a column's kinds. A column is the union of what its records held. */
export const kindBits = {
  null: 1,
  boolean: 2,
  /** An integer literal (no fraction, no exponent). How large: `intDigitsMax`. */
  integer: 4,
  /** A number with a fraction or exponent. How fine: `scaleMax`. */
  decimal: 8,
  /** `YYYY-MM-DD` and a date that exists, year 0001 to 9999. */
  date: 16,
  /** Date and time without a zone, at most 6 fraction digits that are not zero. */
  timestamp: 32,
  /** The same with `Z` or an offset. */
  timestampTz: 64,
  /** Any other string. */
  text: 128,
  object: 256,
  array: 512,
} as const;

/** Largest number of digits that are counted; a number beyond is kept as text anyway. */
export const digitsCounted = 400;

/** What one column has shown. All fields fold by union or maximum, so that order does not matter. */
export type ColumnKinds = Readonly<{
  /** Union of {@link kindBits}. */
  kinds: number;
  /** Most digits before the point of any number, exponent applied, leading zeros not counted; `0..digitsCounted`. */
  intDigitsMax: number;
  /** Most digits after the point of any number, exponent applied, trailing zeros not counted; `0..digitsCounted`. */
  scaleMax: number;
  /**
   * Whether some number in the column, at any depth, does not survive a double: parsing it as one and printing the
   * shortest form that reads back gives another value. Integers beyond ±2^53 count as such. `-0` survives (equal value).
   */
  hasExactNumbers: boolean;
}>;

/** Columns by their exact key in the record, as UTF-8 text (escapes decoded). */
export type ColumnTable = ReadonlyMap<string, ColumnKinds>;

/** Folds two sightings of one column. Commutative, associative, idempotent. */
export function foldColumn(a: ColumnKinds | undefined, b: ColumnKinds): ColumnKinds {
  if (a === undefined) return b;
  return {
    kinds: a.kinds | b.kinds,
    intDigitsMax: Math.max(a.intDigitsMax, b.intDigitsMax),
    scaleMax: Math.max(a.scaleMax, b.scaleMax),
    hasExactNumbers: a.hasExactNumbers || b.hasExactNumbers,
  };
}

/** Folds tables of columns into a new one, keys in code-point order so that equal tables print equally. */
export function foldColumns(tables: Iterable<ColumnTable>): ColumnTable {
  const folded = new Map<string, ColumnKinds>();
  for (const table of tables)
    for (const [key, seen] of table) folded.set(key, foldColumn(folded.get(key), seen));
  return new Map([...folded].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
