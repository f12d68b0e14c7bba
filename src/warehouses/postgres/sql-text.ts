/** Names and values as SQL text. Values of records never pass through here, only names, keys and places. */
import { LeatError } from "../../errors/leat-error.ts";

/** A name in double quotes. */
export function quoteName(name: string): string {
  return `"${refuseNul(name).replaceAll('"', '""')}"`;
}

/** Text as a literal; `standard_conforming_strings` is on in every session, so a backslash is one. */
export function quoteText(text: string): string {
  return `'${refuseNul(text).replaceAll("'", "''")}'`;
}

/** A list of texts, as an array. */
export function quoteTexts(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoteText).join(", ")}]::text[]`;
}

/** The server would end the statement at a NUL, and cannot keep one. */
function refuseNul(text: string): string {
  if (!text.includes("\0")) return text;
  throw new LeatError("NAME_INVALID", {
    message: `The name ${JSON.stringify(text.slice(0, 100))} holds U+0000, which Postgres cannot keep.`,
    hint: "Rename it, or use another warehouse.",
  });
}

/** Joins conditions; none is `true`. */
export function allOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "true" : conditions.map((condition) => `(${condition})`).join(" AND ");
}

/** Joins alternatives; none is `false`. */
export function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : conditions.map((condition) => `(${condition})`).join(" OR ");
}
