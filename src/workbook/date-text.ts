/** Dates that stand in a cell as text. */
import { cleanText } from "./cell-text.ts";
import { monthOfName } from "./periods.ts";

const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?)?$/;
const dayFirst = /^(?:[a-z]+,? )?(\d{1,2})(?:st|nd|rd|th)?[ /.-]([a-z]{3,9})\.?,?[ /.-](\d{4}|\d{2})$/;
const monthFirst = /^(?:[a-z]+,? )?([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}|\d{2})$/;
const digitsOnly = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})$/;
/** Two digits up to this are of this century. */
const lastShortYear = 69;

/**
 * A date or date and time as naive ISO text.
 *
 * @param order - of day and month where both are digits; `null`: such a date is not read unless only one order makes
 *   a date.
 * @returns `undefined`: no date, or one that may be two.
 */
export function parseDateText(text: string, order: "dmy" | "mdy" | null): string | undefined {
  const clean = cleanText(text).toLowerCase();
  const standard = iso.exec(clean.replace("t", "T"));
  if (standard !== null) {
    const day = toDay(Number(standard[1]), Number(standard[2]), Number(standard[3]));
    if (day === undefined || standard[4] === undefined) return day;
    const [hour, minute, second] = [Number(standard[4]), Number(standard[5]), Number(standard[6] ?? 0)];
    if (hour > 23 || minute > 59 || second > 59) return undefined;
    return `${day}T${standard[4]}:${standard[5]}:${standard[6] ?? "00"}${standard[7] ?? ""}`;
  }
  const british = dayFirst.exec(clean);
  if (british !== null) return toDay(toYear(british[3]!), monthOfName(british[2]!), Number(british[1]));
  const american = monthFirst.exec(clean);
  if (american !== null) return toDay(toYear(american[3]!), monthOfName(american[1]!), Number(american[2]));
  const digits = digitsOnly.exec(clean);
  if (digits === null) return undefined;
  const [first, second, year] = [Number(digits[1]), Number(digits[2]), toYear(digits[3]!)];
  const asDmy = toDay(year, second, first);
  const asMdy = toDay(year, first, second);
  if (order !== null) return order === "dmy" ? asDmy : asMdy;
  return asDmy === undefined || asMdy === undefined || asDmy === asMdy ? (asDmy ?? asMdy) : undefined;
}

function toYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return year <= lastShortYear ? 2000 + year : 1900 + year;
}

/** ISO text of a day that exists. */
export function toDay(year: number, month: number, day: number): string | undefined {
  if (month < 1 || month > 12 || day < 1 || day > lastDayOf(year, month)) return undefined;
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Last day of a month, 1 to 12. */
export function lastDayOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}
