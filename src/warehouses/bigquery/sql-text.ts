/** Names and values as GoogleSQL text. Values of records never pass through here, only names, keys and places. */
import assert from "node:assert/strict";

/** A name in backticks. */
export function quoteName(name: string): string {
  return `\`${name.replace(/[\\`]/g, "\\$&")}\``;
}

/** A path of names: `` `project`.`dataset`.`table` ``. */
export const quotePath = (...names: readonly string[]): string => names.map(quoteName).join(".");

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped.
const escaped = /[\\'\u0000-\u001f\u007f\u2028\u2029]/g;

/** Text as a literal. */
export function quoteText(text: string): string {
  const body = text.replace(escaped, (character) => {
    if (character === "\\" || character === "'") return `\\${character}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return `'${body}'`;
}

/** A regular expression as a raw literal, which people can read. */
export function quotePattern(pattern: string): string {
  assert(!/['\n]/.test(pattern), "a raw literal holds neither a quote nor a line's end");
  return `r'${pattern}'`;
}

/** A JSONPath to a path of keys, as a literal: every key is quoted, so that none is taken for syntax. */
export function quoteJsonPath(keys: readonly string[]): string {
  return quoteText(`$${keys.map((key) => `."${key.replace(/[\\"]/g, "\\$&")}"`).join("")}`);
}

/** Joins conditions; none is `TRUE`. */
export function allOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "TRUE" : conditions.map((condition) => `(${condition})`).join(" AND ");
}

/** Joins alternatives; none is `FALSE`. */
export function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "FALSE" : conditions.map((condition) => `(${condition})`).join(" OR ");
}

/** Rows of constants as a table: `UNNEST([STRUCT('a' AS tenant, 1 AS seq), …])`. @param rows - SQL by column. */
export function constantRows(rows: readonly Readonly<Record<string, string>>[]): string {
  const structs = rows.map((row) => {
    const fields = Object.entries(row).map(([name, sql]) => `${sql} AS ${name}`);
    return `STRUCT(${fields.join(", ")})`;
  });
  return `UNNEST([${structs.join(", ")}])`;
}
