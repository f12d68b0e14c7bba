/** Whole numbers that people type. */
import { LeatError } from "../errors/leat-error.ts";

/** @throws LeatError `USAGE` naming the option and its bounds. */
export function readNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new LeatError("USAGE", {
    message: `${option} "${text}" is not a whole number from ${least} to ${most}.`,
  });
}
