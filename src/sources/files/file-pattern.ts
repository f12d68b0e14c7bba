/** Patterns of addresses and paths: globs whose `{year}` becomes a field, or regular expressions with named groups. */
import { compileGlob } from "./glob.ts";

/** A glob or a regular expression, as people write it. */
export type FilePattern = string | RegExp;

/** What a pattern may be held against. */
export type PatternSubject = Readonly<{
  /** For globs: a path, percent-decoded, perhaps with more behind it (a query). Any of them may fit. */
  paths: readonly string[];
  /** For regular expressions: the whole address, or the path. */
  address: string;
}>;

/** Fields that a fitting subject holds; `undefined`: it does not fit. */
export type MatchFile = (subject: PatternSubject) => Readonly<Record<string, string>> | undefined;

/** Longest path or address that is looked at, in characters: browsers and servers agree on some 2,000. */
export const subjectCharsMax = 2048;

/**
 * Compiles a pattern.
 *
 * A regular expression is the project's own: whether it takes its time on a long address is up to who wrote it.
 *
 * @param isAnchored - whether a glob begins at the front of the path; else one that does not begin with `/` may begin at
 *   any folder.
 * @returns the matcher, or what is wrong with the pattern.
 */
export function compilePattern(
  pattern: FilePattern,
  isAnchored: boolean,
): MatchFile | Readonly<{ fault: string }> {
  if (pattern instanceof RegExp) {
    // A sticky or global expression would remember where it stood.
    const expression = new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
    return ({ address }) =>
      address.length > subjectCharsMax ? undefined : fieldsOf(expression.exec(address));
  }
  const fits = compileGlob(pattern, !isAnchored && !pattern.startsWith("/"));
  if (typeof fits !== "function") return fits;
  return ({ paths }) => {
    for (const path of paths) {
      const fields = path.length > subjectCharsMax ? undefined : fits(path);
      if (fields !== undefined) return fields;
    }
    return undefined;
  };
}

function fieldsOf(match: RegExpExecArray | null): Readonly<Record<string, string>> | undefined {
  if (match === null) return undefined;
  return Object.fromEntries(Object.entries(match.groups ?? {}).filter(([, value]) => value !== undefined));
}
