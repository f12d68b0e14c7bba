/** Values that are not what their columns ask for: collected, and told with all their places. */
import { LeatError } from "../errors/leat-error.ts";
import type { ColumnViolation, DuplicateKey, RowPlace } from "../ports/dataset-engine.ts";

/** Places told of one problem of one column, and problems told in all. */
const samplesMax = 5;
const violationsToldMax = 30;

/** Longest value told, characters. */
const valueLengthMax = 200;

/** Collects what is found while rows pass by. */
export class RowViolations {
  readonly #found = new Map<
    string,
    ColumnViolation & { count: number; samples: ColumnViolation["samples"][number][] }
  >();

  add(column: string, problem: string, place: RowPlace, value: string | null): void {
    const name = `${column}\n${problem}`;
    const found = this.#found.get(name) ?? { column, problem, count: 0, samples: [] };
    this.#found.set(name, found);
    found.count++;
    if (found.samples.length < samplesMax)
      found.samples.push({ ...place, value: value === null ? null : value.slice(0, valueLengthMax) });
  }

  list(): readonly ColumnViolation[] {
    return [...this.#found.values()];
  }
}

/** Names an input for people: `2018.xls`, `the query`. */
export type NameInput = (input: number) => string;

/** `2018.xls, sheet Figures, row 17`; where the reader told no place, the number of the row among those it made. */
export function printPlace(place: RowPlace, nameInput: NameInput): string {
  return `${nameInput(place.input)}, ${place.place ?? `tidy row ${place.row}`}`;
}

/** @throws LeatError `ROW_INVALID` when there are violations, listing them with their places. */
export function refuseViolations(
  dataset: string,
  violations: readonly ColumnViolation[],
  nameInput: NameInput,
): void {
  if (violations.length === 0) return;
  const told = violations.slice(0, violationsToldMax).map(({ column, problem, count, samples }) => {
    const places = samples.map((sample) => {
      const value = sample.value === null ? "null" : JSON.stringify(sample.value);
      return `\n    ${value} (${printPlace(sample, nameInput)})`;
    });
    const more = count > samples.length ? `\n    and ${count - samples.length} more` : "";
    return `\n  ${column} ${problem}, ${count === 1 ? "in 1 row" : `in ${count} rows`}:${places.join("")}${more}`;
  });
  const more =
    violations.length > told.length ? `\n  and ${violations.length - told.length} more problems` : "";
  throw new LeatError("ROW_INVALID", {
    message: `The dataset ${dataset} has values that are not what its columns declare:${told.join("")}${more}`,
    details: {
      dataset,
      violations: violations.slice(0, violationsToldMax).map(({ samples, ...violation }) => ({
        ...violation,
        samples: samples.map((sample) => ({ ...sample, input: nameInput(sample.input) })),
      })),
    },
  });
}

/** @throws LeatError `KEY_DUPLICATE` when rows of one input have one key, naming their places. */
export function refuseDuplicates(
  dataset: string,
  key: readonly string[],
  duplicates: Readonly<{ count: number; samples: readonly DuplicateKey[] }>,
  nameInput: NameInput,
): void {
  if (duplicates.count === 0) return;
  const told = duplicates.samples.map(({ key: values, places }) => {
    const named = Object.entries(values).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    const at = places.map((place) => `\n    ${printPlace(place, nameInput)}`);
    return `\n  ${named.join(", ")}:${at.join("")}`;
  });
  const more = duplicates.count > told.length ? `\n  and ${duplicates.count - told.length} more keys` : "";
  throw new LeatError("KEY_DUPLICATE", {
    message: `The dataset ${dataset} has rows of one file with the same ${key.join(", ")}:${told.join("")}${more}`,
    details: {
      dataset,
      count: duplicates.count,
      samples: duplicates.samples.map(({ key: values, places }) => ({
        key: values,
        places: places.map((place) => printPlace(place, nameInput)),
      })),
    },
  });
}
