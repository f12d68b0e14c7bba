/** Rules that make a column's text of a cell's: one of several values, the wanted part, footnote marks cut. */
import { cutMarks, cutValueMark } from "./footnote-marks.ts";
import { type TextPart, type TypedPart, toRegExp } from "./layout.ts";

/** Labels that lost a mark, kept for the report. */
const examplesMax = 20;
/** Texts whose result is remembered: labels repeat from row to row, but not without end. */
const rememberedMax = 10_000;

/** Labels that lost a footnote mark, told once each. */
export class CutLog {
  count = 0;
  readonly examples: { text: string; marks: string }[] = [];

  add(text: string, marks: readonly string[]): void {
    this.count++;
    if (this.examples.length < examplesMax) this.examples.push({ text, marks: marks.join(", ") });
  }
}

/** One text in, one or (with `take: "each"`) several out; `""` is no value. */
export type TextRule = (text: string) => readonly string[];

/** @returns `undefined`: the column's texts are taken as they are. */
export function compileTextRule(
  part: TextPart & Pick<TypedPart, "kind">,
  known: ReadonlySet<string>,
  log: CutLog,
): TextRule | undefined {
  const { take } = part;
  if (take === null && part.match === null && part.marks === "keep") return undefined;
  const separator = toRegExp(part.separator);
  const match = part.match === null ? undefined : toRegExp(part.match);
  const cutAny = part.kind === "text" ? cutMarks : cutValueMark;
  const remembered = new Map<string, readonly string[]>();
  const apply = (text: string): readonly string[] => {
    const all =
      take === null
        ? [text]
        : text
            .split(separator)
            .map((one) => one.trim())
            .filter((one) => one !== "");
    const taken = take === "first" ? all.slice(0, 1) : take === "last" ? all.slice(-1) : all;
    const matched = match === undefined ? taken : taken.map((one) => firstGroup(match.exec(one)));
    if (part.marks === "keep") return matched;
    return matched.map((one) => {
      const cut = cutAny(one, known);
      if (cut.marks.length > 0) log.add(one, cut.marks);
      return cut.text;
    });
  };
  return (text) => {
    const before = remembered.get(text);
    if (before !== undefined) return before;
    const result = apply(text);
    if (remembered.size < rememberedMax) remembered.set(text, result);
    return result;
  };
}

function firstGroup(found: RegExpExecArray | null): string {
  if (found === null) return "";
  return (found.length > 1 ? found.slice(1).find((group) => group !== undefined) : found[0])?.trim() ?? "";
}
