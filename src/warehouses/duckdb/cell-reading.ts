/**
 * How one column of one package is read: by the engine's own reader where what the package has shown is what the type
 * takes, else as text with a check of each value.
 *
 * The engine is generous where leat must not be. Measured with 1.5.5: `'2024-01-01T05:00'` casts to a DATE without a
 * word, `1.5` to the BIGINT 2, `'+02:00'` is dropped by TIMESTAMP, `0x10` is 16, `1e400` the DOUBLE Infinity. So every
 * conversion has its pattern, and what does not match becomes a reject, never a NULL or a neighbour of the value.
 */
import { type ColumnKinds, kindBits } from "../../model/column-kinds.ts";
import { bigintDigitsMax, type ColumnType, decimalDigitsMax } from "../../model/column-types.ts";
import { decimalSql, isNumberSql, matches, numberPattern } from "./decimal-sql.ts";

/** What a column is read as, and how its value comes about. `cell` is SQL that names the value as read. */
export type CellReading = Readonly<{
  /** The engine's type that its JSON reader is asked for. */
  readAs: "BIGINT" | "DOUBLE" | "BOOLEAN" | "DATE" | "TIMESTAMP" | "TIMESTAMPTZ" | "VARCHAR" | "JSON";
  /** Read from the staged copy, where numbers and nested values stand as text. */
  isQuoted: boolean;
  /** Also needs the value's JSON from the landed file, since quoting has made text and other values look alike. */
  needsOriginal: boolean;
  value: (cell: string, original: string) => string;
  /**
   * Whether a value that is there fits; `undefined`: all do, by what the package has shown. Should that be wrong, the
   * engine's error tells, and the package is read again with every value checked.
   */
  fits: ((cell: string) => string) | undefined;
}>;

const numbers = kindBits.integer | kindBits.decimal;
const strings = kindBits.text | kindBits.date | kindBits.timestamp | kindBits.timestampTz;
const nested = kindBits.object | kindBits.array;

/** Digits that surely fit a double's range. */
const doubleDigitsMax = 308;

/**
 * Plans the reading of a column.
 *
 * @param seen - what the package (not the stream) has shown.
 * @returns `undefined` when the package holds only nulls there.
 */
export function planCellReading(type: ColumnType, seen: ColumnKinds): CellReading | undefined {
  const kinds = seen.kinds & ~kindBits.null;
  if (kinds === 0) return undefined;
  if (type.type === "json") return readJson(kinds, seen.hasExactNumbers);
  return readNative(type, kinds, seen) ?? readText(type, kinds);
}

function readNative(type: ColumnType, kinds: number, seen: ColumnKinds): CellReading | undefined {
  const only = (bits: number) => (kinds & ~bits) === 0;
  const isSmall = only(kindBits.integer) && seen.intDigitsMax <= bigintDigitsMax;
  switch (type.type) {
    case "boolean":
      return only(kindBits.boolean) ? native("BOOLEAN") : undefined;
    case "bigint":
      return isSmall ? native("BIGINT") : undefined;
    case "hugeint":
      if (isSmall) return native("BIGINT");
      return only(kindBits.integer) && seen.intDigitsMax <= decimalDigitsMax
        ? { ...native("VARCHAR"), isQuoted: true, value: (cell) => `CAST(${cell} AS HUGEINT)` }
        : undefined;
    case "decimal": {
      const { precision, scale } = type;
      if (seen.intDigitsMax > precision - scale) return undefined;
      if (isSmall) return native("BIGINT");
      return only(numbers) && seen.scaleMax <= scale
        ? {
            ...native("VARCHAR"),
            isQuoted: true,
            value: (cell) => decimalSql(cell, precision, scale, "error"),
          }
        : undefined;
    }
    case "double":
      return only(numbers) && seen.intDigitsMax <= doubleDigitsMax ? native("DOUBLE") : undefined;
    case "date":
      return only(kindBits.date) ? native("DATE") : undefined;
    case "timestamp":
      return only(kindBits.date | kindBits.timestamp) ? native("TIMESTAMP") : undefined;
    case "timestamptz":
      return only(kindBits.timestampTz) ? native("TIMESTAMPTZ") : undefined;
    case "text":
    case "unknown":
      return only(strings | kindBits.boolean) ? native("VARCHAR") : undefined;
    default:
      return undefined;
  }
}

