/**
 * Globs whose fields say what stood where. Globs of Node's own (`path.matchesGlob`) only find; and a regular expression
 * made of one takes minutes where a publisher's long name almost fits. Here the time grows with the length alone.
 */

/** One step of a glob. `many`: any text within a name; with `crosses` over folders too. `folders`: any number of them. */
type Token =
  | Readonly<{ kind: "one"; fits: (char: string) => boolean }>
  | Readonly<{ kind: "many"; crosses: boolean }>
  | Readonly<{ kind: "folders" }>
  | Readonly<{ kind: "begin" | "end"; field: string }>;

/** Glob → fields of a path that fits; `undefined`: it does not. */
export type MatchGlob = (path: string) => Readonly<Record<string, string>> | undefined;

/** `{a,b}` is tried as several globs; so many of them are somebody's mistake. */
const choicesMax = 64;

/**
 * Compiles a glob.
 *
 * `*` any text within a name, `**` over folders too, `?` one character, `[a-z]`, `[!a-z]`, `{xls,csv}` one of them,
 * `{year}` four digits and `{other}` text within a name, both as fields, as short as the rest lets them be; `\` before a
 * character takes it as it is. Upper and lower case are alike.
 *
 * @param isFree - whether it may begin at any folder.
 * @returns the matcher, or what is wrong with the glob.
 */
export function compileGlob(glob: string, isFree: boolean): MatchGlob | Readonly<{ fault: string }> {
  if (glob === "") return { fault: "is empty; write a pattern such as **/*.xls" };
  const globs = expandChoices(glob);
  if (globs.length > choicesMax) return { fault: `stands for more than ${choicesMax} patterns` };
  const compiled: (readonly Token[])[] = [];
  for (const one of globs) {
    const tokens = parseTokens(one);
    if ("fault" in tokens) return tokens;
    compiled.push(isFree ? [{ kind: "folders" }, ...tokens] : tokens);
  }
  return (path) => {
    const chars = [...path];
    for (const tokens of compiled) {
      const fields = matchTokens(tokens, chars);
      if (fields !== undefined) return fields;
    }
    return undefined;
  };
}

/** `{a,b}c` → `ac`, `bc`. Stops behind the bound. */
function expandChoices(glob: string): readonly string[] {
  const groups = choice.exec(glob)?.groups;
  if (groups === undefined) return [glob];
  const { before = "", choices = "", after = "" } = groups;
  const expanded: string[] = [];
  for (const one of choices.split(/(?<!\\),/)) {
    expanded.push(...expandChoices(before + one + after));
    if (expanded.length > choicesMax) break;
  }
  return expanded;
}

/** The first choice of a glob: what is in braces with a comma. A choice may hold fields. */
const choice =
  /^(?<before>(?:\\[\s\S]|\{\w*\}|[^\\{])*)\{(?<choices>(?:\\[\s\S]|\{\w*\}|[^\\{},])*,(?:\\[\s\S]|\{\w*\}|[^\\{}])*)\}(?<after>[\s\S]*)$/;

/** Tokens of a glob, longest first; what none of them takes stands for itself. */
const token =
  /\\(?<escaped>[\s\S])|(?<folders>(?<=^|\/)\*\*\/)|(?<rest>\*\*)|(?<name>\*)|(?<one>\?)|\[(?<not>!?)(?<set>\]?[^\]]*)\]|\{(?<field>[A-Za-z_]\w*)\}|(?<literal>[\s\S])/gu;

function parseTokens(glob: string): Token[] | Readonly<{ fault: string }> {
  const tokens: Token[] = [];
  const fields = new Set<string>();
  for (const { groups = {} } of glob.matchAll(token)) {
    const { escaped, folders, rest, name, one, not, set, field, literal } = groups;
    if (folders !== undefined) tokens.push({ kind: "folders" });
    else if (rest !== undefined) tokens.push({ kind: "many", crosses: true });
    else if (name !== undefined) tokens.push({ kind: "many", crosses: false });
    else if (one !== undefined) tokens.push(inName);
    else if (set !== undefined) tokens.push(parseSet(set, not === "!"));
    else if (field !== undefined) {
      if (fields.has(field)) return { fault: `has {${field}} twice` };
      fields.add(field);
      tokens.push({ kind: "begin", field }, ...fieldTokens(field), { kind: "end", field });
    } else {
      const char = escaped ?? literal ?? "";
      if (escaped === undefined && "[]{}".includes(char)) {
        return { fault: `has a "${char}" without its other half; write \\${char} for the character itself` };
      }
      const folded = fold(char);
      tokens.push({ kind: "one", fits: (other) => fold(other) === folded });
    }
  }
  return tokens;
}

const fold = (char: string): string => char.toLowerCase();

const inName: Token = { kind: "one", fits: (char) => char !== "/" };
const digit: Token = { kind: "one", fits: (char) => /^\d$/.test(char) };

/** Four digits are a year; any other field is at least a character. */
const fieldTokens = (field: string): readonly Token[] =>
  fold(field) === "year" ? [digit, digit, digit, digit] : [inName, { kind: "many", crosses: false }];

/** A character or range of a set; the first may be the closing bracket itself. */
const member = /(?<from>[\s\S])(?:-(?<to>[\s\S]))?/gu;

function parseSet(set: string, isNot: boolean): Token {
  const ranges = [...set.matchAll(member)].map(({ groups = {} }) => {
    const from = fold(groups["from"] ?? "");
    return [from, fold(groups["to"] ?? from)] as const;
  });
  const isIn = (char: string): boolean => ranges.some(([from, to]) => from <= char && char <= to);
  return { kind: "one", fits: (char) => char !== "/" && isIn(fold(char)) !== isNot };
}

function matchTokens(tokens: readonly Token[], chars: readonly string[]) {
  /** Places where the rest of the glob is known not to fit, by step and character. */
  const failed = new Uint8Array(tokens.length * (chars.length + 1));
  const begins = new Map<string, number>();
  const fields = new Map<string, string>();
  const fits = (firstStep: number, firstAt: number): boolean => {
    let at = firstAt;
    for (let step = firstStep; step < tokens.length; step++) {
      const current = tokens[step]!;
      if (current.kind === "one") {
        const char = chars[at++];
        if (char === undefined || !current.fits(char)) return false;
      } else if (current.kind === "begin") begins.set(current.field, at);
      else if (current.kind === "end") {
        fields.set(current.field, chars.slice(begins.get(current.field), at).join(""));
      } else return fitsAfter(step, at);
    }
    return at === chars.length;
  };
  /** Whether the rest fits somewhere behind what a step of any length takes, the shortest first. */
  const fitsAfter = (step: number, from: number): boolean => {
    const current = tokens[step]!;
    const isOverFolders = current.kind === "folders" || (current.kind === "many" && current.crosses);
    for (let at = from; at <= chars.length; at++) {
      if (at > from && chars[at - 1] === "/" && !isOverFolders) break;
      if (current.kind === "folders" && at > from && chars[at - 1] !== "/") continue;
      const place = step * (chars.length + 1) + at;
      if (failed[place] === 1) break; // And with it all that lie behind.
      failed[place] = 1;
      if (fits(step + 1, at)) return true;
    }
    return false;
  };
  return fits(0, 0) ? Object.fromEntries(fields) : undefined;
}
