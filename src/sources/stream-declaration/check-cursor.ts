/** Checks a declared cursor and turns it into numbers. */
import { z } from "zod";
import {
  type CursorFormat,
  type CursorValue,
  type ParameterFormat,
  parameterUnit,
  parseCursor,
} from "../../model/cursor.ts";
import { parseDuration } from "../../model/duration.ts";
import type { CursorSpec, RangeSpec } from "../../model/stream.ts";
import { checkMembers, type FaultPath, type Faults, oneOf, strictObject } from "./faults.ts";

/** One side of a range as declared; `param` and `in` only where parameters are sent. */
export type CheckedBound = Readonly<{
  param?: string | undefined;
  in?: "query" | "body" | "header" | undefined;
  format?: ParameterFormat | undefined;
  inclusive?: boolean | undefined;
}>;

/** A checked cursor. `spec` is missing when a fault leaves it unclear; `start` and `end` are then still as declared. */
export type CheckedCursor = Readonly<{
  spec: CursorSpec | undefined;
  start: CheckedBound | undefined;
  end: CheckedBound | undefined;
}>;

const cursorFormats = ["iso", "epoch-s", "epoch-ms", "integer"] as const;
const parameterFormats = [
  "iso-s",
  "iso-ms",
  "iso-us",
  "date",
  "epoch-s",
  "epoch-ms",
  "integer",
] as const satisfies readonly ParameterFormat[];

/** Times are sent to the second by default: every API that takes ISO times takes that. */
const defaultParameter: Readonly<Record<CursorFormat, ParameterFormat>> = {
  iso: "iso-s",
  "epoch-s": "epoch-s",
  "epoch-ms": "epoch-ms",
  integer: "integer",
};

const format = oneOf(parameterFormats).optional();
const text = z.string().min(1).optional();
const place = oneOf(["query", "body", "header"]).optional();
const scalar = z.union([z.string(), z.number()], { error: () => "write text or a number" }).optional();

/** Checks `cursor` of a stream. @param hasParams - whether bounds may name a request parameter. */
export function checkCursor(
  faults: Faults,
  path: FaultPath,
  input: unknown,
  hasParams: boolean,
): CheckedCursor {
  const inclusive = z.boolean().optional();
  const checked = checkMembers(faults, path, input, {
    field: z.string({ error: () => "name the field that grows with every change" }).min(1),
    format: oneOf(cursorFormats).default("iso"),
    zone: z
      .string()
      .refine(isZone, { error: (issue) => `${JSON.stringify(issue.input)} is not an IANA zone` })
      .default("UTC"),
    minimum: scalar,
    initial: scalar,
    lag: scalar,
    spanMax: scalar,
    start: (hasParams
      ? strictObject({ param: text, in: place, format, inclusive })
      : strictObject({ format, inclusive })
    ).optional() as z.ZodType<CheckedBound | undefined>, // Both forms are bounds; the shorter has fewer members.
    end: (hasParams
      ? strictObject({ param: text, in: place, format })
      : strictObject({ format })
    ).optional() as z.ZodType<CheckedBound | undefined>,
  });
  // A wrong zone is a fault already; the rest is checked as if there were none.
  const { field, format: cursorFormat, zone = "UTC", start, end } = checked;
  const declared = input as Readonly<Record<string, unknown>>; // Only looked at for what is present.
  if (cursorFormat === undefined) return { spec: undefined, start, end };

  const value = (name: "minimum" | "initial", fallback: CursorValue | undefined): CursorValue | undefined => {
    const given = checked[name];
    if (given === undefined) return fallback;
    const parsed = parseCursor(String(given), cursorFormat, zone);
    if (parsed === undefined) {
      faults.add([...path, name], `${JSON.stringify(given)} is not a value of the format ${cursorFormat}`);
    }
    return parsed ?? fallback;
  };
  const span = (name: "lag" | "spanMax", fallback: CursorValue | undefined): CursorValue | undefined => {
    const given = checked[name];
    if (given === undefined) return fallback;
    const parsed = parseSpan(given, cursorFormat);
    if (parsed === undefined) {
      const form = cursorFormat === "integer" ? "a whole number" : `a span such as "15m", or milliseconds`;
      faults.add([...path, name], `${JSON.stringify(given)} cannot be read; write ${form}`);
    }
    return parsed ?? fallback;
  };
  const isInteger = cursorFormat === "integer";
  // One day after the epoch: in no zone is "never" written as a later time.
  const minimum = value("minimum", isInteger ? 0n : 86_400_000_000n)!;
  const initial = value("initial", undefined);
  const lag = span("lag", isInteger ? 0n : 60_000_000n)!;
  const spanMax = span("spanMax", undefined);

  if (initial !== undefined && initial < minimum) faults.add([...path, "initial"], "is below `minimum`");
  if (declared["end"] !== undefined && declared["start"] === undefined) {
    faults.add([...path, "end"], "needs `start`: a range has a beginning");
  }
  if (declared["spanMax"] !== undefined) {
    for (const side of ["start", "end"] as const) {
      if (declared[side] === undefined)
        faults.add([...path, "spanMax"], `needs \`${side}\`: windows are sent with both ends`);
    }
    if (declared["initial"] === undefined) {
      faults.add([...path, "spanMax"], "needs `initial`: the first window must begin somewhere");
    }
  }
  const range = checkRange(faults, path, cursorFormat, start, end, spanMax);
  if (field === undefined) return { spec: undefined, start, end };
  const spec: CursorSpec = { field, format: cursorFormat, zone, minimum, initial, lag, range };
  return { spec, start, end };
}

function checkRange(
  faults: Faults,
  path: FaultPath,
  cursorFormat: CursorFormat,
  start: CheckedBound | undefined,
  end: CheckedBound | undefined,
  spanMax: CursorValue | undefined,
): RangeSpec | undefined {
  if (start === undefined) return undefined;
  const startFormat = start.format ?? defaultParameter[cursorFormat];
  const endFormat = end?.format ?? startFormat;
  // Exclusive unless told otherwise: read as inclusive, an exclusive parameter loses records that tie with the cursor;
  // the other way round costs some records read twice, which are dropped.
  const isStartInclusive = start.inclusive ?? false;
  // An exclusive start is sent a step lower, and a window must still reach beyond where it begins.
  const stepsMin = isStartInclusive ? 1n : 2n;
  for (const [side, chosen] of [
    ["start", startFormat],
    ["end", endFormat],
  ] as const) {
    if ((chosen === "integer") !== (cursorFormat === "integer")) {
      faults.add(
        [...path, side, "format"],
        `"${chosen}" cannot express a cursor of the format ${cursorFormat}`,
      );
    } else if (spanMax !== undefined && spanMax < stepsMin * parameterUnit(chosen)) {
      const steps = isStartInclusive ? "one step" : "two steps";
      const why = isStartInclusive ? "" : "; the start is exclusive, and so sent one step lower";
      faults.add([...path, "spanMax"], `is shorter than ${steps} of the ${side} parameter (${chosen})${why}`);
    }
  }
  return { startFormat, isStartInclusive, hasEnd: end !== undefined, endFormat, spanMax };
}

function parseSpan(given: string | number, cursorFormat: CursorFormat): CursorValue | undefined {
  if (cursorFormat === "integer") {
    return /^\d{1,40}$/.test(String(given)) ? BigInt(given) : undefined;
  }
  const ms = typeof given === "number" ? given : parseDuration(given);
  return ms !== undefined && Number.isSafeInteger(ms) && ms >= 0 ? BigInt(ms) * 1000n : undefined;
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
