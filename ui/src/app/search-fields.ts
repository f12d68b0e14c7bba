/** Fields of search parameters. What somebody has mistyped in the address is left out, and the page still opens. */
import { z } from "zod/mini";

/** Texts of this length are no filter that people have typed. */
const lengthMax = 2000;

const textual = z.string().check(z.maxLength(lengthMax));

/** Any text. */
export const searchText = z.catch(z.optional(textual), undefined);

/** One of some words. */
export const searchWord = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.catch(z.optional(z.enum(words)), undefined);

/** A whole number. */
export const searchCount = z.catch(z.optional(z.coerce.number().check(z.int(), z.gte(0))), undefined);

/** On where it is there. */
export const searchFlag = z.catch(
  z.optional(
    z.pipe(
      z.union([z.boolean(), z.string(), z.number()]),
      z.transform((value): true | undefined => (["true", "1"].includes(String(value)) ? true : undefined)),
    ),
  ),
  undefined,
);

/** Texts; one alone is a list, too. */
export const searchTexts = z.catch(
  z.optional(
    z.pipe(
      z.union([z.array(textual), textual]),
      z.transform((value): string[] => [value].flat()),
    ),
  ),
  undefined,
);