function native(readAs: CellReading["readAs"]): CellReading {
  return { readAs, isQuoted: false, needsOriginal: false, value: (cell) => cell, fits: undefined };
}

/**
 * The engine's reader writes nested values anew, with numbers through a double. That is an equal value unless the
 * package has shown a number that does not survive; then the landed text itself is kept.
 */
function readJson(kinds: number, hasExactNumbers: boolean): CellReading {
  if (!hasExactNumbers) return native("JSON");
  const needsOriginal = (kinds & strings) !== 0;
  return {
    readAs: "VARCHAR",
    isQuoted: true,
    needsOriginal,
    value: (cell, original) =>
      needsOriginal
        ? `CASE WHEN json_type(${original}) = 'VARCHAR' THEN ${original} ELSE CAST(${cell} AS JSON) END`
        : `CAST(${cell} AS JSON)`,
    fits: undefined,
  };
}

function readText(type: ColumnType, kinds: number): CellReading {
  const isQuoted = (kinds & (numbers | nested)) !== 0;
  return { readAs: "VARCHAR", isQuoted, needsOriginal: false, ...convertText(type) };
}

const datePattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
/** Digits beyond the microsecond must be zeros: the engine cuts them off. */
const timePattern = "[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6}0*)?)?";
const zonePattern = "([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)";

export type Conversion = Readonly<{
  value: (cell: string) => string;
  fits: ((cell: string) => string) | undefined;
}>;

/** The value of a text as a type, and whether it is one: a pure function of type and text. */
export function convertText(type: ColumnType): Conversion {
  switch (type.type) {
    case "text":
    case "unknown":
    case "json":
      return { value: (cell) => cell, fits: undefined };
    case "boolean": {
      const value = (cell: string) =>
        `CASE lower(${cell}) WHEN 'true' THEN true WHEN '1' THEN true WHEN 'false' THEN false WHEN '0' THEN false END`;
      return { value, fits: (cell) => `${value(cell)} IS NOT NULL` };
    }
    case "bigint":
      return casts("BIGINT", (cell) => isNumberSql(cell, 0));
    case "hugeint":
      return casts("HUGEINT", (cell) => isNumberSql(cell, 0));
    case "decimal": {
      const value = (cell: string) => decimalSql(cell, type.precision, type.scale, "null");
      return { value, fits: (cell) => `${isNumberSql(cell, type.scale)} AND ${value(cell)} IS NOT NULL` };
    }
    case "double":
      return casts(
        "DOUBLE",
        (cell) => `${matches(cell, numberPattern)} AND isfinite(TRY_CAST(${cell} AS DOUBLE))`,
      );
    case "date":
      return casts("DATE", (cell) => matches(cell, datePattern));
    case "timestamp":
      return casts("TIMESTAMP", (cell) => matches(cell, `${datePattern}(${timePattern})?`));
    case "timestamptz":
      return casts("TIMESTAMPTZ", (cell) => matches(cell, `${datePattern}(${timePattern}${zonePattern}?)?`));
  }
}

function casts(engineType: string, pattern: (cell: string) => string): Conversion {
  const value = (cell: string) => `TRY_CAST(${readableSql(cell, engineType)} AS ${engineType})`;
  return { value, fits: (cell) => `${pattern(cell)} AND ${value(cell)} IS NOT NULL` };
}

/** The engine knows no `t` and `z`, and no zone behind a time without seconds. */
function readableSql(cell: string, engineType: string): string {
  if (!engineType.startsWith("TIMESTAMP")) return cell;
  const upper = `upper(${cell})`;
  if (engineType === "TIMESTAMP") return upper;
  return `regexp_replace(${upper}, '^(.{10}[T ][0-9]{2}:[0-9]{2})([Z+-])', '\\1:00\\2')`;
}

/** The engine's name of a type. */
export function engineType(type: ColumnType): string {
  switch (type.type) {
    case "unknown":
    case "text":
      return "VARCHAR";
    case "decimal":
      return `DECIMAL(${type.precision},${type.scale})`;
    default:
      return type.type.toUpperCase();
  }
}
