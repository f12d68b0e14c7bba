/** Values and their order in plain TypeScript: what answers are compared with. Shares nothing with what is tested. */
import type { PublishedColumn } from "../../src/model/dataset-manifest.ts";
import type { Cell } from "./published-versions.ts";

/** Unusual days sort before or behind all others, and have no parts. */
const isInfinite = (text: string): boolean => text.endsWith("infinity");

/** A cell as JSON has it in answers. */
export function jsonOf({ type }: PublishedColumn, cell: Cell): unknown {
  if (cell === null) return null;
  if (type === "bigint") return Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
  if (type === "double") return Number.isFinite(Number(cell)) ? Number(cell) + 0 : cell; // No minus zero.
  if (type === "boolean") return cell === "true";
  if (type === "json") return JSON.parse(cell) as unknown;
  return cell;
}

/** Orders two values of a column as their type does: numbers by size, NaN behind them; text by its UTF-8. */
export function compareCells({ type }: PublishedColumn, one: string, other: string): number {
  if (one === other) return 0;
  if (type === "text" || type === "json") return Buffer.compare(Buffer.from(one), Buffer.from(other));
  if (type === "bigint") return compare(BigInt(one), BigInt(other));
  if (type.startsWith("decimal"))
    return compare(BigInt(one.replace(".", "")), BigInt(other.replace(".", "")));
  if (type === "double") return compareNumbers(Number(one), Number(other));
  return compare(rankOf(one), rankOf(other));
}

function compareNumbers(one: number, other: number): number {
  if (Number.isNaN(one) || Number.isNaN(other))
    return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
  return compare(one, other);
}

/** Dates and times: their text sorts, once a fraction of a second is not cut short. */
function rankOf(text: string): string {
  if (isInfinite(text)) return text.startsWith("-") ? "" : "~";
  return text.replace(/Z$/, "").padEnd(26, text.includes(".") ? "0" : ".000000");
}

const compare = (one: bigint | number | string, other: typeof one): number =>
  one < other ? -1 : one > other ? 1 : 0;

/** Nulls are last, whichever way round. */
export function compareForSort(
  column: PublishedColumn,
  one: Cell,
  other: Cell,
  isDescending: boolean,
): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  const order = compareCells(column, one, other);
  return isDescending ? -order : order;
}

/** The beginning of the part of the calendar that a value is in. */
export function truncate({ type }: PublishedColumn, cell: Cell, part: string): Cell {
  if (cell === null || isInfinite(cell)) return cell;
  const [day = "", time = "00:00:00"] = cell.replace(/Z$/, "").split("T");
  const [year = "", month = "", date = ""] = day.split("-");
  const [hour = "", minute = ""] = time.split(":");
  const quarter = String(Math.floor((Number(month) - 1) / 3) * 3 + 1).padStart(2, "0");
  const begins: Readonly<Record<string, string>> = {
    year: `${year}-01-01T00:00:00`,
    quarter: `${year}-${quarter}-01T00:00:00`,
    month: `${year}-${month}-01T00:00:00`,
    week: `${mondayOf(Number(year), Number(month), Number(date))}T00:00:00`,
    day: `${day}T00:00:00`,
    hour: `${day}T${hour}:00:00`,
    minute: `${day}T${hour}:${minute}:00`,
  };
  const begin = begins[part]!;
  if (type === "date") return begin.slice(0, 10);
  return type === "timestamptz" ? `${begin}Z` : begin;
}

function mondayOf(year: number, month: number, date: number): string {
  const day = new Date(Date.UTC(2000, month - 1, date));
  day.setUTCFullYear(year, month - 1, date);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

/** `%` any characters, `_` one, a backslash before either for itself. */
export function isLike(text: string, pattern: string): boolean {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === "\\" && at + 1 < pattern.length) source += quoteCharacter(pattern[++at]!);
    else if (character === "%") source += "[\\s\\S]*";
    else if (character === "_") source += "[\\s\\S]";
    else source += quoteCharacter(character);
  }
  return new RegExp(`^${source}$`, "u").test(text);
}

const quoteCharacter = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
