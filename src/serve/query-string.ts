/** The query of an address as pairs of name and value, bounded. */
import { Problem, shorten } from "./problem.ts";

/** Longest address, characters: servers and proxies on the way have bounds of this size. */
export const addressLengthMax = 8192;
/** Most parameters of one address. */
const parametersMax = 200;

/** A parameter; `raw` is its value as it was sent. */
export type QueryPair = Readonly<{ name: string; value: string; raw: string }>;

/** Reads `a=1&b=2`; `+` is a space. */
export function parseQueryString(query: string): readonly QueryPair[] {
  if (query === "") return [];
  const parts = query.split("&").filter((part) => part !== "");
  if (parts.length > parametersMax)
    throw new Problem("invalid-address", {
      detail: `There are ${parts.length} parameters; at most ${parametersMax} are taken.`,
    });
  return parts.map((part) => {
    const at = part.indexOf("=");
    const [name, value] = at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
    const raw = value.replaceAll("+", " ");
    return { name: decode(name.replaceAll("+", " ")), value: decode(raw), raw };
  });
}

/** Decodes `%41`. */
export function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Problem("invalid-address", {
      detail: `"${shorten(text)}" is not well encoded: % begins two hexadecimal digits of UTF-8.`,
      value: text,
    });
  }
}

/**
 * The items of a list. Where commas were sent as they are, only these part items, and one that was encoded belongs to
 * its item (so do programs made from OpenAPI); where all were encoded (so do most libraries), each of them does.
 */
export function listOf({ value, raw }: QueryPair): string[] {
  return raw.includes(",") ? splitList(raw.replaceAll("%22", '"')).map(decode) : splitList(value);
}

/**
 * Splits a list at its commas. An item that holds a comma stands in double quotes, with quotes in it doubled; a quote
 * that begins no such item is a character like any other.
 */
export function splitList(text: string): string[] {
  const items: string[] = [];
  let at = 0;
  while (at <= text.length) {
    const closing = closingQuote(text, at);
    const comma = text.indexOf(",", at);
    const end = closing ?? (comma < 0 ? text.length : comma);
    items.push(
      closing === undefined ? text.slice(at, end) : text.slice(at + 1, end - 1).replaceAll('""', '"'),
    );
    at = end + 1;
  }
  return items;
}

/** Where a quoted item ends, behind its closing quote; `undefined`: there is none here. */
function closingQuote(text: string, at: number): number | undefined {
  if (text[at] !== '"') return undefined;
  let quote = text.indexOf('"', at + 1);
  while (quote >= 0 && text[quote + 1] === '"') quote = text.indexOf('"', quote + 2);
  const isItem = quote >= 0 && (quote + 1 === text.length || text[quote + 1] === ",");
  return isItem ? quote + 1 : undefined;
}
