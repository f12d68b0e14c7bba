/**
 * From a record's keys to column names: a pure function of the set of keys, so that the order in which keys were first
 * seen cannot change a name (I14).
 *
 * A key is its own name wherever that is possible. It is not where engines would take two names for one (they do not
 * tell `Id` from `id`), where a name cannot be seen or written (empty, control characters), is too long, or is one of
 * leat's. Then eight hex digits of the key's SHA-256 are added, to every key of a group that collides: were one of them
 * to keep the plain name, a query would silently begin to read another field when its twin first arrives. Only keys that
 * the stream itself names (primary key, cursor, declared columns) keep theirs, since that does not depend on the data.
 */
import { createHash } from "node:crypto";
import { leatPrefix } from "./stream.ts";

/** Longest name, UTF-8 bytes, that is kept: below the bounds of engines with room for the digits. */
export const columnNameBytesMax = 120;

/** What names must keep clear of. */
export type ColumnNameRules = Readonly<{
  /** Names taken by leat's own columns; a key like one of them gets its digits. */
  reserved: readonly string[];
  /** Keys that the stream names itself. */
  named: ReadonlySet<string>;
  /** Default {@link columnNameBytesMax}. */
  bytesMax?: number;
}>;

/** How engines compare names: without case, composed and decomposed letters alike. */
export function foldColumnName(name: string): string {
  return name.normalize("NFC").toLowerCase().normalize("NFC");
}

/**
 * Names the columns for a set of keys.
 *
 * @returns a name for every key; no two of them fold to the same, and none folds to a reserved one.
 */
export function planColumnNames(keys: Iterable<string>, rules: ColumnNameRules): ReadonlyMap<string, string> {
  const bytesMax = rules.bytesMax ?? columnNameBytesMax;
  const reserved = new Set(rules.reserved.map(foldColumnName));
  const groups = new Map<string, string[]>();
  for (const key of new Set(keys)) {
    const fold = foldColumnName(key);
    groups.set(fold, [...(groups.get(fold) ?? []), key]);
  }
  const names = new Map<string, string>();
  for (const [fold, group] of groups) {
    const isFree = !reserved.has(fold) && !fold.startsWith(leatPrefix);
    const named = group.filter((key) => rules.named.has(key));
    const owner = group.length === 1 ? group[0] : named.length === 1 ? named[0] : undefined;
    for (const key of group)
      names.set(key, isFree && key === owner && isPlain(key, bytesMax) ? key : withDigits(key, bytesMax));
  }
  return separate(names, reserved, bytesMax);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const controlPattern = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function isPlain(key: string, bytesMax: number): boolean {
  return key !== "" && Buffer.byteLength(key) <= bytesMax && key.search(controlPattern) < 0;
}

function withDigits(key: string, bytesMax: number, digits = 8): string {
  const hash = createHash("sha256").update(key).digest("hex").slice(0, digits);
  let stem = "";
  let bytes = digits + 1;
  for (const character of key.replace(controlPattern, "_").replace(/^_leat_/i, "leat_")) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    stem += character;
  }
  return `${stem === "" ? "empty" : stem}_${hash}`;
}

/**
 * Keys that look like another's name with digits (somebody sends `id_1a2b3c4d`) would collide after all: then every
 * name of that group gets all 64 digits, which no key can have without knowing its own hash.
 */
function separate(
  names: ReadonlyMap<string, string>,
  reserved: ReadonlySet<string>,
  bytesMax: number,
): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const name of names.values())
    counts.set(foldColumnName(name), (counts.get(foldColumnName(name)) ?? 0) + 1);
  // Where names are short, as many as leave room for "empty_": 57 of 63 bytes are 228 bits.
  const digitsMax = Math.min(64, bytesMax - "empty_".length);
  const isTaken = (name: string) =>
    (counts.get(foldColumnName(name)) ?? 0) > 1 || reserved.has(foldColumnName(name));
  return new Map(
    [...names].map(([key, name]) => [key, isTaken(name) ? withDigits(key, bytesMax, digitsMax) : name]),
  );
}
