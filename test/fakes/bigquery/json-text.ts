/**
 * The JSON functions for text: a number keeps its literal, white space between tokens goes, of a key that comes twice
 * the first counts, and what is no JSON gives NULL.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions (read 2026-11-21)
 */

const tokenPattern = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|\s+/gsy;

/** Lines looked at lately: each column asks for the same ones again. */
const known = new Map<string, ReadonlyMap<string, string> | undefined>();
const knownMax = 4_096;

function fieldsOf(json: string): ReadonlyMap<string, string> | undefined {
  if (known.has(json)) return known.get(json);
  if (known.size >= knownMax) known.clear();
  const fields = cut(json);
  known.set(json, fields);
  return fields;
}

function cut(json: string): ReadonlyMap<string, string> | undefined {
  try {
    JSON.parse(json);
  } catch {
    return undefined;
  }
  const fields = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let value = "";
  const end = () => {
    if (key !== undefined && !fields.has(key)) fields.set(key, value);
    key = undefined;
    value = "";
  };
  for (const [token] of json.matchAll(tokenPattern)) {
    if (/^\s/.test(token)) continue;
    if (token === "}" || token === "]") depth -= 1;
    if (depth === 1 && token === ",") end();
    else if (depth === 1 && key === undefined && token.startsWith('"')) key = JSON.parse(token) as string;
    else if (depth >= 1 && !(depth === 1 && value === "" && token === ":")) value += token;
    if (token === "{" || token === "[") depth += 1;
  }
  end();
  return fields;
}

const paths = new Map<string, readonly string[]>();

function keysOf(path: string): readonly string[] {
  const found = paths.get(path);
  if (found !== undefined) return found;
  const keys = [...path.slice(1).matchAll(/\."((?:[^"\\]|\\.)*)"/gsy)].map(([, key]) =>
    key!.replace(/\\(.)/gs, "$1"),
  );
  paths.set(path, keys);
  return keys;
}

/** `JSON_QUERY(json, path)`. */
export function jsonQuery(json: string | null, path: string | null): string | null {
  if (json === null || path === null) return null;
  let text: string | undefined = json.trim();
  const keys = keysOf(path);
  for (const key of keys) text = text?.startsWith("{") ? fieldsOf(text)?.get(key) : undefined;
  if (text === undefined || text === "null") return null;
  if (keys.length === 0)
    try {
      JSON.parse(text);
    } catch {
      return null;
    }
  return text;
}

/** `JSON_VALUE(json, path)`. */
export function jsonValue(json: string | null, path: string | null): string | null {
  const found = jsonQuery(json, path);
  if (found === null || found.startsWith("{") || found.startsWith("[")) return null;
  return found.startsWith('"') ? (JSON.parse(found) as string) : found;
}
