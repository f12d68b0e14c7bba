/** JSON whose numbers keep their digits: those that a double does not hold stay text. */
import { isRawJson, type RawJson, toRawJson } from "../../model/exact-json.ts";
import type { JsonValue } from "../../model/json-value.ts";
import type { TidyValue } from "../../workbook/typed-value.ts";

/** Digits that survive a double whatever they are. */
const safeDigits = 15;

/** Parsed JSON in which some numbers are raw. */
export type ExactJson = JsonValue | RawJson;

/** @throws SyntaxError as `JSON.parse` does. */
export function parseExactJson(text: string): ExactJson {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number" || context?.source === undefined) return value;
    return isExact(value, context.source) ? value : toRawJson(context.source);
  }) as ExactJson; // What `JSON.parse` makes, and raw numbers.
}

function isExact(value: number, source: string): boolean {
  if (String(value) === source) return true;
  const mantissa = source.replace(/e.*$/i, "");
  const digits = mantissa.replace(/[^\d]/g, "").replace(/^0+/, "");
  return digits.length <= safeDigits && Number.isFinite(value) && (value !== 0 || digits === "");
}

/** A member of a record by its path; `undefined`: the record has none. */
export function readMember(record: ExactJson, path: readonly string[]): ExactJson | undefined {
  let current: ExactJson | undefined = record;
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Readonly<Record<string, ExactJson>>)[key]; // An object or array that has the key.
  }
  return current;
}

/** As a value of a row: nested values are their JSON text, numbers that no double holds their digits. */
export function toTidyValue(value: ExactJson | undefined): TidyValue {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") return value;
  return isRawJson(value) ? value.rawJSON : JSON.stringify(value);
}
