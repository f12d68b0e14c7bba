/** Holds the rows of the current view against the partner's own plants, value by value. */

import type { TruePlant } from "./partner/partner.ts";
import { nameAs, type Scalar } from "./partner/plant.ts";

/** A row as `leat query --json` prints it. */
export type ViewRow = Readonly<Record<string, unknown>>;

/** One place where view and truth disagree. */
export type Difference = Readonly<{ label: string; column: string; inView: unknown; inTruth: unknown }>;

export type Comparison = Readonly<{
  /** Plants that are in both and equal in every column. */
  equal: number;
  /** Values that were held against each other. */
  values: number;
  /** Plants of the partner that the view lacks. */
  missing: readonly string[];
  /** Rows of the view that the partner does not have, or has once only. */
  surplus: readonly string[];
  differences: readonly Difference[];
  isEqual: boolean;
}>;

/**
 * Compares one tenant's rows with that tenant's plants: the same plants, each once, and in each all the partner's
 * fields with equal values. Numbers are equal by value (1.10 = 1.1), times by instant, everything else by its text.
 */
export function compareWithTruth(
  rows: readonly ViewRow[],
  truth: ReadonlyMap<string, TruePlant>,
): Comparison {
  const surplus: string[] = [];
  const differences: Difference[] = [];
  const met = new Set<string>();
  let equal = 0;
  let values = 0;
  for (const row of rows) {
    const label = String(row["label"]);
    const plant = truth.get(label);
    if (plant === undefined || met.has(label)) {
      surplus.push(label);
      continue;
    }
    met.add(label);
    const expected: [string, Scalar][] = [["license_number", plant.license]];
    for (const [name, value] of Object.entries(plant.fields))
      expected.push([nameAs(name, "camelCase"), value]);
    const differencesBefore = differences.length;
    for (const [column, value] of expected) {
      values++;
      if (!isSame(row[column], value, column)) {
        const inTruth = typeof value === "bigint" ? value.toString() : value;
        differences.push({ label, column, inView: row[column], inTruth });
      }
    }
    if (differences.length === differencesBefore) equal++;
  }
  const missing = [...truth.keys()].filter((label) => !met.has(label));
  const isEqual = missing.length + surplus.length + differences.length === 0;
  return { equal, values, missing, surplus, differences, isEqual };
}

function isSame(inView: unknown, inTruth: Scalar, column: string): boolean {
  // `undefined` is a column that the view does not have: not the same as null.
  if (inView === null || inTruth === null || inView === undefined) return inView === inTruth;
  if (typeof inTruth === "boolean") return inView === inTruth;
  if (typeof inTruth === "string") {
    if (typeof inView !== "string") return false;
    return column === "lastModified" ? toInstant(inView) === toInstant(inTruth) : inView === inTruth;
  }
  // A number beyond a double's reach must come as text: as a JavaScript number it may look equal and be wrong.
  const text = typeof inTruth === "object" ? inTruth.decimal : inTruth.toString();
  if (typeof inView === "number" && toPlain(String(Number(text))) !== toPlain(text)) return false;
  return toPlain(String(inView)) === toPlain(text);
}

/** A decimal number without superfluous zeros; `undefined` for what is no such number. */
function toPlain(text: string): string | undefined {
  const match = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ""] = match;
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Ms since the epoch of a time with a zone, as APIs and as warehouses write it; NaN equals nothing. */
function toInstant(text: string): number {
  const iso = text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
  return /(Z|[+-]\d\d:\d\d)$/.test(iso) ? Date.parse(iso) : Number.NaN;
}
