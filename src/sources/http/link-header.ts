/** Reads `Link` headers. */

/**
 * The target of the first link with a relation.
 *
 * @param header - one header or several; commas and semicolons inside `<…>` and `"…"` belong to the text.
 * @returns the target as it stands, relative ones too; `undefined`: no such link.
 * @see source: RFC 8288 §3, read 2026-11.
 */
export function findLink(
  header: string | readonly string[] | undefined,
  relation: string,
): string | undefined {
  const text = typeof header === "string" ? header : (header ?? []).join(", ");
  const wanted = relation.toLowerCase();
  for (const [, target, parameters = ""] of text.matchAll(
    /<([^>]*)>((?:\s*;\s*[^=;,\s"]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^";,\s]*))?)*)/g,
  )) {
    for (const [, name, quoted, plain] of parameters.matchAll(
      /;\s*([^=;\s]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^";,\s]*))/g,
    )) {
      const value = quoted ?? plain ?? "";
      if (name?.toLowerCase() === "rel" && value.toLowerCase().split(/\s+/).includes(wanted)) return target;
    }
  }
  return undefined;
}
