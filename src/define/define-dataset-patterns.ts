/**
 * Patterns that engines run. Warehouses search by RE2, which has no lookaround and no back references, and where some
 * escapes mean other characters than in JavaScript. A pattern is translated only where both surely agree.
 */

/** A translated pattern, or why there is none. */
export type EnginePattern = Readonly<{ pattern: string } | { refused: string }>;

/** White space as JavaScript's `\s` has it; RE2's has only ASCII's. */
const spaces =
  "\\t\\n\\x0b\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";

/** Most repetitions that RE2 takes. */
const repetitionsMax = 1000;

/** Escapes that mean the same in both. */
const sameEscapes = /^[dDwWbBtnrfv0^$\\.*+?()[\]{}|/-]$/;

/** Translates a pattern of JavaScript to RE2; `shown` names it in messages. */
export function toEnginePattern(expression: RegExp): EnginePattern {
  const { source, flags } = expression;
  const odd = [...flags].find((flag) => !"isug".includes(flag));
  if (odd !== undefined) return { refused: `the flag ${odd}` };
  const isDotAll = flags.includes("s");
  let pattern = "";
  let isInClass = false;
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at);
    if (!isInClass && isOddAnchor(source, at)) return { refused: `${source[at]} in the middle` };
    const token: Token = isInClass ? nextOfClass(rest) : nextOutside(rest, isDotAll);
    if (typeof token === "string") return { refused: token };
    pattern += token.text;
    if (token.opens !== undefined) isInClass = token.opens;
    at += token.taken;
  }
  const prefix = `${flags.includes("i") ? "i" : ""}${isDotAll ? "s" : ""}`;
  return { pattern: prefix === "" ? pattern : `(?${prefix})${pattern}` };
}

/** Anchors elsewhere than at an end of the text or of an alternative never match, and DuckDB 1.5 finds them all the same. */
function isOddAnchor(source: string, at: number): boolean {
  if (source[at] === "^") return !/(?:^|[(|]|\(\?:|\(\?<\w+>)$/.test(source.slice(0, at));
  return source[at] === "$" && !/^(?:$|[)|])/.test(source.slice(at + 1));
}

/** What a piece of the source becomes; a text instead: why it becomes nothing. */
type Token = Readonly<{ text: string; taken: number; opens?: boolean }> | string;

function nextOutside(rest: string, isDotAll: boolean): Token {
  if (rest.startsWith("(?")) return nextGroup(rest);
  if (rest.startsWith("[]") || rest.startsWith("[^]")) return "an empty class";
  if (rest.startsWith("[^")) return { text: "[^", taken: 2, opens: true };
  if (rest.startsWith("[")) return { text: "[", taken: 1, opens: true };
  if (rest.startsWith(".") && !isDotAll) return { text: "[^\\n\\r\\x{2028}\\x{2029}]", taken: 1 };
  const repetition = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
  if (repetition !== null) {
    const counts = [repetition[1], repetition[2]].map((count) => Number(count ?? 0));
    if (Math.max(...counts) > repetitionsMax) return `a repetition of more than ${repetitionsMax}`;
    return { text: repetition[0], taken: repetition[0].length };
  }
  if (!rest.startsWith("\\")) return { text: rest[0]!, taken: 1 };
  if (rest[1] === "s") return { text: `[${spaces}]`, taken: 2 };
  if (rest[1] === "S") return { text: `[^${spaces}]`, taken: 2 };
  return nextEscape(rest);
}

function nextOfClass(rest: string): Token {
  if (rest.startsWith("]")) return { text: "]", taken: 1, opens: false };
  if (rest.startsWith("[")) return { text: "\\[", taken: 1 }; // `[[:alpha:]]` is a class of its own in RE2.
  if (!rest.startsWith("\\")) return { text: rest[0]!, taken: 1 };
  if (rest[1] === "s") return { text: spaces, taken: 2 };
  if (rest[1] === "b") return { text: "\\x08", taken: 2 };
  if (rest[1] === "S" || rest[1] === "B") return `\\${rest[1]} within a class`;
  return nextEscape(rest);
}

function nextGroup(rest: string): Token {
  if (rest.startsWith("(?:")) return { text: "(?:", taken: 3 };
  const named = /^\(\?<([A-Za-z_]\w*)>/.exec(rest);
  if (named !== null) return { text: `(?P<${named[1]}>`, taken: named[0].length };
  return /^\(\?<?[=!]/.test(rest) ? "looking ahead or behind" : `the group ${rest.slice(0, 4)}`;
}

function nextEscape(rest: string): Token {
  const code = /^\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/.exec(rest);
  const digits = code?.[1] ?? code?.[2] ?? code?.[3];
  if (code !== null && digits !== undefined) {
    const isSurrogate = /^d[89a-f]/i.test(digits) && digits.length === 4;
    return isSurrogate ? "half of a character" : { text: `\\x{${digits}}`, taken: code[0].length };
  }
  const letter = rest[1] ?? "";
  if (letter === "0" && /^\\0\d/.test(rest)) return "an octal escape";
  if (letter === "0") return { text: "\\x00", taken: 2 };
  if (/[1-9k]/.test(letter)) return "a reference back to a group";
  if (letter === "p" || letter === "P") return "a class by Unicode property";
  if (sameEscapes.test(letter)) return { text: `\\${letter}`, taken: 2 };
  return `the escape \\${letter}`;
}

/** A pattern of names, `*` any text and `?` any character, as an expression for all of a text. */
export function globToExpression(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}
