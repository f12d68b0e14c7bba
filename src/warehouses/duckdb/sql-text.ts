/** Names and values as SQL text. Values of records never pass through here, only names, keys and places. */

/** A name in double quotes; names are made by {@link planColumnNames} or checked, and hold no NUL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as a literal. A NUL would end the statement in the engine's C interface, so it is spelled as `chr(0)`. */
export function quoteText(text: string): string {
  const parts = text.split("\0").map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts[0]! : `(${parts.join(" || chr(0) || ")})`;
}

/** Texts as a list literal. */
export function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(", ")}]`;
}

/** A JSON pointer to a path of keys, as a literal. */
export function quotePointer(keys: readonly string[]): string {
  return quoteText(keys.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""));
}

/** Joins conditions; none is `true`. */
export function allOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "true" : conditions.map((condition) => `(${condition})`).join(" AND ");
}

/** Joins alternatives; none is `false`. */
export function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? "false" : conditions.map((condition) => `(${condition})`).join(" OR ");
}
