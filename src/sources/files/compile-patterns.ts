/** Patterns of a declaration: one or several, each with its own fault. */
import { z } from "zod";
import type { FaultPath, Faults } from "../stream-declaration/faults.ts";
import { compilePattern, type FilePattern, type MatchFile } from "./file-pattern.ts";

const patternSchema = z.union([z.string(), z.instanceof(RegExp)]);

/** One pattern or a list of them, as a list. */
export const patternsSchema: z.ZodType<readonly FilePattern[], unknown> = z
  .union([patternSchema, z.array(patternSchema)], {
    error: () => 'write a glob such as "{year}.xls*", a regular expression, or a list of them',
  })
  .transform((input) => [input].flat());

/** Compiles patterns; a wrong one is a fault and matches nothing. */
export function compilePatterns(
  faults: Faults,
  path: FaultPath,
  patterns: readonly FilePattern[],
  isAnchored: boolean,
): readonly MatchFile[] {
  return patterns.flatMap((pattern) => {
    const compiled = compilePattern(pattern, isAnchored);
    if (typeof compiled === "function") return [compiled];
    faults.add(path, `${showPatterns([pattern])} ${compiled.fault}`);
    return [];
  });
}

/** Patterns as they were written. */
export const showPatterns = (patterns: readonly FilePattern[]): string =>
  patterns
    .map((pattern) => (typeof pattern === "string" ? JSON.stringify(pattern) : String(pattern)))
    .join(" or ");
