/**
 * Values of a result as JSON can hold them, each type always in one form or, for integers, exactly.
 *
 * Integers of any width are numbers while a double holds them exactly (±2^53), else their digits as text: `count(*)`
 * is a number in every program, and no id is rounded. Decimals are text. Dates and times are ISO 8601 (`2024-01-01`,
 * `2024-01-01T06:30:00`, with a zone in UTC with `Z`), with as many fraction digits as they need. Doubles that are not
 * finite are text. JSON columns are their text: parsing it would round numbers that the column has kept.
 */
import type { DuckDBType, DuckDBValue, DuckDBValueConverter } from "@duckdb/node-api";
import { formatTimestamp } from "../../model/cursor.ts";

type Engine = typeof import("@duckdb/node-api");

/** A value that JSON can hold. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { [key: string]: PlainValue };

/** Makes the converter of a loaded engine; nested values are converted by the same rules. */
export function openValueConverter(engine: Engine): DuckDBValueConverter<PlainValue> {
  const { DuckDBTypeId: ids } = engine;
  const integers: ReadonlySet<number> = new Set([ids.BIGINT, ids.UBIGINT, ids.HUGEINT, ids.UHUGEINT]);
  const times: ReadonlySet<number> = new Set([ids.TIMESTAMP, ids.TIMESTAMP_TZ]);
  return (value: DuckDBValue, type: DuckDBType, self: DuckDBValueConverter<PlainValue>) => {
    if (value === null || value === undefined) return null;
    if (typeof value === "bigint" && integers.has(type.typeId)) return toInteger(value);
    if (times.has(type.typeId) && typeof value === "object" && "micros" in value)
      return toIsoTime(value.micros as bigint, type.typeId === ids.TIMESTAMP_TZ, () => String(value));
    if (type.typeId === ids.DATE && typeof value === "object" && "days" in value)
      return infiniteDay(value.days as number) ?? String(value);
    // The engine's own converter does the rest, and calls `self` for what is inside; its Json is our PlainValue.
    return engine.JsonDuckDBValueConverter(value, type, self as never) as PlainValue;
  };
}

function toInteger(value: bigint): number | string {
  const isSafe = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
  return isSafe ? Number(value) : value.toString();
}

/** The engine's greatest and least days stand for no day at all; its client prints them as days of the year 5881580. */
function infiniteDay(days: number): string | undefined {
  if (Math.abs(days) !== 2 ** 31 - 1) return undefined;
  return days > 0 ? "infinity" : "-infinity";
}

/** The instants that JavaScript's calendar has, µs; the engine's own text beyond (`infinity`, the year 294247). */
const calendarUs = 8_640_000_000_000_000n * 1000n;

function toIsoTime(micros: bigint, isZoned: boolean, engineText: () => string): string {
  if (micros > calendarUs || micros < -calendarUs) return engineText();
  const us = Number(micros);
  const isWhole = Number.isSafeInteger(us) && us % 1_000_000 === 0;
  // Most times are whole seconds of the years 1684 to 2255: 0.6 µs each, where the exact way takes 1.9.
  const text = isWhole ? new Date(us / 1000).toISOString().slice(0, 19) : printFraction(micros);
  return isZoned ? `${text}Z` : text;
}

function printFraction(micros: bigint): string {
  const text = formatTimestamp(micros)
    .slice(0, -1)
    .replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros));
  return text.includes(".") ? text.replace(/0+$/, "") : text;
}
