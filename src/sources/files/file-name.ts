/** What people call a file, from its address or from what an answer says. */

/** Longest name kept, in characters; file systems take no more. */
const nameCharsMax = 255;

/** A name with an ending, as files have. */
const named = /[^./][^/]*\.[A-Za-z0-9]{1,10}$/;

/**
 * The last name of an address: of its path, or, where that has no ending, of a parameter that does
 * (`/file?uri=/data/2018.xls`).
 */
export function nameOfAddress(address: URL): string {
  const ofPath = lastName(address.pathname);
  if (named.test(ofPath)) return ofPath;
  for (const [, value] of address.searchParams) {
    const name = lastName(value);
    if (named.test(name)) return name;
  }
  return ofPath === "" ? address.hostname : ofPath;
}

/**
 * The name in a `Content-Disposition` header, without the folders in it.
 *
 * @see source: RFC 6266 §4 and RFC 8187 §3.2, read 2026-11.
 */
export function nameOfDisposition(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const extended = /;\s*filename\*\s*=\s*([\w!#$&+^`{}~-]+)'[^']*'([^;\s]+)/i.exec(header);
  if (extended?.[1] !== undefined && extended[2] !== undefined && /^utf-8$/i.test(extended[1])) {
    const name = lastName(extended[2]);
    if (name !== "") return name;
  }
  const plain = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header);
  const name = lastName(plain?.[1]?.replaceAll(/\\(.)/g, "$1") ?? plain?.[2] ?? "", false);
  return name === "" ? undefined : name;
}

/** Whether a name has an ending. */
export const hasEnding = (name: string): boolean => named.test(name);

/** Percent-decoding that leaves alone what is not percent-encoded well. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function lastName(path: string, isEncoded = true): string {
  const decoded = isEncoded ? decodePath(path) : path;
  const name = decoded.split(/[/\\]/).findLast((part) => part !== "") ?? "";
  return name
    .replaceAll(/\p{Cc}/gu, "")
    .trim()
    .slice(0, nameCharsMax)
    .toWellFormed();
}
