/** Whether what the project's own code gives is a row at all. */
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetRow } from "../ports/dataset.ts";

const isPromise = (value: object): boolean => "then" in value && typeof value.then === "function";

/** An object that is no list and no promise. */
export const isRow = (value: unknown): value is DatasetRow =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isPromise(value);

/** What to say of anything else. */
export function notARow(dataset: string, where: string, value: unknown): LeatError {
  const isLate = typeof value === "object" && value !== null && isPromise(value);
  return new LeatError("MAP_FAILED", {
    message: `${where}: the code of the dataset ${dataset} gave ${isLate ? "a promise" : JSON.stringify(value)}, not an object.`,
    hint: isLate
      ? "`map` answers at once; fetch what it needs before."
      : "Give an object with a member for each column.",
    details: { dataset },
  });
}
