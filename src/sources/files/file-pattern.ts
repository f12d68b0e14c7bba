/**
 * Patterns of addresses and paths: globs whose `{year}` becomes a field, or regular expressions with named groups.
 *
 * Globs of Node's own (`path.matchesGlob`) find, but do not say what stood where.
 */

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

/**
 * Longest path or address that is looked at, in characters: browsers and servers agree on some 2,000, and a pattern of
 * many stars takes time that grows with a power of the length.
 */
export const subjectCharsMax = 2048;

/** Stars of one glob; see {@link subjectCharsMax}. */
const starsMax = 12;

/** Four digits are a year; any other field is whatever stands there, as little as fits, within one name. */
const yearPattern = "\\d{4}";
const fieldPattern = "[^/]+?";

/**
 * Compiles a pattern.
 *
 * Globs: `*` any text within a name, `**` any number of folders, `?` one character, `[a-z]`, `[!a-z]`, `{xls,csv}` one
 * of them, `{year}` four digits and `{other}` any text within a name, both as fields; `\` before a character takes it
 * as it is. Upper and lower case are alike.
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
  const source = globSource(pattern);
  if (typeof source !== "string") return source;
  const isFree = !isAnchored && !pattern.startsWith("/");
  let expression: RegExp;
  try {
    expression = new RegExp(`^${isFree ? "(?:.*/)?" : ""}${source}$`, "isu");
  } catch {
    return { fault: "has a set such as [z-a], whose end is before its beginning" };
  }
  return ({ paths }) => {
    for (const path of paths) {
      const fields = path.length > subjectCharsMax ? undefined : fieldsOf(expression.exec(path));
      if (fields !== undefined) return fields;
    }
    return undefined;
  };
}

function fieldsOf(match: RegExpExecArray | null): Readonly<Record<string, string>> | undefined {
  if (match === null) return undefined;
  return Object.fromEntries(Object.entries(match.groups ?? {}).filter(([, value]) => value !== undefined));
}

/** Tokens of a glob, longest first; what none of them takes stands for itself. */
const token =
  /\\(?<escaped>.)|(?<folders>\*\*\/)|(?<rest>\*\*)|(?<name>\*)|(?<one>\?)|\[(?<set>!?\]?[^\]]*)\]|\{(?<field>[A-Za-z_]\w*)\}|\{(?<choices>[^{}]*,[^{}]*)\}|(?<literal>[\s\S])/gu;

function globSource(glob: string): string | Readonly<{ fault: string }> {
  if (glob === "") return { fault: "is empty; write a pattern such as **/*.xls" };
  const fields = new Set<string>();
  let stars = 0;
  let source = "";
  for (const { groups = {} } of glob.matchAll(token)) {
    const { escaped, folders, rest, name, one, set, field, choices, literal } = groups;
    if (folders !== undefined || rest !== undefined || name !== undefined || choices?.includes("*")) stars++;
    if (folders !== undefined) source += "(?:.*/)?";
    else if (rest !== undefined) source += ".*";
    else if (name !== undefined) source += "[^/]*";
    else if (one !== undefined) source += "[^/]";
    else if (set !== undefined) source += setSource(set);
    else if (field !== undefined) {
      if (fields.has(field)) return { fault: `has {${field}} twice` };
      fields.add(field);
      source += `(?<${field}>${field.toLowerCase() === "year" ? yearPattern : fieldPattern})`;
    } else if (choices !== undefined) {
      source += `(?:${choices.split(",").map(choiceSource).join("|")})`;
    } else {
      const char = escaped ?? literal ?? "";
      if (escaped === undefined && "[]{}".includes(char)) {
        return { fault: `has a "${char}" without its other half; write \\${char} for the character itself` };
      }
      source += escapeText(char);
    }
  }
  if (stars > starsMax) return { fault: `has more than ${starsMax} stars` };
  return source;
}

/** A choice may hold stars and question marks of its own. */
const choiceSource = (choice: string): string =>
  choice
    .split(/(\*|\?)/)
    .map((piece) => (piece === "*" ? "[^/]*" : piece === "?" ? "[^/]" : escapeText(piece)))
    .join("");

/** Text that stands for itself in a regular expression; `RegExp.escape` is not in Node 22 yet. */
const escapeText = (text: string): string => text.replaceAll(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");

function setSource(set: string): string {
  const isNot = set.startsWith("!");
  const inner = (isNot ? set.slice(1) : set).replaceAll(/[\\\][^]/g, "\\$&");
  return `(?!/)[${isNot ? "^" : ""}${inner}]`;
}
