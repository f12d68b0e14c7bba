/**
 * From the kinds that a column has shown to its type in a warehouse: a pure function, so that every warehouse makes the
 * same table of the same landing, in whatever order packages came (I14).
 *
 * | kinds seen (nulls aside) | type |
 * |---|---|
 * | none | `unknown`: a column of text that holds only nulls |
 * | booleans | `boolean` |
 * | integers of up to 18, 38, more digits | `bigint`, `hugeint`, `text` |
 * | numbers, all of which survive a double | `double` |
 * | numbers, some of which do not | `decimal(38, s)`, s = most digits after the point; `text` when 38 are too few |
 * | dates | `date` |
 * | timestamps without a zone, with or without dates | `timestamp`, naive |
 * | timestamps with a zone | `timestamptz`, normalised to UTC |
 * | an object or array, whatever else | `json` |
 * | any other text, any other mixture | `text` |
 *
 * A declared type wins over the kinds; what does not fit it goes to the rejects. Cells of a `text` column hold a
 * string's content, a number's landed literal, `true` or `false`, and for declared text an object's landed text.
 */
import { type ColumnKinds, kindBits } from "./column-kinds.ts";
import type { DeclaredType } from "./stream.ts";

/** Most digits of a `decimal`, and of a `hugeint`; what engines agree on. */
export const decimalDigitsMax = 38;
/** Most digits that surely fit 64 bits; of 19 digits only some do, and a type must not depend on which. */
export const bigintDigitsMax = 18;

/** A column's type before any engine names it. */
export type ColumnType =
  | Readonly<{
      type:
        | "unknown"
        | "text"
        | "boolean"
        | "bigint"
        | "hugeint"
        | "double"
        | "date"
        | "timestamp"
        | "timestamptz"
        | "json";
    }>
  | Readonly<{ type: "decimal"; precision: number; scale: number }>;

const numberBits = kindBits.integer | kindBits.decimal;
const nestedBits = kindBits.object | kindBits.array;

/** The type of a column that has shown `seen`. */
export function planColumnType(seen: ColumnKinds, declared?: DeclaredType): ColumnType {
  if (declared !== undefined) return declared;
  const kinds = seen.kinds & ~kindBits.null;
  if (kinds === 0) return { type: "unknown" };
  if ((kinds & nestedBits) !== 0) return { type: "json" };
  if ((kinds & ~numberBits) === 0) return planNumberType(seen);
  switch (kinds) {
    case kindBits.boolean:
      return { type: "boolean" };
    case kindBits.date:
      return { type: "date" };
    case kindBits.timestamp:
    case kindBits.timestamp | kindBits.date:
      return { type: "timestamp" };
    case kindBits.timestampTz:
      return { type: "timestamptz" };
    default:
      return { type: "text" };
  }
}

function planNumberType(seen: ColumnKinds): ColumnType {
  if ((seen.kinds & kindBits.decimal) === 0) {
    if (seen.intDigitsMax <= bigintDigitsMax) return { type: "bigint" };
    return { type: seen.intDigitsMax <= decimalDigitsMax ? "hugeint" : "text" };
  }
  if (!seen.hasExactNumbers) return { type: "double" };
  const digits = seen.intDigitsMax + seen.scaleMax;
  if (digits > decimalDigitsMax) return { type: "text" };
  return { type: "decimal", precision: decimalDigitsMax, scale: seen.scaleMax };
}

/**
 * How the cells of one type become those of another: `none`, nothing to do; `in-place`, by the engine's cast, which
 * gives what reading the landed text again would give; `reread`, only from the landed text.
 */
export type TypeChange = "none" | "in-place" | "reread";

/** In-place casts are the exact ones: each gives, cell by cell, what the landed text read as the new type gives. */
const inPlace: ReadonlySet<string> = new Set([
  "bigint>hugeint",
  "bigint>double", // Undeclared: integers that do not survive a double are not in a column that becomes one.
  "date>text",
  "date>timestamp",
]);

/**
 * Plans the change of a column's type. Columns of `unknown` hold nulls only and become anything in place.
 *
 * @param seen - what the column's loaded packages have shown: of numbers, how many digits must find room.
 */
export function planTypeChange(from: ColumnType, to: ColumnType, seen: ColumnKinds): TypeChange {
  if (printColumnType(from) === printColumnType(to)) return "none";
  if (from.type === "unknown") return "in-place";
  if (to.type === "decimal" && isRoomFor(from, to, seen)) return "in-place";
  return inPlace.has(`${from.type}>${to.type}`) ? "in-place" : "reread";
}

/** Whether each number of a column fits a decimal; strings that hold numbers (declared types) were not measured. */
function isRoomFor(
  from: ColumnType,
  to: Readonly<{ precision: number; scale: number }>,
  seen: ColumnKinds,
): boolean {
  const isExact = from.type === "bigint" || from.type === "hugeint" || from.type === "decimal";
  if (!isExact || (from.type === "decimal" && from.scale > to.scale)) return false;
  const isMeasured = (seen.kinds & ~(numberBits | kindBits.null)) === 0;
  return isMeasured && seen.intDigitsMax <= to.precision - to.scale;
}

/** `decimal(38,9)`, `bigint`: as registries and people write it. */
export function printColumnType(type: ColumnType): string {
  return type.type === "decimal" ? `decimal(${type.precision},${type.scale})` : type.type;
}

const plainTypes: ReadonlySet<string> = new Set([
  "unknown",
  "text",
  "boolean",
  "bigint",
  "hugeint",
  "double",
  "date",
  "timestamp",
  "timestamptz",
  "json",
]);

/** Reads what {@link printColumnType} wrote; `undefined` for anything else. */
export function parseColumnType(text: string): ColumnType | undefined {
  const match = /^decimal\((\d+),(\d+)\)$/.exec(text);
  if (match !== null) return { type: "decimal", precision: Number(match[1]), scale: Number(match[2]) };
  // The set holds exactly the plain members of the union.
  return plainTypes.has(text) ? ({ type: text } as ColumnType) : undefined;
}
