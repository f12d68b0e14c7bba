/** A value of JavaScript as the text that a column's type is read from. */
import type { DeclaredType } from "../model/stream.ts";

/** Text, null, or what is wrong with the value. */
export type CellText = string | null | Readonly<{ problem: string }>;

/** Longest value, UTF-16 units; more is no cell of a table. */
const cellLengthMax = 16 * 1024 * 1024;

/** Writes a value as text: exactly, or not at all. Whether the text is one of the type is decided where it is read. */
export function toCellText(value: unknown, type: DeclaredType): CellText {
  if (value === null || value === undefined) return null;
  if (type.type === "json") return toJsonText(value);
  switch (typeof value) {
    case "string":
      return checkText(value);
    case "number":
      return Number.isFinite(value) ? String(value) : { problem: `is ${value}` };
    case "bigint":
    case "boolean":
      return String(value);
    case "object":
      if (value instanceof Date) return toTimeText(value, type);
      return { problem: Array.isArray(value) ? "is a list" : "is an object" };
    default:
      return { problem: `is a ${typeof value}` };
  }
}

function checkText(text: string): CellText {
  if (!text.isWellFormed()) return { problem: "is no well-formed text (half of a surrogate pair)" };
  return text.length > cellLengthMax ? { problem: `has more than ${cellLengthMax} characters` } : text;
}

function toJsonText(value: unknown): CellText {
  try {
    const text: string | undefined = JSON.stringify(value); // `undefined` for functions and symbols.
    return text === undefined ? { problem: `is a ${typeof value}` } : checkText(text);
  } catch (error) {
    return {
      problem: `cannot be written as JSON (${error instanceof Error ? error.message : String(error)})`,
    };
  }
}

/** An instant in UTC; for a date or a time without a zone, what its UTC calendar says. */
function toTimeText(value: Date, type: DeclaredType): CellText {
  if (Number.isNaN(value.getTime())) return { problem: "is no valid Date" };
  const text = value.toISOString();
  if (type.type === "timestamp") return text.slice(0, -1);
  if (type.type !== "date") return text;
  return text.endsWith("T00:00:00.000Z")
    ? text.slice(0, 10)
    : { problem: "is a time of day, where a date is wanted" };
}
