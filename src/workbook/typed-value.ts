/** Cells and texts as typed values: exact numbers, ISO dates, periods. What does not fit is told, never bent. */
import { cleanText, isBlank, quote, readText } from "./cell-text.ts";
import { lastDayOf, parseDateText, toDay } from "./date-text.ts";
import { type DecimalSign, isPeriodKind, type TypedPart } from "./layout.ts";
import { isWhole, mayBeWithComma, parseNumberText, toExactNumber } from "./number-text.ts";
import { monthName, type Period, type PeriodKind, periodOfDate, readingsOf } from "./periods.ts";
import type { SheetCell } from "./sheet.ts";
import type { ValueKind } from "./workbook-options.ts";

/**
 * A value of a tidy row. Numbers that no double holds, and all of kind `decimal`, are their decimal text; dates and
 * periods are ISO text.
 */
export type TidyValue = string | number | boolean | null;

/** A cell that is not what its column is declared to be. */
export class Unreadable {
  /** As a sentence goes on: `is not an integer`. */
  readonly problem: string;
  constructor(problem: string) {
    this.problem = problem;
  }
}

/**
 * Reads a cell.
 *
 * @returns null for a blank cell; {@link Unreadable} for one that does not fit the kind.
 */
export function readValue(
  cell: SheetCell | undefined,
  part: TypedPart,
  year?: number,
): TidyValue | Unreadable {
  if (cell === undefined || isBlank(cell)) return null;
  if (cell.kind === "error") return new Unreadable(`holds the error ${cell.text}`);
  const { kind } = part;
  switch (kind) {
    case "text":
      return readText(cell);
    case "integer":
    case "number":
    case "decimal":
      return readNumber(cell, kind, part.decimal);
    case "boolean":
      return readBoolean(cell);
    case "date":
    case "datetime":
      return readDate(cell, part);
    default: {
      const period = readPeriod(cell, kind, year);
      return period instanceof Unreadable ? period : formatPeriod(period, part);
    }
  }
}

/** Reads text that a rule has made, such as a part of a cell. */
export function readTextValue(text: string, part: TypedPart, year?: number): TidyValue | Unreadable {
  if (text === "") return null;
  return part.kind === "text" ? text : readValue({ kind: "text", text }, part, year);
}

function readNumber(
  cell: SheetCell,
  kind: "integer" | "number" | "decimal",
  decimal: DecimalSign,
): TidyValue | Unreadable {
  if (cell.kind === "number" && kind === "number") return cell.value;
  if (cell.kind === "number" && kind === "integer" && Number.isSafeInteger(cell.value)) return cell.value;
  const text =
    cell.kind === "number"
      ? cell.text
      : cell.kind === "text"
        ? parseNumberText(cell.text, decimal)
        : undefined;
  if (text === undefined) {
    const hasComma = cell.kind === "text" && decimal === "." && mayBeWithComma(cell.text);
    return new Unreadable(
      `is not ${nameOf(kind)}${hasComma ? '; if its comma begins the fraction, declare `decimal: ","`' : ""}`,
    );
  }
  if (kind === "integer" && !isWhole(text)) return new Unreadable("is not an integer");
  return kind === "decimal" ? text : toExactNumber(text);
}

function readBoolean(cell: SheetCell): TidyValue | Unreadable {
  if (cell.kind === "boolean") return cell.value;
  const text = readText(cell).toLowerCase();
  return text === "true" || text === "false" ? text === "true" : new Unreadable("is not true or false");
}

function readDate(cell: SheetCell, { kind, dateOrder }: TypedPart): TidyValue | Unreadable {
  const iso =
    cell.kind === "date" ? cell.iso : cell.kind === "text" ? parseDateText(cell.text, dateOrder) : undefined;
  if (iso === undefined || !/^\d{4}-/.test(iso)) {
    const mayBeTwo = cell.kind === "text" && parseDateText(cell.text, "dmy") !== undefined;
    return new Unreadable(mayBeTwo ? "may be two dates; declare `dateOrder`" : `is not ${nameOf(kind)}`);
  }
  if (kind === "datetime") return iso.length === 10 ? `${iso}T00:00:00` : iso;
  return iso.slice(0, 10);
}

/** The period of one cell by itself: what makes one as it stands, or with a mark that is no digit. */
export function readPeriod(cell: SheetCell, kind: PeriodKind, year: number | undefined): Period | Unreadable {
  let period: Period | undefined;
  if (cell.kind === "date") period = periodOfDate(cell.iso, kind);
  else {
    const readings = readingsOf(readText(cell), kind);
    const sure = readings.filter(({ mark }) => !/\d/.test(mark));
    period = (sure.find((reading) => reading.period.year !== undefined) ?? sure[0])?.period;
  }
  if (period === undefined) return new Unreadable(`is not ${nameOf(kind)}`);
  if (period.year !== undefined) return period;
  return year === undefined
    ? new Unreadable(`is a ${kind} of which the year is not known`)
    : { ...period, year };
}

/** What is told of a period, as its column declares. */
export function formatPeriod(period: Period, { as }: TypedPart): TidyValue {
  const { kind, number } = period;
  const year = period.year!; // Whoever read the period has seen to its year.
  const months =
    kind === "month" ? [number, number] : kind === "quarter" ? [number * 3 - 2, number * 3] : [1, 12];
  switch (as) {
    case "year":
      return year;
    case "number":
      return number;
    case "name":
      return monthName(number);
    case "start":
      return toDay(year, months[0]!, 1)!; // A first of the month exists.
    case "end":
      return toDay(year, months[1]!, lastDayOf(year, months[1]!))!; // And so does its last.
    case "iso":
      return isoOf(period, year);
  }
}

function isoOf({ kind, number }: Period, year: number): TidyValue {
  switch (kind) {
    case "month":
      return `${year}-${String(number).padStart(2, "0")}`;
    case "quarter":
      return `${year}-Q${number}`;
    case "week":
      return `${year}-W${String(number).padStart(2, "0")}`;
    case "year":
      return year;
    case "years":
      return `${year}/${number === year + 1 ? String(number).slice(2) : number}`;
  }
}

/** A kind as a sentence has it. */
export function nameOf(kind: ValueKind): string {
  if (kind === "years") return "a span of years";
  if (kind === "datetime") return "a date and time";
  if (kind === "boolean") return "true or false";
  return isPeriodKind(kind) || kind !== "integer" ? `a ${kind}` : "an integer";
}

/** A cell for a message: what it holds, and what is wrong with it. */
export function describeProblem(cell: SheetCell, problem: Unreadable): string {
  return `${quote(cell.kind === "text" ? cell.text : cleanText(readText(cell)))} ${problem.problem}`;
}
